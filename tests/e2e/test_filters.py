"""Filters by class, score and number of boxes, and the grid of thumbnails: in the real window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from review_support import CONTROL, COUNT, LEFT, NONE, SHIFT, fill_with_boxes, on_disk
from window_support import LONG, close, settle

from app.main_window import MainWindow
from core.base.annotations import Status
from core.base.geometry import Box
from core.project.browse import BoxFilter

Key = Qt.Key
SCORES = {i + 1: round(0.05 + 0.08 * i, 2) for i in range(COUNT)}


@pytest.fixture
def found(window: MainWindow, folder: Path, qtbot: QtBot) -> MainWindow:
    """Each image has a box of another score; images 3 and 4 have two, 4 and 5 a class of their own."""
    fill_with_boxes(qtbot, window, folder)
    box = on_disk(window, 1).boxes[0]
    boxes = {i: [replace(box, score=score)] for i, score in SCORES.items()}
    for i in (3, 4):
        boxes[i].append(replace(box, box=Box(1, 20, 9, 29), score=0.97))
    for i in (4, 5):
        boxes[i][-1] = replace(boxes[i][-1], label="badger")
    window.session.project.set_auto_boxes(boxes)
    window.workbench.review.refresh_facts()
    settle(qtbot, window)
    qtbot.mouseClick(window.images.browse_bar.filters_button, LEFT)
    assert window.images.browse_bar.filters.isVisible()
    return window


def listed(window: MainWindow) -> list[int]:
    model = window.session.images
    return [model.id_at(row) for row in range(model.rowCount())]


def test_by_a_range_of_scores(found: MainWindow, qtbot: QtBot) -> None:
    low, high = found.images.browse_bar.filters.scores
    low.setFocus()
    low.selectAll()
    qtbot.keyClicks(low, "0.29")
    high.selectAll()
    qtbot.keyClicks(high, "0.61")
    assert listed(found) == [i for i, score in SCORES.items() if 0.29 <= score <= 0.61]
    assert 0.29 in SCORES.values() and 0.61 in SCORES.values(), "both ends count"
    qtbot.mouseClick(found.images.browse_bar.filters.reset, LEFT)
    assert len(listed(found)) == COUNT


def test_by_the_number_of_boxes(found: MainWindow, qtbot: QtBot) -> None:
    fewest, most = found.images.browse_bar.filters.counts
    fewest.setValue(2)
    assert listed(found) == [3, 4]
    found.session.select(3)
    qtbot.waitUntil(lambda: found.session.has_evidence, timeout=LONG)
    qtbot.keyClick(found, Key.Key_E)
    assert listed(found) == [3, 4], "no row vanishes from under the cursor"
    fewest.setValue(0)
    most.setValue(0)
    assert listed(found) == [3]


def test_by_a_class(found: MainWindow, qtbot: QtBot) -> None:
    box = found.images.browse_bar.filters.label_box
    assert [box.itemText(i) for i in range(box.count())] == ["Any class", "object", "badger"]
    box.setCurrentIndex(box.findData("badger"))
    assert listed(found) == [4, 5]
    box.setCurrentIndex(box.findData("object"))
    assert listed(found) == [i for i in range(1, COUNT + 1) if i != 5]
    box.setCurrentIndex(0)
    assert len(listed(found)) == COUNT


def test_a_filter_is_in_force_and_in_sight_when_the_project_opens_again(
    found: MainWindow, qtbot: QtBot
) -> None:
    filters = found.images.browse_bar.filters
    filters.label_box.setCurrentIndex(filters.label_box.findData("badger"))
    filters.counts[1].setValue(1)
    path = found.session.project.path
    found.actions_["new"].trigger()
    qtbot.waitUntil(lambda: found.session.project is None, timeout=LONG)
    second = MainWindow()
    second.show()
    second.open_paths([path])
    qtbot.waitUntil(lambda: second.session.project is not None and listed(second) == [5], timeout=LONG)
    settle(qtbot, second)
    assert listed(second) == [5]
    assert second.session.view.browse.boxes == BoxFilter(label="badger", count=(0, 1))
    bar = second.images.browse_bar
    assert bar.filters.isVisible() and bar.filters.filter() == second.session.view.browse.boxes
    close(qtbot, second)


def test_the_grid_has_the_lists_rows_and_its_selection(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_G, CONTROL)
    grid, model = found.grid, found.session.images
    assert grid.isVisible() and not found.canvas.isVisible() and not found.bar.isVisible()
    assert found.images.browse_bar.grid_button.isChecked()
    qtbot.waitUntil(lambda: grid.visualRect(model.index(11)).isValid())
    qtbot.mouseClick(grid.viewport(), LEFT, NONE, grid.visualRect(model.index(4)).center())
    assert found.session.current == 5
    qtbot.mouseClick(grid.viewport(), LEFT, SHIFT, grid.visualRect(model.index(6)).center())
    assert found.session.selection == (5, 6, 7)
    before = grid.viewport().grab(grid.visualRect(model.index(5))).toImage()
    qtbot.keyClick(grid, Key.Key_A)
    assert [found.session.project.image(i).status for i in (4, 5, 6, 7)] == [
        Status.UNSEEN,
        *[Status.ACCEPTED] * 3,
    ]
    assert grid.viewport().grab(grid.visualRect(model.index(5))).toImage() != before
    qtbot.mouseClick(grid.viewport(), LEFT, NONE, grid.visualRect(model.index(1)).center())
    qtbot.keyClick(grid, Key.Key_Return)
    assert not grid.isVisible() and found.canvas.isVisible() and found.bar.isVisible()
    assert found.session.current == 2
    assert not found.actions_["grid"].isChecked()


def test_grid_and_review_mode_take_turns(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_G, CONTROL)
    qtbot.keyClick(found, Key.Key_F11)
    assert found.canvas.isVisible() and found.film_strip.isVisible() and not found.grid.isVisible()
    qtbot.mouseClick(found.key_bar.leave, LEFT)
    assert found.canvas.isVisible() and found.bar.isVisible() and found.images.isVisible()
    qtbot.keyClick(found, Key.Key_F11)
    qtbot.keyClick(found, Key.Key_G, CONTROL)
    assert found.grid.isVisible() and not found.film_strip.isVisible() and found.images.isVisible()
    index = found.session.images.index(3)
    qtbot.waitUntil(lambda: found.grid.visualRect(index).isValid())
    settle(qtbot, found)
    qtbot.mouseClick(found.grid.viewport(), LEFT, NONE, found.grid.visualRect(index).center())
    qtbot.mouseDClick(found.grid.viewport(), LEFT, NONE, found.grid.visualRect(index).center())
    qtbot.waitUntil(lambda: found.canvas.isVisible() and not found.grid.isVisible(), timeout=LONG)
    assert found.session.current == 4


def test_rows_filter_as_a_plain_loop_does(found: MainWindow) -> None:
    """Against a loop over what is on disk, with random ranges."""
    rng = np.random.default_rng(3)
    kept = {i: on_disk(found, i).boxes for i in range(1, COUNT + 1)}
    for _ in range(20):
        low, high = sorted(np.round(rng.random(2), 2).tolist())
        fewest, most = sorted(rng.integers(0, 4, 2).tolist())
        boxes = BoxFilter(score=(low, high), count=(fewest, most))
        found.session.change_view(browse=replace(found.session.view.browse, boxes=boxes))
        expected = [
            i
            for i, records in kept.items()
            if low <= min(one.score for one in records) <= high and fewest <= len(records) <= most
        ]
        assert listed(found) == expected
