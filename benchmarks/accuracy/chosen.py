"""An idea that ``search.py`` kept, on validation images: once, after it was chosen.

    python3 benchmarks/accuracy/chosen.py --out FOLDER --tiny-imagenet DIR [--idea framing]
        [--sets artiodactyla,bottle,dog] [--seeds 0,1,2] [--json FILE]

Trains on all train images of a set without any label, boxes those of val, and compares the idea with the
default of the same seed on the same images, beside every baseline. Each run is a JSON in FOLDER; what is
there is not made again; it is another FOLDER than that of ``search.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from ideas import IDEAS
from search import trained

from core.annotations import BoxRecord, ImageBoxes
from core.atomic import write_atomically
from core.datasets import tiny_imagenet
from core.evaluate.compare import compare
from core.evaluate.report import evaluate
from core.images.pixels import prepare_pixels
from core.images.scan import scan_folder
from core.reproduce.origin import revision


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    runs = [run(name, seed, options) for seed in options.seeds for name in options.sets]
    if options.json:
        document = {"command": sys.argv, "commit": revision(), "runs": runs}
        write_atomically(options.json, json.dumps(document, indent=1).encode() + b"\n")


def run(name: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    path = options.out / f"val-{options.idea}-{name}-{seed}-{options.steps}.json"
    if path.exists():
        done: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _print(done)
        return done
    root = options.tiny_imagenet
    train, val = (
        prepare_pixels(
            scan_folder(tiny_imagenet.images_of(root, name, split)).images,
            size=64,
            cache_dir=options.out / "cache" / f"{name}-{split}",
        )
        for split in ("train", "val")
    )
    truth = tiny_imagenet.read_truth(root, wnids=tiny_imagenet.SETS[name], split="val")
    nets = {
        training: [trained(training, f"{name}-all", seed, train.array, options)]
        for training in {*IDEAS[options.idea].trainings, "default"}
    }
    boxes = {
        idea: [
            ImageBoxes(file.path.name, 64, 64, (BoxRecord(box),))
            for file, box in zip(
                val.files,
                IDEAS[idea].boxes({key: nets[key] for key in IDEAS[idea].trainings}, val.array),
                strict=True,
            )
        ]
        for idea in (options.idea, "default")
    }
    reports = {idea: evaluate(found, truth, images_root=root).to_dict() for idea, found in boxes.items()}
    difference = compare(boxes[options.idea], boxes["default"], truth).difference
    result = {
        "set": name,
        "seed": seed,
        "idea": options.idea,
        "steps": options.steps,
        "commit": revision(),
        "less_default": asdict(difference),
        **reports,
    }
    write_atomically(path, json.dumps(result).encode() + b"\n")
    _print(result)
    return result


def _print(result: dict[str, Any]) -> None:
    print(f"{result['set']} val seed {result['seed']}")
    for idea in (result["idea"], "default"):
        report = result[idea]
        row, r = report["rows"][0], (report["r_cx"], report["r_cy"])
        print(
            f"  {idea}: {100 * row['accuracy']:.1f} % ({100 * row['low']:.1f} to {100 * row['high']:.1f}), "
            f"r {r[0]:+.2f}, {r[1]:+.2f}"
        )
    d = result["less_default"]
    print(f"  difference {100 * d['difference']:+.1f} ({100 * d['low']:+.1f} to {100 * d['high']:+.1f})")
    rows = result["default"]["rows"][1:]
    print("  " + ", ".join(f"{row['method']} {100 * row['accuracy']:.1f}" for row in rows), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tiny-imagenet", type=Path, required=True)
    parser.add_argument("--idea", default="framing", choices=tuple(IDEAS))
    parser.add_argument(
        "--sets", type=lambda text: text.split(","), default=["artiodactyla", "bottle", "dog"]
    )
    parser.add_argument(
        "--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[0, 1, 2]
    )
    parser.add_argument("--steps", type=int, default=600, help="of the default; an idea may have its own")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
