"""Two files of boxes on the same images: is the difference between them more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.base.language import tr, trn
from core.boxes.overlap import CORRECT_IOU, best_overlap
from core.evaluate.baselines import contrast_boxes
from core.evaluate.matching import align
from core.evaluate.report import Row, baselines_of, row_of

RESAMPLES = 10_000

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Difference:
    """A's accuracy less B's, -1..1, with its 95 % interval ``low`` to ``high`` by paired bootstrap.

    ``a_better`` and ``b_better`` are the shares, 0..1, of the resamples in which that one is ahead; in the
    rest they are level. ``only_a`` and ``only_b`` count the images that one alone gets right: nothing else
    tells the two apart.
    """

    difference: float
    low: float
    high: float
    a_better: float
    b_better: float
    only_a: int
    only_b: int
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sets of boxes beside the baselines: ``rows`` are A, B, then the baselines.

    ``n`` is the number of images that have a true box; ``missing_a`` and ``missing_b`` of them have no
    predicted box, which counts as wrong.
    """

    n: int
    rows: tuple[Row, ...]
    difference: Difference
    missing_a: int
    missing_b: int

    def remarks(self) -> list[str]:
        """What the rows do not say, as sentences."""
        d = self.difference
        lines = [
            tr(
                "A less B: {points:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f} "
                "(paired bootstrap, {resamples:,} resamples, seed {seed})."
            ).format(
                points=100 * d.difference,
                low=100 * d.low,
                high=100 * d.high,
                resamples=d.resamples,
                seed=d.seed,
            ),
            tr("A is ahead in {a:.1%} of the resamples and B in {b:.1%}.").format(a=d.a_better, b=d.b_better),
            tr("A alone is right on {a:,} of the {n:,} images, B alone on {b:,}.").format(
                a=d.only_a, n=self.n, b=d.only_b
            ),
        ]
        for name, count in (("A", self.missing_a), ("B", self.missing_b)):
            if count:
                images = trn("{count:,} image", "{count:,} images", count)
                text = tr("{name} has no box for {images} of the truth, counted as wrong.")
                lines.append(text.format(name=name, images=images))
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The comparison for JSON: every number finite."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}


def compare(
    a: Sequence[ImageBoxes],
    b: Sequence[ImageBoxes],
    truth: Sequence[ImageBoxes],
    *,
    names: tuple[str, str] = ("A", "B"),
    resamples: int = RESAMPLES,
    seed: int = 0,
    images_root: Path | None = None,
) -> Comparison:
    """Compare two sets of boxes with the truth and with each other.

    Parameters
    ----------
    a, b, truth
        Boxes in pixels of the same images. Images of the truth without a box are left out.
    names
        What to call the two in ``rows``.
    resamples, seed
        As in :func:`paired_bootstrap`.
    images_root
        As in :func:`core.evaluate.report.evaluate`: adds colour contrast.

    Raises
    ------
    FormatError
        No true box, no name in common, or an image whose size nobody tells.
    """
    aligned = [align(one, truth) for one in (a, b)]
    boxes = [one.surest_boxes() for one in aligned]
    arrays = aligned[0].truth
    right_a, right_b = (best_overlap(one, arrays)[0] >= CORRECT_IOU for one in boxes)
    rows = [row_of(name, one, arrays) for name, one in zip(names, boxes, strict=True)]
    contrast = None
    if images_root is not None:
        contrast = contrast_boxes(images_root, aligned[0].known, aligned[0].guesses)
    return Comparison(
        n=arrays.n,
        rows=(*rows, *baselines_of(arrays, contrast).rows),
        difference=paired_bootstrap(right_a, right_b, resamples=resamples, seed=seed),
        missing_a=int(np.isnan(boxes[0][:, 0]).sum()),
        missing_b=int(np.isnan(boxes[1][:, 0]).sum()),
    )


def paired_bootstrap(
    right_a: Flags, right_b: Flags, *, resamples: int = RESAMPLES, seed: int = 0
) -> Difference:
    """The difference of two accuracies on the same images, with its percentile interval.

    An image adds 1, -1 or 0 to the difference, and to draw n images with replacement is to draw how
    often each of the three comes up: a multinomial draw gives exactly the distribution of the bootstrap
    without an index per image (Efron and Tibshirani 1993, section 6.1; one draw for all resamples).

    Parameters
    ----------
    right_a, right_b
        bool (n,), whether each gets an image right, image by image, n at least 1.
    resamples
        How many resamples, at least 1.
    seed
        The same seed gives the same interval.

    Raises
    ------
    FormatError
        There is no image, or not one answer per image from each.
    """
    n = len(right_a)
    if n == 0 or right_a.shape != right_b.shape:
        raise FormatError(tr("A comparison needs the answers of both on the same images, at least one."))
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    shares = np.array([only_a, only_b, n - only_a - only_b]) / n
    drawn = np.random.default_rng(seed).multinomial(n, shares, size=resamples)
    ahead = drawn[:, 0] - drawn[:, 1]
    low, high = np.percentile(ahead, [2.5, 97.5]) / n
    return Difference(
        difference=(only_a - only_b) / n,
        low=float(low),
        high=float(high),
        a_better=float((ahead > 0).mean()),
        b_better=float((ahead < 0).mean()),
        only_a=only_a,
        only_b=only_b,
        resamples=resamples,
        seed=seed,
    )
