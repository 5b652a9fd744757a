"""One rule and one threshold on many heat maps at once: what a threshold curve needs a hundred times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.boxes import (
    CENTRE_SIGMA,
    EVEN,
    FITTED_SIGMA,
    GRID,
    MAX_THRESHOLD,
    RULES,
    bell,
    cuts,
    deviations,
    drawn_out,
)
from core.evaluate.overlap import Floats
from core.prior import Prior

Maps = npt.NDArray[np.float32]

# Images at a time: what fits the processor's cache, 64 KB of heat each.
_BATCH = 32


def find_boxes(
    scaled: Maps, sizes: Floats, *, rule: str, threshold: float, prior: Prior | None = None
) -> Floats:
    """The boxes of :func:`core.boxes.find_box` for many images.

    Parameters
    ----------
    scaled
        float32 (n, GRID, GRID), each as :func:`core.boxes.scaled_map` makes it.
    sizes
        float64 (n, 2), width and height of the images in pixels.
    rule
        A name in :data:`core.boxes.RULES`.
    threshold
        Share of a map's maximum, 0..``MAX_THRESHOLD``.
    prior
        As in :func:`core.boxes.find_box`.

    Returns
    -------
    float64 (n, 4)
        Half-open pixels x0 y0 x1 y1 of each image, inside it.
    """
    threshold = min(max(threshold, 0.0), MAX_THRESHOLD)
    cells = np.clip(_cells(scaled, rule, threshold, prior), 0, GRID)
    boxes: Floats = cells * np.tile(sizes / GRID, 2)
    narrow = boxes[:, 2:] - boxes[:, :2] < 1
    middle = (boxes[:, 2:] + boxes[:, :2]) / 2
    start = np.clip(middle - 0.5, 0, np.maximum(sizes - 1, 0))
    boxes[:, :2] = np.where(narrow, start, boxes[:, :2])
    boxes[:, 2:] = np.where(narrow, start + 1, boxes[:, 2:])
    return boxes


def _cells(scaled: Maps, rule: str, threshold: float, prior: Prior | None) -> Floats:
    if rule in ("moments", "fitted"):
        sigma, factor, wide = CENTRE_SIGMA, 1.0, EVEN
        low = np.full(len(scaled), threshold, np.float32)
        if rule == "fitted":
            sigma, factor, wide = FITTED_SIGMA, drawn_out(prior), deviations(prior)
            cut = cuts(scaled, prior)
            low = cut + (1 - cut) * np.float32(threshold)
        slices = [slice(start, start + _BATCH) for start in range(0, len(scaled), _BATCH)]
        parts = [_moments(scaled[rows], low[rows], sigma, wide) for rows in slices]
        boxes = np.concatenate(parts) if parts else np.zeros((0, 4))
        middle, half = (boxes[:, 2:] + boxes[:, :2]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
        half *= np.array([1 / factor, factor])
        return np.hstack([middle - half, middle + half])
    read = RULES[rule].read
    cells = np.empty((len(scaled), 4))
    for i, heat in enumerate(scaled):
        box = read(heat, threshold, prior)
        cells[i] = box.x0, box.y0, box.x1, box.y1
    return cells


def _moments(scaled: Maps, thresholds: Maps, sigma: float, wide: float) -> Floats:
    """The moments rules of each map, (n, 4) in cells.

    The Gaussian at the centre is the product of one per axis, so that each profile is a product of a
    matrix and a vector.
    """
    centres = np.arange(GRID, dtype=np.float64) + 0.5
    weight = bell(GRID, sigma)
    heat = np.maximum(scaled - thresholds[:, None, None], 0)
    heat[~heat.any(axis=(1, 2))] = 1
    sides = [_spread(profiles * weight, centres, wide) for profiles in (weight @ heat, heat @ weight)]
    return np.stack([side[:, end] for end in (0, 1) for side in sides], axis=1)


def _spread(profiles: Maps, centres: Floats, wide: float) -> Floats:
    """Weighted mean +- sqrt(3) weighted standard deviations of each profile, (n, 2)."""
    shares = profiles.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    mean = shares @ centres
    variance = (shares * (centres - mean[:, None]) ** 2).sum(axis=1) + 1 / 12
    half = wide * np.sqrt(variance)
    return np.stack([mean - half, mean + half], axis=1)
