"""The grid that every rule reads heat maps on: maps onto it, and boxes from it into an image's pixels.

It is laid over the whole image, so that a rule's result does not depend on the network's resolution. Alone or
among others, a map and its box are the same to the last bit.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Maps = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

GRID = 64
TOGETHER = 16
"""Maps at a time: what fits the processor's cache, the heat on the grid is 16 KB each."""


def maps_on_grid(heat_maps: Maps) -> Maps:
    """Maps of probabilities as they are: float (n, h, w) -> float32 (n, GRID, GRID) in 0..1.

    What lies outside 0..1 is taken for the nearer end; a map with values that are not finite is 1 everywhere.
    """
    heat = np.asarray(heat_maps, np.float32)
    known = np.isfinite(heat).all(axis=(1, 2))
    on_grid = np.ones((len(heat), GRID, GRID), np.float32)
    on_grid[known] = _resized(np.clip(heat[known], 0, 1))
    return on_grid


def scaled_maps(heat_maps: Maps) -> Maps:
    """Maps of any range, 0 at their minimum and 1 at their maximum: float32 (n, GRID, GRID).

    A constant map, or one with values that are not finite, says nothing about place and is 1 everywhere.
    """
    heat = np.asarray(heat_maps, np.float32)
    low, high = _ends(heat)
    known = np.isfinite(low) & np.isfinite(high)
    known[known] = (high - low)[known] > 1e-12 * np.maximum(1.0, np.abs(high[known]))
    scaled = np.ones((len(heat), GRID, GRID), np.float32)
    if known.any():
        fine = _resized(_stretched(heat[known], low[known], high[known]))
        scaled[known] = _stretched(fine, *_ends(fine))
    return scaled


def pixel_boxes(cells: Floats, sizes: Floats) -> Floats:
    """Boxes in cells of the grid in pixels of their images, at least a pixel wide and high.

    Parameters
    ----------
    cells
        float64 (n, 4), x0 y0 x1 y1, inside the grid.
    sizes
        float64 (n, 2), width and height of the images.
    """
    boxes: Floats = cells * np.tile(sizes / GRID, 2)
    narrow = boxes[:, 2:] - boxes[:, :2] < 1
    start = np.clip((boxes[:, :2] + boxes[:, 2:] - 1) / 2, 0, np.maximum(sizes - 1, 0))
    boxes[:, :2] = np.where(narrow, start, boxes[:, :2])
    boxes[:, 2:] = np.where(narrow, start + 1, boxes[:, 2:])
    return boxes


def _resized(maps: Maps) -> Maps:
    fine = np.empty((len(maps), GRID, GRID), np.float32)
    for one, own in zip(maps, fine, strict=True):
        own[:] = cv2.resize(one, (GRID, GRID), interpolation=cv2.INTER_LINEAR)
    return fine


def _ends(maps: Maps) -> tuple[Floats, Floats]:
    flat = maps.reshape(len(maps), -1)
    return flat.min(axis=1).astype(np.float64), flat.max(axis=1).astype(np.float64)


def _stretched(maps: Maps, low: Floats, high: Floats) -> Maps:
    stretched: Maps = maps - low.astype(np.float32)[:, None, None]
    stretched /= (high - low).astype(np.float32)[:, None, None]
    return stretched
