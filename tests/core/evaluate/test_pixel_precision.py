"""PxAP against the fixtures of wsolevaluation, by their pixel counts, and against the definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.errors import FormatError
from core.evaluate.pixel_precision import (
    BACKGROUND,
    IGNORED,
    OBJECT,
    SIDE,
    pixel_average_precision,
    read_mask,
)


def _mask(objects: int, background: int) -> np.ndarray:
    """A mask with these counts of pixels; the rest is ignored."""
    mask = np.full(SIDE * SIDE, IGNORED, np.uint8)
    mask[:objects] = OBJECT
    mask[objects : objects + background] = BACKGROUND
    return np.random.default_rng(0).permutation(mask).reshape(SIDE, SIDE)


# The three masks of its test data, by what their constant score maps are expected to give.
@pytest.mark.parametrize(("objects", "background"), [(43031, 7145), (833, 49342), (347, 13909)])
@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_constant_map_scores_the_objects_share(objects: int, background: int, value: float) -> None:
    mask = _mask(objects, background)
    found = pixel_average_precision([(np.full((SIDE, SIDE), value), mask)])
    assert found == pytest.approx(objects / (objects + background), abs=0.001)


@pytest.mark.parametrize("ignored", [0.0, 1.0])
def test_a_perfect_map_scores_everything_whatever_it_says_of_ignored_pixels(ignored: float) -> None:
    mask = _mask(5000, 30000)
    heat = np.where(mask == IGNORED, ignored, mask == OBJECT).astype(np.float64)
    assert pixel_average_precision([(heat, mask)]) == 1.0


def test_masks_of_one_value_and_bad_maps() -> None:
    full = np.full((SIDE, SIDE), OBJECT, np.uint8)
    assert pixel_average_precision([(np.zeros((8, 8)), full)]) == 1.0
    for value in (0.0, 1.0):
        with pytest.raises(FormatError, match="No mask"):
            pixel_average_precision([(np.full((8, 8), value), np.zeros_like(full))])
    with pytest.raises(FormatError, match="not a number"):
        pixel_average_precision([(np.full((8, 8), np.nan), full)])


def test_it_is_the_average_precision_over_all_images_pixels() -> None:
    rng = np.random.default_rng(2)
    pairs = []
    for _ in range(3):
        mask = (rng.uniform(size=(SIDE, SIDE)) < 0.3).astype(np.uint8)
        heat = np.clip(np.round(0.25 * mask + rng.uniform(0, 0.75, mask.shape), 2), 0, 1)
        heat[0, 0], heat[0, 1] = 0, 1
        pairs.append((heat, mask))
    scores = np.concatenate([heat.ravel() for heat, _ in pairs])
    truth = np.concatenate([mask.ravel() for _, mask in pairs])
    expected, recall = 0.0, 0.0
    for level in np.unique(scores)[::-1]:  # precision at each threshold, weighted by the recall it adds
        called = scores >= level
        step = truth[called].sum() / truth.sum()
        expected += (step - recall) * truth[called].mean()
        recall = step
    assert pixel_average_precision(pairs) == pytest.approx(expected, abs=1e-6)


def test_masks_are_read_by_the_images_names(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    shape = np.zeros((6, 4), np.uint8)
    shape[2:4] = 200
    ignore = np.zeros((6, 4), np.uint8)
    ignore[3:] = 255
    Image.fromarray(shape).save(tmp_path / "cats" / "a.png")
    assert read_mask(tmp_path, "cats/b.jpg") is None
    mask = read_mask(tmp_path, "cats/a.jpg")
    assert mask is not None
    assert mask[:, 0].tolist() == [0, 0, 1, 1, 0, 0]
    Image.fromarray(ignore).save(tmp_path / "cats" / "a_ignore.png")
    with_ignored = read_mask(tmp_path, "cats/a.jpg")
    assert with_ignored is not None
    assert with_ignored[:, 0].tolist() == [0, 0, 1, 1, 255, 255]
    Image.fromarray(ignore[:3]).save(tmp_path / "cats" / "a_ignore.png")
    with pytest.raises(FormatError, match="size"):
        read_mask(tmp_path, "cats/a.jpg")
