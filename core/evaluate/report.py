"""How well boxes find the objects, always beside the boxes that cost nothing.

GT-known Loc is the share of images whose box (the one of highest score) has an IoU of 0.5 or more with a
true box. Where images have several true boxes any one of them will do, and the same share is called CorLoc.
An image of the truth that has no box counts as wrong. Where an image has several boxes, found or true,
average precision says what all of them are worth, false ones included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.base.annotations import ImageBoxes
from core.base.language import tr, trn
from core.boxes.overlap import CORRECT_IOU, Floats, Truth, best_overlap
from core.evaluate.average_precision import Precision, precision_rows
from core.evaluate.baselines import CENTRED_SHARE, best_fixed_box, centred_boxes, contrast_boxes
from core.evaluate.matching import Alignment, align
from core.evaluate.ranking import Ranking, ranking


@dataclass(frozen=True, slots=True)
class Row:
    """One method's accuracy: ``correct`` of ``n``; ``accuracy``, ``low``, ``high`` (95 %) are 0..1."""

    method: str
    correct: int
    n: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation. ``n`` is the number of images that have a true box.

    ``rows`` holds the predicted boxes first, then the baselines. ``r_cx`` and ``r_cy`` correlate predicted
    with true centres over the images that have a box, -1..1, None where that is undefined. ``missing``
    counts images of the truth without a predicted box (they count as wrong), ``extra`` predicted images that
    the truth does not know, ``other_size`` images that the two hold at different sizes, ``unreadable``
    images that colour contrast could not read. ``best_fixed`` is the (width, height) of the best fixed box
    as shares of the image. ``several`` counts images with more than one true box. ``ranking`` says how the
    scores rank the boxes by IoU, None where nothing has a score. ``precision`` is empty unless some image
    has several boxes, true or found.
    """

    n: int
    rows: tuple[Row, ...]
    r_cx: float | None
    r_cy: float | None
    missing: int
    extra: int
    other_size: int
    unreadable: int
    best_fixed: tuple[float, float]
    several: int = 0
    ranking: Ranking | None = None
    precision: tuple[Precision, ...] = ()

    @property
    def measure(self) -> str:
        """What the accuracies are called: with several true boxes in an image it is no longer GT-known."""
        return "CorLoc" if self.several else "GT-known Loc"

    def table(self) -> list[tuple[str, ...]]:
        """The rows as text for printing, a heading first."""
        body = [
            (
                row.method,
                f"{100 * row.accuracy:.1f} %",
                f"{100 * row.low:.1f} - {100 * row.high:.1f} %",
                f"{row.correct}/{row.n}",
            )
            for row in self.rows
        ]
        return [("boxes", "accuracy", "95 % interval", "images"), *body]

    def precision_table(self) -> list[tuple[str, ...]]:
        """What all boxes are worth as text for printing, a heading first; empty where each image has one."""
        if not self.precision:
            return []
        # Short enough for a terminal of 80 columns; "false" are the false positives.
        heading = ("all boxes", "AP 0.5", "AP 0.5-0.95", "found", "right", "false", "missed")
        rows = [
            (
                one.method,
                *(f"{100 * value:.1f} %" for value in (one.ap50, one.ap)),
                *(f"{count:,}" for count in (one.found, one.right, one.false_positives, one.missed)),
            )
            for one in self.precision
        ]
        return [heading, *rows]

    def remarks(self) -> list[str]:
        """What the rows do not say, as sentences."""
        r_cx, r_cy = (tr("undefined") if r is None else f"{r:+.2f}" for r in (self.r_cx, self.r_cy))
        lines = [
            tr("Correlation of predicted and true centres: r(cx) {r_cx}, r(cy) {r_cy}.").format(
                r_cx=r_cx, r_cy=r_cy
            )
        ]
        if self.ranking is not None:
            lines.append(self.ranking.sentence())
        return [*lines, *self._counted_remarks()]

    def _counted_remarks(self) -> list[str]:
        several, missing, extra = self.several, self.missing, self.extra
        told = (
            trn(
                "{count:,} image with several true boxes, any one of which counts.",
                "{count:,} images with several true boxes, any one of which counts.",
                several,
            ),
            trn(
                "{count:,} image of the truth without a predicted box, counted as wrong.",
                "{count:,} images of the truth without a predicted box, counted as wrong.",
                missing,
            ),
            trn(
                "{count:,} image with predicted boxes that the truth does not know, left out.",
                "{count:,} images with predicted boxes that the truth does not know, left out.",
                extra,
            ),
            trn(
                "{count:,} image whose size differs between boxes and truth, compared pixel by pixel.",
                "{count:,} images whose size differs between boxes and truth, compared pixel by pixel.",
                self.other_size,
            ),
            trn(
                "{count:,} image that colour contrast could not read, counted as wrong for it.",
                "{count:,} images that colour contrast could not read, counted as wrong for it.",
                self.unreadable,
            ),
        )
        counts = (several, missing, extra, self.other_size, self.unreadable)
        return [sentence for count, sentence in zip(counts, told, strict=True) if count]

    def to_dict(self) -> dict[str, Any]:
        """The report for JSON: every number finite or null."""
        return {
            **asdict(self),
            "measure": self.measure,
            "rows": [asdict(row) for row in self.rows],
            "best_fixed": list(self.best_fixed),
            "ranking": None if self.ranking is None else asdict(self.ranking),
            "precision": [one.to_dict() for one in self.precision],
        }


@dataclass(frozen=True, slots=True)
class Baselines:
    """What the boxes score on a truth that never learned: they stay the same whatever is predicted.

    ``right`` says for each of ``rows`` which images it gets right, bool (n,). ``best_fixed`` and
    ``unreadable`` are as in :class:`Report`.
    """

    rows: tuple[Row, ...]
    right: tuple[npt.NDArray[np.bool_], ...]
    best_fixed: tuple[float, float]
    unreadable: int = 0


def evaluate(
    predicted: Sequence[ImageBoxes],
    truth: Sequence[ImageBoxes],
    *,
    images_root: Path | None = None,
) -> Report:
    """Compare predicted boxes with true ones, beside the baselines.

    Parameters
    ----------
    predicted, truth
        Boxes in pixels of the same images. Images of the truth without a box are left out.
    images_root
        The folder of the images, by the truth's names or the predicted ones: adds colour contrast.

    Raises
    ------
    FormatError
        No true box, no name in common, or an image whose size nobody tells.
    """
    aligned = align(predicted, truth)
    contrast = None
    if images_root is not None:
        contrast = contrast_boxes(images_root, aligned.known, aligned.guesses)
    return evaluate_aligned(aligned, baselines_of(aligned.truth, contrast))


def baselines_of(truth: Truth, contrast: Floats | None = None) -> Baselines:
    """All baselines on a truth; ``contrast`` are :func:`~core.evaluate.baselines.contrast_boxes`."""
    unreadable = 0
    rows = plain_baselines(truth)
    boxes = [centred_boxes(truth.sizes, share, share) for share in (1.0, CENTRED_SHARE)]
    if contrast is not None:
        unreadable = int(np.isnan(contrast[:, 0]).sum())
        if unreadable < truth.n:
            rows.append(row_of("colour contrast", contrast, truth))
            boxes.append(contrast)
    best_fixed, shares = tuned_baseline(truth)
    boxes.append(centred_boxes(truth.sizes, *shares))
    right = tuple(right_images(one, truth) for one in boxes)
    return Baselines((*rows, best_fixed), right, shares, unreadable)


def right_images(boxes: Floats, truth: Truth) -> npt.NDArray[np.bool_]:
    """Whether each image's box, float64 (n, 4) pixels, has an IoU of 0.5 or more with a true one."""
    return np.asarray(best_overlap(boxes, truth)[0] >= CORRECT_IOU)


