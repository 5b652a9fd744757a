"""Average precision: what several boxes per image are worth, false ones included, as COCO counts it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.base.annotations import ImageBoxes
from core.boxes.overlap import CORRECT_IOU, Floats, Truth
from core.evaluate.baselines import CENTRED_SHARE, centred_boxes
from core.evaluate.matching import Alignment

LEVELS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))
#: Boxes of an image that count, the surest.
MAX_FOUND = 100

_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True)
class Precision:
    """What one method's boxes are worth when all of them count.

    ``ap50`` is the average precision at IoU 0.5 and ``ap`` its mean over IoU 0.5, 0.55, … 0.95, both 0..1.
    ``found`` boxes: ``right`` of them are each the first on a true box (IoU 0.5), the others false positives;
    ``missed`` true boxes have none.
    """

    method: str
    ap50: float
    ap: float
    found: int
    right: int
    missed: int

    @property
    def false_positives(self) -> int:
        return self.found - self.right

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**asdict(self), "false_positives": self.false_positives}


@dataclass(frozen=True)
class Detections:
    """Predicted boxes of all images, flat.

    ``boxes`` float64 (m, 4) half-open pixels, ``scores`` float64 (m,) of any range, ``image_of`` (m,) which
    image of the truth each belongs to.
    """

    boxes: Floats
    scores: Floats
    image_of: npt.NDArray[np.intp]


def precision_rows(aligned: Alignment) -> tuple[Precision, ...]:
    """The predicted boxes and, as one box per image, the baselines that look at nothing."""
    truth = aligned.truth
    rows = [precision_of("predicted boxes", _detections(aligned.guesses), truth)]
    for name, share in (("whole image", 1.0), (f"centred {100 * CENTRED_SHARE:.0f} %", CENTRED_SHARE)):
        boxes = centred_boxes(truth.sizes, share, share)
        rows.append(precision_of(name, Detections(boxes, np.ones(truth.n), np.arange(truth.n)), truth))
    return tuple(rows)


def precision_of(method: str, found: Detections, truth: Truth) -> Precision:
    """What ``found`` is worth: the area under the curve of precision over recall (Lin et al. 2014, COCO).

    Boxes go by falling score over all images, equal ones in the order of images. Each takes the free true
    box of its image that it overlaps most, where their IoU is the level or more; one that finds none free is
    a false positive. Precision at one of 101 recalls is the best at that recall or beyond.
    """
    # Half an overlap that rounding made a little less is still half, as for the other figures.
    levels = (CORRECT_IOU, *LEVELS[1:])
    right, scores = _matched(found, truth, levels)
    areas = _area(right, scores, len(truth.boxes))
    hits = int(right[0].sum())
    return Precision(method, areas[0], sum(areas) / len(areas), len(scores), hits, len(truth.boxes) - hits)


def _area(right: npt.NDArray[np.bool_], scores: Floats, true_boxes: int) -> list[float]:
    """The average precision at each level; ``right`` is (levels, m)."""
    order = np.argsort(-scores, kind="stable")
    areas = []
    for row in right[:, order]:
        hits = row.cumsum()
        recall = hits / true_boxes
        precision = hits / np.arange(1, len(row) + 1)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        places = np.searchsorted(recall, _RECALLS, side="left")
        areas.append(float(np.append(best, 0.0)[places].mean()))
    return areas


def _matched(
    found: Detections, truth: Truth, levels: Sequence[float]
) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Which boxes that count are right at each level, (levels, m), and their scores, (m,), image by image."""
    order = np.lexsort((-found.scores, found.image_of))
    starts = np.searchsorted(found.image_of[order], np.arange(truth.n + 1))
    true_starts = np.append(truth.starts, len(truth.boxes))
    right, scores = [], []
    for i in range(truth.n):
        own = order[starts[i] : starts[i + 1]][:MAX_FOUND]
        if len(own):
            true = truth.boxes[true_starts[i] : true_starts[i + 1]]
            shares = _overlap_table(found.boxes[own], true)
            right.append(np.stack([_taken(shares, level) for level in levels]))
            scores.append(found.scores[own])
    if not right:
        return np.zeros((len(levels), 0), bool), np.zeros(0)
    return np.concatenate(right, axis=1), np.concatenate(scores)


def _taken(shares: Floats, level: float) -> npt.NDArray[np.bool_]:
    """Which of the boxes, best first, gets a true box of its own; ``shares`` (boxes, true) is their IoU."""
    right = np.zeros(len(shares), bool)
    if shares.shape == (1, 1):
        right[0] = shares[0, 0] >= level
        return right
    free = shares.copy()
    for i in range(len(free)):
        # Of equal overlaps the last, as pycocotools takes it.
        best = free.shape[1] - 1 - int(np.argmax(free[i, ::-1]))
        if free[i, best] >= level:
            right[i] = True
            free[:, best] = -1.0
    return right


def _overlap_table(a: Floats, b: Floats) -> Floats:
    """IoU of each of ``a`` (m, 4) with each of ``b`` (k, 4): (m, k)."""
    corner = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    shared = np.clip(corner, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    table: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return table


def _detections(guesses: Sequence[ImageBoxes | None]) -> Detections:
    """Every predicted box; one without a score is a person's and goes before all others."""
    boxes, scores, image_of = [], [], []
    for i, guess in enumerate(guesses):
        for record in guess.boxes if guess else ():
            boxes.append(record.box.sides)
            scores.append(math.inf if record.score is None else record.score)
            image_of.append(i)
    return Detections(
        np.array(boxes, dtype=np.float64).reshape(-1, 4), np.array(scores), np.array(image_of, dtype=np.intp)
    )
