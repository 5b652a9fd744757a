"""How well the probability of no object tells crops without an object from crops with one.

    python3 benchmarks/accuracy/no_object.py [--sets rabbit,...] [--seeds 0,1,2] [--pairs 200]
        [--preset NAME] [--method ddt] [--train=--OPTION=VALUE ...] [--work FOLDER] [--json FILE]

From each photo two windows of one size are cut: one that touches no true box and one that holds a whole one.
The product's commands learn from the whole photos, without a label, and make the heat maps of photos and
crops. The figure is the AUC: the chance that of an empty and a full crop the empty one has the higher
probability. Beside it stands the best that brightness, blur or size alone would give, with its sign chosen
on the truth. Intervals are over photos and seeds. The table is Markdown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import cv2
import numpy as np
import numpy.typing as npt
import photo_sets
import product
from empty_crops import pairs_of, write_crops
from photo_scores import results_file
from photo_sets import HALVES, SETS, PhotoSet, half
from photo_tables import markdown

from core.base.atomic import write_atomically
from core.images.decoding import decode
from core.paper.origin import device_name, revision
from core.project.store import Project

RESAMPLES = 2000
BLIND = ("brightness", "blur", "size")
ARRAYS = ("wins", "blind", "halves")

Floats = npt.NDArray[np.float64]


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        sets = [_measured(name, options, work) for name in options.sets]
    print(_tables(sets))
    document = {
        "command": sys.argv,
        "commit": revision(),
        "device": device_name("cpu"),
        "sets": [{key: value for key, value in one.items() if key not in ARRAYS} for one in sets],
        "mean": {which: _interval([_chosen(one, which) for one in sets]) for which in HALVES},
    }
    path = options.json or results_file(f"no-object-{options.method or options.preset or 'default'}")
    write_atomically(path, json.dumps(document, indent=1).encode() + b"\n")


def _measured(name: str, options: argparse.Namespace, work: Path) -> dict[str, Any]:
    """One set: what each run says of its pairs, and what blind figures say."""
    photos = photo_sets.photo_set(name, work)
    pairs = pairs_of(photos, count=options.pairs, seed=0)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        crops = write_crops(pairs, photos, Path(folder, "crops"))
        blind = np.array([[_blind(file) for file in pair] for pair in crops])
        runs = []
        for seed in options.seeds:
            project = Path(folder, f"{seed}.boxscout")
            chosen = [f"--{key}={value}" for key in ("preset", "method") if (value := getattr(options, key))]
            product.train([photos.images], project, seed=seed, options=[*chosen, *options.train])
            product.localize([photos.images, Path(folder, "crops")], project)
            runs.append(_probabilities(project, crops))
    wins = np.stack([_wins(run[:, 0], run[:, 1]) for run in runs])
    result: dict[str, Any] = {"set": name, "photos": [pair.photo for pair in pairs], "wins": wins}
    result["halves"] = halves_of(photos, result["photos"])
    result["blind"] = np.stack([_wins(blind[:, 0, i], blind[:, 1, i]) for i in range(len(BLIND))])
    result["probabilities"] = np.round(np.stack(runs), 4).tolist()
    result["auc"] = {which: _interval([_chosen(result, which)]) for which in HALVES}
    result["best blind"] = {which: _best_blind(result, which) for which in HALVES}
    print(name, len(pairs), "pairs", result["auc"]["even"], file=sys.stderr, flush=True)
    return result


def halves_of(photos: PhotoSet, names: Sequence[str]) -> dict[str, npt.NDArray[np.bool_]]:
    """Which of some photos belong to each half, by their ranks in the whole set."""
    every = [image.name for image in photos.truth]
    places = [every.index(name) for name in names]
    return {which: half(every, which)[places] for which in HALVES}


def _probabilities(project: Path, crops: Sequence[tuple[Path, Path]]) -> Floats:
    """The probability of no object of each crop, float64 (pairs, 2): empty, full."""
    with Project.open_to_read(project) as opened:
        known = opened.no_object()
        found = {record.path: known[record.id] for record in opened.images()}
    return np.array([[found[file.resolve()] for file in pair] for pair in crops])


def _blind(file: Path) -> tuple[float, float, float]:
    """Brightness, sharpness (variance of the Laplacian) and size in pixels of a crop."""
    grey = cv2.cvtColor(decode(file).pixels, cv2.COLOR_RGB2GRAY)
    return float(grey.mean()), float(cv2.Laplacian(grey, cv2.CV_64F).var()), float(grey.size)


def _wins(empty: Floats, full: Floats) -> Floats:
    """Whether each empty crop (row) is above each full one (column); of equal ones half. (pairs, pairs)."""
    above, level = empty[:, None] > full[None], empty[:, None] == full[None]
    return above + 0.5 * level


def _chosen(one: dict[str, Any], which: str, key: str = "wins") -> Floats:
    own = one["halves"][which]
    table: Floats = one[key][:, own][:, :, own]
    return table


def _best_blind(one: dict[str, Any], which: str) -> dict[str, Any]:
    areas = _chosen(one, which, "blind").mean(axis=(1, 2))
    best = int(np.abs(areas - 0.5).argmax())
    return {"name": BLIND[best], "auc": float(0.5 + abs(areas[best] - 0.5))}


def _interval(tables: Sequence[Floats]) -> dict[str, float]:
    """The mean AUC of sets, each (seeds, pairs, pairs), with its bootstrap interval over photos and seeds."""
    rng = np.random.default_rng(0)
    drawn = np.zeros((len(tables), RESAMPLES))
    for row, table in zip(drawn, tables, strict=True):
        seeds, pairs = table.shape[:2]
        own = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES) / seeds
        counts = rng.multinomial(pairs, np.full(pairs, 1 / pairs), size=RESAMPLES) / pairs
        areas = np.stack([((counts @ one) * counts).sum(axis=1) for one in table], axis=1)
        row[:] = (own * areas).sum(axis=1)
    low, high = np.percentile(drawn.mean(axis=0), [2.5, 97.5])
    mean = float(np.mean([table.mean() for table in tables]))
    return {"value": mean, "low": float(low), "high": float(high)}


def _tables(sets: Sequence[dict[str, Any]]) -> str:
    heading = ["AUC", *(one["set"] for one in sets), "mean"]
    rows = [heading, ["pairs", *(str(len(one["photos"])) for one in sets), ""]]
    for which in HALVES:
        mean = _interval([_chosen(one, which) for one in sets])
        rows.append([f"**probability, {which}**", *(_text(one["auc"][which]) for one in sets), _text(mean)])
        blind = [one["best blind"][which] for one in sets]
        texts = [f"{one['auc']:.2f} {one['name']}" for one in blind]
        rows.append([f"best blind figure, {which}", *texts, f"{np.mean([one['auc'] for one in blind]):.2f}"])
    return markdown(rows)


def _text(share: dict[str, float]) -> str:
    return f"**{share['value']:.2f}** ({share['low']:.2f} to {share['high']:.2f})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", type=lambda text: text.split(","), default=list(SETS))
    parser.add_argument("--seeds", type=lambda text: [int(part) for part in text.split(",")], default=[0])
    parser.add_argument("--pairs", type=int, default=200, help="of a set, at most; one a photo")
    parser.add_argument("--preset")
    parser.add_argument("--method")
    parser.add_argument("--train", action="append", default=[], metavar="OPTION", help="one more for train")
    parser.add_argument("--work", type=Path, help="keeps the unzipped photos")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
