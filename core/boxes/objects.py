"""Boxes around connected parts: of a map's hot places, or of what a map of probabilities calls object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.boxes.grid import Floats

Map = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
MaskOf = Callable[[Map, float], Mask]


def object_mask(probabilities: Map, threshold: float) -> Mask:
    """Where a map of probabilities, float32 (h, w) in 0..1, lies above ``threshold``.

    Where it does nowhere, that share of its maximum counts in place of it, so that the hottest place stays.
    """
    above: Mask = probabilities > threshold
    return above if above.any() else probabilities >= threshold * float(probabilities.max())


def hot_mask(scaled: Map, threshold: float) -> Mask:
    """Where a map lies at or above ``threshold`` x its maximum.

    The published rule (Zhou et al. 2016, section 3; Choe, Park, Shim 2018) with 20 % as threshold.
    """
    return np.asarray(scaled >= threshold * float(scaled.max()))


def parts_of(mask: Mask) -> list[Mask]:
    """The 8-connected parts of a mask, the largest first; of two alike the one that begins higher up."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    order = sorted(range(1, count), key=lambda label: -int(areas[label]))
    return [labels == label for label in order]


def largest_part(mask: Mask) -> Mask:
    """The largest 8-connected part of a mask that is somewhere true."""
    labels, label, _ = _largest(mask)
    return np.asarray(labels == label)


def _largest(mask: Mask) -> tuple[npt.NDArray[Any], int, list[int]]:
    """Labels of a mask's parts, the largest one's label, and its x, y, width and height in cells."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    label = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels), label, stats[label, : cv2.CC_STAT_AREA].tolist()


def tightest_box(part: Mask) -> tuple[int, int, int, int]:
    """x0 y0 x1 y1 of the tightest box around a mask that is somewhere true, in cells."""
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def hot_boxes(scaled: Map, thresholds: Floats, prior: object = None) -> Floats:
    """The tightest box of the largest part of each map's :func:`hot_mask`: float64 (n, 4), in cells."""
    return _boxes(hot_mask, scaled, thresholds)


def object_boxes(probabilities: Map, thresholds: Floats, prior: object = None) -> Floats:
    """The same of :func:`object_mask`, as Wei et al. 2017 read their maps."""
    return _boxes(object_mask, probabilities, thresholds)


def _boxes(mask_of: MaskOf, maps: Map, thresholds: Floats) -> Floats:
    boxes = np.empty((len(maps), 4), np.float64)
    for box, one, threshold in zip(boxes, maps, thresholds.tolist(), strict=True):
        x, y, width, height = _largest(mask_of(one, threshold))[2]
        box[:] = x, y, x + width, y + height
    return boxes


def object_scores(probabilities: Map, thresholds: Floats) -> Floats:
    """How sure :func:`object_boxes` is of each of n maps: float64 (n,), the mean probability of that part.

    0 where the map is constant, since any box would do.

    Parameters
    ----------
    probabilities
        float32 (n, h, w) in 0..1.
    thresholds
        float64 (n,).
    """
    scores = [
        mean_inside(one, largest_part(object_mask(one, threshold)))
        for one, threshold in zip(probabilities, thresholds.tolist(), strict=True)
    ]
    return np.array(scores, np.float64)


def mean_inside(probabilities: Map, part: Mask) -> float:
    """The mean probability of a part; 0 where the whole map is one value."""
    if probabilities.min() == probabilities.max():
        return 0.0
    return float(probabilities[part].mean(dtype=np.float64))
