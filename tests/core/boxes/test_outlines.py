"""The lines around what a threshold leaves, against masks and boxes of the rules."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.boxes.batches import find_box, read_maps
from core.boxes.outlines import cut_level, cut_outlines
from core.boxes.rules import RULES


def blobs(seed: int, side: int = 24) -> np.ndarray:
    """A smooth map of two hot places of different size, in 0..1."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    heat = np.zeros((side, side))
    for radius in (0.2, 0.1):
        cx, cy = rng.uniform(0.25, 0.75, 2)
        heat = np.maximum(heat, np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (radius / 1.5) ** 2)))
    return heat.astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rule", ["object", "component"])
@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_the_lines_hold_what_the_rule_calls_object(seed: int, rule: str, threshold: float) -> None:
    heat = blobs(seed)
    (grid,) = read_maps(rule, [heat])
    mask = RULES[rule].mask(grid, threshold)
    fine = 16
    drawn = np.zeros([side * fine for side in mask.shape], np.uint8)
    for line in cut_outlines(heat, rule=rule, threshold=threshold):
        cv2.fillPoly(drawn, [np.round(line * drawn.shape[0] - 0.5).astype(np.int32)], 1)
    cells = np.kron(mask.astype(np.uint8), np.ones((fine, fine), np.uint8))
    one_cell = np.ones((2 * fine + 1, 2 * fine + 1), np.uint8)
    assert (drawn <= cv2.dilate(cells, one_cell)).all()
    inside = cv2.erode(cells, one_cell, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    assert (drawn >= inside).all()
    assert drawn.any()
    assert cut_level(grid, rule=rule, threshold=threshold) == pytest.approx(grid[mask].min(), abs=0.05)


@pytest.mark.parametrize("rule", ["object", "component"])
@pytest.mark.parametrize("threshold", [0.3, 0.6])
def test_the_box_is_the_tightest_around_one_of_the_lines(rule: str, threshold: float) -> None:
    heat = blobs(7)
    box = find_box(heat, width=640, height=480, rule=rule, threshold=threshold).box
    sides = [
        (*(line.min(axis=0) * (640, 480)), *(line.max(axis=0) * (640, 480)))
        for line in cut_outlines(heat, rule=rule, threshold=threshold)
    ]
    cell = 640 / 64
    apart = [
        max(abs(a - b) for a, b in zip(one, (box.x0, box.y0, box.x1, box.y1), strict=True)) for one in sides
    ]
    assert min(apart) < 1.5 * cell


def test_lines_of_a_part_at_the_edge_are_closed_along_it() -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[:4, :4] = 1.0
    (line,) = cut_outlines(heat, rule="object", threshold=0.5)
    assert line.min() == pytest.approx(0, abs=0.01)
    assert line.max() == pytest.approx(0.5, abs=0.02)


def test_what_is_cut_nowhere_has_no_line() -> None:
    assert cut_outlines(np.full((8, 8), 0.7, np.float32), rule="object", threshold=0.5) == ()
    assert cut_outlines(blobs(1), rule="moments", threshold=0.0) == ()
    assert cut_outlines(blobs(1), rule="moments", threshold=0.4) != ()
