"""Accuracy at every threshold of a rule, and what choosing the threshold by the truth would give.

The one figure that compares with other work without labels is the first: the rule's own threshold, fixed
beforehand. MaxBoxAcc and MaxBoxAccV2 (Choe et al. 2020, "Evaluating Weakly Supervised Object Localization
Methods Right") take the threshold that the truth likes best, and are named so wherever they are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.base.language import tr
from core.boxes.batches import find_box, find_boxes, read_maps
from core.boxes.overlap import Floats, Truth, best_overlap
from core.boxes.prior import Prior
from core.boxes.rules import MAX_THRESHOLD, RULES
from core.evaluate.baselines import CENTRED_SHARE, best_fixed_box, centred_boxes
from core.evaluate.matching import Alignment, align
from core.evaluate.report import Report, evaluate

IOUS = (0.3, 0.5, 0.7)
DEFAULT_STEP = 0.01
#: The IoUs from which on a box counts, less the rounding of a fraction (as ``CORRECT_IOU``).
LEVELS = tuple(iou - 1e-9 for iou in IOUS)

_PRINTED = 20

HeatMap = npt.NDArray[np.float32]
OnProgress = Callable[[int, int], None]
# An image's heat map, its framing and the prior of the folder that it was read in.
Read = tuple[HeatMap | None, Floats | None, Prior | None]


@dataclass(frozen=True, slots=True)
class Peeking:
    """Accuracies, 0..1, at IoU 0.3, 0.5 and 0.7, each with what the truth chose for it.

    ``thresholds`` are the chosen thresholds, None for a box that has none.
    """

    method: str
    accuracies: tuple[float, ...]
    thresholds: tuple[float, ...] | None = None

    @property
    def max_box_acc(self) -> float:
        """The one at IoU 0.5."""
        return self.accuracies[IOUS.index(0.5)]

    @property
    def max_box_acc_v2(self) -> float:
        """The mean of the three."""
        return sum(self.accuracies) / len(self.accuracies)

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return {**asdict(self), "max_box_acc": self.max_box_acc, "max_box_acc_v2": self.max_box_acc_v2}


@dataclass(frozen=True, slots=True)
class Curve:
    """How well the boxes of ``rule`` find the objects, threshold by threshold.

    ``fixed`` is the evaluation at the rule's own ``fixed_threshold``: the figure that no label chose, beside
    its baselines. ``accuracies[i][j]`` is the share, 0..1, of images whose box at ``thresholds[j]`` has
    an IoU of ``IOUS[i]`` or more with a true box. ``peeking`` holds the heat maps' figures at the best
    thresholds first, then the baselines' at the same IoUs.
    """

    rule: str
    fixed_threshold: float
    fixed: Report
    thresholds: tuple[float, ...]
    accuracies: tuple[tuple[float, ...], ...]
    peeking: tuple[Peeking, ...]

    def table(self) -> list[tuple[str, ...]]:
        """Some twenty points of the curve as text for printing, a heading first."""
        every = max(1, round(len(self.thresholds) / _PRINTED))
        chosen = {self.thresholds.index(self.fixed_threshold), *range(0, len(self.thresholds), every)}
        return [
            ("threshold", *(f"IoU {iou}" for iou in IOUS)),
            *(
                (
                    f"{self.thresholds[j]:.3g}" + (" (fixed)" if self._is_fixed(j) else ""),
                    *(f"{100 * row[j]:.1f} %" for row in self.accuracies),
                )
                for j in sorted(chosen)
            ),
        ]

    def peeking_table(self) -> list[tuple[str, ...]]:
        """The figures that look at the truth as text for printing, a heading first."""
        heading = ("chosen on the truth", "IoU 0.3", "IoU 0.5 = MaxBoxAcc", "IoU 0.7", "mean = MaxBoxAccV2")
        rows = [
            (one.method, *(f"{100 * value:.1f} %" for value in (*one.accuracies, one.max_box_acc_v2)))
            for one in self.peeking
        ]
        best = self.peeking[0].thresholds or ()
        return [heading, *rows, ("best threshold", *(f"{value:.3g}" for value in best), "")]

    def to_dict(self) -> dict[str, Any]:
        """The curve for JSON: every number finite or null."""
        return {
            "rule": self.rule,
            "fixed_threshold": self.fixed_threshold,
            "fixed": self.fixed.to_dict(),
            "ious": list(IOUS),
            "thresholds": list(self.thresholds),
            "accuracies": [list(row) for row in self.accuracies],
            "chosen_on_truth": [one.to_dict() for one in self.peeking],
        }

    def _is_fixed(self, j: int) -> bool:
        return self.thresholds[j] == self.fixed_threshold


def threshold_grid(step: float = DEFAULT_STEP) -> tuple[float, ...]:
    """0, ``step``, 2 ``step``… up to the largest threshold, whatever the rounding.

    Raises
    ------
    FormatError
        ``step`` does not lie between 0.001 and 0.5.
    """
    if not 0.001 <= step <= 0.5:
        raise FormatError(tr("The step of a curve must be between 0.001 and 0.5."))
    count = int(MAX_THRESHOLD / step + 1e-6) + 1
    return tuple(round(i * step, 9) for i in range(count))


def threshold_curve(
    images: Sequence[ImageBoxes],
    heat_maps: Sequence[HeatMap | None],
    truth: Sequence[ImageBoxes],
    *,
    rule: str,
    priors: Sequence[Prior | None] | None = None,
    framings: Floats | None = None,
    thresholds: Sequence[float] | None = None,
    images_root: Path | None = None,
    on_progress: OnProgress | None = None,
) -> Curve:
    """Compare the boxes of heat maps with true ones, at a rule's fixed threshold and at all others.

    Parameters
    ----------
    images
        Names and sizes in pixels; their boxes do not matter.
    heat_maps
        One for each of ``images``: float (h, w) of any range, or None, which counts as wrong.
    truth
        True boxes; images without one are left out.
    rule
        A name in :data:`core.boxes.rules.RULES`.
    priors
        One for each of ``images``, as in :func:`find_box`; maps of earlier networks have none.
    framings
        float64 (n, 4), one for each of ``images``, as in :func:`core.boxes.moments.framed`.
    thresholds
        Where to measure; :func:`threshold_grid` when None. The rule's own threshold joins them.
    images_root
        As in :func:`core.evaluate.report.evaluate`: adds colour contrast to the fixed figure.
    on_progress
        Called with (done, all) thresholds.

    Raises
    ------
    FormatError
        No true box, no name in common, no heat map for any of these images, or a size nobody tells.
    """
    fixed = RULES[rule].default_threshold
    asked = threshold_grid() if thresholds is None else thresholds
    wanted = tuple(sorted({min(max(float(t), 0.0), MAX_THRESHOLD) for t in asked} | {fixed}))
    known = np.full((len(images), 4), np.nan) if framings is None else framings
    read = list(zip(heat_maps, known, priors or [None] * len(images), strict=True))
    report, aligned, rows, own = _at_fixed(images, read, truth, rule, images_root)
    arrays = aligned.truth
    groups = list(_alike(rows, own, _sizes(aligned)))
    boxes = np.full((arrays.n, 4), np.nan)
    counts = np.zeros((len(IOUS), len(wanted)))
    for j, threshold in enumerate(wanted):
        for at, maps, sizes, prior, framing in groups:
            boxes[at] = find_boxes(maps, sizes, rule=rule, threshold=threshold, prior=prior, framings=framing)
        counts[:, j] = _counts(boxes, arrays)
        if on_progress is not None:
            on_progress(j + 1, len(wanted))
    shares = counts / arrays.n
    best = shares.argmax(axis=1)
    heat = Peeking(
        "heat maps, best threshold each",
        tuple(shares.max(axis=1).tolist()),
        tuple(wanted[j] for j in best),
    )
    return Curve(
        rule=rule,
        fixed_threshold=fixed,
        fixed=report,
        thresholds=wanted,
        accuracies=tuple(tuple(row) for row in shares.tolist()),
        peeking=(heat, *_baselines(arrays)),
    )


def _at_fixed(
    images: Sequence[ImageBoxes],
    read: Sequence[Read],
    truth: Sequence[ImageBoxes],
    rule: str,
    images_root: Path | None,
) -> tuple[Report, Alignment, list[int], list[Read]]:
    """The evaluation at the rule's own threshold; which images of the truth have a map; these

    The maps come back as float32 (GRID, GRID), each 0..1.
    """
    bare = [replace(image, boxes=()) for image in images]
    aligned = align(bare, truth)
    known = {id(image): own for image, own in zip(bare, read, strict=True)}
    sizes = _sizes(aligned)
    boxes: dict[int, ImageBoxes] = {}
    rows: list[int] = []
    scaled: list[Read] = []
    for i, guess in enumerate(aligned.guesses):
        heat, framing, prior = (None, None, None) if guess is None else known[id(guess)]
        if guess is not None and heat is not None:
            width, height = (int(side) for side in sizes[i])
            box = find_box(heat, width=width, height=height, rule=rule, prior=prior, framing=framing)
            boxes[id(guess)] = replace(guess, boxes=(box,))
            rows.append(i)
            scaled.append((read_maps(rule, [heat])[0], framing, prior))
    if not rows:
        raise FormatError(
            tr("No image of the truth has a heat map yet; run 'localize' on these images first.")
        )
    predicted = [boxes.get(id(image), image) for image in bare]
    return evaluate(predicted, truth, images_root=images_root), aligned, rows, scaled


def _alike(
    rows: Sequence[int], read: Sequence[Read], sizes: Floats
) -> Iterator[tuple[npt.NDArray[np.intp], HeatMap, Floats, Prior | None, Floats]]:
    """Images under one prior, to be read together: rows of the truth, maps, sizes, the prior and framings."""
    for prior in dict.fromkeys(prior for _, _, prior in read):
        at, some = zip(*((i, one) for i, one in zip(rows, read, strict=True) if one[2] == prior), strict=True)
        maps, framings = np.array([one[0] for one in some], np.float32), np.array([one[1] for one in some])
        yield np.array(at, np.intp), maps, sizes[list(at)], prior, framings


def _sizes(aligned: Alignment) -> Floats:
    """Width and height of each image as displayed, float64 (n, 2); the truth's where only it knows."""
    sizes: Floats = aligned.truth.sizes.copy()
    for i, guess in enumerate(aligned.guesses):
        if guess is not None and guess.width > 0 and guess.height > 0:
            sizes[i] = guess.width, guess.height
    return sizes


def _counts(boxes: Floats, truth: Truth) -> Floats:
    """How many images are right at each of the IoUs."""
    overlap, _ = best_overlap(boxes, truth)
    counts: Floats = (overlap >= np.array(LEVELS)[:, None]).sum(axis=1).astype(np.float64)
    return counts


def _baselines(truth: Truth) -> list[Peeking]:
    rows = []
    for name, share in (("whole image", 1.0), (f"centred {100 * CENTRED_SHARE:.0f} %", CENTRED_SHARE)):
        counts = _counts(centred_boxes(truth.sizes, share, share), truth)
        rows.append(Peeking(name, tuple((counts / truth.n).tolist())))
    tuned = tuple(best_fixed_box(truth, iou=level)[1] / truth.n for level in LEVELS)
    return [*rows, Peeking("best fixed box, one for each IoU", tuned)]
