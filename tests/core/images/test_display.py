"""Brightness, contrast and gamma against their closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.images.display import Display, displayed, table

GREY = np.arange(256) / 255


def test_plain_changes_nothing() -> None:
    assert Display().is_plain
    assert table(Display()).tolist() == list(range(256))


@pytest.mark.parametrize("gamma", [0.2, 0.5, 2.2, 5.0])
def test_gamma_is_a_power(gamma: float) -> None:
    np.testing.assert_allclose(table(Display(gamma=gamma)) / 255, GREY ** (1 / gamma), atol=0.51 / 255)


@pytest.mark.parametrize("brightness", [-1.0, -0.25, 0.5, 1.0])
def test_brightness_is_added(brightness: float) -> None:
    expected = np.clip(GREY + brightness, 0, 1)
    np.testing.assert_allclose(table(Display(brightness=brightness)) / 255, expected, atol=0.51 / 255)


def test_contrast_turns_around_the_middle() -> None:
    flat, steep = table(Display(contrast=-1)), table(Display(contrast=0.5))
    assert set(flat.tolist()) == {128}
    assert steep[127] == pytest.approx(127, abs=1)
    assert steep[100] < 100
    assert steep[155] > 155


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(0, 99))
def test_a_lighter_pixel_never_becomes_a_darker_one(brightness: float, contrast: float, gamma: float) -> None:
    shown = table(Display(brightness=brightness, contrast=contrast, gamma=gamma)).astype(int)
    assert (np.diff(shown) >= 0).all()


def test_what_is_no_number_is_plain() -> None:
    assert Display(brightness=float("nan"), contrast=float("inf"), gamma=float("nan")).is_plain


def test_pixels_are_looked_up_and_left_as_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    before = pixels.copy()
    display = Display(brightness=0.2, contrast=0.3, gamma=1.8)
    np.testing.assert_array_equal(displayed(pixels, display), table(display)[pixels])
    np.testing.assert_array_equal(pixels, before)
