"""The form in which frozen networks take images, against OpenCV's own reading and resizing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.images.inputs import InputForm, as_batch


def smooth(width: int, height: int) -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize(
    ("size", "keep_aspect", "image", "expected"),
    [
        (384, False, (640, 480), (384, 384)),
        (100, False, (640, 480), (96, 96)),
        (384, True, (640, 480), (384, 288)),
        (384, True, (480, 640), (288, 384)),
        (384, True, (1000, 650), (384, 256)),
        (384, True, (3000, 20), (384, 32)),
        (224, True, (64, 64), (224, 224)),
    ],
)
def test_sizes(size: int, keep_aspect: bool, image: tuple[int, int], expected: tuple[int, int]) -> None:
    assert InputForm(size=size, keep_aspect=keep_aspect).fit(*image) == expected


def test_an_image_becomes_smaller_by_areas(tmp_path: Path) -> None:
    whole = smooth(300, 200)
    Image.fromarray(whole).save(tmp_path / "a.png")
    decoded = InputForm(size=96, keep_aspect=True).decode(tmp_path / "a.png")
    expected = cv2.resize(whole, (96, 64), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(decoded.pixels, expected, strict=True)
    assert (decoded.width, decoded.height, decoded.truncated) == (300, 200, False)


def test_a_small_image_grows_and_one_that_fits_stays(tmp_path: Path) -> None:
    whole = smooth(64, 48)
    Image.fromarray(whole).save(tmp_path / "a.png")
    grown = InputForm(size=128, keep_aspect=True).decode(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(grown, cv2.resize(whole, (128, 96), interpolation=cv2.INTER_LINEAR))
    fitting = smooth(96, 64)
    Image.fromarray(fitting).save(tmp_path / "b.png")
    np.testing.assert_array_equal(
        InputForm(size=96, keep_aspect=True).decode(tmp_path / "b.png").pixels, fitting
    )


def test_a_large_photo_is_read_smaller_and_turned_as_displayed(tmp_path: Path) -> None:
    whole = smooth(1600, 1200)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees
    Image.fromarray(whole).save(tmp_path / "a.jpg", quality=95, exif=exif)
    decoded = InputForm(size=128, keep_aspect=True).decode(tmp_path / "a.jpg")
    assert (decoded.width, decoded.height) == (1200, 1600)
    turned = cv2.rotate(cv2.resize(whole, (128, 96), interpolation=cv2.INTER_AREA), cv2.ROTATE_90_CLOCKWISE)
    assert np.abs(decoded.pixels.astype(int) - turned).mean() < 1.5


def test_a_batch_is_planes_of_shares() -> None:
    images = [smooth(64, 32), 255 - smooth(64, 32)]
    batch = as_batch(images)
    assert batch.shape == (2, 3, 32, 64) and batch.dtype == np.float32 and batch.flags.c_contiguous
    for image, planes in zip(images, batch, strict=True):
        np.testing.assert_allclose(planes, np.moveaxis(image / 255, 2, 0), atol=1e-7)
