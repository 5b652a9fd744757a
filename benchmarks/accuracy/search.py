"""Ideas that might find objects better, each a small config: tried on train boxes, kept by evidence.

    python3 benchmarks/accuracy/search.py --out FOLDER --tiny-imagenet DIR
        [--raccoon DIR] [--ideas ensemble,rotations] [--sets dog,artiodactyla,raccoon] [--seeds 0,1]
        [--steps 600] [--held-out 1000]
    python3 benchmarks/accuracy/search.py --out FOLDER --table [--sets dog,artiodactyla] [--json FILE]
        [--figure FILE]
    python3 benchmarks/accuracy/search.py --list

Of each set's train images some are held out, the same for every idea and seed; the others are trained on
without any label. Boxes are measured on the *new* images, which were held out, and on as many *seen* ones.
Val images are never read. Each run is a JSON in FOLDER and each training a file beside it; what is there is
not made again. An idea is compared with the default on the same images: the interval is a bootstrap over
images of the mean over seeds, all sets alike, and an idea is kept where it lies above 0 on new images.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from ideas import IDEAS, TRAININGS
from matplotlib.figure import Figure
from readings import Networks

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.atomic import write_atomically
from core.base.geometry import Box
from core.base.presets import PRESETS
from core.evaluate.matching import align
from core.evaluate.report import Report, baselines_of, evaluate_aligned, right_images
from core.formats import reading, tiny_imagenet
from core.images.pixels import Pixels, prepare_pixels
from core.images.scan import scan_folder
from core.paper.origin import revision
from core.project.drawing import new_figure, write_figure

RESAMPLES = 4000


def main() -> None:
    options = _options()
    if options.list:
        for name, idea in IDEAS.items():
            print(f"{name:22} {idea.hope}")
        return
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.table:
        torch.set_num_threads(options.threads)
        for seed in options.seeds:
            for idea in options.ideas:
                for name in options.sets:
                    run(idea, name, seed, options)
    rows = table(options.out, options.sets)
    if options.figure:
        write_figure(forest(rows, options.sets), options.figure)
    if options.json:
        runs = [run for run in _runs(options.out) if run["set"] in options.sets]
        document = {"command": sys.argv, "commit": revision(), "runs": runs, "table": rows}
        write_atomically(options.json, json.dumps(document, indent=1).encode() + b"\n")


def run(idea_name: str, set_name: str, seed: int, options: argparse.Namespace) -> None:
    """One idea on one set: trained on what is not held out, or read from a training that is there."""
    path = options.out / f"{idea_name}-{set_name}-{seed}-{options.steps}.json"
    if path.exists():
        return
    pixels, truth = data(set_name, options)
    held_out, learned = split(len(pixels.files), options.held_out)
    idea = IDEAS[idea_name]
    nets = {
        training: [
            trained(training, set_name, seed + k, pixels.array[learned], options) for k in range(idea.seeds)
        ]
        for training in idea.trainings
    }
    parts = {"new": held_out, "seen": learned[:: max(1, len(learned) // len(held_out))][: len(held_out)]}
    measured = {}
    for part, rows in parts.items():
        boxes = {}
        for i, box in zip(rows.tolist(), idea.boxes(nets, pixels.array[rows]), strict=True):
            file, (width, height) = pixels.files[i].path.name, pixels.sizes[i].tolist()
            box = Box(box.x0 * width / 64, box.y0 * height / 64, box.x1 * width / 64, box.y1 * height / 64)
            boxes[file] = ImageBoxes(file, width, height, (BoxRecord(box),))
        measured[part] = measure(list(boxes.values()), [image for image in truth if image.name in boxes])
    document = {
        "idea": idea_name,
        "set": set_name,
        "seed": seed,
        "steps": options.steps,
        "learned": len(learned),
        "commit": revision(),
        **measured,
    }
    write_atomically(path, json.dumps(document).encode() + b"\n")
    print(path.stem, {part: {k: v for k, v in m.items() if k != "hits"} for part, m in measured.items()})
    sys.stdout.flush()


def trained(name: str, set_name: str, seed: int, images: np.ndarray, options: argparse.Namespace) -> Networks:
    """The networks of a training, from the file that an earlier run left where there is one."""
    path = options.out / f"{name}-{set_name}-{seed}-{options.steps}.pt"
    if path.exists():
        networks: Networks = torch.load(path, weights_only=False)  # our own file of a moment ago
        return networks
    training = TRAININGS[name]
    config = PRESETS["scratch"].with_(
        **{"seed": seed, "steps": options.steps, "framing": 0, "device": "cpu", **training.changes}
    )
    began = time.perf_counter()
    networks = training.run(config, images)
    print(f"  trained {path.stem} in {time.perf_counter() - began:.0f} s", flush=True)
    torch.save(networks, path)
    return networks


def data(name: str, options: argparse.Namespace) -> tuple[Pixels, list[ImageBoxes]]:
    """A set's train images, all of raccoon's, and their truth by file name."""
    if name == "raccoon":
        files = scan_folder([options.raccoon / "images"]).images
        pixels = prepare_pixels(files, size=64, cache_dir=options.out / "cache" / name)
        return pixels, [_by_file_name(image) for image in reading.read_truth(options.raccoon)]
    paths = tiny_imagenet.images_of(options.tiny_imagenet, name, "train")
    pixels = prepare_pixels(scan_folder(paths).images, size=64, cache_dir=options.out / "cache" / name)
    truth = tiny_imagenet.read(options.tiny_imagenet, wnids=tiny_imagenet.SETS[name], split="train")
    return pixels, [_by_file_name(image) for image in truth]


def _by_file_name(image: ImageBoxes) -> ImageBoxes:
    return replace(image, name=Path(image.name).name)


def split(images: int, held_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows held out, a third of a small set at most, and the others."""
    order = np.random.default_rng(0).permutation(images)
    count = min(held_out, images // 3)
    return np.sort(order[:count]), np.sort(order[count:])


def measure(found: Sequence[ImageBoxes], truth: Sequence[ImageBoxes]) -> dict[str, Any]:
    """Accuracy, r, the best baseline, and which images (in the truth's order) are right."""
    aligned = align(found, truth)
    report: Report = evaluate_aligned(aligned, baselines_of(aligned.truth))
    best = max(report.rows[1:], key=lambda row: row.correct)
    right = right_images(aligned.surest_boxes(), aligned.truth)
    return {
        "accuracy": report.rows[0].accuracy,
        "n": report.n,
        "r": (report.r_cx, report.r_cy),
        "baseline": (best.method, best.accuracy),
        "hits": "".join(str(int(hit)) for hit in right),
    }


# --- the table ------------------------------------------------------------------------------------------


def table(folder: Path, sets: Sequence[str]) -> list[dict[str, Any]]:
    """Every idea beside the default of the same seeds, sets and steps, printed as Markdown."""
    runs = {(r["idea"], r["set"], r["seed"], r["steps"]): r for r in _runs(folder) if r["set"] in sets}
    rows = []
    for idea, steps in sorted({(key[0], key[3]) for key in runs}, key=lambda k: (k[1], [*IDEAS].index(k[0]))):
        seeds = sorted({key[2] for key in runs if (key[0], key[3]) == (idea, steps)})
        known = [name for name in sets if all((idea, name, seed, steps) in runs for seed in seeds)]
        if known:
            rows.append(_row(runs, idea, steps, seeds, known))
    heads = [f"{name}: new (seen); r(cx), r(cy) new" for name in sets]
    print("| idea | steps | seeds | " + " | ".join(heads) + " | new, less the default | seen | verdict |")
    print("|" + "---|" * (len(sets) + 6))
    for row in rows:
        cells = [row["sets"].get(name, "") for name in sets]
        cells = [row["idea"], str(row["steps"]), str(len(row["seeds"]))]
        cells += [row["sets"].get(name, "") for name in sets]
        print(
            "| " + " | ".join([*cells, _interval(row["new"]), _interval(row["seen"]), row["verdict"]]) + " |"
        )
    return rows


def _row(runs: dict[Any, Any], idea: str, steps: int, seeds: list[int], sets: list[str]) -> dict[str, Any]:
    texts = {}
    for name in sets:
        some = [runs[idea, name, seed, steps] for seed in seeds]
        new, seen = (100 * statistics.mean(run[part]["accuracy"] for run in some) for part in ("new", "seen"))
        rx, ry = (statistics.mean(run["new"]["r"][k] or 0.0 for run in some) for k in (0, 1))
        texts[name] = f"{new:.1f} ({seen:.1f}); {rx:+.2f}, {ry:+.2f}"
    row: dict[str, Any] = {"idea": idea, "steps": steps, "seeds": seeds, "sets": texts, "verdict": ""}
    other = IDEAS[idea].against
    for part in ("new", "seen"):
        row[part] = None
        pairs = [[(runs[idea, name, seed, steps], runs.get((other, name, seed, steps))) for seed in seeds]
                 for name in sets]  # fmt: skip
        pairs = [[(a, b) for a, b in some if b is not None] for some in pairs]
        if idea != other and all(pairs):
            row[part] = difference([[(_hits(a, part), _hits(b, part)) for a, b in some] for some in pairs])
    if row["new"]:
        row["verdict"] = "kept" if row["new"][1] > 0 else "worse: dropped" if row["new"][2] < 0 else "dropped"
    return row


def difference(sets: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]]) -> tuple[float, float, float]:
    """The mean over sets, in points, of A's accuracy less B's, and its 95 % interval: images drawn again.

    ``sets`` holds for each set one pair of answers, int (n,), for each seed.
    """
    rng = np.random.default_rng(0)
    drawn, exact = np.zeros(RESAMPLES), 0.0
    for pairs in sets:
        change = np.mean([a - b for a, b in pairs], axis=0)
        values, counts = np.unique(change, return_counts=True)
        # To draw n images again is to draw how often each value of the change comes up.
        draws = rng.multinomial(len(change), counts / len(change), size=RESAMPLES)
        drawn += draws @ values / len(change) / len(sets)
        exact += change.mean() / len(sets)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return 100 * exact, 100 * float(low), 100 * float(high)