def evaluate_aligned(aligned: Alignment, baselines: Baselines, *, ranks: bool = True) -> Report:
    """:func:`evaluate` where images are paired and the baselines on this truth are known already.

    Without ``ranks`` its ``ranking`` is None: a bootstrap, which of 100,000 images takes seconds.
    """
    arrays, boxes = aligned.truth, aligned.surest_boxes()
    r_cx, r_cy = _centre_correlation(boxes, arrays)
    several = int((np.bincount(arrays.image_of) > 1).sum())
    many = several or any(guess is not None and len(guess.boxes) > 1 for guess in aligned.guesses)
    return Report(
        n=arrays.n,
        rows=(row_of("predicted boxes", boxes, arrays), *baselines.rows),
        r_cx=r_cx,
        r_cy=r_cy,
        missing=int(np.isnan(boxes[:, 0]).sum()),
        extra=aligned.extra,
        other_size=aligned.other_size,
        unreadable=baselines.unreadable,
        best_fixed=baselines.best_fixed,
        several=several,
        ranking=_score_ranking(aligned, boxes) if ranks else None,
        precision=precision_rows(aligned) if many else (),
    )


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of ``correct`` out of ``n`` (at least 1), as shares 0..1."""
    z = 1.959963984540054
    share = correct / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = 0.0 if correct == 0 else max(0.0, (middle - half) / scale)
    high = 1.0 if correct == n else min(1.0, (middle + half) / scale)
    return low, high


def plain_baselines(truth: Truth) -> list[Row]:
    """The rows of the boxes that look at nothing, neither image nor truth."""
    share = f"{100 * CENTRED_SHARE:.0f} %"
    return [
        row_of("whole image", centred_boxes(truth.sizes, 1.0, 1.0), truth),
        row_of(f"centred {share}", centred_boxes(truth.sizes, CENTRED_SHARE, CENTRED_SHARE), truth),
    ]


def tuned_baseline(truth: Truth) -> tuple[Row, tuple[float, float]]:
    """The row of the best fixed box, and its (width, height) as shares of the image."""
    shares, correct = best_fixed_box(truth)
    return _counted("best fixed box (tuned on the ground truth)", correct, truth.n), shares


def row_of(method: str, boxes: Floats, truth: Truth) -> Row:
    """The accuracy of one box per image, float64 (n, 4) pixels; a NaN row is an image without a box."""
    overlap, _ = best_overlap(boxes, truth)
    return _counted(method, int((overlap >= CORRECT_IOU).sum()), truth.n)


def _counted(method: str, correct: int, n: int) -> Row:
    low, high = wilson_interval(correct, n)
    return Row(method, correct, n, correct / n, low, high)


def _centre_correlation(boxes: Floats, truth: Truth) -> tuple[float | None, float | None]:
    has_box = ~np.isnan(boxes[:, 0])
    _, best = best_overlap(boxes, truth)
    true = truth.boxes[best]
    pairs = []
    for axis in (0, 1):
        scale = 2 * truth.sizes[has_box, axis]
        guessed = (boxes[has_box, axis] + boxes[has_box, axis + 2]) / scale
        pairs.append(_pearson(guessed, (true[has_box, axis] + true[has_box, axis + 2]) / scale))
    return pairs[0], pairs[1]


def _score_ranking(aligned: Alignment, boxes: Floats) -> Ranking | None:
    """Of the images whose surest box has a score."""
    scores = aligned.surest_scores()
    known = ~np.isnan(scores)
    return ranking(scores[known], best_overlap(boxes, aligned.truth)[0][known])


def _pearson(a: Floats, b: Floats) -> float | None:
    if len(a) < 2:
        return None
    a, b = a - a.mean(), b - b.mean()
    # Centres are shares of an image: a spread this small is rounding, not a place.
    if min(a.std(), b.std()) < 1e-9:
        return None
    return float(np.clip((a * b).mean() / (a.std() * b.std()), -1.0, 1.0))
