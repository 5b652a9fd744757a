"""Filter, order, selection of many and commands for them, with mouse and keys in the real window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_support import LONG, close, draw_folder, fill

from app.main_window import MainWindow
from app.views.accept_dialog import AcceptDialog
from core.base.annotations import BoxRecord, Status
from core.base.geometry import Box
from core.project.browse import Browse, Order, Show

SCORES = {1: 0.9, 2: 0.2, 3: 0.5, 4: 0.7, 5: 0.1}
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def filled(window: MainWindow, folder: Path, qtbot: QtBot) -> MainWindow:
    """The window with twelve images; the first five have a box with a score."""
    fill(qtbot, window, folder, 12)
    project = window.session.project
    project.set_sizes(dict.fromkeys(range(1, 13), (40, 30)))
    project.set_auto_boxes({i: [BoxRecord(Box(0, 0, 10, 2 * i), score=s)] for i, s in SCORES.items()})
    window.workbench.review.refresh_facts()
    images = window.session.images
    qtbot.waitUntil(lambda: images.unseen_scores()[0] == [1, 2, 3, 4, 5], timeout=LONG)
    return window


def listed(window: MainWindow) -> list[int]:
    return window.session.images.ids_in(0, window.session.images.rowCount() - 1)


def click(qtbot: QtBot, window: MainWindow, row: int, keys: Qt.KeyboardModifier) -> None:
    view = window.images.list
    where = view.visualRect(window.session.images.index(row)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, keys, pos=where)


def statuses(window: MainWindow) -> dict[int, Status]:
    """As they are on disk."""
    marked = (record for record in window.session.project.images() if record.status is not Status.UNSEEN)
    return {record.id: record.status for record in marked}


def choose(window: MainWindow, order: Order) -> None:
    box = window.images.browse_bar.order_box
    box.setCurrentIndex(box.findData(order.value))


def test_orders_put_the_list_and_the_arrow_keys_in_order(filled: MainWindow, qtbot: QtBot) -> None:
    choose(filled, Order.SCORE)
    assert listed(filled)[:5] == [5, 2, 3, 4, 1]
    qtbot.mouseClick(filled.images.browse_bar.direction, Qt.MouseButton.LeftButton)
    assert listed(filled)[:6] == [1, 4, 3, 2, 5, 6], "what has no score comes last"
    qtbot.keyClick(filled, Qt.Key.Key_Right)
    assert filled.session.current == 4
    choose(filled, Order.SIZE)
    assert listed(filled)[:6] == [5, 4, 3, 2, 1, 6]


def test_the_queue_shows_the_least_sure_unseen_image_first(filled: MainWindow, qtbot: QtBot) -> None:
    choose(filled, Order.LEAST_SURE)
    qtbot.keyClick(filled, Qt.Key.Key_Home)
    assert filled.session.current == 5
    filled.workbench.review.set_statuses([5], Status.ACCEPTED)
    assert listed(filled)[0] == 5, "nothing moves under the cursor"
    choose(filled, Order.FOUND)
    choose(filled, Order.LEAST_SURE)
    assert listed(filled)[:4] == [2, 3, 4, 1]
    assert listed(filled)[-1] == 5


@pytest.mark.parametrize(
    ("show", "wanted"),
    [
        (Show.UNSEEN, [2, 3, 4, 5, 6, 8, 9, 10, 11, 12]),
        (Show.ACCEPTED, [1]),
        (Show.REJECTED, [7]),
        (Show.NO_BOX, [6, 7, 8, 9, 10, 11, 12]),
        (Show.EDITED, []),
        (Show.MAY_BE_EMPTY, []),
        (Show.FAILED, []),
    ],
)
def test_filters(filled: MainWindow, show: Show, wanted: list[int]) -> None:
    filled.workbench.review.set_statuses([1], Status.ACCEPTED)
    filled.workbench.review.set_statuses([7], Status.REJECTED)
    box = filled.images.show_box
    box.setCurrentIndex(box.findData(show.value))
    assert listed(filled) == wanted


def test_the_choice_is_there_when_the_project_opens_again(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    qtbot.keyClicks(first.images.name_filter, "image 1")
    choose(first, Order.NAME)
    qtbot.mouseClick(first.images.browse_bar.direction, Qt.MouseButton.LeftButton)
    path = first.session.project.path
    close(qtbot, first)
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    assert window.session.view.browse == Browse(text="image 1", order=Order.NAME, descending=True)
    assert window.images.browse_bar.browse() == window.session.view.browse
    assert window.images.count.text() == "4 of 12 images"
    names = [window.session.images.record(i).name for i in listed(window)]
    assert names == ["image 12.png", "image 11.png", "image 10.png", "image 1.png"]


def test_shift_and_control_select_and_a_key_accepts_them_all(filled: MainWindow, qtbot: QtBot) -> None:
    click(qtbot, filled, 1, Qt.KeyboardModifier.NoModifier)
    click(qtbot, filled, 3, SHIFT)
    click(qtbot, filled, 5, CONTROL)
    assert set(filled.session.selection) == {2, 3, 4, 6}
    assert filled.images.selection_bar.isVisible()
    assert filled.images.selection_bar.count.text() == "4 selected"
    qtbot.keyClick(filled.images.list, Qt.Key.Key_A)
    accepted = dict.fromkeys((2, 3, 4), Status.ACCEPTED)
    assert statuses(filled) == {**accepted, 6: Status.NO_OBJECT}, "the sixth has no box"
    bar = filled.images.selection_bar
    qtbot.mouseClick(bar.buttons[Status.UNSEEN], Qt.MouseButton.LeftButton)
    assert statuses(filled) == {}


def test_all_by_keys_alone_and_back_to_one(filled: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(filled, Qt.Key.Key_A, CONTROL)
    assert len(filled.session.selection) == 12
    qtbot.keyClick(filled, Qt.Key.Key_X)
    assert statuses(filled) == dict.fromkeys(range(1, 13), Status.REJECTED)
    qtbot.keyClick(filled, Qt.Key.Key_A, CONTROL | SHIFT)
    assert filled.session.selection == (filled.session.current,)
    qtbot.keyClick(filled, Qt.Key.Key_U)
    assert len(statuses(filled)) == 11
    qtbot.keyClick(filled, Qt.Key.Key_A, CONTROL)
    qtbot.keyClick(filled, Qt.Key.Key_Right)
    assert filled.session.selection == (2,), "going on ends the selection"


def test_a_failed_image_is_neither_accepted_nor_rejected(filled: MainWindow) -> None:
    filled.session.project.set_failed({3: "broken"})
    failed = replace(filled.session.images.record(3), status=Status.FAILED, reason="broken")
    filled.session.merge_records([failed])
    assert filled.workbench.review.set_statuses(range(1, 13), Status.ACCEPTED) == 11
    assert statuses(filled)[3] is Status.FAILED


def test_accept_above_says_how_many_and_does_it_once_agreed(filled: MainWindow, qtbot: QtBot) -> None:
    texts = []

    def agree() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, AcceptDialog)
        texts.append(dialog.accept_button.text())
        dialog.spin.setValue(0.95)
        texts.append(dialog.accept_button.isEnabled())
        dialog.spin.setValue(0.7)
        texts.append(dialog.accept_button.text())
        qtbot.mouseClick(dialog.accept_button, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, agree)
    filled.actions_["accept_above"].trigger()
    assert texts == ["Accept 3 images", False, "Accept 2 images"]
    assert statuses(filled) == {1: Status.ACCEPTED, 4: Status.ACCEPTED}


def test_images_that_come_later_keep_to_the_filter(filled: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    qtbot.keyClick(filled, Qt.Key.Key_F, CONTROL)
    assert filled.images.name_filter.hasFocus()
    qtbot.keyClicks(filled.images.name_filter, "image 2")
    more = draw_folder(tmp_path / "more", 3)
    filled.workbench.add_paths([more])
    qtbot.waitUntil(lambda: filled.session.images.total == 15 and not filled.session.activities, timeout=LONG)
    assert filled.images.count.text() == "2 of 15 images"
    assert filled.images.list.rowAt(QPoint(5, 5).y()) == 0


def test_the_row_in_view_stays_whole_where_the_list_becomes_shorter(filled: MainWindow, qtbot: QtBot) -> None:
    filled.resize(1024, 640)
    view, images = filled.images.list, filled.session.images

    def is_whole(row: int) -> bool:
        return view.viewport().rect().contains(view.visualRect(images.index(row)))

    qtbot.waitUntil(lambda: 2 < view.viewport().height() // view.rowHeight(0) < 9)
    row = max(row for row in range(12) if is_whole(row))
    click(qtbot, filled, row, Qt.KeyboardModifier.NoModifier)
    tall = view.height()
    filled.actions_["show_problems"].trigger()
    qtbot.waitUntil(lambda: view.height() < tall - view.rowHeight(0))
    assert is_whole(row)
    filled.actions_["show_problems"].trigger()
    qtbot.waitUntil(lambda: view.height() == tall)

    # Who has scrolled on to other rows goes on seeing those.
    view.verticalScrollBar().setValue(0)
    filled.actions_["last"].trigger()
    view.verticalScrollBar().setValue(0)
    filled.actions_["show_problems"].trigger()
    qtbot.waitUntil(lambda: view.height() < tall - view.rowHeight(0))
    assert view.verticalScrollBar().value() == 0
