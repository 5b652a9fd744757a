"""Does the unit "real" of a projected discriminator improve the map of the unit "object"?

    python3 benchmarks/accuracy/projected.py --work FOLDER [--sets capybara,ships,bccd-wbc] [--seeds 0,1,2]
        [--ways object,both,real] [--minutes 30] [--json FILE]

Each set and seed is trained in three ways (:data:`WAYS`), each for so many minutes of the processor in one
thread. All maps are measured when a training has had 2, 4, 8, ... minutes and at its end, beside those of the
direction that teaches the object unit. Truth is read for measuring alone. What is done lies in FOLDER: the
same command goes on where it was stopped, with more minutes it trains on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import cv2
import numpy as np
import numpy.typing as npt
import torch
from photo_sets import PhotoSet, photo_set
from scipy.stats import rankdata, t

from core.base.atomic import write_atomically
from core.base.config import TrainConfig
from core.base.presets import PRESETS
from core.boxes.batches import find_boxes
from core.boxes.grid import scaled_maps
from core.boxes.overlap import CORRECT_IOU, Truth, best_overlap
from core.boxes.rules import MAX_THRESHOLD, used_threshold
from core.evaluate.matching import align_pairs
from core.images.pixels import prepare_pixels
from core.images.scan import scan_folder
from core.learn import checkpoint
from core.learn.checkpoint import TrainState, new_state
from core.learn.engine import samples_of, snapshot_of, train
from core.learn.msssim import diversity
from core.maps.heatmap import HeatMapOptions, heat_maps
from core.nets.networks import to_model_range
from core.nets.projected import ProjectedDiscriminator
from core.paper.origin import revision

#: How each set is trained, and what of the preset is changed for it.
WAYS: Mapping[str, Mapping[str, float]] = {
    "object": {"adversarial": 0.0},
    "both": {},
    "real": {"background": 0.0},
}
#: What is compared: a read-out of a way, less another one.
QUESTIONS = {
    "does training for real help the object's map": ("both: object", "object: object"),
    "does adding the map of real help": ("both: sum", "object: object"),
    "does it help more than adding a blob in the middle": ("both: sum", "object: centred"),
    "real alone against object alone": ("real: real", "object: object"),
    "real alone against a blob in the middle": ("real: real", "real: centre"),
}
GRID = 64  # cells a side on which maps are measured against true boxes
CELLS, BLOB, BLOB_CUT = 24, 0.5, 0.3  # of the blob: cells a side, deviation in half sides, height of its cut
SAVE_EVERY = 120.0  # seconds of the processor

Maps = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Bench:
    """A set of photos as training sees them, uint8 (n, S, S, 3), and its truth in the same order.

    ``inside``, bool (n, GRID, GRID), are the cells whose middle lies in a true box.
    """

    name: str
    images: npt.NDArray[np.uint8]
    truth: Truth
    inside: npt.NDArray[np.bool_]


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    options.work.mkdir(parents=True, exist_ok=True)
    runs = []
    for seed in options.seeds:
        for name in options.sets:
            bench = _bench(photo_set(name, options.work / "sets"), options.work / "pixels")
            for way in options.ways:
                runs.append(run(bench, seed, way, options))
                _print(runs[-1])
                _write(runs, options)
    for question, answer in answers(runs).items():
        print(f"{question}: {json.dumps(answer)}")


def run(bench: Bench, seed: int, way: str, options: argparse.Namespace) -> dict[str, Any]:
    """One training up to ``options.minutes``, or what is already there of it."""
    weights = options.work / f"{bench.name}-{seed}-{way}.pt"
    known = weights.with_suffix(".json")
    record: dict[str, Any] = {"set": bench.name, "seed": seed, "way": way, "cpu_s": 0.0, "measured": []}
    config = PRESETS["generator"].with_(
        seed=seed, device="cpu", steps=2_000_000, sample_every=100_000, snapshot_every=100_000, **WAYS[way]
    )
    state = new_state(config)
    if known.exists() and weights.exists():
        record, state = json.loads(known.read_text()), checkpoint.load(weights)
    wanted = 60 * options.minutes
    if record["cpu_s"] >= wanted:
        return record
    marks = _marks(record["cpu_s"], wanted)
    saved, last = record["cpu_s"], time.process_time()
    for _ in train(config, bench.images, state):
        now = time.process_time()
        record["cpu_s"] += now - last
        is_marked = record["cpu_s"] >= marks[0]
        if is_marked:
            while marks and record["cpu_s"] >= marks[0]:
                marks.pop(0)
            record["measured"].append(measured(bench, state, config, record["cpu_s"]))
        if is_marked or record["cpu_s"] - saved >= SAVE_EVERY:
            saved = record["cpu_s"]
            checkpoint.save(weights, state)
            write_atomically(known, json.dumps(record).encode())
        last = time.process_time()  # measuring and saving are not training
        if not marks:
            break
    return record


def _marks(done: float, wanted: float) -> list[float]:
    """Seconds at which is measured: 2, 4, 8, ... minutes and the end."""
    doubling = (120.0 * 2**i for i in range(20))
    return [*(mark for mark in doubling if done < mark < wanted), wanted]


# Measuring


def measured(bench: Bench, state: TrainState, config: TrainConfig, cpu_s: float) -> dict[str, Any]:
    """Every map's figures, and MS-SSIM of the samples where there are any."""
    network = snapshot_of(state).discriminator
    assert isinstance(network, ProjectedDiscriminator)
    ms_ssim = None
    if config.adversarial:
        ms_ssim = diversity(torch.from_numpy(samples_of(state)).permute(0, 3, 1, 2))
    rows = {name: figures(bench, maps) for name, maps in all_maps(bench, network, config).items()}
    return {"cpu_minutes": cpu_s / 60, "step": state.step, "ms_ssim": ms_ssim, "maps": rows}


