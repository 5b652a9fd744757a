"""How far boxes can be trusted where nobody knows the truth: do they follow the picture?

A picture is looked at again mirrored and shifted, and its boxes are brought back. Agreement alone says
little, for a map that ignores the picture agrees with itself: it gives every picture the same box. So the
agreement of a picture's own boxes is held against the agreement of boxes of different pictures, as Cohen's
kappa (1960) holds agreement against chance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.base.language import tr
from core.boxes.overlap import Floats, overlaps

Images = npt.NDArray[np.uint8]

#: Pictures looked at again: enough for a figure of two digits.
SAMPLE = 128
#: How far a picture is shifted, as a share of its side.
SHIFT = 1 / 8

_FOLLOWS, _PARTLY = 0.5, 0.2
# From this overlap of different pictures' boxes on there is too little movement to speak of.
_SAME = 0.9


@dataclass(frozen=True, slots=True)
class Sureness:
    """How much boxes depend on the picture, measured on ``images`` of them.

    ``own`` is the mean IoU of a picture's box with its boxes when it is mirrored or shifted; ``other`` that
    with such boxes of other pictures, which is what a map that ignores the picture would give. Both 0..1.
    """

    own: float
    other: float
    images: int

    @property
    def beyond_chance(self) -> float:
        """(own - other) / (1 - other): 1 where each box moves with its picture, 0 where they are ignored."""
        room = 1.0 - self.other
        return min(max((self.own - self.other) / room, 0.0), 1.0) if room > 1e-9 else 0.0

    @property
    def is_doubtful(self) -> bool:
        """Whether boxes depend too little on the picture to be used without a look."""
        return self.other >= _SAME or self.beyond_chance < _PARTLY

    @property
    def verdict(self) -> str:
        """The beginning of :meth:`sentence`."""
        if self.other >= _SAME:
            return tr("Nearly every image gets the same box: check the boxes before you use them")
        if self.beyond_chance >= _FOLLOWS:
            return tr("Boxes follow the image")
        if self.beyond_chance >= _PARTLY:
            return tr("Boxes follow the image in part")
        return tr("Boxes hardly depend on the image: check them before you use them")

    def sentence(self) -> str:
        """What a person should know, in one sentence."""
        verdict = self.verdict
        own, other = 100 * self.own, 100 * self.other
        return tr(
            "{verdict}. When an image is mirrored or shifted, {own:.0f} % of its box stays (mean "
            "overlap, {images:,} images). A map that ignores the image would give {other:.0f} %. "
            "Consistent boxes can still be wrong."
        ).format(verdict=verdict, own=own, images=self.images, other=other)


def looks(images: Images) -> tuple[Images, ...]:
    """The same pictures mirrored, shifted right and down, and shifted left and up; uint8 (n, H, W, 3) each.

    What a shift uncovers shows the picture's own reflection.
    """
    height, width = images.shape[1:3]
    down, right = _pixels(height), _pixels(width)
    margins = ((0, 0), (down, down), (right, right), (0, 0))
    wide = np.pad(images, margins, mode="reflect" if min(height, width) > 1 else "edge")
    return images[:, :, ::-1], wide[:, :height, :width], wide[:, 2 * down :, 2 * right :]


def sureness(boxes: Floats, of_looks: tuple[Floats, ...], *, width: int, height: int) -> Sureness | None:
    """Compare the boxes of pictures with those of their :func:`looks`.

    Parameters
    ----------
    boxes
        float64 (n, 4), x0 y0 x1 y1 in shares 0..1 of the picture.
    of_looks
        The same of each of the looks, in their order, as seen there.
    width, height
        Of the pictures that were looked at, in pixels.

    Returns
    -------
    None for fewer than two pictures, which nothing can be held against.
    """
    n = len(boxes)
    if n < 2:
        return None
    step = np.array([_pixels(width) / width, _pixels(height) / height] * 2)
    mirrored, right_down, left_up = of_looks
    turned = mirrored[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [1, 0, 1, 0]
    # Of a shifted picture a strip is out of sight: both boxes are compared where both can be.
    pairs = (
        (boxes, turned),
        (np.clip(boxes, 0, 1 - step), np.clip(right_down - step, 0, 1 - step)),
        (np.clip(boxes, step, 1), np.clip(left_up + step, step, 1)),
    )
    own, other = [], []
    for ours, theirs in pairs:
        table = overlaps(np.repeat(ours, n, axis=0), np.tile(theirs, (n, 1))).reshape(n, n)
        own.append(np.trace(table) / n)
        other.append((table.sum() - np.trace(table)) / (n * n - n))
    return Sureness(float(np.mean(own)), float(np.mean(other)), n)


def _pixels(side: int) -> int:
    return min(max(1, round(side * SHIFT)), max(side - 1, 1))
