"""Boxes from probabilities: an absolute threshold, parts by their probability, what a faint map leaves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from core.base.geometry import Box, iou
from core.boxes.batches import find_box
from core.boxes.grid import GRID, maps_on_grid
from core.boxes.options import BoxOptions


def blobs(*places: tuple[int, int, int, int, float], ground: float = 0.05) -> np.ndarray:
    """A GRID x GRID map with rectangles x0, y0, x1, y1 of a probability."""
    heat = np.full((GRID, GRID), ground, np.float32)
    for x0, y0, x1, y1, value in places:
        heat[y0:y1, x0:x1] = value
    return heat


def test_the_threshold_is_no_share_of_the_maximum() -> None:
    heat = blobs((10, 20, 30, 40, 0.55), (40, 40, 50, 44, 0.95))
    large = find_box(heat, width=GRID, height=GRID, rule="object")
    assert large.box == Box(10, 20, 30, 40) and large.threshold == 0.5
    # As a share of the maximum, .57 would leave the larger part too: .55 / .95 = .579.
    small = find_box(heat, width=GRID, height=GRID, rule="object", threshold=0.57)
    assert small.box == Box(40, 40, 50, 44)


def test_a_box_is_what_another_labelling_of_the_parts_gives() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        coarse = rng.random((24, 24)).astype(np.float32)
        heat = ndimage.gaussian_filter(coarse, 1.5)
        heat = ((heat - heat.min()) / np.ptp(heat)).astype(np.float32)
        grid = maps_on_grid(heat[None])[0]
        labels, count = ndimage.label(grid > 0.5, structure=np.ones((3, 3)))
        sizes = ndimage.sum_labels(np.ones_like(grid), labels, range(1, count + 1))
        rows, columns = ndimage.find_objects(labels)[int(np.argmax(sizes))]
        found = find_box(heat, width=GRID, height=GRID, rule="object")
        assert found.box == Box(columns.start, rows.start, columns.stop, rows.stop)
        assert found.score == pytest.approx(grid[labels == 1 + int(np.argmax(sizes))].mean(), rel=1e-6)


def test_a_map_below_the_threshold_keeps_its_hottest_place() -> None:
    heat = blobs((10, 20, 30, 40, 0.3), (50, 50, 55, 55, 0.1))
    found = find_box(heat, width=GRID, height=GRID, rule="object")
    assert found.box == Box(10, 20, 30, 40)
    assert found.score == pytest.approx(0.3)


@pytest.mark.parametrize("value", [0.0, 0.4, 1.0, -3.0, np.nan])
def test_a_map_of_one_value_gives_the_whole_image_and_no_sureness(value: float) -> None:
    heat = np.full((24, 18), value, np.float32)
    found = find_box(heat, width=180, height=240, rule="object")
    assert found.box == Box(0, 0, 180, 240) and found.score == 0


def test_several_objects_come_by_their_probability() -> None:
    heat = blobs((2, 2, 22, 22, 0.7), (40, 2, 56, 14, 0.9), (30, 50, 32, 52, 0.99))  # the last is a speck
    two = BoxOptions("object", max_boxes=5).boxes_of(heat, (GRID, GRID))
    assert [box.box for box in two] == [Box(40, 2, 56, 14), Box(2, 2, 22, 22)]
    assert [box.score for box in two] == pytest.approx([0.9, 0.7])
    assert [b.box for b in BoxOptions("object").boxes_of(heat, (GRID, GRID))] == [Box(2, 2, 22, 22)]


def test_a_coarse_map_covers_the_whole_photo() -> None:
    heat = np.zeros((12, 16), np.float32)
    heat[3:6, 4:8] = 1.0
    found = find_box(heat, width=1600, height=1200, rule="object")
    assert iou(found.box, Box(400, 300, 800, 600)) > 0.8
