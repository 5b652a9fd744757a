"""Boxes drawn, moved, resized, named and deleted with mouse and keys in the real window; undo and redo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_support import LONG, close, fill

from app.main_window import MainWindow
from app.views.box_editor import HANDLES, handle_points
from app.views.message import ErrorDialog
from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.boxes.batches import find_box
from core.project.queries import kept
from core.project.rows import Kept
from core.project.store import Project

Key = Qt.Key
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
WIDTH, HEIGHT = 40, 30
CORNER = np.zeros((8, 8), np.float32)
CORNER[1:4, 2:6] = 1.0


@pytest.fixture
def filled(window: MainWindow, folder: Path, qtbot: QtBot) -> MainWindow:
    """The window with twelve images of 40 x 30 pixels, the first in view, and nothing found yet."""
    fill(qtbot, window, folder, 12)
    window.activateWindow()
    qtbot.waitUntil(lambda: window.session.has_evidence, timeout=LONG)
    return window


@pytest.fixture
def found(filled: MainWindow, qtbot: QtBot) -> MainWindow:
    """The same after an automatic run: each image has a heat map and its box."""
    give_heat_maps(qtbot, filled, step=1)
    return filled


def give_heat_maps(qtbot: QtBot, window: MainWindow, step: int) -> None:
    """What a run leaves behind, and the window's answer to it."""
    project = window.session.project
    project.set_sizes(dict.fromkeys(range(1, 13), (WIDTH, HEIGHT)))
    project.set_heat_maps(dict.fromkeys(range(1, 13), CORNER), step=step)
    with qtbot.waitSignal(window.workbench.deciding.decided, timeout=LONG):
        window.workbench.localization.evidence_changed.emit()
    qtbot.waitUntil(lambda: window.session.heat_map is not None, timeout=LONG)


def on_disk(window: MainWindow, image_id: int | None = None) -> Kept:
    """Boxes of an image as another program finds them in the file just now."""
    image_id = image_id or window.session.current
    with Project.open(window.session.project.path) as other:
        return kept(other, [image_id])[image_id]


def sides(window: MainWindow) -> list[Box]:
    """The boxes of the image in view: on the canvas and on disk the same."""
    boxes = on_disk(window).boxes
    assert window.canvas.boxes == window.session.boxes == boxes
    return [record.box for record in boxes]


def at(window: MainWindow, x: float, y: float) -> QPoint:
    """Where on the canvas a point of the image lies."""
    view = window.canvas.viewport_state
    return QPointF(view.x + x * view.scale, view.y + y * view.scale).toPoint()


def drag(qtbot: QtBot, window: MainWindow, start: QPoint, end: QPoint, *, release: bool = True) -> None:
    canvas = window.canvas
    qtbot.mousePress(canvas, LEFT, NONE, start)
    qtbot.mouseMove(canvas, (start + end) / 2)
    qtbot.mouseMove(canvas, end)
    if release:
        qtbot.mouseRelease(canvas, LEFT, NONE, end)


def draw(qtbot: QtBot, window: MainWindow, box: Box) -> None:
    qtbot.keyClick(window, Key.Key_D)
    assert window.canvas.is_drawing
    drag(qtbot, window, at(window, box.x0, box.y0), at(window, box.x1, box.y1))
    assert not window.canvas.is_drawing


def zoom(qtbot: QtBot, window: MainWindow, steps: int) -> None:
    for _ in range(steps):
        qtbot.keyClick(window.canvas, Key.Key_Plus)
    assert window.canvas.viewport_state.fitted == (steps == 0)


DRAWN = Box(14, 10, 26, 20)


@pytest.mark.parametrize("steps", [0, 2, 3])
def test_a_box_is_drawn_moved_and_deleted_with_the_mouse(
    filled: MainWindow, qtbot: QtBot, steps: int
) -> None:
    zoom(qtbot, filled, steps)
    draw(qtbot, filled, DRAWN)
    assert sides(filled) == [DRAWN]
    assert on_disk(filled) == Kept((BoxRecord(DRAWN, source=Source.EDITED),), edited=True)
    assert filled.canvas.selected_box == 0
    drag(qtbot, filled, at(filled, 20, 15), at(filled, 22, 12))
    assert sides(filled) == [Box(16, 7, 28, 17)]
    assert "16, 7 – 28, 17" in filled.strip.box.text()
    drag(qtbot, filled, at(filled, 20, 12), at(filled, 20, 12) + QPoint(3000, 3000))
    assert sides(filled) == [Box(28, 20, 40, 30)], "it stops at the edges and keeps its size"
    qtbot.keyClick(filled.canvas, Key.Key_Delete)
    assert sides(filled) == []
    assert on_disk(filled).edited


