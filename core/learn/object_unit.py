"""The linear unit "object": DDT's map of a folder's images teaches it, on cells of two strides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.maps.cells import cells, resized
from core.maps.ddt import Tally

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_CELLS = 20_000  # that teach: more change the third digit
_STEPS = 8
_RIDGE = 1e-2


@dataclass(frozen=True)
class Seen:
    """One image as it is learned from.

    ``maps`` has for each stride, the finest first, float16 (C, h, w); ``image`` is uint8 (H, W, 3), RGB, as
    the network took it.
    """

    maps: tuple[npt.NDArray[np.float16], ...]
    image: npt.NDArray[np.uint8]


def learn_object_unit(seen: Sequence[Seen], *, seed: int) -> Iterator[tuple[float, Array, float]]:
    """Teach the unit; after each round how much is done, 0..1, its float32 weights and its bias.

    The unit reads :func:`core.maps.cells.cells` of all strides, each descriptor at length 1.
    """
    tally = Tally()
    for one in seen:
        tally.add(_float32(one.maps[-1]))
    direction = tally.direction()
    rng = np.random.default_rng(seed)
    rows, heat = [], []
    each = max(1, _CELLS // len(seen))
    for one in seen:
        own = cells(tuple(_float32(maps) for maps in one.maps), normalise=True)[0]
        coarse = direction.maps(_float32(one.maps[-1])) / np.float32(direction.deviation)
        fine = resized(coarse, *own.shape[:2])[0]
        places = rng.permutation(fine.size)[:each]
        rows.append(own.reshape(-1, own.shape[2])[places])
        heat.append(fine.ravel()[places])
    weights, bias = _logistic(
        np.concatenate(rows).astype(np.float64), np.concatenate(heat).astype(np.float64)
    )
    yield 1.0, weights.astype(np.float32), bias


def _float32(maps: npt.NDArray[np.float16]) -> Array:
    return maps.astype(np.float32)[None]


def _logistic(rows: Floats, heat: Floats) -> tuple[Floats, float]:
    """Weights and bias that tell cells with ``heat`` above 0 from the others, each weighed by its heat."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    inputs = np.hstack([(rows - mean) / spread, np.ones((len(rows), 1))])
    wanted, weigh = (heat > 0).astype(np.float64), np.minimum(np.abs(heat), 3.0)
    weigh /= weigh.sum()
    ridge = np.full(inputs.shape[1], _RIDGE)
    ridge[-1] = 1e-9
    unit = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):  # Newton's
        answers = 1 / (1 + np.exp(-np.clip(inputs @ unit, -30, 30)))
        gradient = inputs.T @ (weigh * (answers - wanted)) + ridge * unit
        curvature = (inputs * (weigh * answers * (1 - answers))[:, None]).T @ inputs
        unit -= np.linalg.solve(curvature + np.diag(ridge), gradient)
    weights = unit[:-1] / spread
    return weights, float(unit[-1] - weights @ mean)
