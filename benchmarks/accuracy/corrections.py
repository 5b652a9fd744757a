"""How much a few corrected images lift the boxes of all others, and which images to correct.

    python3 benchmarks/accuracy/corrections.py [--sets raccoon,rabbit,...] [--numbers 3,5,10,20,40]
        [--draws 5] [--seed 0] [--several 10] [--work FOLDER] [--json FILE]

A set's photos are learned from without labels. Then N photos get their true boxes as a person's corrections,
and boxes of all others are measured, beside those found without corrections on the very same photos. Drawn at
random, from all photos: five draws each. Three orders of review are compared on photos that none of them may
choose: corrected are photos of even rank by the SHA-1 of their names, measured are the others.
``core.learn.corrections`` was chosen on even ranks; the odd ones report. Average precision counts up to
``--several`` boxes of photos with more than one true box. The tables are Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import numpy.typing as npt
from photo_scores import is_right, results_file
from photo_sets import SETS, PhotoSet, even_ranks, photo_set
from photo_tables import markdown

from core.base.annotations import ImageBoxes
from core.base.atomic import write_atomically
from core.base.config import FeaturesConfig
from core.boxes.batches import find_boxes, read_maps
from core.boxes.objects import object_scores
from core.boxes.options import BoxOptions
from core.boxes.overlap import best_overlap
from core.boxes.rules import OBJECT_RULE
from core.evaluate.average_precision import precision_rows
from core.evaluate.matching import align
from core.images.scan import ImageFile, scan_folder
from core.learn.corrections import Reviewed, learn_corrections
from core.learn.frozen import learn
from core.learn.logistic import sigmoid
from core.learn.object_unit import Unit
from core.learn.usefulness import most_useful
from core.maps.localizer import Localizer
from core.maps.signature import signatures
from core.maps.stream import stream_features
from core.nets.features import Features
from core.paper.origin import device_name, revision
from core.project.learning import features_of

RESAMPLES = 4000
ORDERS = ("random", "least sure first", "most useful next")
CUT = 0.5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bench:
    """A set whose features are known: ``images`` with their true boxes, and what was learned without them."""

    truth: tuple[ImageBoxes, ...]
    images: list[Reviewed]
    signatures: npt.NDArray[np.float16]
    prior: Unit
    even: npt.NDArray[np.bool_]

    @property
    def sizes(self) -> Floats:
        return np.array([(image.width, image.height) for image in self.truth], np.float64)

    def taught(self, places: npt.NDArray[np.intp]) -> Unit:
        """The unit once the images at ``places`` are corrected."""
        return learn_corrections(self.prior, [self.images[i] for i in places], seed=0)

    def maps(self, unit: Unit) -> list[npt.NDArray[np.float32]]:
        return [sigmoid(unit.logits(one.cells)) for one in self.images]

    def right(self, unit: Unit) -> Floats:
        """1 for each image whose box is right, else 0; float64 (n,)."""
        scaled = read_maps(OBJECT_RULE, self.maps(unit))
        boxes = find_boxes(scaled, self.sizes, rule=OBJECT_RULE, threshold=CUT)
        found = [ImageBoxes(one.name, one.width, one.height, ()) for one in self.truth]
        return is_right(best_overlap(boxes, align(found, self.truth).truth)[0])

    def scores(self, unit: Unit) -> Floats:
        scaled = read_maps(OBJECT_RULE, self.maps(unit))
        return object_scores(scaled, np.full(len(scaled), CUT))

    def precision(self, unit: Unit, places: npt.NDArray[np.intp], most: int) -> float:
        """Average precision at IoU 0.5 of up to ``most`` boxes, at those ``places`` with several objects."""
        places = np.array([i for i in places if len(self.truth[i].boxes) > 1], np.intp)
        maps, how = self.maps(unit), BoxOptions(OBJECT_RULE, max_boxes=most)
        found = []
        for i in places.tolist():
            image = self.truth[i]
            boxes = how.boxes_of(maps[i], (image.width, image.height))
            found.append(ImageBoxes(image.name, image.width, image.height, boxes))
        return float(precision_rows(align(found, [self.truth[i] for i in places]))[0].ap50)


def main() -> None:
    options = _options()
    sets: list[dict[str, Any]] = []
    features = features_of(FeaturesConfig())
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        for name in options.sets:
            bench = seen([photo_set(name, work)], seed=options.seed, features=features)
            sets.append({"set": name, **_drawn(bench, options), "orders": _ordered(bench, options)})
            print(name, json.dumps(sets[-1]["gains"]), file=sys.stderr, flush=True)
    text = _tables(sets, options.numbers)
    print(text)
    document = {
        "command": sys.argv,
        "commit": revision(),
        "device": device_name("cpu"),
        "features": features.version,
        "sets": sets,
    }
    path = options.json or results_file("corrections")
    write_atomically(path, json.dumps(document, indent=1).encode() + b"\n")


def seen(sets: Sequence[PhotoSet], *, seed: int, features: Features) -> Bench:
    """The photos of all ``sets`` together, and what was learned from them without labels."""
    known = {file.path: file for file in scan_folder([photos.images for photos in sets]).images}
    files: list[ImageFile] = [known[path] for photos in sets for path in photos.files]
    truth = tuple(
        replace(one, name=f"{photos.name}/{one.name}") if len(sets) > 1 else one
        for photos in sets
        for one in photos.truth
    )
    learned: Localizer | None = None
    for report in learn(FeaturesConfig(seed=seed), features, files):
        learned = report.localizer or learned
    assert learned is not None, "the last report has it"
    images: dict[int, Reviewed] = {}
    signs = np.zeros((len(files), 0), np.float16)
    with closing(stream_features(features, files, form=learned.form)) as stream:
        for described in stream:
            maps = learned.read(described, features)
            found = signatures(maps, learned.heat(maps))
            if not signs.size:
                signs = np.zeros((len(files), found.shape[1]), np.float16)
            signs[described.rows] = found
            for row, one in zip(described.rows.tolist(), learned.cells(described, features), strict=True):
                own = truth[row]
                boxes = [box.box.sides for box in own.boxes]
                shares = np.array(boxes) / np.tile([own.width, own.height], 2)
                images[row] = Reviewed(one, np.clip(shares, 0, 1))
    even = even_ranks([image.name for image in truth])
    prior = Unit(learned.weights, learned.bias)
    return Bench(truth, [images[i] for i in range(len(files))], signs, prior, even)


def _drawn(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    """Corrections of photos drawn by chance: CorLoc of all others, with and without them."""
    count = len(bench.truth)
    before = bench.right(bench.prior)
    rows: dict[str, Any] = {
        "photos": count,
        "none": _percent(before),
        "none, odd": _percent(before[~bench.even]),
    }
    gains, seconds, precisions = {}, [], {}
    for n in options.numbers:
        after = np.full((options.draws, count), np.nan)
        several = []
        for draw in range(options.draws):
            places = np.random.default_rng(draw).permutation(count)[:n]
            began = time.perf_counter()
            unit = bench.taught(places)
            seconds.append((n, time.perf_counter() - began))
            after[draw] = bench.right(unit)
            after[draw, places] = np.nan
            if n == max(options.numbers):
                rest = np.setdiff1d(np.arange(count), places)
                several.append([bench.precision(one, rest, options.several) for one in (bench.prior, unit)])
        rows[str(n)] = {
            "all": [_percent(row) for row in after],
            "odd": [_percent(row[~bench.even]) for row in after],
        }
        gains[str(n)] = _gain(after, before)
        if several:
            precisions = dict(zip(("before", "after"), np.mean(several, axis=0).tolist(), strict=True))
    fits = {str(n): float(np.median([s for m, s in seconds if m == n])) for n in options.numbers}
    return {**rows, "gains": gains, "average precision, several objects": precisions, "fit_s": fits}


def _gain(after: Floats, before: Floats) -> dict[str, float]:
    """What corrections add, in points: the mean, with its 95 % interval over draws and photos."""
    gain = 100 * (after - before)
    rng = np.random.default_rng(0)
    means = []
    for _ in range(RESAMPLES):
        draws = rng.integers(len(gain), size=len(gain))
        photos = rng.integers(gain.shape[1], size=gain.shape[1])
        means.append(np.nanmean(gain[draws][:, photos]))
    low, high = np.percentile(means, [2.5, 97.5])
    return {"mean": float(np.nanmean(gain)), "low": float(low), "high": float(high)}


def _ordered(bench: Bench, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """CorLoc, in %, on photos of odd rank after N of even rank were corrected in each order."""
    even, odd = np.flatnonzero(bench.even), ~bench.even
    scores = bench.scores(bench.prior)
    most = max(options.numbers)
    useful = most_useful(bench.signatures[even], scores[even], np.zeros(len(even), bool), count=most)
    found: dict[str, dict[str, float]] = {order: {} for order in ORDERS}
    for n in options.numbers:
        draws = [np.random.default_rng(draw).permutation(even)[:n] for draw in range(options.draws)]
        chosen = {
            "random": draws,
            "least sure first": [even[np.argsort(scores[even], kind="stable")[:n]]],
            "most useful next": [even[useful[:n]]],
        }
        for order, all_places in chosen.items():
            right = [bench.right(bench.taught(places))[odd] for places in all_places]
            found[order][str(n)] = _percent(np.stack(right))
    return found


def _percent(right: Floats) -> float:
    return round(float(100 * np.nanmean(right)), 2)


def _tables(sets: Sequence[dict[str, Any]], numbers: Sequence[int]) -> str:
    names = [one["set"] for one in sets]
    rows = [["CorLoc, %, unreviewed photos", *names, "mean"]]
    rows.append(["no corrections", *_with_mean([one["none"] for one in sets])])
    for n in map(str, numbers):
        rows.append([f"{n} corrected", *_with_mean([float(np.mean(one[n]["all"])) for one in sets])])
    gains = [["Points gained on the same photos (95 % interval)", *names]]
    for n in map(str, numbers):
        own = [one["gains"][n] for one in sets]
        gains.append([n, *(f"{g['mean']:+.1f} ({g['low']:+.1f} to {g['high']:+.1f})" for g in own)])
    odd = [["the same, photos of odd rank alone", *names, "mean"]]
    odd.append(["no corrections", *_with_mean([one["none, odd"] for one in sets])])
    for n in map(str, numbers):
        odd.append([f"{n} corrected", *_with_mean([float(np.mean(one[n]["odd"])) for one in sets])])
    orders = [["Corrected in the order, odd half, mean of sets", *(str(n) for n in numbers)]]
    for order in ORDERS:
        means = [float(np.mean([one["orders"][order][str(n)] for one in sets])) for n in numbers]
        orders.append([order, *(f"{value:.1f}" for value in means)])
    several = [["AP 0.5, photos with several objects", *names]]
    for when in ("before", "after"):
        values = [100 * one["average precision, several objects"][when] for one in sets]
        several.append([f"{when} {max(numbers)} corrections", *(f"{value:.1f}" for value in values)])
    return "\n\n".join(map(markdown, (rows, gains, odd, orders, several)))


def _with_mean(values: Sequence[float]) -> list[str]:
    return [f"{value:.1f}" for value in [*values, float(np.mean(values))]]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", type=lambda text: text.split(","), default=list(SETS))
    parser.add_argument(
        "--numbers", type=lambda t: [int(n) for n in t.split(",")], default=[3, 5, 10, 20, 40]
    )
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="of learning without labels")
    parser.add_argument("--several", type=int, default=10, metavar="BOXES")
    parser.add_argument("--work", type=Path, help="where photos are unzipped")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
