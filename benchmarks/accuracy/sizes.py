"""How many steps and images per step a folder wants, by its size: boxes of its own images, without any label.

    python3 benchmarks/accuracy/sizes.py --out FOLDER --tiny-imagenet DIR --raccoon DIR
        [--sets dog,artiodactyla,raccoon] [--counts 50,200] [--batches 16,64] [--steps 75,150,300,600]
        [--seeds 0,1] [--image-size 64] [--share 0.35,0.6] [--half first]
    python3 benchmarks/accuracy/sizes.py --out FOLDER --table

A folder is a draw of so many train images of a set; it is trained on as it is, and measured on its own true
boxes after each of the steps. One training gives a whole row. Val images are never read. ``drawn`` is the
program's own sample, with beetles of 10 to 30 % of the image's side.

Each run is a file in FOLDER, which a second call does not make again; its maps are kept beside it, for other
rules to be tried.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.config import TrainConfig
from core.base.presets import PRESETS
from core.boxes.overlap import CORRECT_IOU, best_overlap
from core.boxes.prior import PriorTally
from core.boxes.rules import find_box
from core.evaluate.matching import align
from core.evaluate.report import Report, evaluate, wilson_interval
from core.formats import reading, tiny_imagenet
from core.images import sample
from core.images.pixels import Pixels, prepare_pixels
from core.images.scan import scan_folder
from core.learn.engine import train
from core.maps.contrast import outline_ratios
from core.maps.heatmap import GUIDED, heat_maps
from core.nets import augment

DRAWN = {"drawn": (0.1, 0.3), "beetles": (sample.SMALLEST, sample.LARGEST)}
BEETLES = 200


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.table:
        _table(options.out)
        return
    torch.set_num_threads(options.threads)
    augment.SHARE = options.share
    for seed, count, batch, name in itertools.product(
        options.seeds, options.counts, options.batches, options.sets
    ):
        config = PRESETS["scratch"].with_(
            framing=0,
            steps=max(options.steps), batch_size=batch, image_size=options.image_size, seed=seed,
            snapshot_every=math.gcd(*options.steps), device="cpu",
        )  # fmt: skip
        path = options.out / f"{name}-{count}-{batch}-{seed}-{options.label}.json"
        if not path.exists():
            run(path, name, count, config, options)


def run(path: Path, name: str, count: int, config: TrainConfig, options: argparse.Namespace) -> None:
    """One training on one folder, and what its boxes are worth after each of the steps."""
    with tempfile.TemporaryDirectory() as folder:
        paths, truth = _data(name, options, Path(folder), config.seed)
        paths = _drawn(paths, count, config.seed)
        pixels = prepare_pixels(
            scan_folder(paths).images, size=config.image_size, cache_dir=Path(folder, "cache")
        )
        known = _known(truth, paths)
        rows, kept = [], {}
        for progress in train(config, np.array(pixels.array)):
            if progress.step in options.steps and progress.snapshot is not None:
                maps = heat_maps(progress.snapshot.discriminator, pixels.array, options=GUIDED)
                found = boxes_of(maps, pixels)
                report = evaluate(found, known, images_root=None)
                rows.append({"step": progress.step, "r": (report.r_cx, report.r_cy), **_counts(report)})
                kept[f"maps_{progress.step}"] = maps.astype(np.float16)
                rows[-1]["hits"] = _hits(found, known)
                print(path.stem, rows[-1], flush=True)
    kept["ratios"] = outline_ratios(pixels.array)
    kept["sizes"] = pixels.sizes
    np.savez_compressed(path.with_suffix(".npz"), names=[f.path.name for f in pixels.files], **kept)
    shown = {"set": name, "count": len(pixels.files), "batch": config.batch_size, "seed": config.seed}
    document = {
        **shown,
        "label": options.label,
        "config": config.to_dict(),
        "share": options.share,
        "rows": rows,
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def boxes_of(maps: np.ndarray, pixels: Pixels) -> list[ImageBoxes]:
    """The default rule's boxes, with what all maps have in common, as the product reads them."""
    tally = PriorTally()
    for heat_map, ratio in zip(maps, outline_ratios(pixels.array), strict=True):
        tally.add(heat_map, ratio)
    prior = tally.prior()
    found = []
    for file, heat_map, (width, height) in zip(pixels.files, maps, pixels.sizes.tolist(), strict=True):
        box: BoxRecord = find_box(heat_map, width=width, height=height, prior=prior)
        found.append(ImageBoxes(file.path.name, width, height, (box,)))
    return found


