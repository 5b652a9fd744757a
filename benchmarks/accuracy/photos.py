"""How often the product's box is right on real photos, beside boxes that look at nothing.

    python3 benchmarks/accuracy/photos.py [--sets raccoon,rabbit,...] [--seeds 0,1,2] [--preset NAME]
        [--method ddt] [--train=--OPTION=VALUE ...] [--localize=--OPTION=VALUE ...] [--several 10]
        [--curve] [--tiny] [--sheets FOLDER] [--work FOLDER] [--json FILE]

Each run is a person's: the commands ``train``, ``localize`` and ``export`` on a set's photos, whose boxes
are read back and held against the true ones. No label reaches them. Photos of even rank by the SHA-1 of
their names are for choosing, those of odd rank report; ``train`` sees them all. With ``--several`` boxes an
image, average precision is counted too; ``--curve`` adds MaxBoxAccV2, which looks at the truth. ``--tiny``
measures Tiny ImageNet's val photos too, whose classes the frozen features have learned with labels.
``--sheets`` draws 48 boxes of each set. The table is Markdown.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import photo_sets
import photo_tables
import product
from photo_scores import is_right, overlaps_of, precision, results_file
from photo_sets import HALVES, SETS, TINY_IMAGENET
from photo_sheets import draw_sheet

from core.base.annotations import ImageBoxes
from core.base.atomic import write_atomically
from core.formats import tiny_imagenet
from core.paper.origin import device_name, revision

PACKAGES = ("torch", "onnxruntime", "numpy", "opencv-python-headless", "Pillow")
LEARNED = ("config", "images", "features", "sha256", "runtime")
TINY_SETS = ("artiodactyla", "dog", "bottle")


@dataclass(frozen=True)
class Job:
    """What is learned from and what is measured: command line words, true boxes, and where they lie."""

    name: str
    learned: Sequence[str | Path]
    measured: Sequence[Path]
    truth: Sequence[ImageBoxes]
    folder: Path
    judged_apart: bool = False


@dataclass
class Result:
    """All runs of one job: ``overlaps`` has float64 (seeds, photos), IoU of each photo's surest box."""

    job: Job
    overlaps: list[Any] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        results = []
        for job in _jobs(options, work):
            results.append(Result(job))
            for seed in options.seeds:
                _run(results[-1], seed, options, work)
    text = photo_tables.document(results)
    print(text)
    document = {
        "command": sys.argv,
        "commit": revision(),
        "device": device_name("cpu"),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "sets": [_to_dict(result) for result in results],
        "figures": photo_tables.figures(results),
    }
    path = options.json or results_file(f"photos-{options.method or options.preset or 'default'}")
    write_atomically(path, json.dumps(document, indent=1).encode() + b"\n")


def _run(result: Result, seed: int, options: argparse.Namespace, work: Path) -> None:
    job = result.job
    with tempfile.TemporaryDirectory(dir=work) as folder:
        project = Path(folder, f"{job.name}.boxscout")
        chosen = [f"--{name}={value}" for name in ("preset", "method") if (value := getattr(options, name))]
        learned = product.train(
            [*map(Path, job.learned)], project, seed=seed, options=[*chosen, *options.train]
        )
        found = product.localize(job.measured, project, options=options.localize)
        boxes = product.exported(project)
        overlaps = overlaps_of(boxes, job.truth)
        run: dict[str, Any] = {
            "seed": seed,
            "learned": {k: v for k, v in json.loads(learned.printed).items() if k in LEARNED},
            "train": learned.to_dict(),
            "localize": found.to_dict(),
            "overlaps": np.round(overlaps, 4).tolist(),
            "precision, one box": _precisions(boxes, job),
        }
        if options.sheets and seed == options.seeds[0]:
            draw_sheet(options.sheets / f"{job.name}.png", project, boxes, job)
        if options.curve:
            run["chosen_on_truth"] = product.curve(project, job.truth)["chosen_on_truth"][0]
        if options.several:
            product.localize(
                job.measured, project, options=[*options.localize, f"--max-boxes={options.several}"]
            )
            run["precision, several boxes"] = _precisions(product.exported(project), job)
    result.overlaps.append(overlaps)
    result.runs.append(run)
    right = 100 * is_right(overlaps).mean()
    times = f"train {learned.seconds:.0f} s, localize {found.seconds:.0f} s"
    print(f"{job.name} seed {seed}: {right:.1f} %, {times}", file=sys.stderr, flush=True)


def _precisions(found: Sequence[ImageBoxes], job: Job) -> dict[str, Any]:
    return {which: precision(found, job.truth, which) for which in HALVES}


def _jobs(options: argparse.Namespace, work: Path) -> list[Job]:
    jobs = []
    for name in options.sets:
        photos = photo_sets.photo_set(name, work)
        if options.first:
            photos = photo_sets.first_of(photos, options.first)
        files = photos.files if options.first else [photos.images]
        jobs.append(Job(name, files, files, photos.truth, photos.folder))
    if options.tiny:
        root = photo_sets.unzipped(TINY_IMAGENET, work)
        for name in TINY_SETS:
            wnids = tiny_imagenet.SETS[name]
            truth = tiny_imagenet.read(root, wnids=wnids, split="val")
            learned = tiny_imagenet.images_of(root, name, "train")[: options.first]
            measured = tiny_imagenet.images_of(root, name, "val")
            jobs.append(Job(name, learned, measured, truth, root, judged_apart=True))
    return jobs


def _to_dict(result: Result) -> dict[str, Any]:
    names = [image.name for image in result.job.truth]
    return {"set": result.job.name, "photos": names, "runs": result.runs}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", type=lambda text: list(filter(None, text.split(","))), default=list(SETS))
    parser.add_argument(
        "--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[0, 1, 2]
    )
    parser.add_argument("--preset")
    parser.add_argument("--method")
    parser.add_argument("--train", action="append", default=[], metavar="OPTION", help="one more for train")
    parser.add_argument("--localize", action="append", default=[], metavar="OPTION", help="for localize")
    parser.add_argument("--several", type=int, default=10, help="boxes an image, at most; 0: no precision")
    parser.add_argument("--curve", action="store_true", help="MaxBoxAccV2 too")
    parser.add_argument("--tiny", action="store_true", help="Tiny ImageNet too")
    parser.add_argument("--first", type=int, help="only so many photos of a set: to try this")
    parser.add_argument("--sheets", type=Path, help="where to draw 48 boxes of each set")
    parser.add_argument("--work", type=Path, help="keeps the unzipped photos")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
