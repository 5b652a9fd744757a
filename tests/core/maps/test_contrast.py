"""Contrast against an exhaustive search, closed forms and symmetries."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from scipy.ndimage import label

from core.maps.contrast import GRID, barrier_distance, contrast_maps, guided, outline_ratios


def _rectangle(width: int, height: int, *, x: int = 32, y: int = 32, side: int = GRID) -> np.ndarray:
    image = np.full((side, side, 3), 90, np.uint8)
    image[y - height // 2 : y + height // 2, x - width // 2 : x + width // 2] = (200, 180, 60)
    return image


def _exact_barrier(values: np.ndarray) -> np.ndarray:
    """By its definition: the narrowest band of values through which a pixel still reaches the border."""
    best = np.full(values.shape, np.inf)
    levels = np.unique(values)
    for low in levels:
        for high in levels[levels >= low]:
            labels, _ = label((values >= low) & (values <= high))
            edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
            reached = np.isin(labels, edge[edge > 0])
            best[reached] = np.minimum(best[reached], high - low)
    return best


@pytest.mark.parametrize("seed", range(4))
def test_the_barrier_distance_is_the_exact_one_or_a_little_above(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = cv2.GaussianBlur(rng.normal(size=(24, 24)).astype(np.float32), (0, 0), 2.5)
    values = np.round((values - values.min()) / np.ptp(values) * 12)  # few levels: all bands can be tried
    before = values.copy()
    found = barrier_distance(values[None, :, :, None])[0]
    assert (values == before).all()
    exact = _exact_barrier(values)
    assert (found >= exact).all()
    assert (found == exact).mean() > 0.8


def test_a_patch_is_as_far_as_it_differs_and_a_slope_costs_nothing_on_its_flat_side() -> None:
    values = np.zeros((1, 20, 24, 3), np.float32)
    values[:, 6:12, 8:16] = (10, -4, 0)
    distance = barrier_distance(values)[0]
    assert (distance[6:12, 8:16] == 14).all()
    assert distance[:6].max() == 0 and distance[12:].max() == 0
    slope = np.broadcast_to(np.arange(24, dtype=np.float32), (20, 24))[None, :, :, None]
    assert barrier_distance(np.ascontiguousarray(slope)).max() == 0  # each row's own line runs to the border


def test_barriers_add_over_channels_and_do_not_depend_on_the_rest_of_a_batch() -> None:
    values = np.random.default_rng(0).normal(size=(3, 9, 10, 2)).astype(np.float32)
    together = barrier_distance(values)
    alone = sum(barrier_distance(values[1:2, :, :, c : c + 1])[0] for c in range(2))
    assert together[1] == pytest.approx(alone, abs=1e-5)


def test_what_stands_out_is_hot_and_flat_pictures_are_even() -> None:
    images = np.stack([_rectangle(20, 14, x=20, y=40), np.full((GRID, GRID, 3), 77, np.uint8)])
    maps = contrast_maps(images)
    assert maps.shape == (2, GRID, GRID) and maps.dtype == np.float32
    inside = np.zeros((GRID, GRID), bool)
    inside[33:47, 10:30] = True
    assert maps[0][inside].mean() > 3 * maps[0][~inside].mean()
    assert maps.min() >= 0 and maps.max() <= 3
    assert (maps[1] == maps[1, 0, 0]).all()
    assert contrast_maps(images[:0]).shape == (0, GRID, GRID)


def test_contrast_of_a_larger_photo_is_that_of_the_small_one() -> None:
    small = _rectangle(22, 30)
    large = cv2.resize(small, (256, 192), interpolation=cv2.INTER_NEAREST)
    assert np.corrcoef(contrast_maps(small[None]).ravel(), contrast_maps(large[None]).ravel())[0, 1] > 0.95


def test_outlines_have_the_proportions_of_a_box_and_turn_with_it() -> None:
    shapes = [(24, 12), (12, 24), (18, 18), (10, 30)]
    images = np.stack([_rectangle(width, height) for width, height in shapes])
    ratios = outline_ratios(images)
    # The weight favours the middle, so a long side's ends count a little less.
    expected = [math.log(height / width) for width, height in shapes]
    assert ratios == pytest.approx(expected, abs=0.25)
    assert outline_ratios(images.transpose(0, 2, 1, 3)) == pytest.approx(-ratios, abs=1e-3)
    assert outline_ratios(images[:, :, ::-1]) == pytest.approx(ratios, abs=1e-2)
    assert outline_ratios(np.full((1, 50, 40, 3), 9, np.uint8)).tolist() == [0.0]


def test_guided_heat_lies_where_map_and_contrast_agree() -> None:
    heat = np.zeros((2, 16, 16), np.float32)
    heat[0, 4:12, :] = 1  # a band across; what stands out is a patch in its left half
    contrast = np.zeros((2, GRID, GRID), np.float32)
    contrast[0, :, 8:24] = 3
    result = guided(heat, contrast)
    assert result.shape == heat.shape and result.min() >= 0
    y, x = np.unravel_index(result[0].argmax(), (16, 16))
    assert 4 <= y < 12 and 2 <= x < 6
    # A map that says nothing leaves the contrast, a picture in which nothing stands out leaves the map.
    assert np.ptp(result[1]) < 1e-6
    even = guided(heat[:1], np.full((1, GRID, GRID), 1.5, np.float32))
    assert even[0, 7, 8] > 4 * even[0, 0, 8]


def test_guided_follows_a_mirror() -> None:
    rng = np.random.default_rng(1)
    heat = rng.normal(size=(3, 16, 16)).astype(np.float32)
    contrast = rng.random((3, GRID, GRID)).astype(np.float32)
    mirrored = guided(heat[:, :, ::-1].copy(), contrast[:, :, ::-1].copy())
    assert mirrored[:, :, ::-1] == pytest.approx(guided(heat, contrast), abs=1e-5)
