"""Samples are drawn where and as they should be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QWidget
from seeing import pixel

from app.views.sample_grid import SampleGrid, best_grid


@pytest.fixture
def grid(show: Callable[..., QWidget]) -> SampleGrid:
    return show(SampleGrid(), 300, 200)


def test_each_tile_shows_its_sample(grid: SampleGrid) -> None:
    samples = np.zeros((6, 8, 8, 3), np.uint8)
    samples[:, :, :4] = np.arange(6)[:, None, None, None] * 40 + 20
    samples[:, :, 4:, 2] = 255
    grid.set_samples(samples)
    rects = grid.tile_rects()
    assert len(rects) == 6
    for i, rect in enumerate(rects):
        assert pixel(grid, rect.left() + rect.width() / 4, rect.center().y()) == (i * 40 + 20,) * 3
        assert pixel(grid, rect.right() - rect.width() / 4, rect.center().y()) == (0, 0, 255)
        # Whole multiples: the edge between the halves is sharp.
        assert pixel(grid, rect.center().x() - 1, rect.center().y()) == (i * 40 + 20,) * 3
        assert pixel(grid, rect.center().x() + 1, rect.center().y()) == (0, 0, 255)


@given(st.integers(1, 100), st.integers(20, 900), st.integers(20, 900), st.integers(0, 4))
def test_all_tiles_fit_and_none_could_be_larger(count: int, width: int, height: int, gap: int) -> None:
    columns, side = best_grid(count, width, height, gap)

    def fits(across: int, length: int) -> bool:
        down = -(-count // across)
        return across * length + (across - 1) * gap <= width and down * length + (down - 1) * gap <= height

    if side > 1:
        assert fits(columns, side)
    assert not any(fits(across, side + 1) for across in range(1, count + 1))


def test_tiles_do_not_overlap_and_stay_inside(grid: SampleGrid) -> None:
    grid.set_samples(np.zeros((16, 64, 64, 3), np.uint8))
    for width, height in ((300, 200), (80, 300), (500, 60)):
        grid.resize(width, height)
        rects = grid.tile_rects()
        assert all(grid.rect().toRectF().contains(rect) for rect in rects)
        assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])


def test_the_place_is_kept_while_there_is_nothing(grid: SampleGrid) -> None:
    empty = grid.grab().toImage()
    grid.set_samples(np.zeros((4, 8, 8, 3), np.uint8))
    assert grid.grab().toImage() != empty
    grid.set_samples(None)
    assert grid.grab().toImage() == empty
    grid.set_samples(np.zeros((0, 8, 8, 3), np.uint8))
    assert grid.grab().toImage() == empty


def test_it_keeps_no_view_of_what_it_was_given(grid: SampleGrid) -> None:
    samples = np.full((1, 4, 4, 3), 200, np.uint8)
    grid.set_samples(samples)
    samples[:] = 0
    grid.resize(301, 200)
    assert pixel(grid, 150, 100) == (200, 200, 200)
