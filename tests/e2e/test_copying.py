"""Boxes copied, pasted, duplicated, taken over from the image before, and menus: in the real window."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot
from review_support import CONTROL, LEFT, NONE, SHIFT, at, automatic, drag, on_disk, ready
from window_support import LONG

from app.main_window import MainWindow
from core.base.annotations import Source, Status
from core.base.geometry import Box

Key = Qt.Key
DRAWN = Box(28, 18, 38, 28)


def sides(window: MainWindow, image_id: int | None = None) -> list[Box]:
    return [one.box for one in on_disk(window, image_id).boxes]


def go(qtbot: QtBot, window: MainWindow, image_id: int) -> None:
    window.session.select(image_id)
    ready(qtbot, window)


def test_a_copied_box_takes_the_place_of_an_automatic_one(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_V, CONTROL)
    assert "No box was copied yet" in found.strip.text.text()
    drag(qtbot, found, DRAWN)
    qtbot.keyClick(found, Key.Key_C, CONTROL)
    go(qtbot, found, 4)
    qtbot.keyClick(found, Key.Key_V, CONTROL)
    assert sides(found, 4) == [DRAWN]
    assert on_disk(found, 4).boxes[0].source is Source.EDITED
    qtbot.keyClick(found, Key.Key_V, CONTROL)
    first, second = sides(found, 4)
    assert first == DRAWN != second, "a second one lies beside the first"
    assert (second.width, second.height) == (10, 10)
    for _ in range(2):
        qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert sides(found, 4) == [automatic()]


def test_of_an_accepted_image_a_paste_leaves_the_box(found: MainWindow, qtbot: QtBot) -> None:
    drag(qtbot, found, DRAWN)
    qtbot.keyClick(found, Key.Key_C, CONTROL)
    go(qtbot, found, 4)
    qtbot.keyClick(found, Key.Key_A)
    go(qtbot, found, 4)
    qtbot.keyClick(found, Key.Key_V, CONTROL)
    assert sides(found, 4) == [automatic(), DRAWN]


def test_a_box_is_duplicated_within_the_image(found: MainWindow, qtbot: QtBot) -> None:
    drag(qtbot, found, Box(30, 20, 40, 30))
    for _ in range(3):
        qtbot.keyClick(found, Key.Key_D, CONTROL)
    boxes = sides(found)
    assert len(set(boxes)) == 4, "no two lie on each other"
    assert all((box.width, box.height) == (10, 10) for box in boxes)
    assert all(box == box.clamped(40, 30) for box in boxes)


def test_the_boxes_of_the_image_before_are_taken_over_by_one_key(found: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(found, Key.Key_R)
    assert "no image before this one" in found.strip.text.text()
    drag(qtbot, found, DRAWN)
    drag(qtbot, found, Box(2, 20, 10, 28), keys=SHIFT)
    qtbot.keyClick(found.canvas, Key.Key_Escape)
    qtbot.keyClick(found, Key.Key_N)
    ready(qtbot, found)
    qtbot.keyClick(found, Key.Key_R)
    assert sides(found, 2) == [DRAWN, Box(2, 20, 10, 28)]
    qtbot.keyClick(found, Key.Key_Z, CONTROL)
    assert sides(found, 2) == [automatic()]


def test_in_an_image_of_another_size_a_box_lies_at_the_same_shares(
    found: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    other = tmp_path / "photos" / "image 99.png"
    Image.new("RGB", (80, 90), "white").save(other)
    found.workbench.add_paths([other])
    qtbot.waitUntil(lambda: found.session.images.total == 13, timeout=LONG)
    drag(qtbot, found, DRAWN)
    qtbot.keyClick(found, Key.Key_C, CONTROL)
    qtbot.waitUntil(lambda: not found.session.activities, timeout=LONG)
    found.session.select(13)
    qtbot.waitUntil(lambda: found.session.picture is not None and found.session.has_evidence, timeout=LONG)
    qtbot.keyClick(found, Key.Key_V, CONTROL)
    assert sides(found, 13) == [Box(56, 54, 76, 84)]


def asked_menu(widget: QWidget, place: QPoint) -> QMenu:
    """What pops up at a right click."""
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, widget.mapToGlobal(place))
    QApplication.sendEvent(widget, event)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def texts(menu: QMenu) -> list[str]:
    shown = [action.text().replace("&", "") for action in menu.actions() if not action.isSeparator()]
    menu.close()
    return shown


def test_menus_are_about_what_lies_under_the_mouse(found: MainWindow, qtbot: QtBot) -> None:
    x, y = automatic().center
    of_box = texts(asked_menu(found.canvas, at(found, x, y)))
    assert of_box[:5] == [
        "Class of the box…",
        "Class by number",
        "Copy",
        "Duplicate the box",
        "Delete the box",
    ]
    of_image = texts(asked_menu(found.canvas, at(found, 38, 28)))
    assert of_image[:3] == ["Draw a box", "Paste", "Boxes of the previous image"]
    assert found.canvas.selected_box is None
    rows = found.images.list
    index = found.session.images.index(3)
    menu = asked_menu(rows.viewport(), rows.visualRect(index).center())
    assert [action.text() for action in menu.actions()][:3] == ["&Accept", "&Reject", "N&o object"]
    menu.close()


def test_a_menus_entry_is_done_to_the_rows_that_are_selected(found: MainWindow, qtbot: QtBot) -> None:
    rows, model = found.images.list, found.session.images
    qtbot.mouseClick(rows.viewport(), LEFT, NONE, rows.visualRect(model.index(1)).center())
    qtbot.mouseClick(rows.viewport(), LEFT, SHIFT, rows.visualRect(model.index(3)).center())
    menu = asked_menu(rows.viewport(), rows.visualRect(model.index(2)).center())
    menu.actions()[1].trigger()
    menu.close()
    said = [found.session.project.image(i).status for i in (1, 2, 3, 4, 5)]
    assert said == [Status.UNSEEN, *[Status.REJECTED] * 3, Status.UNSEEN]
