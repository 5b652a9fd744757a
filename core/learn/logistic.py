"""Logistic regression with targets between 0 and 1: how a linear unit on frozen cells is taught."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from core.boxes import score

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

_STEPS = 8
_SMALLEST_SPREAD = 1e-3  # of one number over the rows: what hardly varies is not blown up
_FREE = 1e-9  # the bias is not held back
_HALVINGS = 8  # of a step that overshoots, after which nothing is to be gained


def logistic(
    rows: Array,
    wanted: Array,
    *,
    ridge: float,
    weigh: Array | None = None,
    prior: tuple[Array, float] | None = None,
) -> tuple[Array, float]:
    """Weights and bias whose logit tells, for each row, what is ``wanted`` of it.

    They minimise the mean cross-entropy plus ``ridge`` / 2 times the squared distance of the weights from
    those of ``prior`` on numbers brought to variance 1, by Newton's steps.

    Parameters
    ----------
    rows
        float32 (n, C).
    wanted
        float32 (n,), 0..1.
    ridge
        Above 0.
    weigh
        How much each row counts, float32 (n,), with a sum above 0; None for all alike.
    prior
        Weights and bias from which they depart, as they are returned; None for 0.

    Returns
    -------
    float32 (C,) and the bias.
    """
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + np.float32(_SMALLEST_SPREAD)
    inputs = np.ones((len(rows), rows.shape[1] + 1), np.float32)  # filled in place: it is the largest of all
    np.subtract(rows, mean, out=inputs[:, :-1])
    inputs[:, :-1] /= spread
    shares = np.full(len(rows), 1 / len(rows)) if weigh is None else weigh / weigh.sum(dtype=np.float64)
    held = np.full(inputs.shape[1], ridge)
    held[-1] = _FREE
    before = np.zeros(inputs.shape[1])
    if prior is not None:
        before = np.append(prior[0] * spread, prior[1] + prior[0] @ mean).astype(np.float64)

    def loss(unit: Floats) -> float:
        logits = (inputs @ unit.astype(np.float32)).astype(np.float64)
        cross = np.logaddexp(0, logits) - wanted * logits
        return float(shares @ cross + 0.5 * held @ (unit - before) ** 2)

    unit, now = before, loss(before)
    for _ in range(_STEPS):
        answers = sigmoid(inputs @ unit.astype(np.float32)).astype(np.float64)
        gradient = inputs.T @ (shares * (answers - wanted)).astype(np.float32) + held * (unit - before)
        bent = np.sqrt(shares * answers * (1 - answers)).astype(np.float32)[:, None] * inputs
        step = np.linalg.solve((bent.T @ bent).astype(np.float64) + np.diag(held), gradient)
        unit, now = _descended(unit, step, loss, now)
    weights = unit[:-1] / spread
    return weights.astype(np.float32), float(unit[-1] - weights @ mean)


def _descended(
    unit: Floats, step: Floats, loss: Callable[[Floats], float], now: float
) -> tuple[Floats, float]:
    """``unit`` less ``step``, or less half, a quarter … of it: far from the minimum Newton's overshoots.

    Where none of these lowers the ``loss``, which is ``now``, it stays.
    """
    for halvings in range(_HALVINGS):
        moved = unit - step / 2**halvings
        then = loss(moved)
        if then <= now:
            return moved, then
    return unit, now


def sigmoid(logits: Array) -> Array:
    """float32 of any shape, 0..1, without overflow."""
    return score.logistic(logits).astype(np.float32)
