"""Logistic regression against scipy's minimiser and a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from core.learn.logistic import logistic, sigmoid


@pytest.mark.parametrize("weighed", [False, True])
def test_it_finds_what_a_general_minimiser_finds(weighed: bool) -> None:
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(400, 6)) * [1, 5, 0.2, 1, 1, 1] + [0, 3, 0, 0, 0, -1]).astype(np.float32)
    wanted = rng.random(400).astype(np.float32)
    weigh = rng.random(400).astype(np.float32) if weighed else None
    shares = np.full(400, 1 / 400) if weigh is None else weigh / weigh.sum()
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    inputs = ((rows - mean) / spread).astype(np.float64)

    def loss(unit: np.ndarray) -> float:
        logits = inputs @ unit[:-1] + unit[-1]
        cross = np.logaddexp(0, logits) - wanted * logits
        return float(shares @ cross + 0.01 / 2 * unit[:-1] @ unit[:-1])

    best = minimize(loss, np.zeros(7), method="BFGS", options={"gtol": 1e-8})
    weights, bias = logistic(rows, wanted, ridge=0.01, weigh=weigh)
    found = np.append(weights * spread, bias + weights @ mean)
    assert loss(found) <= best.fun + 1e-7
    assert found == pytest.approx(best.x, abs=2e-3)


def test_the_bias_alone_is_the_log_odds_of_the_mean() -> None:
    rows, wanted = np.zeros((50, 3), np.float32), np.array([1.0] * 10 + [0.0] * 40, np.float32)
    weights, bias = logistic(rows, wanted, ridge=1.0)
    assert not weights.any()
    assert bias == pytest.approx(np.log(0.25), abs=1e-5)


def test_sigmoid_has_no_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0, 1e4], np.float32)).tolist() == [0, 0.5, 1]