@pytest.mark.parametrize("steps", [0, 2])
@pytest.mark.parametrize("handle", HANDLES)
def test_each_handle_moves_its_own_sides(
    filled: MainWindow, qtbot: QtBot, steps: int, handle: tuple[int, int]
) -> None:
    zoom(qtbot, filled, steps)
    draw(qtbot, filled, DRAWN)
    view = filled.canvas.viewport_state
    middle = handle_points(view.to_widget(DRAWN))[handle].toPoint()
    by = QPoint(round(2 * view.scale), round(-3 * view.scale))
    drag(qtbot, filled, middle, middle + by)
    x0, y0, x1, y1 = DRAWN.x0, DRAWN.y0, DRAWN.x1, DRAWN.y1
    x, y = handle
    expected = Box(x0 + 2 * (x < 0), y0 - 3 * (y < 0), x1 + 2 * (x > 0), y1 - 3 * (y > 0))
    assert sides(filled) == [expected]


def test_handles_are_as_large_at_every_zoom_and_a_tiny_box_can_be_taken_by_each(
    filled: MainWindow, qtbot: QtBot
) -> None:
    filled.canvas.actual_size()
    filled.workbench.editing.draw(Box(18, 13, 22, 17))
    qtbot.keyClick(filled.canvas, Key.Key_Tab)
    rect = filled.canvas.viewport_state.to_widget(Box(18, 13, 22, 17))
    points = handle_points(rect)
    for one in HANDLES:
        others = [points[other] for other in HANDLES if other != one]
        distances = [max(abs(o.x() - points[one].x()), abs(o.y() - points[one].y())) for o in others]
        assert min(distances) >= 14, "no two handles lie on each other"
    corner = points[1, 1].toPoint()
    assert filled.canvas.viewport_state.scale == pytest.approx(1.2), "as small as it gets"
    drag(qtbot, filled, corner, corner + QPoint(12, 6))
    assert sides(filled) == [Box(18, 13, 32, 22)]


