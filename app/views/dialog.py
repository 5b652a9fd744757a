"""What dialogs and popups have in common."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFrame, QLabel, QLineEdit, QWidget

from app import style
from app.views.layouts import vbox
from core.base.language import tr


class Dialog(QDialog):
    """A dialog with Cancel and one ``main`` button at its end."""

    def __init__(self, title: str, main: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.main_button = self.buttons.addButton(main, QDialogButtonBox.ButtonRole.AcceptRole)
        style.mark(self.main_button, "primary")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def lay_out(self, *parts: Any, spacing: int = style.MARGIN) -> None:
        vbox(*parts, self.buttons, on=self, margins=2 * style.MARGIN, spacing=spacing)

    def say(self, label: QLabel, problem: str, note: str) -> None:
        """Tell in ``label`` what is in the way, else ``note``; the main button waits for the former."""
        style.mark(label, "error" if problem else "muted")
        label.setText(problem or note)
        self.main_button.setEnabled(not problem)


def path_edit(name: str, tip: str) -> QLineEdit:
    edit = QLineEdit()
    edit.setObjectName(name)
    edit.setToolTip(tip)
    return edit


def folder_classes_box() -> QCheckBox:
    """Whether the folders of images name the classes of their boxes."""
    box = QCheckBox(tr("Take classes from the names of the images' folders"))
    box.setToolTip(tr("Boxes that have a class of their own keep it."))
    return box


class Popup(QFrame):
    """A small window that a press elsewhere closes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        style.mark(self, "popup")

    def show_at(self, at: QPoint) -> None:
        """Open at a point of the screen, or as near as there is room for all of it."""
        self.adjustSize()
        room = (QGuiApplication.screenAt(at) or self.screen()).availableGeometry()
        left = min(max(at.x(), room.left()), room.right() - self.width())
        self.move(left, min(max(at.y(), room.top()), room.bottom() - self.height()))
        self.show()
