"""Positions of the slider and the thresholds that they stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.boxes.rules import MAX_THRESHOLD
from core.boxes.tightness import position_of, threshold_at

automatics = st.sampled_from([0.0, 0.2, 0.5])


@given(st.floats(-1, 1), automatics)
def test_a_position_comes_back_from_its_threshold(position: float, automatic: float) -> None:
    if automatic == 0:
        position = -abs(position)
    threshold = threshold_at(position, automatic=automatic)
    assert 0 <= threshold <= MAX_THRESHOLD
    assert position_of(threshold, automatic=automatic) == pytest.approx(position, abs=1e-9)


@given(st.floats(0, MAX_THRESHOLD), st.floats(0, MAX_THRESHOLD), automatics)
def test_tighter_is_the_higher_threshold(one: float, other: float, automatic: float) -> None:
    low, high = sorted((one, other))
    assert position_of(high, automatic=automatic) <= position_of(low, automatic=automatic)


@pytest.mark.parametrize("automatic", [0.2, 0.5])
def test_ends_and_middle(automatic: float) -> None:
    positions = [position_of(t, automatic=automatic) for t in (MAX_THRESHOLD, automatic, 0.0)]
    assert positions == [-1.0, 0.0, 1.0]
