"""Where a heat map is cut: the lines around what lies above the threshold, as a person sees them."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.boxes.batches import read_maps
from core.boxes.rules import RULES, Map

FINE = 256
"""The map is drawn smoothly, and so are its lines: cells that the cut is looked up in, across and down."""
_AROUND = 3
_SPECK = (FINE / 64) ** 2
"""Parts of less than a cell of the rules' own grid are left out."""

Outline = npt.NDArray[np.float64]


def cut_level(grid: Map, *, rule: str, threshold: float) -> float:
    """From what heat on a map, as its ``rule`` reads it, a place counts as object; 0 where it cuts nothing.

    See :func:`~core.boxes.objects.object_mask` and :func:`~core.boxes.objects.hot_mask`.
    """
    highest = float(grid.max())
    return threshold if RULES[rule].absolute and highest > threshold else threshold * highest


def cut_outlines(heat_map: Map, *, rule: str, threshold: float) -> tuple[Outline, ...]:
    """The closed lines around all parts of a map that lie above ``threshold``, the longest first.

    None where the rule cuts nothing off, as moments do at 0, or where the map is constant.

    Parameters
    ----------
    heat_map
        float (h, w) of any range.
    rule
        A name in ``RULES``.
    threshold
        0..1, as the rule understands it.

    Returns
    -------
    float64 (n, 2) each: x and y as shares of the image's width and height.
    """
    (grid,) = read_maps(rule, [heat_map])
    level = cut_level(grid, rule=rule, threshold=threshold)
    if level <= 0 or float(grid.min()) == float(grid.max()):
        return ()
    fine = cv2.resize(grid, (FINE, FINE), interpolation=cv2.INTER_LINEAR)
    # A frame of cold cells: parts at the image's edge are closed along it.
    above = np.zeros((FINE + 2, FINE + 2), np.uint8)
    above[1:-1, 1:-1] = fine >= level
    found, _ = cv2.findContours(above, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    lines = [one[:, 0] for one in found if cv2.contourArea(one) >= _SPECK]
    lines.sort(key=len, reverse=True)
    return tuple(np.clip((_smooth(line) - 0.5) / FINE, 0.0, 1.0) for line in lines)


def _smooth(line: npt.NDArray[Any]) -> Outline:
    """A closed line without the stairs of its cells: each point is the mean of those around it."""
    around = range(-_AROUND, _AROUND + 1)
    mean: Outline = np.mean([np.roll(line, shift, axis=0) for shift in around], axis=0, dtype=np.float64)
    return mean
