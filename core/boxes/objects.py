"""Boxes from maps of probabilities: what lies above an absolute threshold is an object."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from core.base.geometry import Box

Map = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def object_mask(probabilities: Map, threshold: float) -> Mask:
    """Where a map of probabilities, float32 (h, w) in 0..1, lies above ``threshold``.

    Where it does nowhere, that share of its maximum counts in place of it, so that the hottest place stays.
    """
    above: Mask = probabilities > threshold
    return above if above.any() else probabilities >= threshold * float(probabilities.max())


def parts_of(mask: Mask) -> list[Mask]:
    """The 8-connected parts of a mask, the largest first; of two alike the one that begins higher up."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    order = sorted(range(1, count), key=lambda label: -int(areas[label]))
    return [labels == label for label in order]


def largest_part(mask: Mask) -> tuple[Box, Mask]:
    """The largest 8-connected part of a mask that is somewhere true, and its tightest box in cells."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    label = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    left, top, width, height = stats[label, :4].tolist()
    return Box(left, top, left + width, top + height), labels == label


def object_box(probabilities: Map, threshold: float, prior: object = None) -> Box:
    """The tightest box of the largest part of :func:`object_mask`, as Wei et al. 2017 read their maps."""
    return largest_part(object_mask(probabilities, threshold))[0]


def object_scores(probabilities: Map, thresholds: Floats) -> Floats:
    """How sure :func:`object_box` is of each of n maps: float64 (n,), the mean probability of that part.

    0 where the map is constant, since any box would do.

    Parameters
    ----------
    probabilities
        float32 (n, h, w) in 0..1.
    thresholds
        float64 (n,).
    """
    parts = [
        largest_part(object_mask(one, threshold))[1]
        for one, threshold in zip(probabilities, thresholds.tolist(), strict=True)
    ]
    return np.array(
        [mean_inside(one, part) for one, part in zip(probabilities, parts, strict=True)], np.float64
    )


def mean_inside(probabilities: Map, part: Mask) -> float:
    """The mean probability of a part; 0 where the whole map is one value."""
    if probabilities.min() == probabilities.max():
        return 0.0
    return float(probabilities[part].mean(dtype=np.float64))
