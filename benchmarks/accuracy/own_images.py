"""Does it help to learn from the very images that get boxes? People train on the folder they want boxes for.

    python3 benchmarks/accuracy/own_images.py --out FOLDER --tiny-imagenet DIR
        [--sets dog,artiodactyla] [--seeds 0,1,2] [--ways new,all,then,alone] [--split train|val]
        [--steps 600]
    python3 benchmarks/accuracy/own_images.py --out FOLDER --table [--split train|val] [--json FILE]

The same images H are boxed after four trainings, none of which sees a label: on all others (``new``, as
docs/results.md does with val), on all and H (``all``), on H alone (``alone``), and on all and H and then for
a quarter of the steps more on H (``then``). H are 300 train images, others for each seed, or with ``--split
val`` the val images. Each run is a JSON in FOLDER; what is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from readings import Networks, default_boxes
from search import difference, measure
from trainings import learn

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.atomic import write_atomically
from core.base.config import TrainConfig
from core.base.presets import PRESETS
from core.evaluate.report import wilson_interval
from core.formats import tiny_imagenet
from core.images.pixels import prepare_pixels
from core.images.scan import scan_folder
from core.learn.checkpoint import TrainState, new_state
from core.paper.origin import revision

WAYS: Mapping[str, str] = {
    "new": "all others",
    "all": "all others and H",
    "then": "all others and H, then H",
    "alone": "H alone",
}
HELD_OUT = 300
Runs = dict[int, dict[str, Any]]  # by seed


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    if not options.table:
        for seed in options.seeds:
            for name in options.sets:
                run(name, seed, options)
    rows = table(options)
    if options.json:
        runs = [
            json.loads(path.read_text())
            for path in sorted(options.out.glob(f"{options.split}-*-{options.steps}.json"))
        ]
        document = {"command": sys.argv, "commit": revision(), "runs": runs, "table": rows}
        write_atomically(options.json, json.dumps(document, indent=1).encode() + b"\n")


def run(name: str, seed: int, options: argparse.Namespace) -> None:
    """All ways of one set and seed that are not there yet."""
    files = {
        way: options.out / f"{options.split}-{name}-{seed}-{way}-{options.steps}.json" for way in options.ways
    }
    if all(path.exists() for path in files.values()):
        return
    names, images, own, truth = _data(name, seed, options)
    config = PRESETS["scratch"].with_(framing=0, steps=options.steps, seed=seed, device="cpu")
    after = config.with_(steps=config.steps // 4, seed=seed + 1000)
    others = np.setdiff1d(np.arange(len(images)), own)
    states: dict[str, TrainState] = {}
    for way, path in files.items():
        if path.exists():
            continue
        if way == "then":
            states[way] = states.get("all") or _trained(config, images)[1]
            networks = learn(after, images[own], state=states[way])
        else:
            learned = {"new": images[others], "alone": images[own]}.get(way, images)
            networks, states[way] = _trained(config, learned)
        found = [
            ImageBoxes(names[i], 64, 64, (BoxRecord(box),))
            for i, box in zip(own, default_boxes({way: [networks]}, images[own]), strict=True)
        ]
        known = {image.name for image in found}
        measured = measure(found, [image for image in truth if image.name in known])
        document = {
            "set": name,
            "seed": seed,
            "way": way,
            "steps": options.steps,
            "commit": revision(),
            **measured,
        }
        write_atomically(path, json.dumps(document).encode() + b"\n")
        print(path.stem, f"{100 * measured['accuracy']:.1f}", measured["r"], flush=True)


def _trained(config: TrainConfig, images: np.ndarray) -> tuple[Networks, TrainState]:
    state = new_state(config)
    return learn(config, images, state=state), state


def _data(
    name: str, seed: int, options: argparse.Namespace
) -> tuple[list[str], np.ndarray, np.ndarray, list[ImageBoxes]]:
    """Names and pixels of all images, the rows of H, and the truth by file name."""
    root, split = options.tiny_imagenet, options.split
    paths = [tiny_imagenet.images_of(root, name, part) for part in dict.fromkeys(("train", split))]
    all_pixels = [
        prepare_pixels(scan_folder(part).images, size=64, cache_dir=options.out / "cache" / f"{name}-{k}")
        for k, part in enumerate(paths)
    ]
    names = [file.path.name for pixels in all_pixels for file in pixels.files]
    images = np.concatenate([pixels.array for pixels in all_pixels])
    truth = tiny_imagenet.read(root, wnids=tiny_imagenet.SETS[name], split=split)
    truth = [ImageBoxes(Path(i.name).name, i.width, i.height, i.boxes) for i in truth]
    if split == "val":
        return names, images, np.arange(len(all_pixels[0].files), len(images)), truth
    own = np.random.default_rng(seed).permutation(len(images))[:HELD_OUT]
    return names, images, np.sort(own), truth


def table(options: argparse.Namespace) -> list[dict[str, Any]]:
    """The ways of each set over seeds, each less ``new``, printed as Markdown."""
    print(
        "| set | learned from | seeds | GT-known Loc | interval | less new | r(cx), r(cy) | best baseline |"
    )
    print("|---|---|---|---|---|---|---|---|")
    rows = []
    for name in options.sets:
        found = {way: _runs(options, name, way) for way in WAYS}
        rows += [_row(name, way, found[way], found["new"], options.split) for way in WAYS if found[way]]
    for row in rows:
        low, high = (100 * edge for edge in row["interval"])
        change = "{:+.1f} ({:+.1f} to {:+.1f})".format(*row["less_new"]) if row["less_new"] else ""
        print(
            f"| {row['set']} | {WAYS[row['way']]} | {len(row['seeds'])} | {100 * row['accuracy']:.1f} "
            f"| {low:.1f} to {high:.1f} | {change} | {row['r'][0]:+.2f}, {row['r'][1]:+.2f} "
            f"| {100 * row['baseline'][1]:.1f} {row['baseline'][0]} |"
        )
    return rows


def _row(name: str, way: str, some: Runs, base: Runs, split: str) -> dict[str, Any]:
    accuracy = statistics.mean(run["accuracy"] for run in some.values())
    # Each seed has other images of train, which adds up; of val all have the same.
    n = sum(run["n"] for run in some.values()) // (1 if split == "train" else len(some))
    pairs = [(_hits(some[seed]), _hits(base[seed])) for seed in sorted(set(some) & set(base))]
    less = None
    if way != "new" and pairs:
        less = difference([[pair] for pair in pairs] if split == "train" else [pairs])
    return {
        "set": name,
        "way": way,
        "seeds": sorted(some),
        "accuracy": accuracy,
        "interval": wilson_interval(round(accuracy * n), n),
        "less_new": less,
        "r": [statistics.mean(run["r"][k] for run in some.values()) for k in (0, 1)],
        "baseline": (
            next(iter(some.values()))["baseline"][0],
            statistics.mean(run["baseline"][1] for run in some.values()),
        ),
    }


def _runs(options: argparse.Namespace, name: str, way: str) -> Runs:
    paths = options.out.glob(f"{options.split}-{name}-*-{way}-{options.steps}.json")
    return {run["seed"]: run for run in (json.loads(path.read_text()) for path in sorted(paths))}


def _hits(run: dict[str, Any]) -> np.ndarray:
    return np.array([*run["hits"]], int)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tiny-imagenet", type=Path)
    parser.add_argument("--sets", type=_words, default=["dog", "artiodactyla"])
    parser.add_argument(
        "--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[0, 1, 2]
    )
    parser.add_argument("--ways", type=_words, default=[*WAYS])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--split", default="train", choices=("train", "val"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only what is there already")
    parser.add_argument("--json", type=Path, help="all runs and the table in one file")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _words(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    main()
