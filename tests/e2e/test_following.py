"""The box follows its map: the cut as a line, heat that fades where it is cold, and the bare image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot
from review_support import HEIGHT, WIDTH, at, drag, fill_with_boxes
from window_support import settle

from app.main_window import MainWindow
from core.base.geometry import Box

Key = Qt.Key
RAMP = np.linspace(0, 1, 8, dtype=np.float32)[None].repeat(8, axis=0)


@pytest.fixture
def found(window: MainWindow, folder: Path, qtbot: QtBot) -> MainWindow:
    """Heat rises from left to right in each image; the box is what lies above the threshold."""
    fill_with_boxes(qtbot, window, folder, RAMP)
    window.session.change_view(rule="object")
    settle(qtbot, window)
    return window


def picture(window: MainWindow) -> QImage:
    return window.canvas.grab().toImage()


def left_end(window: MainWindow) -> float:
    """Where the line of the cut begins, in pixels of the image."""
    (line,) = window.canvas.outlines
    return line.boundingRect().left() * WIDTH


def test_the_line_of_the_cut_moves_with_the_threshold_and_the_box(found: MainWindow) -> None:
    slider = found.bar.threshold_slider
    for value in (0, -40, 30):
        slider.setValue(value)
        (box,) = found.canvas.boxes
        assert left_end(found) == pytest.approx(box.box.x0, abs=1.5), "while the handle moves"
        assert found.canvas.outlines[0].boundingRect().height() * HEIGHT == pytest.approx(HEIGHT, abs=1)


def test_a_persons_box_and_a_hidden_map_have_no_line(found: MainWindow, qtbot: QtBot) -> None:
    assert found.canvas.outlines
    qtbot.keyClick(found, Key.Key_H)
    assert not found.canvas.outlines
    qtbot.keyClick(found, Key.Key_H)
    assert found.canvas.outlines
    drag(qtbot, found, Box(2, 2, 12, 12))
    assert not found.canvas.outlines


def test_heat_hides_nothing_where_it_is_cold(found: MainWindow, qtbot: QtBot) -> None:
    assert found.session.view.opacity == 0.35
    cold, hot = at(found, 1, 27), at(found, 30, 2)
    warm = picture(found)
    qtbot.keyClick(found, Key.Key_H)
    plain = picture(found)
    assert warm.pixelColor(cold) == plain.pixelColor(cold)
    assert warm.pixelColor(hot) != plain.pixelColor(hot)


@pytest.mark.parametrize("has_focus", ["canvas", "list"])
def test_space_shows_the_bare_image_while_it_is_held(found: MainWindow, qtbot: QtBot, has_focus: str) -> None:
    widget = found.canvas if has_focus == "canvas" else found.images.list
    widget.setFocus()
    before = picture(found)
    qtbot.keyPress(widget, Key.Key_Space)
    bare = picture(found)
    assert found.canvas.is_bare and bare != before
    assert max(bare.pixelColor(at(found, 39, 15)).toTuple()[:3]) < 100, "noise, with no line and no heat"
    qtbot.keyRelease(widget, Key.Key_Space)
    assert picture(found) == before
    assert found.session.selection == (1,), "the list selects nothing by it"


def test_the_slider_says_tighter_and_looser_and_shows_its_value(found: MainWindow) -> None:
    bar = found.bar
    assert found.session.threshold == 0.5 and bar.threshold_slider.value() == 0
    widths, score = [], found.canvas.boxes[0].score
    for value in (-60, 0, 60):
        bar.threshold_slider.setValue(value)
        widths.append(found.canvas.boxes[0].box.width)
        assert bar.threshold_spin.value() == pytest.approx(found.session.threshold)
        assert found.canvas.boxes[0].score == score, "a tighter box is no surer one"
    assert widths == sorted(widths) and len(set(widths)) == 3, "to the right boxes become looser"
    assert bar.threshold_slider.isVisible()
