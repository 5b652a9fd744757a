"""What boxes are worth on a set of photos and on its halves, with intervals over photos and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from photo_sets import half

from core.base.annotations import ImageBoxes
from core.boxes.overlap import CORRECT_IOU, best_overlap
from core.evaluate.average_precision import precision_rows
from core.evaluate.matching import align
from core.evaluate.report import baselines_of

RESAMPLES = 10_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """A share in 0..1 with its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(hits: Sequence[Floats], *, resamples: int = RESAMPLES, seed: int = 0) -> Share:
    """The mean over sets of each set's mean, with its percentile interval over photos and seeds.

    Parameters
    ----------
    hits
        A set each: float64 (seeds, photos), what each run got right. Seeds and photos are drawn anew with
        replacement, a set's photos the same for all its seeds.
    """
    rng = np.random.default_rng(seed)
    drawn = np.zeros((len(hits), resamples))
    for row, values in zip(drawn, hits, strict=True):
        seeds, photos = values.shape
        # How often each comes up, in place of which: the mean is then two products.
        of_seeds = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
        of_photos = rng.multinomial(photos, np.full(photos, 1 / photos), size=resamples) / photos
        row[:] = ((of_seeds @ values) * of_photos).sum(axis=1)
    low, high = np.percentile(drawn.mean(axis=0), [2.5, 97.5])
    return Share(float(np.mean([values.mean() for values in hits])), float(low), float(high))


def overlaps_of(found: Sequence[ImageBoxes], truth: Sequence[ImageBoxes]) -> Floats:
    """The IoU of each photo's surest box with the nearest true one, in the truth's order; float64 (n,)."""
    aligned = align(found, truth)
    return best_overlap(aligned.surest_boxes(), aligned.truth)[0]


def is_right(overlaps: Floats) -> Floats:
    """1.0 where a box is right, else 0.0."""
    return np.asarray(overlaps >= CORRECT_IOU, np.float64)


def blind_rows(truth: Sequence[ImageBoxes], which: str) -> dict[str, float]:
    """CorLoc, 0..1, of the boxes that look at no photo, on a half."""
    chosen = _of_half(truth, which)
    baselines = baselines_of(align(chosen, chosen).truth)
    return {row.method: row.accuracy for row in baselines.rows}


def precision(found: Sequence[ImageBoxes], truth: Sequence[ImageBoxes], which: str) -> list[dict[str, Any]]:
    """Average precision of all boxes on a half, beside the blind ones."""
    return [row.to_dict() for row in precision_rows(align(found, _of_half(truth, which)))]


def _of_half(truth: Sequence[ImageBoxes], which: str) -> list[ImageBoxes]:
    chosen = half([image.name for image in truth], which)
    return [image for image, own in zip(truth, chosen, strict=True) if own]


def results_file(title: str) -> Path:
    """Where a benchmark's figures lie by default."""
    return Path(__file__).parents[1] / "results" / f"{title}.json"