def test_a_click_makes_no_box_and_moves_none(filled: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(filled, Key.Key_D)
    qtbot.mouseClick(filled.canvas, LEFT, NONE, at(filled, 10, 10))
    assert sides(filled) == []
    assert not on_disk(filled).edited
    assert filled.canvas.is_drawing, "a slip of the hand is no end of it"
    drag(qtbot, filled, at(filled, 10, 10), at(filled, 20, 20))
    qtbot.mouseClick(filled.canvas, LEFT, NONE, at(filled, 15, 15))
    drag(qtbot, filled, at(filled, 15, 15), at(filled, 15, 15) + QPoint(2, 2))
    assert sides(filled) == [Box(10, 10, 20, 20)]
    assert filled.workbench.editing.undo_text == "Draw a box"


def test_a_drag_beyond_the_image_is_cut_at_its_edge(filled: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(filled, Key.Key_D)
    drag(qtbot, filled, at(filled, 30, 20), at(filled, 30, 20) + QPoint(2000, 2000))
    assert sides(filled) == [Box(30, 20, 40, 30)]


def test_escape_gives_up_a_drag_then_the_selection(filled: MainWindow, qtbot: QtBot) -> None:
    draw(qtbot, filled, DRAWN)
    drag(qtbot, filled, at(filled, 20, 15), at(filled, 5, 5), release=False)
    assert filled.canvas.boxes[0].box == Box(0, 0, 12, 10)
    assert filled.strip.box.text() == "12 × 10 px"
    qtbot.keyClick(filled.canvas, Key.Key_Escape)
    qtbot.mouseRelease(filled.canvas, LEFT, NONE, at(filled, 5, 5))
    assert sides(filled) == [DRAWN]
    assert filled.canvas.selected_box == 0
    qtbot.keyClick(filled.canvas, Key.Key_Escape)
    assert filled.canvas.selected_box is None
    qtbot.keyClick(filled, Key.Key_D)
    qtbot.keyClick(filled.canvas, Key.Key_Escape)
    assert not filled.canvas.is_drawing


def test_keys_alone_draw_move_resize_choose_and_delete(filled: MainWindow, qtbot: QtBot) -> None:
    canvas = filled.canvas
    qtbot.keyClick(filled, Key.Key_D)
    qtbot.keyClick(canvas, Key.Key_Return)
    assert sides(filled) == [Box(10, 8, 30, 22)]
    qtbot.keyClick(canvas, Key.Key_Right)
    qtbot.keyClick(canvas, Key.Key_Up)
    assert sides(filled) == [Box(11, 7, 31, 21)]
    qtbot.keyClick(canvas, Key.Key_Left, SHIFT)
    assert sides(filled) == [Box(1, 7, 21, 21)]
    qtbot.keyClick(canvas, Key.Key_Left, SHIFT)
    assert sides(filled) == [Box(0, 7, 20, 21)], "it stops at the edge"
    qtbot.keyClick(canvas, Key.Key_Down, CONTROL)
    qtbot.keyClick(canvas, Key.Key_Left, CONTROL)
    assert sides(filled) == [Box(0, 7, 19, 22)]
    assert filled.session.record.name == "image 1.png"
    qtbot.keyClick(filled, Key.Key_D)
    qtbot.keyClick(canvas, Key.Key_Return)
    assert canvas.selected_box == 1
    qtbot.keyClick(canvas, Key.Key_Tab)
    assert canvas.selected_box == 0
    qtbot.keyClick(canvas, Key.Key_Tab, SHIFT)
    assert canvas.selected_box == 1
    qtbot.keyClick(canvas, Key.Key_Tab)
    assert "Box 1 of 2" in canvas.accessibleDescription()
    qtbot.keyClick(canvas, Key.Key_Backspace)
    assert sides(filled) == [Box(10, 8, 30, 22)]
    qtbot.keyClick(canvas, Key.Key_Escape)
    qtbot.keyClick(canvas, Key.Key_Right)
    assert filled.session.record.name == "image 2.png", "without a box the arrows go from image to image"


def test_many_nudges_in_a_row_are_taken_back_by_one_undo(filled: MainWindow, qtbot: QtBot) -> None:
    draw(qtbot, filled, DRAWN)
    for _ in range(5):
        qtbot.keyClick(filled.canvas, Key.Key_Right)
    assert sides(filled) == [Box(19, 10, 31, 20)]
    qtbot.keyClick(filled, Key.Key_Z, CONTROL)
    assert sides(filled) == [DRAWN]
    qtbot.keyClick(filled, Key.Key_Y, CONTROL)
    assert sides(filled) == [Box(19, 10, 31, 20)]


def test_a_box_gets_a_class_and_the_next_one_too(filled: MainWindow, qtbot: QtBot) -> None:
    draw(qtbot, filled, DRAWN)
    chooser = filled.box_editing.chooser
    qtbot.keyClick(filled, Key.Key_C)
    assert chooser.isVisible()
    qtbot.keyClicks(chooser.edit, "raccoon")
    qtbot.keyClick(chooser.edit, Key.Key_Return)
    assert not chooser.isVisible()
    draw(qtbot, filled, Box(2, 2, 8, 8))
    assert [record.label for record in on_disk(filled).boxes] == ["raccoon", "raccoon"]
    qtbot.keyClick(filled, Key.Key_C)
    assert [chooser.list.item(i).text() for i in range(chooser.list.count())] == ["raccoon", "object"]
    qtbot.keyClick(chooser.edit, Key.Key_Down)
    qtbot.keyClick(chooser.edit, Key.Key_Return)
    assert [record.label for record in on_disk(filled).boxes] == ["raccoon", "object"]
    qtbot.keyClick(filled, Key.Key_Z, CONTROL)
    assert [record.label for record in on_disk(filled).boxes] == ["raccoon", "raccoon"]
    qtbot.keyClick(filled, Key.Key_C)
    qtbot.keyClick(chooser.edit, Key.Key_Escape)
    assert not chooser.isVisible()


def test_undo_and_redo_go_to_the_image_they_change(filled: MainWindow, qtbot: QtBot) -> None:
    draw(qtbot, filled, DRAWN)
    qtbot.keyClick(filled.canvas, Key.Key_Escape)
    qtbot.keyClick(filled, Key.Key_Right)
    draw(qtbot, filled, Box(2, 2, 8, 8))
    qtbot.keyClick(filled, Key.Key_X)
    assert filled.session.project.image(2).status is Status.REJECTED
    assert filled.session.current == 3
    assert filled.actions_["undo"].text() == "&Undo: Reject"
    qtbot.keyClick(filled, Key.Key_Z, CONTROL)
    assert filled.session.current == 2
    assert filled.session.project.image(2).status is Status.UNSEEN
    qtbot.keyClick(filled, Key.Key_Z, CONTROL)
    assert on_disk(filled, 2) == Kept()
    qtbot.keyClick(filled, Key.Key_Z, CONTROL)
    assert filled.session.current == 1
    assert on_disk(filled, 1) == Kept()
    assert not filled.actions_["undo"].isEnabled()
    for _ in range(3):
        qtbot.keyClick(filled, Key.Key_Z, CONTROL | SHIFT)
    assert on_disk(filled, 1).boxes[0].box == DRAWN
    assert on_disk(filled, 2).boxes[0].box == Box(2, 2, 8, 8)
    assert filled.session.project.image(2).status is Status.REJECTED
    assert not filled.actions_["redo"].isEnabled()


def test_accept_goes_on_to_the_next_unseen_image(filled: MainWindow, qtbot: QtBot) -> None:
    filled.workbench.review.set_statuses([2, 3], Status.REJECTED)
    qtbot.keyClick(filled, Key.Key_A)
    assert filled.session.current == 4
    assert filled.session.project.image(1).status is Status.NO_OBJECT, "it has no box"


def test_a_change_of_many_statuses_is_one_undo(filled: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(filled, Key.Key_X)
    qtbot.keyClick(filled, Key.Key_A, CONTROL)
    qtbot.keyClick(filled, Key.Key_A)
    project = filled.session.project
    assert {image.status for image in project.images()} == {Status.NO_OBJECT}, "none has a box"
    qtbot.keyClick(filled, Key.Key_Z, CONTROL)
    statuses = [image.status for image in project.images()]
    assert statuses == [Status.REJECTED] + [Status.UNSEEN] * 11
    assert [filled.session.images.record(i + 1).status for i in range(12)] == statuses


def test_a_slider_drag_is_one_undo_and_keys_a_while_later_are_another(
    found: MainWindow, qtbot: QtBot
) -> None:
    session, slider = found.session, found.bar.threshold_slider
    first = session.threshold
    slider.setSliderDown(True)
    for value in (-30, -40, -50):
        slider.setValue(value)
    slider.setSliderDown(False)
    dragged = session.threshold
    assert dragged != first
    with Project.open(session.project.path) as other:
        assert other.load_view().threshold == dragged
    slider.setFocus()
    qtbot.keyClick(slider, Key.Key_Down)
    qtbot.keyClick(slider, Key.Key_Down)
    assert session.threshold > dragged
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert session.threshold == dragged
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert session.threshold == first
    with Project.open(session.project.path) as other:
        assert other.load_view().threshold is None
    qtbot.keyClick(found, Key.Key_Y, CONTROL)
    assert session.threshold == dragged


def test_the_selected_images_get_this_threshold_by_one_command(found: MainWindow, qtbot: QtBot) -> None:
    found.workbench.browsing.set_threshold(0.6)
    qtbot.keyClick(found.images.list, Key.Key_Down, SHIFT)
    qtbot.keyClick(found.images.list, Key.Key_Down, SHIFT)
    assert set(found.session.selection) == {1, 2, 3}
    qtbot.waitUntil(lambda: found.session.heat_map is not None, timeout=LONG)
    qtbot.waitUntil(lambda: not found.workbench.pump.busy, timeout=LONG)
    with qtbot.waitSignal(found.workbench.deciding.decided, timeout=LONG):
        qtbot.keyClick(found, Key.Key_T, CONTROL)
    assert dict(found.session.view.thresholds) == {1: 0.6, 2: 0.6, 3: 0.6}
    with qtbot.waitSignal(found.workbench.deciding.decided, timeout=LONG):
        found.workbench.browsing.first()
        found.session.select(5)
        found.workbench.browsing.set_threshold(0.2)
    assert [on_disk(found, i).boxes[0].threshold for i in (1, 2, 3, 4)] == [0.6, 0.6, 0.6, 0.2]


def test_a_later_run_leaves_edited_and_emptied_images_alone(found: MainWindow, qtbot: QtBot) -> None:
    automatic = find_box(CORNER, width=WIDTH, height=HEIGHT)
    assert sides(found) == [automatic.box]
    qtbot.keyClick(found.canvas, Key.Key_Tab)
    qtbot.keyClick(found.canvas, Key.Key_Right)
    moved = sides(found)
    assert moved != [automatic.box]
    assert on_disk(found).boxes[0].score is None
    qtbot.keyClick(found.canvas, Key.Key_Escape)
    qtbot.keyClick(found, Key.Key_N)
    qtbot.waitUntil(lambda: bool(found.canvas.boxes), timeout=LONG)
    qtbot.keyClick(found, Key.Key_Delete, CONTROL)
    assert sides(found) == []
    found.session.project.set_auto_boxes({4: []})
    give_heat_maps(qtbot, found, step=2)
    found.workbench.browsing.set_threshold(0.7)
    qtbot.waitUntil(lambda: on_disk(found, 3).boxes[0].threshold == 0.7, timeout=LONG)
    assert [record.box for record in on_disk(found, 1).boxes] == moved
    assert on_disk(found, 2) == Kept((), edited=True)
    assert found.canvas.boxes == ()


def test_a_person_may_give_an_images_boxes_up_for_automatic_ones(found: MainWindow, qtbot: QtBot) -> None:
    action = found.actions_["automatic"]
    assert action.text().replace("&", "") == "Restore automatic boxes"
    assert not action.isEnabled()
    draw(qtbot, found, Box(30, 20, 38, 28))
    assert sides(found) == [Box(30, 20, 38, 28)]
    qtbot.keyClick(found, Key.Key_B, CONTROL | SHIFT)
    automatic = find_box(CORNER, width=WIDTH, height=HEIGHT)
    assert on_disk(found) == Kept((automatic,), edited=False)
    assert not action.isEnabled()
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert sides(found) == [Box(30, 20, 38, 28)]
    assert on_disk(found).edited


def test_edits_are_there_when_the_project_opens_again(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    first.session.select(7)
    qtbot.waitUntil(lambda: first.session.picture is not None, timeout=LONG)
    draw(qtbot, first, DRAWN)
    path = first.session.project.path
    close(qtbot, first)
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.picture is not None and bool(window.session.boxes), timeout=LONG)
    assert window.session.current == 7
    assert sides(window) == [DRAWN]
    assert not window.actions_["undo"].isEnabled()


def test_the_menu_at_a_box_is_about_that_box(filled: MainWindow, qtbot: QtBot) -> None:
    draw(qtbot, filled, DRAWN)
    qtbot.keyClick(filled.canvas, Key.Key_Escape)
    assert not filled.actions_["delete_box"].isEnabled()
    filled.canvas.menu_asked.emit(filled.canvas.mapToGlobal(at(filled, 20, 15)))
    menu = QApplication.activePopupWidget()
    assert menu is filled.box_editing.menu
    menu.close()


def test_a_second_window_on_the_same_project_is_told(filled: MainWindow, qtbot: QtBot) -> None:
    path = filled.session.project.path
    second = MainWindow()
    second.show()
    second.open_paths([path])
    qtbot.waitUntil(lambda: second.findChild(ErrorDialog) is not None, timeout=LONG)
    told = second.findChild(ErrorDialog)
    assert "is open in another window" in told.sentence.text()
    told.close()
    assert second.session.project is None
    filled.activateWindow()
    qtbot.waitUntil(filled.isActiveWindow)
    draw(qtbot, filled, DRAWN)
    assert sides(filled) == [DRAWN]
    filled.workbench.new_project()
    second.open_paths([path])
    qtbot.waitUntil(lambda: second.session.project is not None and bool(second.session.boxes), timeout=LONG)
    assert sides(second) == [DRAWN]
    close(qtbot, second)
    filled.open_paths([path])
    qtbot.waitUntil(lambda: filled.session.project is not None, timeout=LONG)
    assert list(path.parent.glob("*.lock")) == [path.with_name(f"{path.name}.lock")]


def test_an_edit_that_cannot_be_saved_is_told_and_shown_nowhere(
    filled: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise ProjectError("The disk is full: the last change could not be saved.")

    draw(qtbot, filled, DRAWN)
    with monkeypatch.context() as patch:
        patch.setattr(Project, "set_kept", full)
        drag(qtbot, filled, at(filled, 20, 15), at(filled, 5, 5))
        qtbot.waitUntil(lambda: filled.findChild(ErrorDialog) is not None, timeout=LONG)
        told = filled.findChild(ErrorDialog)
        assert "The disk is full" in told.sentence.text()
        told.close()
        filled.workbench.editing.undo()
    assert sides(filled) == [DRAWN]
    assert filled.workbench.editing.undo_text == "Draw a box"
    qtbot.waitUntil(lambda: len(filled.findChildren(ErrorDialog)) > 0, timeout=LONG)
    filled.workbench.editing.undo()
    assert sides(filled) == []
