"""What the default localizer finds, over seeds, beside every baseline, with and without a generator.

    python3 benchmarks/accuracy/default.py --tiny-imagenet DIR [--raccoon DIR] [--sets dog,bottle]
        [--seeds 0,1,2] [--split val|train] [--set adversarial=0 ...] [--json FILE]

Trains on the train images of each set without any label, localizes those of the split and measures them on
their true boxes; raccoon is trained and measured on all its photos. Runs are the product's own commands on
a project in a temporary folder.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch

from core.base.annotations import ImageBoxes
from core.base.config import TrainConfig
from core.base.presets import PRESETS
from core.boxes.options import BoxOptions
from core.evaluate.report import Report, evaluate
from core.formats import reading, tiny_imagenet
from core.learn.checkpoint import new_state
from core.learn.engine import snapshot_of
from core.maps.heatmap import read_out_of
from core.paper.origin import device_name, revision
from core.project.localize import localize_images
from core.project.store import Project
from core.project.training import train_and_save
from core.project.workflow import add_folders, load_pixels, training_run


def main() -> None:
    options = _options()
    if options.threads:
        torch.set_num_threads(options.threads)
    config = PRESETS[options.preset].with_(**dict(options.set), device=options.device)
    runs = []
    for name in [*(options.sets.split(",") if options.tiny_imagenet else []), *_raccoon(options)]:
        for seed in (int(seed) for seed in options.seeds.split(",")):
            runs.append(run(name, config.with_(seed=seed), options))
            _print(runs[-1])
        _print_mean([run for run in runs if run["set"] == name])
    if options.json:
        document = {
            "command": sys.argv,
            "commit": revision(),
            "device": device_name(options.device),
            "config": config.to_dict(),
            "runs": runs,
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def run(name: str, config: TrainConfig, options: argparse.Namespace) -> dict[str, Any]:
    """One training of one set, and what its boxes are worth."""
    train, measured, truth, root = _data(name, options)
    with (
        tempfile.TemporaryDirectory() as folder,
        Project.open_or_create(Path(folder, "p.boxscout")) as project,
    ):
        records = add_folders(project, train)
        pixels = load_pixels(project, records, size=config.image_size)
        began = time.perf_counter()
        state = new_state(config)
        with training_run(project, "gan") as saved:
            for _ in train_and_save(config, pixels, saved.file, state):
                pass
        seconds = time.perf_counter() - began
        wanted = add_folders(project, measured)
        network = snapshot_of(state).discriminator
        localize_images(
            project,
            wanted,
            load_pixels(project, wanted, size=config.image_size),
            network,
            step=state.step,
            how=BoxOptions(options.rule),
            options=read_out_of(network),
        )
        survey = project.load_survey()
        report = evaluate(_named(project.image_boxes(), truth), truth, images_root=root)
    return {
        "set": name,
        "seed": config.seed,
        "split": "all" if name == "raccoon" else options.split,
        "train_images": len(records),
        "train_seconds": seconds,
        "sureness": survey.sureness.sentence() if survey and survey.sureness else None,
        "report": report.to_dict(),
        "text": _line(report),
    }


def _data(name: str, options: argparse.Namespace) -> tuple[list[Path], list[Path], list[ImageBoxes], Path]:
    """Images to learn, images to measure, their truth, and where they lie."""
    if name == "raccoon":
        images = [options.raccoon / "images"]
        return images, images, reading.read_truth(options.raccoon), options.raccoon
    root = options.tiny_imagenet
    truth = tiny_imagenet.read(root, wnids=tiny_imagenet.SETS[name], split=options.split)
    train = tiny_imagenet.images_of(root, name, "train")
    return train, tiny_imagenet.images_of(root, name, options.split), truth, root


def _named(found: list[ImageBoxes], truth: list[ImageBoxes]) -> list[ImageBoxes]:
    """Only what the truth knows, by file name: val images lie among those that were trained on."""
    known = {Path(image.name).name for image in truth}
    return [image for image in found if Path(image.name).name in known]


def _raccoon(options: argparse.Namespace) -> list[str]:
    return ["raccoon"] if options.raccoon else []


def _line(report: Report) -> str:
    ours = report.rows[0]
    r = "  ".join(f"{r:+.2f}" if r is not None else "-" for r in (report.r_cx, report.r_cy))
    rho = report.ranking.rho if report.ranking else None
    rows = ", ".join(f"{row.method} {100 * row.accuracy:.1f}" for row in report.rows[1:])
    return (
        f"{100 * ours.accuracy:.1f} % ({100 * ours.low:.1f} to {100 * ours.high:.1f}), r {r}, "
        f"score ranks IoU {'-' if rho is None else f'{rho:+.2f}'}; {rows}"
    )


def _print(run: dict[str, Any]) -> None:
    print(
        f"{run['set']} {run['split']} seed {run['seed']}: {run['text']}; {run['train_seconds']:.0f} s",
        flush=True,
    )


def _print_mean(runs: list[dict[str, Any]]) -> None:
    values = [100 * run["report"]["rows"][0]["accuracy"] for run in runs]
    print(f"  mean of {len(values)} seeds: {statistics.mean(values):.1f} %\n", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tiny-imagenet", type=Path)
    parser.add_argument("--raccoon", type=Path)
    parser.add_argument("--sets", default="artiodactyla,bottle,dog")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--split", default="train", choices=("train", "val"))
    parser.add_argument("--preset", default="scratch", choices=tuple(PRESETS))
    parser.add_argument("--rule", default="fitted")
    parser.add_argument("--set", type=_change, action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own choice")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _change(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    return name, ast.literal_eval(value)


if __name__ == "__main__":
    main()
