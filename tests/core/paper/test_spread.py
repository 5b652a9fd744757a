"""Means and paired differences against SciPy and the standard library."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from scipy import stats

from core.paper.spread import paired_difference, spread, t_quantile


def test_spread_is_that_of_the_standard_library() -> None:
    values = [0.31, 0.4, 0.38, 0.55]
    found = spread(values)
    assert found.n == 4
    assert found.mean == pytest.approx(statistics.mean(values))
    assert found.deviation == pytest.approx(statistics.stdev(values))
    assert (found.low, found.high) == (0.31, 0.55)
    assert found.text(scale=100) == "41.0 ± 10.1"


def test_one_value_has_no_spread() -> None:
    assert spread([0.5]).deviation is None
    assert spread([0.5]).text(digits=2, sign="+") == "+0.50"
    alone = paired_difference([1.0], [3.0])
    assert (alone.mean, alone.low, alone.is_seen) == (2.0, None, False)


@pytest.mark.parametrize("freedom", range(1, 31))
def test_t_quantile(freedom: int) -> None:
    assert t_quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), abs=6e-4)


def test_t_quantile_of_many_is_never_too_small() -> None:
    assert stats.t.ppf(0.975, 100) < t_quantile(100) < 1.05 * stats.t.ppf(0.975, 100)


@pytest.mark.parametrize(("shift", "seen"), [(0.0, False), (1.0, True)])
def test_paired_difference_is_scipys(shift: float, seen: bool) -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=8)
    b = a + shift + 0.3 * rng.normal(size=8)
    found = paired_difference(a.tolist(), b.tolist())
    expected = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-3)
    assert found.mean == pytest.approx((b - a).mean())
    assert found.is_seen is seen
