"""How well a few named boxes teach the classes of all others, in a folder of several kinds of objects.

    python3 benchmarks/accuracy/classes.py [--sets raccoon,capybara,rabbit] [--numbers 5,10,20,40]
        [--draws 10] [--seed 0] [--work FOLDER] [--json FILE]

The photos of all sets are learned from together, without labels. Then N photos drawn by chance from all of
them get their true boxes as a person's corrections, each with the class of its set. Counted are the other
photos: how many boxes are right, of how many of these the class is right too, and how many would be if all
had the most frequent class. Intervals are over draws and photos. The table is Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import numpy.typing as npt
from corrections import RESAMPLES, Bench, seen
from photo_scores import is_right, results_file
from photo_sets import photo_set
from photo_tables import markdown

from core.base.atomic import write_atomically
from core.base.config import FeaturesConfig
from core.boxes.classes import ClassMap
from core.boxes.options import BoxOptions
from core.boxes.overlap import best_overlap
from core.boxes.rules import OBJECT_RULE
from core.evaluate.matching import align
from core.learn.class_units import learn_classes
from core.learn.corrections import learn_corrections
from core.paper.origin import device_name, revision
from core.project.learning import features_of

Floats = npt.NDArray[np.float64]


def main() -> None:
    options = _options()
    features = features_of(FeaturesConfig())
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        sets = [photo_set(name, work) for name in options.sets]
        bench = seen(sets, seed=options.seed, features=features)
    kinds = np.repeat(options.sets, [len(photos.truth) for photos in sets])
    rows = []
    for n in options.numbers:
        rows.append({"corrected": n, **_measured(bench, kinds, n, options.draws)})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(_table(rows))
    document = {
        "command": sys.argv,
        "commit": revision(),
        "device": device_name("cpu"),
        "features": features.version,
        "photos": {photos.name: len(photos.truth) for photos in sets},
        "rows": rows,
    }
    path = options.json or results_file("classes")
    write_atomically(path, json.dumps(document, indent=1).encode() + b"\n")


def _measured(bench: Bench, kinds: npt.NDArray[np.str_], n: int, draws: int) -> dict[str, Any]:
    """Of photos that taught nothing, in %: boxes that are right, and of these classes that are."""
    boxes = np.full((draws, len(kinds)), np.nan)
    classes, blind = boxes.copy(), boxes.copy()
    for draw in range(draws):
        places = np.random.default_rng(draw).permutation(len(kinds))[:n]
        found, labels = _taught(bench, kinds, places)
        boxes[draw] = found
        boxes[draw, places] = np.nan
        counted = boxes[draw] == 1
        names, counts = np.unique(kinds[counted], return_counts=True)
        classes[draw, counted] = (labels == kinds)[counted]
        blind[draw, counted] = (kinds == names[counts.argmax()])[counted]
    return {
        "boxes": _share(boxes),
        "classes": _share(classes),
        "most frequent": _share(blind),
        "classes by draw": [round(float(100 * np.nanmean(row)), 2) for row in classes],
    }


def _taught(bench: Bench, kinds: npt.NDArray[np.str_], places: npt.NDArray[np.intp]) -> tuple[Any, Any]:
    """For each photo whether its box is right, and the box's class, once those at ``places`` have taught."""
    reviewed = [
        replace(bench.images[i], labels=(str(kinds[i]),) * len(bench.images[i].boxes)) for i in places
    ]
    unit = learn_corrections(bench.prior, reviewed, seed=0)
    classes = learn_classes(unit, reviewed, seed=0)
    assert classes is not None, "all boxes have one"
    maps = dict(enumerate(bench.maps(unit)))
    best = {
        i: ClassMap(classes.names, _best(one.cells, classes.weights, classes.biases))
        for i, one in enumerate(bench.images)
    }
    sizes = {i: (one.width, one.height) for i, one in enumerate(bench.truth)}
    found = BoxOptions(OBJECT_RULE).boxes(maps, {}, sizes, None, best)
    truth = align([replace(one, boxes=()) for one in bench.truth], bench.truth).truth
    sides = np.array([found[i][0].box.sides for i in range(len(kinds))])
    return is_right(best_overlap(sides, truth)[0]), np.array([found[i][0].label for i in range(len(kinds))])


def _best(cells: npt.NDArray[Any], weights: npt.NDArray[Any], biases: npt.NDArray[Any]) -> Any:
    return (cells.astype(np.float32) @ weights.T + biases).argmax(axis=2).astype(np.uint8)


def _share(hits: Floats) -> dict[str, float]:
    """The mean of what counts, in %, with its 95 % interval over draws and photos."""
    rng = np.random.default_rng(0)
    means = []
    for _ in range(RESAMPLES):
        draws = rng.integers(len(hits), size=len(hits))
        photos = rng.integers(hits.shape[1], size=hits.shape[1])
        means.append(np.nanmean(hits[draws][:, photos]))
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        name: round(float(100 * v), 2)
        for name, v in (("mean", np.nanmean(hits)), ("low", low), ("high", high))
    }


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [["corrected", "boxes right", "class of these right", "if all had the most frequent class"]]
    for row in rows:
        known, blind = row["classes"], row["most frequent"]
        interval = f"{known['mean']:.1f} ({known['low']:.1f} to {known['high']:.1f})"
        cells.append([str(row["corrected"]), f"{row['boxes']['mean']:.1f}", interval, f"{blind['mean']:.1f}"])
    return markdown(cells)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--sets", type=lambda text: text.split(","), default=["raccoon", "capybara", "rabbit"]
    )
    parser.add_argument("--numbers", type=lambda t: [int(n) for n in t.split(",")], default=[5, 10, 20, 40])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of learning without labels")
    parser.add_argument("--work", type=Path, help="where photos are unzipped")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
