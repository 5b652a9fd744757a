"""Logistic regression with targets between 0 and 1: how a linear unit on frozen cells is taught."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.boxes import score

Array = npt.NDArray[np.float32]

_STEPS = 8
_SMALLEST_SPREAD = 1e-3  # of one number over the rows: what hardly varies is not blown up
_FREE = 1e-9  # the bias is not held back


def logistic(rows: Array, wanted: Array, *, ridge: float, weigh: Array | None = None) -> tuple[Array, float]:
    """Weights and bias whose logit tells, for each row, what is ``wanted`` of it.

    They minimise the mean cross-entropy plus ``ridge`` / 2 times the squared length of the weights on numbers
    brought to variance 1, by Newton's steps.

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

    Returns
    -------
    float32 (C,) and the bias.
    """
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + np.float32(_SMALLEST_SPREAD)
    inputs = np.hstack([(rows - mean) / spread, np.ones((len(rows), 1), np.float32)])
    shares = np.full(len(rows), 1 / len(rows)) if weigh is None else weigh / weigh.sum(dtype=np.float64)
    held = np.full(inputs.shape[1], ridge)
    held[-1] = _FREE
    unit = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        answers = sigmoid(inputs @ unit.astype(np.float32)).astype(np.float64)
        gradient = inputs.T @ (shares * (answers - wanted)).astype(np.float32) + held * unit
        bent = np.sqrt(shares * answers * (1 - answers)).astype(np.float32)[:, None] * inputs
        unit -= np.linalg.solve((bent.T @ bent).astype(np.float64) + np.diag(held), gradient)
    weights = unit[:-1] / spread
    return weights.astype(np.float32), float(unit[-1] - weights @ mean)


def sigmoid(logits: Array) -> Array:
    """float32 of any shape, 0..1, without overflow."""
    return score.logistic(logits).astype(np.float32)
