"""Rules against closed forms and against scipy's connected components."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from core.base.geometry import Box, iou
from core.boxes.batches import find_box
from core.boxes.grid import GRID, pixel_boxes, scaled_maps
from core.boxes.moments import moments_boxes, spread_boxes
from core.boxes.objects import hot_boxes
from core.boxes.rules import MAX_THRESHOLD, RULES

maps = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 16), st.integers(1, 16)),
    elements=st.floats(-100, 100, width=32),
)
spans = st.tuples(st.integers(0, GRID), st.integers(0, GRID)).filter(lambda s: s[0] != s[1]).map(sorted)


@given(spans, spans)
def test_spread_is_exact_for_a_uniform_rectangle(xs: list[int], ys: list[int]) -> None:
    weights = np.zeros((GRID, GRID))
    weights[ys[0] : ys[1], xs[0] : xs[1]] = 0.37
    assert spread_boxes(weights[None])[0] == pytest.approx((xs[0], ys[0], xs[1], ys[1]), abs=1e-6)


@given(st.tuples(spans, spans), st.integers(GRID, 6000), st.integers(GRID, 6000))
def test_a_cell_is_the_same_share_of_the_image_as_of_the_grid(
    cells: tuple[list[int], list[int]], width: int, height: int
) -> None:
    (x0, x1), (y0, y1) = cells
    boxes = pixel_boxes(
        np.array([[x0, y0, x1, y1], [0, 0, GRID, GRID]], float), np.array([[width, height]] * 2)
    )
    back = Box(*boxes[0]).scaled(GRID / width, GRID / height)
    assert (back.x0, back.y0, back.x1, back.y1) == pytest.approx((x0, y0, x1, y1), abs=1e-6)
    assert boxes[1].tolist() == [0, 0, width, height]


@given(
    hnp.arrays(np.float32, (3, GRID, GRID), elements=st.sampled_from([0.0, 0.2, 0.6, 1.0])),
    st.sampled_from([0.0, 0.3, 0.5]),
)
def test_moments_are_those_of_all_cells_at_once(maps: np.ndarray, threshold: float) -> None:
    """The same from the definition: every cell's heat above the threshold, times a Gaussian of its place."""
    y, x = np.mgrid[:GRID, :GRID] + 0.5
    bell = np.exp(-((x - 32) ** 2 + (y - 32) ** 2) / (2 * 23**2))
    for heat, found in zip(maps, moments_boxes(maps, np.full(3, threshold)), strict=True):
        weight = np.maximum(heat.astype(np.float64) - threshold, 0) * bell
        weight = weight if weight.any() else bell
        means = [np.average(place, weights=weight) for place in (x, y)]
        squares = [
            np.average((place - m) ** 2, weights=weight) for place, m in zip((x, y), means, strict=True)
        ]
        half = np.sqrt(3 * (np.array(squares) + 1 / 12))
        assert found == pytest.approx([*(means - half), *(means + half)], abs=1e-3)


@given(
    hnp.arrays(np.float32, (GRID, GRID), elements=st.sampled_from([0.0, 0.1, 0.5, 1.0])),
    st.floats(0.05, 0.95),
)
def test_component_is_the_tightest_box_of_a_largest_part(heat: np.ndarray, threshold: float) -> None:
    heat[10:20, 30:50] = 1.0
    labels, _ = ndimage.label(heat >= threshold, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())[1:]
    candidates = [ndimage.find_objects(labels)[i] for i in np.flatnonzero(sizes == sizes.max())]
    expected = {(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in candidates}
    assert tuple(hot_boxes(heat[None], np.array([threshold]))[0]) in expected


@given(maps, st.integers(1, 5000), st.integers(1, 5000), st.sampled_from(list(RULES)), st.floats(0, 1))
def test_every_box_lies_inside_the_image_and_holds_a_pixel(
    heat: np.ndarray, width: int, height: int, rule: str, threshold: float
) -> None:
    found = find_box(heat, width=width, height=height, rule=rule, threshold=threshold)
    box = found.box
    assert 0 <= box.x0 <= box.x1 <= width + 1e-6
    assert 0 <= box.y0 <= box.y1 <= height + 1e-6
    assert box.width >= 1 - 1e-9
    assert box.height >= 1 - 1e-9
    assert found.score is not None
    assert 0 <= found.score <= 1
    assert found.threshold is not None
    assert found.threshold <= MAX_THRESHOLD


@given(
    maps, st.sampled_from([r for r in RULES if not RULES[r].absolute]), st.floats(0.1, 10), st.floats(-50, 50)
)
def test_a_box_does_not_change_when_the_map_is_scaled_or_shifted(
    heat: np.ndarray, rule: str, gain: float, offset: float
) -> None:
    heat = np.round(heat)
    before = find_box(heat, width=64, height=64, rule=rule).box
    after = find_box((heat * gain + offset).astype(np.float32), width=64, height=64, rule=rule).box
    assert iou(before, after) > 0.9


@pytest.mark.parametrize("rule", list(RULES))
def test_a_hot_spot_off_the_centre_is_found(rule: str) -> None:
    heat = np.zeros((16, 16), np.float32)
    heat[2:6, 9:14] = 1.0
    truth = Box(9 * 40, 2 * 30, 14 * 40, 6 * 30)
    found = find_box(heat, width=640, height=480, rule=rule)
    assert iou(found.box, truth) > 0.6
    assert found.score is not None
    assert found.score > 0.5


@pytest.mark.parametrize("heat", [np.zeros((8, 8)), np.full((4, 4), np.nan), np.full((8, 8), 7.5)])
def test_a_map_that_says_nothing_gives_a_centred_box_and_no_score(heat: np.ndarray) -> None:
    moments = find_box(heat.astype(np.float32), width=200, height=100, rule="moments")
    assert moments.box.center == pytest.approx((100, 50))
    assert 0.5 < moments.box.width / 200 < 1.0
    assert moments.score == 0.0
    component = find_box(heat.astype(np.float32), width=200, height=100, rule="component")
    assert component.box == Box(0, 0, 200, 100)


def test_a_higher_threshold_never_grows_the_box_of_a_single_peak() -> None:
    y, x = np.mgrid[:GRID, :GRID]
    heat = np.exp(-(((x - 20) / 9.0) ** 2 + ((y - 40) / 6.0) ** 2)).astype(np.float32)
    thresholds = np.linspace(0.05, 0.9, 18)
    for read in (hot_boxes, moments_boxes):
        boxes = np.clip(read(np.stack([heat] * 18), thresholds), 0, GRID)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        assert all(a >= b - 1e-6 for a, b in pairwise(areas))


def test_scaled_maps_span_zero_to_one() -> None:
    heat = scaled_maps(np.random.default_rng(0).normal(size=(1, 8, 8)).astype(np.float32))[0]
    assert heat.shape == (GRID, GRID)
    assert heat.min() == pytest.approx(0, abs=1e-6)
    assert heat.max() == pytest.approx(1, abs=1e-6)
