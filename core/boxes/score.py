"""How sure a box is: one number in 0..1 by which boxes are put in order for review."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.boxes.prior import Prior

Map = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def box_scores(
    scaled: Map, cells: Floats, *, heat_maps: Map | None = None, prior: Prior | None = None
) -> Floats:
    """``s**2 * sqrt(c)``: the share ``s`` of the heat that lies inside, and how hot it is there, ``c``.

    ``s`` is the sum of ``scaled`` inside the box over the sum of all of it. ``c`` is 1 / (1 + exp(-z)) with
    z = (mean of ``heat_maps`` inside - ``prior.level``) / ``prior.spread``: an object that the network is
    sure of is hotter than the average image of the same data set. Without a prior ``c`` is 1.

    Of a dozen formulas tried on 1,500 train boxes of Dog this one ordered boxes best by their IoU, with
    every rule and threshold (rank correlation .31 for moments, .28 for the published rule); the contrast of
    the mean heat inside and outside had .06 and .12.

    Parameters
    ----------
    scaled
        float (n, h, w), 0..1, a constant one is 1 everywhere. What does not belong to the object may be 0.
    cells
        One box for each, in its cells, half-open and inside it: float64 (n, 4), x0 y0 x1 y1.
    heat_maps
        The same maps as the network gave them, in any resolution: float (n, any, any).

    Returns
    -------
    float64 (n,), 0..1, to the last bit what each has alone; 0 where a map is constant: any box would do.
    """
    total = _weighed(scaled, np.ones(scaled.shape[2], np.float32)).sum(axis=1)
    constant = scaled.min(axis=(1, 2)) == scaled.max(axis=(1, 2))
    inside, _ = _inside(scaled, cells)
    scores: Floats = np.clip(inside / np.where(constant, 1.0, total), 0.0, 1.0) ** 2
    if prior is not None and heat_maps is not None:
        rows, columns = heat_maps.shape[1:]
        side = np.tile([columns / scaled.shape[2], rows / scaled.shape[1]], 2)
        heat, area = _inside(heat_maps, cells * side)
        scores *= np.sqrt(logistic((heat / area - prior.level) / max(prior.spread, 1e-12)))
    scores[constant] = 0.0
    return scores


def _inside(values: Map, cells: Floats) -> tuple[Floats, Floats]:
    """The sum of the cells that each box covers, rounded to whole ones, at least one; and their number."""
    rows, columns = values.shape[1:]
    across, down = _covered(cells[:, 0], cells[:, 2], columns), _covered(cells[:, 1], cells[:, 3], rows)
    total = (_weighed(values, across.astype(np.float32)) * down).sum(axis=1)
    return total, (across.sum(axis=1) * down.sum(axis=1)).astype(np.float64)


def _covered(low: Floats, high: Floats, count: int) -> npt.NDArray[np.bool_]:
    """Which of ``count`` cells on one axis lie between, (n, count)."""
    first = np.minimum(np.rint(low), count - 1)[:, None]
    last = np.maximum(np.rint(high)[:, None], first + 1)
    places = np.arange(count)
    covered: npt.NDArray[np.bool_] = (places >= first) & (places < last)
    return covered


def _weighed(values: Map, weights: Map) -> Floats:
    """Each row's sum with ``weights``, (w,) or (n, w): float64 (n, h), one product for each image."""
    sums: Floats = np.matmul(values, weights[..., None])[..., 0].astype(np.float64)
    return sums


def logistic(z: npt.NDArray[np.floating]) -> Floats:
    """1 / (1 + exp(-z)), without an overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(z / 2.0)), np.float64)
