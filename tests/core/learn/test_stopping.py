"""The signals against closed forms and plain counts; the proposal on series that are told in advance."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.errors import TrainingError
from core.learn.stopping import (
    Estimate,
    Signal,
    estimate,
    faults,
    map_difference,
    propose,
    relative_ms_ssim,
    separation,
    thinned,
)


def _signal(step: int, *, ms_ssim: float = 0.1, maps: float = 0.6, separation: float = 0.85) -> Signal:
    return Signal(
        step=step,
        ms_ssim=ms_ssim,
        ms_ssim_error=0.005,
        real_ms_ssim=0.06,
        real_ms_ssim_error=0.003,
        map_difference=maps,
        separation=separation,
    )


def test_the_same_map_everywhere_differs_by_nothing() -> None:
    one = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    assert map_difference(np.stack([one] * 20)) == pytest.approx(0.0, abs=1e-6)
    levels = np.stack([2.0**i * one + i for i in range(10)])  # a box ignores level and scale
    assert map_difference(levels) == pytest.approx(0.0, abs=1e-5)


def test_independent_maps_differ_by_one_and_opposite_ones_by_two() -> None:
    maps = np.random.default_rng(1).normal(size=(64, 16, 16))
    assert map_difference(maps) == pytest.approx(1.0, abs=0.02)
    assert map_difference(np.stack([maps[0], -maps[0]])) == pytest.approx(2.0)


def test_map_difference_is_one_minus_the_mean_correlation_of_all_pairs() -> None:
    maps = np.random.default_rng(2).normal(size=(12, 4, 4)) + np.arange(16).reshape(4, 4) / 8
    correlations = np.corrcoef(maps.reshape(12, -1))
    expected = 1 - correlations[np.triu_indices(12, 1)].mean()
    assert map_difference(maps) == pytest.approx(expected)


def test_maps_without_a_shape_are_safe() -> None:
    constant = np.full((5, 4, 4), 0.1, np.float32)
    assert map_difference(constant) == 0.0
    assert map_difference(np.zeros((5, 4, 4))) == 0.0
    assert map_difference(np.zeros((1, 4, 4))) == 0.0
    assert map_difference(np.full((5, 4, 4), np.nan)) == 0.0
    half = constant.copy()
    half[:2] = np.random.default_rng(3).normal(size=(2, 4, 4))
    correlation = np.corrcoef(half[0].ravel(), half[1].ravel())[0, 1]
    assert map_difference(half) == pytest.approx((1 - correlation) * 2 / 20)  # one pair of ten has shapes


@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=20),
    st.lists(st.integers(-5, 5), min_size=1, max_size=20),
)
def test_separation_is_the_share_of_pairs_in_the_right_order(real: list[int], generated: list[int]) -> None:
    points = [1.0 if r > g else 0.5 if r == g else 0.0 for r in real for g in generated]
    assert separation(np.array(real), np.array(generated)) == pytest.approx(sum(points) / len(points))


def test_estimate_is_mean_and_standard_error() -> None:
    assert estimate([1.0, 2.0, 3.0, 4.0]) == Estimate(2.5, pytest.approx(math.sqrt(5 / 3) / 2))
    assert estimate([0.3]) == Estimate(0.3, 0.0)


def test_relative_ms_ssim_runs_from_the_real_images_to_collapse() -> None:
    real = Estimate(0.2, 0.0)
    for value, expected in ((0.2, 0.0), (1.0, 1.0), (0.6, 0.5), (0.12, -0.1)):
        assert relative_ms_ssim(Estimate(value, 0.0), real).mean == pytest.approx(expected)
    assert relative_ms_ssim(Estimate(0.9, 0.1), Estimate(1.0, 0.0)) == Estimate(0.0, 0.0)


def test_the_error_of_relative_ms_ssim_is_that_of_repeated_draws() -> None:
    rng = np.random.default_rng(4)
    samples, real = rng.normal(0.4, 0.01, 40_000), rng.normal(0.1, 0.008, 40_000)
    drawn = ((samples - real) / (1 - real)).std()
    assert relative_ms_ssim(Estimate(0.4, 0.01), Estimate(0.1, 0.008)).error == pytest.approx(drawn, rel=0.03)


def test_a_healthy_training_is_used_to_its_end() -> None:
    proposal = propose([_signal(step) for step in (100, 200, 300)])
    assert (proposal.step, proposal.qualifies) == (300, True)
    assert proposal.reason.startswith("Recommended: step 300.")
    assert "step" not in proposal.reason[len("Recommended: step ") :]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"ms_ssim": 0.7}, "repeat themselves"),
        ({"separation": 1.0}, "won outright"),
        ({"separation": 0.5}, "hardly tells"),
        ({"maps": 0.01}, "much the same for every image"),
    ],
)
def test_what_breaks_down_is_left_at_the_last_good_snapshot(broken: dict[str, float], words: str) -> None:
    series = [_signal(100, separation=0.52), _signal(200), _signal(300)]
    series += [_signal(step, **broken) for step in (400, 500)]
    proposal = propose(series)
    assert (proposal.step, proposal.qualifies) == (300, True)
    assert "step 400" in proposal.reason
    assert words in proposal.reason
    assert proposal.reason.endswith(".")
    nothing = propose(series[-2:])
    assert (nothing.step, nothing.qualifies) == (500, False)
    assert "No snapshot can be recommended" in nothing.reason
    assert words in nothing.reason


def test_samples_collapse_only_where_that_is_sure() -> None:
    limit = 0.06 + 0.2 * 0.94
    assert not faults(_signal(1, ms_ssim=limit + 0.009))
    assert faults(_signal(1, ms_ssim=limit + 0.015))


def test_without_snapshots_there_is_nothing_to_propose() -> None:
    with pytest.raises(TrainingError, match="no measured snapshot"):
        propose([])


@given(st.integers(4, 25), st.integers(1, 300), st.integers(1, 50))
def test_thinning_keeps_both_ends_the_bound_and_an_even_spread(limit: int, count: int, every: int) -> None:
    kept: tuple[int, ...] = ()
    for step in range(every, (count + 1) * every, every):
        kept = thinned([*kept, step], limit)
        assert len(kept) <= limit
        assert (kept[0], kept[-1]) == (every, step)
        assert list(kept) == sorted(set(kept))
    if count >= 2:
        assert np.diff(kept).max() <= 2 * (kept[-1] - kept[0]) / (len(kept) - 1)
    assert len(kept) == min(limit, count)
