"""Brightness, contrast and gamma against their closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.images.decoding import decode
from core.images.display import Display, displayed, displayed_levels, table

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


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_detail_of_sixteen_bits_comes_into_sight(tmp_path: Path, suffix: str) -> None:
    """Stripes one part in a thousand apart: one grey in 8 bits, several where the full depth is adjusted."""
    values = np.full((40, 100), 30000, np.uint16)
    values[:, 1::2] += 60
    values[:2], values[-2:] = 0, 60000
    path = tmp_path / f"deep{suffix}"
    Image.fromarray(values).save(path)
    decoded = decode(path, with_levels=True)
    assert decoded.levels is not None
    np.testing.assert_array_equal(decoded.levels.values, values)
    assert (decoded.levels.black, decoded.levels.white) == tuple(np.percentile(values, (0.5, 99.5)))
    assert np.ptp(decoded.pixels[10, :, 0]) <= 1
    display = Display(contrast=0.95, brightness=0.1, gamma=1.2)
    slope = math.tan(1.95 * math.pi / 4)
    expected = ((values[10] / 60000) ** (1 / 1.2) - 0.5) * slope + 0.5 + 0.1
    np.testing.assert_array_equal(
        displayed_levels(decoded.levels, display)[10], np.rint(np.clip(expected, 0, 1) * 255)
    )
    assert np.ptp(displayed_levels(decoded.levels, Display(contrast=0.95))[10].astype(int)) >= 5
    # Shown as it is, both ways agree.
    plain = displayed_levels(decoded.levels, Display())
    assert np.abs(plain.astype(int) - decoded.pixels[..., 0]).max() <= 1


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_reduced_photo_keeps_its_depth(tmp_path: Path, orientation: int) -> None:
    """Each of its levels is the mean of those that it stands for, turned as the photo is."""
    values = np.full((120, 200), 30000, np.uint16)
    values[:, (np.arange(200) // 8) % 2 == 1] += 60
    values[:8], values[-8:] = 0, 60000
    path = tmp_path / "deep.tif"
    Image.fromarray(values).save(path, tiffinfo={274: orientation})
    decoded = decode(path, max_side=50, with_levels=True)
    shown = values if orientation == 1 else np.rot90(values, -1)
    assert decoded.levels is not None
    assert decoded.levels.values.shape == decoded.pixels.shape[:2] == tuple(side // 4 for side in shown.shape)
    means = shown.reshape(shown.shape[0] // 4, 4, shown.shape[1] // 4, 4).mean((1, 3))
    np.testing.assert_array_equal(decoded.levels.values, means)
    assert (decoded.levels.black, decoded.levels.white) == tuple(np.percentile(values, (0.5, 99.5)))
    middle = np.ix_(*(range(side // 3, side // 3 + 6) for side in means.shape))
    assert np.ptp(decoded.pixels[..., 0][middle]) <= 1
    assert np.ptp(displayed_levels(decoded.levels, Display(contrast=0.95))[middle].astype(int)) >= 5


def test_levels_of_floats_keep_what_lies_beyond_black_and_white(tmp_path: Path) -> None:
    values = np.linspace(-1, 1, 10_000, dtype=np.float32).reshape(100, 100)
    values[0, 0], values[0, 1] = 1.5, np.nan
    path = tmp_path / "deep.tif"
    Image.fromarray(values).save(path)
    levels = decode(path, with_levels=True).levels
    assert levels is not None
    shown = displayed_levels(levels, Display(brightness=-0.4))
    low, high = np.nanpercentile(values, (0.5, 99.5))
    expected = np.rint(np.clip((values - low) / (high - low) - 0.4, 0, 1) * 255)
    expected[0, 1] = 0
    assert np.abs(shown - expected).max() <= 1
    assert decode(path).levels is None
    Image.new("RGB", (4, 4)).save(tmp_path / "plain.png")
    assert decode(tmp_path / "plain.png", with_levels=True).levels is None
