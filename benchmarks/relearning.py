"""How long corrections take to be heard: learning from reviewed images, and finding all other boxes anew.

    python3 benchmarks/relearning.py [--set capybara] [--reviewed 40] [--images 10000] [--work FOLDER]
        [--json FILE]

The commands' own functions run on a project of a set's photos. To find boxes in many images from kept
features, the project gets more images, hard links of the same photos, whose features are copied: what is
timed reads them all, makes the heat maps and boxes, and writes them. Beside it stands what an image takes
whose features are computed. Quote ratios where others use the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "accuracy"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import product
from photo_scores import results_file
from photo_sets import photo_set

from core.base.annotations import Status
from core.base.atomic import write_atomically
from core.base.config import FeaturesConfig
from core.boxes.options import BoxOptions
from core.boxes.rules import OBJECT_RULE
from core.cli.learn_commands import run_learn
from core.paper.origin import device_name, revision
from core.project import described
from core.project.frozen import localize_by_features
from core.project.learning import features_of, saved_unit
from core.project.runs import runs
from core.project.store import Project
from core.project.workflow import add_folders


class _Quiet:
    """A progress bar that shows nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.work) as temporary:
        work = Path(temporary)
        photos = photo_set(options.set, options.work or work)
        project = work / "a.boxscout"
        product.train([photos.images], project, seed=0, options=[])
        product.localize([photos.images], project, options=[])
        with Project.open(project) as opened:
            ids = [image.id for image in opened.images()][: options.reviewed]
            opened.set_statuses(dict.fromkeys(ids, Status.ACCEPTED))
        began = time.perf_counter()
        run_learn(project, None, seed=0, weights=None, bar=_Quiet(), stop=Event())  # type: ignore[arg-type]
        learning = time.perf_counter() - began
        with Project.open(project) as opened:
            computed = _found(opened)
            _multiplied(opened, work, options.images)
            kept = _found(opened)
            size = (opened.data_dir / described.FILE).stat().st_size
            images = len(opened.images())
    found = {
        "reviewed": options.reviewed,
        "learning_s": round(learning, 2),
        "computed_ms_an_image": round(1000 * computed / len(photos.truth), 2),
        "images": images,
        "kept_s": round(kept, 2),
        "kept_ms_an_image": round(1000 * kept / images, 2),
        "kept_mb": round(size / 1e6, 1),
    }
    print(json.dumps(found, indent=1))
    document = {"command": sys.argv, "commit": revision(), "device": device_name("cpu"), **found}
    path = options.json or results_file("relearning")
    write_atomically(path, json.dumps(document, indent=1).encode() + b"\n")


def _found(project: Project) -> float:
    """Seconds of finding boxes by the newest run in all images, whatever maps there are."""
    unit, features = saved_unit(runs(project)[-1]), features_of(FeaturesConfig())
    began = time.perf_counter()
    localize_by_features(
        project, project, project.images(), unit, features, how=BoxOptions(OBJECT_RULE), again=True
    )
    return time.perf_counter() - began


def _multiplied(project: Project, work: Path, wanted: int) -> None:
    """Give the project hard links of its photos until it has ``wanted`` images, and these their features."""
    own = project.images()
    folder = work / "more"
    folder.mkdir()
    copies = {}
    for number in range(wanted - len(own)):
        source = own[number % len(own)]
        name = f"{number:06d}{source.path.suffix}"
        os.link(source.path, folder / name)
        copies[name] = source.id
    more = [record for record in add_folders(project, [folder]) if record.name in copies]
    with closing(sqlite3.connect(project.data_dir / described.FILE)) as db, db:
        db.executemany(
            """INSERT INTO described SELECT ?, reader, ?, ?, width, height, shapes, bytes, used, data
               FROM described WHERE image_id = ?""",
            [(one.id, one.size_bytes, one.mtime_ns, copies[one.name]) for one in more],
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--set", default="capybara")
    parser.add_argument("--reviewed", type=int, default=40)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--work", type=Path, help="where photos are unzipped; a disk with some gigabytes")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