def all_maps(bench: Bench, network: ProjectedDiscriminator, config: TrainConfig) -> dict[str, Maps]:
    """The maps there are, each (n, h, w) with 0 for its own cut."""
    maps: dict[str, Maps] = {"centre": _centre(len(bench.images))}
    if network.background is not None:
        maps["taught"] = _taught(bench, network)
        maps["object"] = _activation(bench, network, "background") + float(network.background.bias)
        maps["centred"] = _sum(maps["object"], maps["centre"])
    if config.adversarial:
        bias = sum(float(head.real.bias) for head in network.heads)
        maps["real"] = _activation(bench, network, "real") + bias
    if "object" in maps and "real" in maps:
        maps["sum"] = _sum(maps["object"], maps["real"])
    return maps


def _sum(one: Maps, other: Maps) -> Maps:
    """Both on the reading grid, each over its deviation."""
    return sum(_fine(maps) / maps.std() for maps in (one, other))  # type: ignore[return-value]


def _fine(maps: Maps) -> Maps:
    return np.stack([cv2.resize(each, (GRID, GRID), interpolation=cv2.INTER_LINEAR) for each in maps])


def _centre(n: int) -> Maps:
    """A blob in the middle of every image, which looks at nothing: objects lie there more often than not."""
    places = np.linspace(-1, 1, CELLS)
    blob = np.exp(-(places[:, None] ** 2 + places**2) / (2 * BLOB**2)) - BLOB_CUT
    return np.repeat(blob[None].astype(np.float32), n, axis=0)


def _activation(bench: Bench, network: ProjectedDiscriminator, unit: str) -> Maps:
    looks = HeatMapOptions(mirror=False, padding="zero", unit=unit)  # type: ignore[arg-type]
    return heat_maps(network, bench.images, options=looks, batch_size=16)


@torch.no_grad()
def _taught(bench: Bench, network: ProjectedDiscriminator) -> Maps:
    parts = []
    for start in range(0, len(bench.images), 16):
        images = to_model_range(torch.from_numpy(np.array(bench.images[start : start + 16])))
        parts.append(network.taught(network.see(images).deepest).numpy())
    return np.concatenate(parts)


def figures(bench: Bench, maps: Maps) -> dict[str, float]:
    """What maps are worth, each in 0..1.

    ``corloc_own``: of the box around the largest part above the map's own cut, which for "real" means little;
    ``corloc_half``: the same above half of the map's range; ``corloc_fitted``: by the default rule; ``auc``:
    the chance that a cell in a true box is hotter than one outside, the mean over images; ``pointing``: how
    often the hottest cell lies in a true box.
    """
    scaled = scaled_maps(maps)
    low, high = maps.min((1, 2)), maps.max((1, 2))
    own = np.clip(-low / np.maximum(high - low, 1e-12), 0, MAX_THRESHOLD).astype(np.float64)
    fitted = find_boxes(scaled, bench.truth.sizes, rule="fitted", threshold=used_threshold("fitted", None))
    cut, half = (
        find_boxes(scaled, bench.truth.sizes, rule="component", threshold=share) for share in (own, 0.5)
    )
    flat, inside = scaled.reshape(len(maps), -1), bench.inside.reshape(len(maps), -1)
    return {
        "corloc_own": _corloc(cut, bench.truth),
        "corloc_half": _corloc(half, bench.truth),
        "corloc_fitted": _corloc(fitted, bench.truth),
        "auc": float(np.nanmean([_auc(heat, cells) for heat, cells in zip(flat, inside, strict=True)])),
        "pointing": float(inside[np.arange(len(flat)), flat.argmax(1)].mean()),
    }


