"""The probability of no object, on maps whose objects and backgrounds are made here."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.boxes.no_object import PeakLevels, no_object_probability, peak_levels

BACKGROUND, OBJECT = -3.0, 6.0


def _maps(n: int, *, with_object: bool, seed: int, height: int = 24, width: int = 24) -> list[np.ndarray]:
    """Probabilities whose log odds are noise about :data:`BACKGROUND` with a bump of :data:`OBJECT`."""
    rng = np.random.default_rng(seed)
    maps = []
    for noise in rng.normal(BACKGROUND, 0.5, (n, height, width)):
        if with_object:
            rows, columns = np.indices(noise.shape)
            y, x = rng.uniform(4, height - 4), rng.uniform(4, width - 4)
            noise += (OBJECT - BACKGROUND) * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)
        maps.append(_probabilities(noise))
    return maps


def _probabilities(log_odds: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-log_odds))).astype(np.float32)


def test_a_folder_without_empty_images_tells_how_an_empty_one_would_look() -> None:
    levels = peak_levels(_maps(40, with_object=True, seed=0))
    assert levels is not None
    empty = no_object_probability(_maps(20, with_object=False, seed=1), levels)
    full = no_object_probability(_maps(20, with_object=True, seed=2), levels)
    assert (empty > 0.9).all()
    assert (full < 0.1).all()


def test_levels_are_those_of_the_objects_and_of_what_lies_away_from_them() -> None:
    logit = np.full((24, 24), -5.0, np.float32)
    logit[3, 20] = -2.0  # the hottest place away from the object
    logit[8:17, 4:13] = -1.0  # what spills over its edge is hotter, and no background
    logit[9:16, 5:12] = 4.0
    found = peak_levels([_probabilities(logit)] * 3)
    assert found is not None
    assert (found.objects, found.background) == pytest.approx((4.0, -2.0), abs=1e-4)


def test_images_without_an_object_are_backgrounds_whole() -> None:
    full, empty = _maps(30, with_object=True, seed=3), _maps(10, with_object=False, seed=4)
    alone, mixed = peak_levels(full), peak_levels([*full, *empty])
    assert alone is not None and mixed is not None
    assert mixed.objects == alone.objects
    beside = [no_object_probability(empty, levels) for levels in (alone, mixed)]
    np.testing.assert_allclose(beside[0], beside[1], atol=0.05)


@pytest.mark.parametrize(("peak", "log_odds"), [(6.0, -4.0), (2.0, 0.0), (-2.0, 4.0), (-4.0, 6.0)])
def test_log_odds_fall_evenly_from_one_level_to_the_other(peak: float, log_odds: float) -> None:
    logit = np.full((5, 7), -9.0, np.float32)
    logit[2, 3] = peak
    (found,) = no_object_probability([_probabilities(logit)], PeakLevels(objects=6.0, background=-2.0))
    assert found == pytest.approx(1 / (1 + math.exp(-log_odds)), rel=1e-4)


def test_maps_may_differ_in_size_and_come_one_by_one() -> None:
    sizes = [(12, 30), (24, 24), (36, 18)]
    maps = [m for h, w in sizes for m in _maps(15, with_object=True, seed=h, height=h, width=w)]
    levels = peak_levels(iter(maps))
    assert levels == peak_levels(maps[::-1])
    found = no_object_probability(iter(maps), levels)
    assert found.dtype == np.float64 and found.shape == (45,)
    assert (found < 0.5).all()


def test_where_objects_fill_their_images_nothing_is_known() -> None:
    filled = [np.full((24, 24), 0.99, np.float32)] * 4
    assert peak_levels(filled) is None
    assert no_object_probability(filled, None).tolist() == [0.5] * 4


def test_where_no_image_has_an_object_nothing_is_known() -> None:
    assert peak_levels(_maps(5, with_object=False, seed=5)) is None
    assert peak_levels([]) is None


def test_levels_that_do_not_differ_tell_nothing() -> None:
    maps = _maps(3, with_object=True, seed=6)
    assert no_object_probability(maps, PeakLevels(objects=1.0, background=1.0)).tolist() == [0.5] * 3


def test_a_probability_of_one_is_no_trouble() -> None:
    sure = np.zeros((24, 24), np.float32)
    sure[8:16, 8:16] = 1.0
    levels = peak_levels([sure] * 2)
    assert levels is not None and math.isfinite(levels.objects) and math.isfinite(levels.background)
    assert no_object_probability([sure, np.zeros_like(sure)], levels) == pytest.approx(
        [0.018, 0.982], abs=1e-3
    )
