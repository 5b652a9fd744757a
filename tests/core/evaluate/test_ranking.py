"""Rank correlation against scipy, and its interval against scipy's bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.geometry import Box
from core.evaluate.ranking import rank_correlation, ranking
from core.evaluate.report import evaluate

values = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=30)


@given(values, st.integers(0, 2**32 - 1))
def test_it_is_that_of_scipy_for_a_sample_and_for_every_resample(pairs: list, seed: int) -> None:
    a, b = np.array(pairs, dtype=float).T
    drawn = np.random.default_rng(seed).integers(0, len(a), (4, len(a)))
    counts = np.stack([np.bincount(row, minlength=len(a)) for row in drawn]).astype(float)
    rows = [np.arange(len(a)), *drawn]
    found = rank_correlation(a, b, np.vstack([np.ones(len(a)), counts]))
    for rho, row in zip(found, rows, strict=True):
        if len(set(a[row])) < 2 or len(set(b[row])) < 2:
            assert np.isnan(rho)
        else:
            assert rho == pytest.approx(scipy.stats.spearmanr(a[row], b[row]).statistic, abs=1e-9)


def test_the_interval_is_that_of_scipys_bootstrap() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=300)
    b = 0.5 * a + rng.normal(size=300)
    ours = ranking(a, b)
    assert ours is not None
    theirs = scipy.stats.bootstrap(
        (a, b), lambda x, y: scipy.stats.spearmanr(x, y).statistic, paired=True, vectorized=False,
        n_resamples=1000, method="percentile", rng=1,
    ).confidence_interval  # fmt: skip
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    assert ours.low < ours.rho < ours.high
    assert ranking(a, b) == ours
    assert "chance" not in ours.sentence()


def test_nothing_is_said_where_nothing_varies_or_too_little_is_there() -> None:
    assert ranking(np.ones(9), np.arange(9.0)) is None
    assert ranking(np.array([0.1, 0.2]), np.array([0.3, 0.4])) is None
    noise = np.random.default_rng(1).random((2, 50))
    assert "chance" in ranking(noise[0], noise[1]).sentence()
    assert "wrong way" in ranking(np.arange(50.0), -np.arange(50.0)).sentence()


def test_the_report_ranks_the_boxes_that_have_a_score() -> None:
    true = [ImageBoxes(str(i), 100, 100, (BoxRecord(Box(0, 0, 50, 50)),)) for i in range(8)]
    found = [
        ImageBoxes(
            str(i), 100, 100, (BoxRecord(Box(0, 0, 50, 10 + 5 * i), score=None if i == 0 else i / 10),)
        )
        for i in range(7)
    ]
    report = evaluate(found, true)
    assert report.ranking is not None
    assert (report.ranking.n, report.ranking.rho) == (6, pytest.approx(1.0))
    assert any("rho = +1.00" in line for line in report.remarks())
    assert evaluate(true, true).ranking is None
