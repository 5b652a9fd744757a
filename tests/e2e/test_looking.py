"""How the image in view is shown: brightness, side by side, minimap, zoom to the box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot
from window_support import LONG, close, fill

from app.main_window import MainWindow
from app.views import minimap
from core.base.geometry import Box
from core.images.display import Display

Key = Qt.Key
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def filled(window: MainWindow, folder: Path, qtbot: QtBot) -> MainWindow:
    fill(qtbot, window, folder, 12)
    qtbot.waitUntil(lambda: window.session.has_evidence, timeout=LONG)
    return window


def shown(window: MainWindow, at: QPoint) -> QColor:
    """The colour at a point of the canvas."""
    return window.canvas.grab().toImage().pixelColor(at)


def test_brightness_changes_what_is_seen_and_nothing_else(
    filled: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    before = filled.canvas.grab().toImage()
    photo = (folder / "image 1.png").read_bytes()
    popup = filled.box_editing.popup
    qtbot.mouseClick(filled.bar.display_button, LEFT)
    assert popup.isVisible()
    popup.brightness.setValue(popup.brightness.maximum())
    qtbot.waitUntil(lambda: shown(filled, filled.canvas.rect().center()) == QColor("white"))
    qtbot.mouseClick(popup.reset, LEFT)
    popup.close()
    assert filled.canvas.grab().toImage() == before
    assert (folder / "image 1.png").read_bytes() == photo


def test_what_was_chosen_is_there_when_the_project_opens_again(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    first.session.change_view(display=Display(contrast=0.5))
    qtbot.keyClick(first, Key.Key_S)
    path = first.session.project.path
    close(qtbot, first)
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    assert window.session.view.display == Display(contrast=0.5)
    assert window.bar.side_by_side_button.isChecked()
    assert window.actions_["side_by_side"].isChecked()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert window.session.view.display.is_plain


def test_side_by_side_shows_the_image_twice_and_a_box_is_drawn_in_either(
    filled: MainWindow, qtbot: QtBot
) -> None:
    canvas = filled.canvas
    qtbot.mouseClick(filled.bar.side_by_side_button, LEFT)
    view = canvas.viewport_state
    assert view.view_width < canvas.width() / 2
    second = canvas.width() - view.view_width
    for x in (5, 20, 35):
        point = QPointF(view.x + x * view.scale, view.y + 15 * view.scale)
        assert shown(filled, point.toPoint()) == shown(filled, (point + QPointF(second, 0)).toPoint())
    for pane in (0, second):
        qtbot.keyClick(filled, Key.Key_D)
        start = QPointF(pane + view.x + 10 * view.scale, view.y + 10 * view.scale).toPoint()
        end = QPointF(pane + view.x + 20 * view.scale, view.y + 20 * view.scale).toPoint()
        qtbot.mousePress(canvas, LEFT, NONE, start)
        qtbot.mouseMove(canvas, end)
        qtbot.mouseRelease(canvas, LEFT, NONE, end)
    assert [record.box for record in filled.session.boxes] == [Box(10, 10, 20, 20)] * 2


def test_the_minimap_is_there_when_zoomed_and_takes_the_view_along(filled: MainWindow, qtbot: QtBot) -> None:
    canvas = filled.canvas
    assert minimap.place(canvas.viewport_state) is None
    for _ in range(5):
        qtbot.keyClick(canvas, Key.Key_Plus)
    room = minimap.place(canvas.viewport_state)
    assert room is not None
    for share in (0.25, 0.75):
        where = QPointF(room.left() + share * room.width(), room.top() + share * room.height())
        qtbot.mouseClick(canvas, LEFT, NONE, where.toPoint())
        view = canvas.viewport_state
        middle = view.to_image(QPointF(view.view_width / 2, view.view_height / 2))
        assert (middle.x(), middle.y()) == pytest.approx((40 * share, 30 * share), abs=0.5)
        seen = minimap.frame(view, room).center()
        assert (seen.x(), seen.y()) == pytest.approx((where.x(), where.y()), abs=2)
    qtbot.keyClick(canvas, Key.Key_0)
    assert minimap.place(canvas.viewport_state) is None


def test_zoom_to_the_box_shows_all_of_it_in_the_middle(filled: MainWindow, qtbot: QtBot) -> None:
    filled.workbench.editing.draw(Box(16, 10, 24, 16))
    qtbot.keyClick(filled, Key.Key_Z)
    view = filled.canvas.viewport_state
    rect = view.to_widget(Box(16, 10, 24, 16))
    assert rect.left() >= 0 and rect.right() <= view.view_width
    assert rect.top() >= 0 and rect.bottom() <= view.view_height
    assert max(rect.width() / view.view_width, rect.height() / view.view_height) > 0.6
    centre = rect.center()
    assert (centre.x(), centre.y()) == pytest.approx((view.view_width / 2, view.view_height / 2), abs=1)


@pytest.mark.parametrize("side", [40, 1600, 5000], ids=["small", "zoomed out", "larger than is kept"])
def test_detail_of_sixteen_bits_is_seen_once_the_contrast_is_raised(
    side: int, window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    values = np.full((30, side), 30000, np.uint16)
    values[:, side // 2 :] += 60  # less than one of 256 greys
    values[0], values[-1] = 0, 60000
    values = values.repeat(side // 40, axis=0)
    (tmp_path / "deep").mkdir()
    Image.fromarray(values).save(tmp_path / "deep" / "a.png")
    fill(qtbot, window, tmp_path / "deep", 1)
    target = window.canvas.viewport_state.target
    left, right = (
        QPointF(target.left() + target.width() * x, target.top() + target.height() * 0.4).toPoint()
        for x in (0.3, 0.7)
    )
    assert abs(shown(window, left).red() - shown(window, right).red()) <= 1
    qtbot.mouseClick(window.bar.display_button, LEFT)
    popup = window.box_editing.popup
    popup.contrast.setValue(popup.contrast.maximum())
    qtbot.waitUntil(lambda: shown(window, right).red() - shown(window, left).red() >= 5)
    popup.close()
    for _ in range(6):
        window.canvas.zoom_in()
    room = minimap.place(window.canvas.viewport_state)
    assert room is not None
    small = [
        QPointF(room.left() + room.width() * x, room.top() + room.height() * 0.4).toPoint()
        for x in (0.1, 0.9)
    ]
    qtbot.waitUntil(lambda: shown(window, small[1]).red() - shown(window, small[0]).red() >= 5)
