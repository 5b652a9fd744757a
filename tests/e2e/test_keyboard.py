"""Where the focus is and what keys do, in the real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QPushButton, QSpinBox, QWidget
from pytestqt.qtbot import QtBot
from window_support import LONG, fill, finish, start

from app.main_window import MainWindow
from app.models.training import Phase
from core.base.annotations import Status
from core.base.config import TrainConfig
from core.base.geometry import Box

ENDLESS = 1_000_000
CONTROL = Qt.KeyboardModifier.ControlModifier


def focus(qtbot: QtBot, widget: QWidget) -> None:
    widget.window().activateWindow()
    widget.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is widget)


def press(qtbot: QtBot, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key as it comes from the keyboard: to whatever has the focus."""
    qtbot.keyClick(QApplication.focusWidget(), key, keys)


def type_letter(qtbot: QtBot, letter: str) -> None:
    qtbot.keyClicks(QApplication.focusWidget(), letter)


def test_after_a_click_on_start_letters_go_to_the_images(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    focus(qtbot, window.train_panel.start_button)
    start(qtbot, window, tiny.with_(steps=ENDLESS))
    qtbot.waitUntil(lambda: window.session.training.phase is Phase.TRAINING, timeout=LONG)
    type_letter(qtbot, "n")
    assert window.images.name_filter.text() == ""
    assert window.session.record.name == "image 2.png"
    qtbot.mouseClick(window.train_panel.stop_button, Qt.MouseButton.LeftButton)
    finish(qtbot, window)
    type_letter(qtbot, "n")
    assert window.images.name_filter.text() == ""
    assert window.session.record.name == "image 3.png"


def test_return_and_down_go_from_the_filter_to_what_it_found(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
        focus(qtbot, window.images.list)
        press(qtbot, Qt.Key.Key_F, CONTROL)
        assert QApplication.focusWidget() is window.images.name_filter
        type_letter(qtbot, "image 1")
        press(qtbot, key)
        assert QApplication.focusWidget() is window.images.list
        assert window.images.name_filter.text() == "image 1"
    type_letter(qtbot, "n")
    assert window.session.record.name == "image 10.png"


def test_escape_clears_the_filter_and_leaves_it(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    focus(qtbot, window.images.name_filter)
    type_letter(qtbot, "12")
    assert window.images.count.text() == "1 of 12 images"
    press(qtbot, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is not window.images.name_filter
    assert window.images.count.text() == "12 images"
    type_letter(qtbot, "x")
    assert window.session.images.record(1).status is Status.REJECTED


def method(window: MainWindow) -> QWidget:
    window.train_panel.settings.set_open(True)
    found = window.train_panel.features_form.findChildren(QComboBox)
    return next(box for box in found if box.isVisible())


def number(window: MainWindow) -> QWidget:
    window.train_panel.set_config(TrainConfig(steps=50, device="cpu"))
    window.train_panel.settings.set_open(True)
    return next(box for box in window.train_panel.form.findChildren(QSpinBox) if box.isVisible())


def text(window: MainWindow) -> QWidget:
    window.images.name_filter.setText("im")
    return window.images.name_filter


@pytest.mark.parametrize("field", [method, number, text])
def test_keys_of_a_field_do_nothing_elsewhere(
    window: MainWindow, folder: Path, qtbot: QtBot, field: Callable[[MainWindow], QWidget]
) -> None:
    fill(qtbot, window, folder, 12)
    session = window.session
    session.select(5)
    window.workbench.editing.draw(Box(5, 5, 20, 20))
    qtbot.waitUntil(lambda: len(window.canvas.boxes) == 1)
    where, selected, boxes = session.current, window.images.selected_ids(), window.canvas.boxes
    focus(qtbot, field(window))
    for key, keys in (
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Backspace, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier),
        (Qt.Key.Key_A, CONTROL),
    ):
        press(qtbot, key, keys)
        assert session.current == where, key
        assert window.images.selected_ids() == selected, key
        assert window.canvas.boxes == boxes, key
    assert session.training.phase is Phase.IDLE


def test_return_presses_the_button_that_has_the_focus(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    window.train_panel.set_config(tiny)
    focus(qtbot, window.train_panel.start_button)
    press(qtbot, Qt.Key.Key_Return)
    assert window.session.training.phase is Phase.PREPARING
    finish(qtbot, window)


def test_return_opens_a_recent_project(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    path = window.session.project.path
    window.actions_["new"].trigger()
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.welcome)
    recent = [b for b in window.welcome.findChildren(QPushButton) if b.accessibleName().endswith(".boxscout")]
    focus(qtbot, recent[0])
    press(qtbot, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.project is not None, timeout=LONG)
    assert window.session.project.path == path
