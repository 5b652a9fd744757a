"""From the press of the button to all boxes: seconds, milliseconds a photo and memory, against the old way.

    python3 benchmarks/localizing.py [--photos 200] [--rounds 3] [--presets features,scratch]
        [--train=--OPTION=VALUE ...] [--json FILE]

Each round runs every preset once, one after the other, on the first photos of the set "pest", 640 x 640
pixels each: ``train``, then ``localize`` of one photo, then of all. What a photo costs is the difference of
the last two, so that Python's start is not in it. With frozen features the first provisional boxes are timed
as well, in a process that has imported what it needs: from the first file to the boxes of the first photos.
Figures are medians over rounds. Run it with nothing else on the machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "accuracy"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import product
from photo_sets import photo_set
from photo_tables import markdown

from core.base.atomic import write_atomically

SET = "pest"
FIRST = 8
AIMS = {
    "train and localize, s": 60.0,
    "first provisional boxes, s": 5.0,
    "localize, ms a photo": 25.0,
    "memory, MB": 1200.0,
}


def main() -> None:
    options = _options()
    if options.first_boxes:
        print(f"{first_boxes(options.first_boxes):.4f}")
        return
    from core.paper.origin import device_name, revision

    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        photos = photo_set(SET, work).files[: options.photos]
        rounds: dict[str, list[dict[str, float]]] = {preset: [] for preset in options.presets}
        for number in range(options.rounds):
            for preset, measured in rounds.items():
                measured.append(_round(preset, photos, work / f"{preset}-{number}.boxscout", options))
                print(preset, measured[-1], file=sys.stderr, flush=True)
    print(_table(rounds))
    if options.json:
        document = {
            "command": sys.argv,
            "commit": revision(),
            "device": device_name("cpu"),
            "photos": len(photos),
            "rounds": rounds,
        }
        write_atomically(options.json, json.dumps(document, indent=1).encode() + b"\n")


def first_boxes(folder: Path) -> float:
    """Seconds from the first file to the boxes of :data:`FIRST` photos by what was learned of so few."""
    from core.base.config import FeaturesConfig
    from core.boxes.batches import find_box
    from core.images.scan import scan_folder
    from core.learn import frozen
    from core.maps.stream import stream_features
    from core.project import learning

    files, config = scan_folder([folder]).images, FeaturesConfig()
    features = learning.features_of(config)
    began = time.perf_counter()
    localizer = next(report.localizer for report in frozen.learn(config, features, files) if report.localizer)
    form = frozen.input_form(config, features)
    for described in stream_features(features, files[:FIRST], form=form):
        maps = localizer.maps(described, features)
        for heat, (width, height) in zip(maps, described.sizes.tolist(), strict=True):
            find_box(heat, width=width, height=height, rule="object")
    return time.perf_counter() - began


def _round(preset: str, photos: list[Path], project: Path, options: argparse.Namespace) -> dict[str, float]:
    chosen = [f"--preset={preset}", *options.train]
    learned = product.train(photos, project, seed=0, options=chosen)
    # One before all: a photo whose map is there already is not looked at again.
    one = product.localize(photos[:1], project)
    found = product.localize(photos, project)
    figures = {
        "train, s": learned.seconds,
        "localize, s": found.seconds,
        "train and localize, s": learned.seconds + found.seconds,
        "localize, ms a photo": 1000 * (found.seconds - one.seconds) / (len(photos) - 1),
        "of processors, s": learned.cpu_seconds + found.cpu_seconds,
        "memory, MB": max(learned.peak_mb, found.peak_mb),
    }
    if preset == "features":
        first = product.script(Path(__file__), "--first-boxes", photos[0].parent)
        figures["first provisional boxes, s"] = float(first.printed)
    return figures


def _table(rounds: dict[str, list[dict[str, float]]]) -> str:
    names = dict.fromkeys(name for measured in rounds.values() for one in measured for name in one)
    rows = [["median", *rounds, "aim"]]
    for name in names:
        values = [[one[name] for one in measured if name in one] for measured in rounds.values()]
        texts = [f"{statistics.median(own):.1f}" if own else "" for own in values]
        rows.append([name, *texts, f"{AIMS[name]:g}" if name in AIMS else ""])
    return markdown(rows)


def _options() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=int, default=200, help="2 or more")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--presets", type=lambda text: text.split(","), default=["features", "scratch"])
    parser.add_argument("--train", action="append", default=[], metavar="OPTION", help="one more for train")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--first-boxes", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
