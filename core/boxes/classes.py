"""Which class a box is of: the cells of its heat map vote, each as much as it is hot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.base.annotations import BoxRecord
from core.base.geometry import Box

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Cells = npt.NDArray[np.uint8]

MOST = 255
"""Classes that a map can tell apart."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """For each cell of an image's heat map, uint8 (h, w), the place of its best class among ``names``."""

    names: tuple[str, ...]
    cells: Cells


def with_classes(
    boxes: Sequence[BoxRecord], heat_map: Array, classes: ClassMap, size: tuple[int, int]
) -> tuple[BoxRecord, ...]:
    """``boxes``, each of the class that most of the heat inside it votes for.

    Parameters
    ----------
    boxes
        In pixels of an image of ``size``, width and height.
    heat_map
        float32 (h, w), 0 or above, on the same cells as ``classes``.
    """
    width, height = size
    heat = np.clip(np.nan_to_num(heat_map, nan=0.0), 0, None)
    return tuple(
        replace(one, label=_voted(one.box.scaled(1 / width, 1 / height), heat, classes)) for one in boxes
    )


def _voted(box: Box, heat: Array, classes: ClassMap) -> str:
    votes = np.bincount(
        classes.cells.ravel(),
        weights=(covered(np.array(box.sides), heat.shape) * heat).ravel(),
        minlength=len(classes.names),
    )
    return classes.names[int(votes.argmax())]


def covered(box: Floats, shape: tuple[int, ...]) -> Array:
    """The share of each cell that lies in ``box``: float32 (h, w) for a ``shape`` of (h, w).

    ``box`` is float64 (4,), x0 y0 x1 y1 in shares of the image.
    """
    height, width = shape
    down = _shares(float(box[1]) * height, float(box[3]) * height, height)
    across = _shares(float(box[0]) * width, float(box[2]) * width, width)
    return np.outer(down, across).astype(np.float32)


def _shares(start: float, end: float, cells: int) -> Floats:
    """How much of each of ``cells`` of length 1 lies from ``start`` to ``end``."""
    edges = np.arange(cells + 1)
    shares: Floats = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0, 1)
    return shares