def _corloc(boxes: npt.NDArray[np.float64], truth: Truth) -> float:
    return float((best_overlap(boxes, truth)[0] >= CORRECT_IOU).mean())


def _auc(heat: Maps, inside: npt.NDArray[np.bool_]) -> float:
    """NaN where all cells are of one kind."""
    yes, no = int(inside.sum()), int((~inside).sum())
    if not yes or not no:
        return float("nan")
    return float((rankdata(heat)[inside].sum() - yes * (yes + 1) / 2) / (yes * no))


# The sets


def _bench(photos: PhotoSet, cache: Path) -> Bench:
    pixels = prepare_pixels(scan_folder([photos.images]).images, size=64, cache_dir=cache)
    rows = {Path(file.path).name: row for row, file in enumerate(pixels.files)}
    known = [image for image in photos.truth if Path(image.name).name in rows]
    truth = align_pairs(known, [None] * len(known)).truth
    images = np.array(pixels.array[[rows[Path(image.name).name] for image in known]])
    return Bench(photos.name, images, truth, _inside(truth))


def _inside(truth: Truth) -> npt.NDArray[np.bool_]:
    inside = np.zeros((truth.n, GRID, GRID), bool)
    middles = (np.arange(GRID) + 0.5) / GRID
    for image, (x0, y0, x1, y1) in zip(truth.image_of, truth.boxes, strict=True):
        width, height = truth.sizes[image]
        across = (middles >= x0 / width) & (middles < x1 / width)
        down = (middles >= y0 / height) & (middles < y1 / height)
        inside[image] |= down[:, None] & across
    return inside


# Telling


def answers(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """For each of :data:`QUESTIONS` the mean difference over sets and seeds, in points, and its interval.

    Only sets and seeds that have both count. The interval is Student's, 95 %, None for one pair alone.
    """
    ends = {
        (run["set"], run["seed"], f"{run['way']}: {name}"): row
        for run in runs
        if run["measured"]
        for name, row in run["measured"][-1]["maps"].items()
    }
    found: dict[str, Any] = {}
    for question, (one, other) in QUESTIONS.items():
        pairs = [
            (row, ends[key[0], key[1], other])
            for key, row in ends.items()
            if key[2] == one and (key[0], key[1], other) in ends
        ]
        found[question] = {
            figure: _difference([100 * (a[figure] - b[figure]) for a, b in pairs])
            for figure in ("corloc_own", "corloc_half", "corloc_fitted", "auc", "pointing")
            if pairs
        }
    return found


def _difference(values: list[float]) -> dict[str, Any]:
    n, mean = len(values), float(np.mean(values))
    half = float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / n**0.5) if n > 1 else None
    return {"points": round(mean, 2), "half_interval": half and round(half, 2), "n": n}


def _print(run: dict[str, Any]) -> None:
    for one in run["measured"][-1:]:
        print(
            f"{run['set']} seed {run['seed']} {run['way']}: {one['cpu_minutes']:.1f} min, step {one['step']}"
        )
        print(f"  MS-SSIM {one['ms_ssim']}")
        for name, row in one["maps"].items():
            print(f"  {name:<8}" + "  ".join(f"{key} {100 * value:.1f}" for key, value in row.items()))
    sys.stdout.flush()


def _write(runs: list[dict[str, Any]], options: argparse.Namespace) -> None:
    if options.json is None:
        return
    document = {
        "command": sys.argv,
        "commit": revision(),
        "minutes": options.minutes,
        "config": PRESETS["generator"].to_dict(),
        "answers": answers(runs),
        "runs": runs,
    }
    write_atomically(options.json, json.dumps(document, indent=1).encode() + b"\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument(
        "--sets", type=lambda text: text.split(","), default=["capybara", "ships", "bccd-wbc"]
    )
    parser.add_argument("--seeds", type=lambda text: [int(x) for x in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--ways", type=lambda text: text.split(","), default=list(WAYS))
    parser.add_argument("--minutes", type=float, default=30.0, help="of the processor, for each training")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
