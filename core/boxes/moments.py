"""The moments rules: where the heat's mean lies and how far it spreads, for many maps at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from core.boxes.grid import GRID, TOGETHER, Floats, Maps
from core.boxes.prior import Prior

# Standard deviation of the centred Gaussian, in cells; 20 to 26 of 64 were alike on six sets.
_CENTRE_SIGMA = 23.0
_FITTED_SIGMA = 26.0
_EVEN = 3**0.5  # standard deviations from the middle to the side of something even
# Of small objects, in docs/decisions/0011-sizes.md: times the mean heat of a border of so many cells.
_CUT, _MOST_CUT = 2.5, 0.7
# Of where framing says that an object lies: what the map, which agrees (r .7 to .9), has not said yet.
# All of it goes too far where nobody framed the photos (docs/decisions/0012-search.md).
_UNSAID = 0.5
_BORDER = np.flatnonzero(np.pad(np.zeros((GRID - 12, GRID - 12), bool), 6, constant_values=True))

_CENTRES = np.arange(GRID, dtype=np.float64) + 0.5


def moments_boxes(scaled: Maps, thresholds: Floats, prior: Prior | None = None) -> Floats:
    """Mean and spread of the heat above the threshold, weighted towards the centre of the image.

    The box of a map that says nothing is a sensible centred one; a higher threshold leaves less heat
    and so a smaller box, without jumps.
    """
    return _weighted(scaled, thresholds, _CENTRE_SIGMA, _EVEN)


def fitted_boxes(scaled: Maps, thresholds: Floats, prior: Prior | None = None) -> Floats:
    """:func:`moments_boxes` with a wider weight, drawn out to the proportions of the data set's objects.

    The area stays. Without a ``prior`` objects are taken to be as wide as high, in shares of the image. Where
    it says that objects are small, the threshold counts from :func:`cuts` up, and the box is a little wider.
    """
    cut = cuts(scaled, prior).astype(np.float64)
    smallness = 0.0 if prior is None else prior.smallness
    # More standard deviations to either side where heat was cut off around.
    boxes = _weighted(scaled, cut + (1 - cut) * thresholds, _FITTED_SIGMA, _EVEN + smallness * (2 - _EVEN))
    factor = 1.0 if prior is None else math.exp(prior.elongation / 2)
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    half[:, 0] /= factor
    half[:, 1] *= factor
    return np.hstack([middle - half, middle + half])


def framed(cells: Floats, *, rule: str, framings: Floats | None, prior: Prior | None) -> Floats:
    """What ``fitted`` read from maps, moved and scaled by how the photos are framed.

    Parameters
    ----------
    cells
        float64 (n, 4), x0 y0 x1 y1 of what ``rule`` read, in cells.
    framings
        float64 (n, 4), as :func:`framings` gives them; a row that is not finite leaves its box
        as it is. So do None, any other rule, and a missing ``prior``, without which no size is usual.
    """
    if rule != "fitted" or framings is None or prior is None:
        return cells
    known = np.isfinite(framings).all(axis=1, keepdims=True)
    found = np.where(known, framings, 0.0)
    middle = (cells[:, :2] + cells[:, 2:]) / 2 + _UNSAID * found[:, :2] * GRID
    half = (cells[:, 2:] - cells[:, :2]) / 2 * np.exp(found[:, 2:] - (prior.usual_width, prior.usual_height))
    return np.where(known, np.hstack([middle - half, middle + half]), cells)


def framing_rows(known: Mapping[int, Floats], ids: Sequence[int]) -> Floats:
    """The framings of images by id as one row each, NaN where there is none: float64 (n, 4)."""
    nothing = np.full(4, np.nan)
    return np.array([known.get(i, nothing) for i in ids], np.float64).reshape(-1, 4)


def cuts(scaled: Maps, prior: Prior | None) -> npt.NDArray[np.float32]:
    """The heat up to which each of (n, GRID, GRID) maps shows surroundings to ``fitted``; 0..``_MOST_CUT``.

    Faint heat of all the rest outweighs a small object's. How faint it is shows at the border.
    """
    if prior is None or not prior.smallness:
        return np.zeros(len(scaled), np.float32)
    # Row by row in memory: alone or among others, a map has the same sum to the last bit.
    heat: npt.NDArray[np.float32] = scaled.reshape(len(scaled), -1).take(_BORDER, axis=1).mean(axis=1)
    cut: npt.NDArray[np.float32] = (prior.smallness * np.minimum(_CUT * heat, _MOST_CUT)).astype(np.float32)
    return cut


def spread_boxes(weights: npt.NDArray[np.floating]) -> Floats:
    """Weighted mean +- sqrt(3) weighted standard deviations on each axis: float64 (n, 4), in cells.

    Exact for weights that are constant on a rectangle and zero elsewhere: a uniform density of
    length L has variance L^2 / 12, of which each cell's own extent holds 1 / 12.

    Parameters
    ----------
    weights
        (n, GRID, GRID), at least 0, each with a sum above 0.
    """
    profiles = np.stack([weights.sum(axis=1, dtype=np.float64), weights.sum(axis=2, dtype=np.float64)])
    return _boxes_of(profiles, _EVEN)


def _weighted(scaled: Maps, thresholds: Floats, sigma: float, wide: float) -> Floats:
    """The moments of the heat above ``thresholds`` under a Gaussian at the centre.

    The Gaussian is the product of one per axis, so that each profile is a product of a matrix and a vector.
    """
    weight = np.exp(-0.5 * ((_CENTRES - GRID / 2) / sigma) ** 2).astype(np.float32)
    lowest = thresholds.astype(np.float32)[:, None, None]
    profiles: Maps = np.empty((2, len(scaled), GRID), np.float32)
    heat = np.empty((min(TOGETHER, len(scaled)), GRID, GRID), np.float32)
    for start in range(0, len(scaled), TOGETHER):
        some = slice(start, start + TOGETHER)
        above = heat[: len(scaled) - start]
        np.subtract(scaled[some], lowest[some], out=above)
        np.maximum(above, 0, out=above)
        np.matmul(weight, above, out=profiles[0, some])
        np.matmul(above, weight, out=profiles[1, some])
    profiles *= weight
    profiles[:, ~profiles[0].any(axis=1)] = weight
    return _boxes_of(profiles, wide)


def _boxes_of(profiles: npt.NDArray[np.floating], wide: float) -> Floats:
    """Mean and ``wide`` standard deviations of profiles across and down, (2, n, GRID), as boxes (n, 4)."""
    shares = profiles.astype(np.float64)
    shares /= shares.sum(axis=-1, keepdims=True)
    # Sums and no dot products, whose rounding depends on how many there are.
    mean = (shares * _CENTRES).sum(axis=-1)
    from_mean = _CENTRES - mean[..., None]
    from_mean *= from_mean
    from_mean *= shares
    half = wide * np.sqrt(from_mean.sum(axis=-1) + 1 / 12)
    boxes: Floats = np.concatenate([mean - half, mean + half]).T
    return boxes
