"""Masks cut out by colour, where the true one is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.learn.masks import SIDE, grabcut_mask

CELLS = 24


def ellipse(*, grown: float = 1.0) -> np.ndarray:
    """An object at pixel resolution, or a blob ``grown`` times as wide at the same place: float32 in 0..1."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(mask, (44, 52), (round(22 * grown), round(16 * grown)), 20, 0, 360, 1.0, -1)
    return mask


def photo(seed: int) -> np.ndarray:
    """The object in one colour on another, both noisy: uint8 (SIDE, SIDE, 3)."""
    rng = np.random.default_rng(seed)
    mask = ellipse()[..., None]
    image = mask * (170, 120, 60) + (1 - mask) * (70, 110, 140) + rng.normal(0, 15, (SIDE, SIDE, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("grown", [0.7, 1.4])
def test_colours_bring_a_wrong_size_right(grown: float) -> None:
    rough = cv2.GaussianBlur(ellipse(grown=grown), (31, 31), 8) - 0.5
    logits = cv2.resize(3 * rough, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    found = grabcut_mask(photo(0), logits)
    truth = cv2.resize(ellipse(), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    before = np.abs((logits > 0) - truth).mean()
    assert found.shape == (CELLS, CELLS)
    assert np.abs(found - truth).mean() < 0.3 * before


def test_the_same_image_has_the_same_mask_whatever_came_before() -> None:
    logits = cv2.resize(ellipse(grown=1.3) - 0.5, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    first = grabcut_mask(photo(1), logits)
    grabcut_mask(photo(2), -logits)
    assert np.array_equal(grabcut_mask(photo(1), logits), first)


@pytest.mark.parametrize("logit", [-9.0, 9.0])
def test_an_image_all_of_one_kind_is_left_so(logit: float) -> None:
    logits = np.full((CELLS, CELLS), logit, np.float32)
    assert (grabcut_mask(photo(3), logits) == (logit > 0)).all()