def forest(rows: Sequence[dict[str, Any]], sets: Sequence[str]) -> Figure:
    """Each idea's gain on new images with its interval, the best above."""
    compared = sorted((row for row in rows if row["new"]), key=lambda row: row["new"][0])
    figure = new_figure(width=8, height=1.2 + 0.24 * len(compared))
    axes = figure.subplots()
    for y, row in enumerate(compared):
        exact, low, high = row["new"]
        colour = "#2aa876" if low > 0 else "#ff3b6b" if high < 0 else "#8a8f98"
        axes.plot([low, high], [y, y], color=colour, linewidth=2)
        axes.plot([exact], [y], "o", color=colour, markersize=5)
    axes.axvline(0, color="#444444", linewidth=1)
    names = [f"{row['idea']} ({row['steps']} steps, {len(row['seeds'])} x)" for row in compared]
    axes.set_yticks(range(len(compared)), names, fontsize=8)
    axes.set_xlabel(
        f"accuracy on new images less the default's, points ({', '.join(sets)}; 95 %)", fontsize=9
    )
    axes.grid(axis="x", alpha=0.3)
    return figure


def _hits(run: dict[str, Any], part: str) -> np.ndarray:
    return np.array([*run[part]["hits"]], int)


def _interval(values: tuple[float, float, float] | None) -> str:
    return "" if values is None else "{:+.1f} ({:+.1f} to {:+.1f})".format(*values)


def _runs(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--tiny-imagenet", type=Path)
    parser.add_argument("--raccoon", type=Path)
    parser.add_argument("--ideas", type=_words, default=[*IDEAS])
    parser.add_argument("--sets", type=_words, default=["dog", "artiodactyla"])
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[0, 1])
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--held-out", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="only what is there already")
    parser.add_argument("--list", action="store_true", help="the ideas")
    parser.add_argument("--figure", type=Path, help="the table as a picture, PNG or PDF")
    parser.add_argument("--json", type=Path, help="all runs and the table in one file")
    return parser.parse_args()


def _words(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    main()