def _hits(found: Sequence[ImageBoxes], truth: Sequence[ImageBoxes]) -> str:
    """Which images of the truth, in the order of their names, have a correct box: 0 or 1 each."""
    aligned = align(found, sorted(truth, key=lambda image: image.name))
    right = best_overlap(aligned.surest_boxes(), aligned.truth)[0] >= CORRECT_IOU
    return "".join(str(int(hit)) for hit in right)


def _counts(report: Report) -> dict[str, Any]:
    tuned = max(report.rows[1:], key=lambda row: row.correct)
    return {
        "correct": report.rows[0].correct,
        "n": report.n,
        "best_baseline": tuned.method,
        "best_baseline_correct": tuned.correct,
    }


def _data(
    name: str, options: argparse.Namespace, folder: Path, seed: int
) -> tuple[list[Path], list[ImageBoxes]]:
    """Images to draw from, and their truth by file name."""
    if name in DRAWN:
        sample.SMALLEST, sample.LARGEST = DRAWN[name]
        truth = reading.read_truth(sample.draw_sample(folder / "drawn", count=BEETLES, size=256, seed=seed))
        paths = sorted((folder / "drawn" / "images").iterdir())
    elif name == "raccoon":
        paths = sorted((options.raccoon / "images").iterdir())[options.half :: 2]
        truth = reading.read_truth(options.raccoon)
    else:
        paths = tiny_imagenet.images_of(options.tiny_imagenet, name, "train")
        truth = tiny_imagenet.read(options.tiny_imagenet, wnids=tiny_imagenet.SETS[name], split="train")
    return paths, [replace(image, name=Path(image.name).name) for image in truth]


def _drawn(paths: Sequence[Path], count: int, seed: int) -> list[Path]:
    order = np.random.default_rng(seed).permutation(len(paths))[:count]
    return [paths[i] for i in sorted(order.tolist())]


def _known(truth: Sequence[ImageBoxes], paths: Sequence[Path]) -> list[ImageBoxes]:
    wanted = {path.name for path in paths}
    return [image for image in truth if image.name in wanted]


def _table(folder: Path) -> None:
    """Every way to train on folders of one size, over seeds, less 600 steps of 64."""
    groups: dict[tuple[Any, ...], dict[int, np.ndarray]] = {}
    for path in sorted(folder.glob("*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        for row in run["rows"]:
            key = (run["set"], run["count"], run["batch"], row["step"], run["label"])
            groups.setdefault(key, {})[run["seed"]] = np.array([*row["hits"]], int)
    print("set           images  batch  steps  label    seeds  correct              less 64 x 600")
    for (name, count, batch, step, label), hits in sorted(groups.items()):
        flat = np.concatenate(list(hits.values()))
        low, high = wilson_interval(int(flat.sum()), len(flat))
        other = groups.get((name, count, 64, 600, "plain"), {})
        both = sorted(set(hits) & set(other))
        difference = ""
        if both:
            change = np.concatenate([hits[k] - other[k] for k in both])
            spread = 1.96 * change.std() / len(change) ** 0.5
            difference = f"{100 * change.mean():+.1f} +- {100 * spread:.1f}"
        print(
            f"{name:12}  {count:6}  {batch:5}  {step:5}  {label:7}  {len(hits):5}  {100 * flat.mean():4.1f} "
            f"({100 * low:.1f} to {100 * high:.1f})  {difference}"
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--tiny-imagenet", type=Path)
    parser.add_argument("--raccoon", type=Path)
    parser.add_argument("--sets", type=_words, default=["dog", "artiodactyla", "raccoon"])
    parser.add_argument("--counts", type=_numbers, default=[50, 200])
    parser.add_argument("--batches", type=_numbers, default=[64])
    parser.add_argument("--steps", type=_numbers, default=[75, 150, 300, 600])
    parser.add_argument("--seeds", type=_numbers, default=[0, 1])
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--share", type=_shares, default=augment.SHARE, help="narrowest,widest window")
    parser.add_argument(
        "--half", type=int, default=0, help="of raccoon's photos: 0 to choose by, 1 to report"
    )
    parser.add_argument("--label", default="plain", help="names this way to train in the table")
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def _words(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _shares(text: str) -> tuple[float, float]:
    low, high = (float(part) for part in text.split(","))
    return low, high


if __name__ == "__main__":
    main()
