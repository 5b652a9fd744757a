"""Messages never block, never read markup, and their details can be copied."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.views.message import DoneDialog, ErrorDialog, show_error


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(800, 600)
    widget.show()
    return widget


def click(qtbot: QtBot, button: QWidget) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_an_error_is_shown_with_details_to_copy(parent: QWidget, qtbot: QtBot) -> None:
    dialog = show_error(parent, "The disk is <b>full</b>.", "Traceback\n  line 1")
    assert dialog.isVisible() and dialog.sentence.text() == "The disk is <b>full</b>."
    assert all(
        label.textFormat() == Qt.TextFormat.PlainText for label in dialog.findChildren(QLabel) if label.text()
    )
    assert not dialog.details.isVisible()
    click(qtbot, dialog.details_button)
    assert dialog.details.isVisible() and dialog.details.toPlainText() == "Traceback\n  line 1"
    click(qtbot, dialog.copy_button)
    assert QGuiApplication.clipboard().text() == "The disk is <b>full</b>.\n\nTraceback\n  line 1"
    click(qtbot, dialog.close_button)
    assert not dialog.isVisible()


def test_without_details_there_is_nothing_to_show(parent: QWidget) -> None:
    dialog = show_error(parent, "There is no image here.")
    assert not dialog.details_button.isVisible() and not dialog.copy_button.isVisible()
    assert dialog.close_button.hasFocus() or dialog.close_button.isDefault()
    dialog.close()


def test_a_storm_of_errors_is_one_window(parent: QWidget) -> None:
    first = show_error(parent, "One.", "1")
    for i in range(5):
        assert show_error(parent, f"Another {i}.", str(i)) is first
    assert len([d for d in parent.findChildren(ErrorDialog) if d.isVisible()]) == 1
    assert "Another 4." in first.details.toPlainText() and "1" in first.details.toPlainText()
    first.close()
    QApplication.processEvents()
    second = show_error(parent, "Two.")
    assert second is not first
    second.close()


def test_escape_closes(parent: QWidget, qtbot: QtBot) -> None:
    dialog = show_error(parent, "One.")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_an_export_says_what_and_where(parent: QWidget, qtbot: QtBot) -> None:
    asked: list[Path] = []
    path = Path("/somewhere/boxes <1>.csv")
    dialog = DoneDialog(parent, "Exported.", ["3 images, 2 boxes.", "1 without a box."], path, asked.append)
    dialog.open()
    texts = [label.text() for label in dialog.findChildren(QLabel)]
    assert "3 images, 2 boxes.\n1 without a box." in texts and str(path) in texts
    click(qtbot, dialog.show_button)
    assert asked == [path]
    dialog.close()
