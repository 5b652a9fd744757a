"""Boxes against true boxes, for all images at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# 0.5, less the rounding of a fraction such as 80 % of 64 pixels: exactly half an overlap is correct.
CORRECT_IOU = 0.5 - 1e-9


@dataclass(frozen=True)
class Truth:
    """The true boxes of ``n`` images, flat.

    ``boxes`` is float64 (m, 4), half-open pixels x0 y0 x1 y1; ``image_of`` (m,) ascending indices of
    images, each of which has at least one; ``sizes`` float64 (n, 2) width and height in pixels.
    """

    boxes: Floats
    image_of: npt.NDArray[np.intp]
    sizes: Floats

    @property
    def n(self) -> int:
        return len(self.sizes)

    @property
    def starts(self) -> npt.NDArray[np.intp]:
        """Where each image's boxes begin."""
        return np.searchsorted(self.image_of, np.arange(self.n))


def overlaps(a: Floats, b: Floats) -> Floats:
    """IoU, 0..1, of each row of ``a`` with the same row of ``b``, both (m, 4); NaN rows score 0."""
    shared = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None).prod(axis=1)
    union = _areas(a) + _areas(b) - shared
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(union > 0, shared / union, 0.0)
    return np.nan_to_num(share, nan=0.0)


def best_overlap(boxes: Floats, truth: Truth) -> tuple[Floats, npt.NDArray[np.intp]]:
    """For one box per image, (n, 4): the largest IoU with a true box and which one it is.

    Among true boxes of equal IoU, none at all included, the largest stands for the image.
    """
    share = overlaps(boxes[truth.image_of], truth.boxes)
    # Sorted by image, then IoU, then area: an image's last one is its best.
    order = np.lexsort((_areas(truth.boxes), share, truth.image_of))
    ends = np.append(truth.starts[1:], len(order)) - 1
    best = order[ends]
    return share[best], best


def _areas(boxes: Floats) -> Floats:
    areas: Floats = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return areas
