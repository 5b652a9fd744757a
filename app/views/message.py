"""Messages to the person: an error with its details, and what an export did. None of them blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QWidget

from app import style
from app.views.controls import plain_label, push_button
from app.views.layouts import hbox, vbox
from core.base.language import tr

_SIGN = 32
_TEXT_WIDTH = 380


class MessageDialog(QDialog):
    """A sign, one sentence, maybe lines and details, and buttons."""

    def __init__(self, parent: QWidget | None, sign: str, colour: str, sentence: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(QGuiApplication.applicationDisplayName() or "Boxscout")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.sentence = plain_label(sentence, wrap=True, selectable=True)
        self.sentence.setMinimumWidth(_TEXT_WIDTH)
        picture = QLabel()
        picture.setPixmap(style.icon(sign, colour).pixmap(QSize(_SIGN, _SIGN), self.devicePixelRatioF()))
        self.text_column = vbox(self.sentence, spacing=style.SPACING)
        top = hbox((picture, 0, Qt.AlignmentFlag.AlignTop), (self.text_column, 1), spacing=style.MARGIN)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(style.SPACING)
        self.column = vbox(top, self.buttons, on=self, margins=2 * style.MARGIN, spacing=16)

    def add_button(self, text: str, slot: Callable[[], object], *, main: bool = False) -> QPushButton:
        """A button at the end of the row; the ``main`` one is pressed by Return."""
        button = push_button(text, slot, role="primary" if main else "")
        button.setAutoDefault(main)
        button.setDefault(main)
        self.buttons.addWidget(button)
        if main:
            button.setFocus()
        return button


def ask(parent: QWidget | None, question: str, answer: str, agreed: Callable[[], None]) -> None:
    """Ask before what cannot be taken back; ``agreed`` is called where the person answers ``answer``."""
    dialog = MessageDialog(parent, "warning", style.colours().warning, question)
    dialog.buttons.addStretch(1)
    dialog.add_button(answer, dialog.accept)
    dialog.add_button(tr("Cancel"), dialog.close, main=True)
    dialog.accepted.connect(agreed)
    dialog.open()


class ErrorDialog(MessageDialog):
    """A sentence, with details that are first hidden and can be copied."""

    def __init__(self, parent: QWidget | None, sentence: str, details: str) -> None:
        super().__init__(parent, "error", style.colours().error, sentence)
        self.details = QPlainTextEdit(details)
        self.details.setReadOnly(True)
        self.details.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setMinimumSize(QSize(_TEXT_WIDTH + 160, 200))
        self.details.setAccessibleName(tr("Details"))
        self.details.hide()
        self.column.insertWidget(1, self.details, 1)
        self.details_button = self.add_button(tr("Show details"), self._toggle_details)
        self.copy_button = self.add_button(tr("Copy details"), self.copy_details)
        style.set_icon(self.copy_button, "copy")
        self.buttons.addStretch(1)
        self.close_button = self.add_button(tr("Close"), self.close, main=True)
        self._show_details_buttons()

    def add_details(self, sentence: str, details: str) -> None:
        known = self.details.toPlainText()
        self.details.setPlainText(
            "\n\n".join(part for part in (known, f"{sentence}\n{details}".strip()) if part)
        )
        self._show_details_buttons()

    def copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.sentence.text()}\n\n{self.details.toPlainText()}".strip())

    def _show_details_buttons(self) -> None:
        some = bool(self.details.toPlainText())
        self.details_button.setVisible(some)
        self.copy_button.setVisible(some)

    def _toggle_details(self) -> None:
        show = self.details.isHidden()
        self.details.setVisible(show)
        self.details_button.setText(tr("Hide details") if show else tr("Show details"))
        self.adjustSize()


class DoneDialog(MessageDialog):
    """What an export or import did, and where; with ``show`` a button offers to see it in its folder."""

    def __init__(
        self,
        parent: QWidget | None,
        sentence: str,
        lines: Sequence[str],
        path: Path,
        show: Callable[[Path], object] | None = None,
    ) -> None:
        super().__init__(parent, "done", style.colours().good, sentence)
        style.mark(self.sentence, "title")
        self.lines = plain_label("\n".join(lines), wrap=True, selectable=True)
        self.lines.setVisible(bool(lines))
        self.where = plain_label(str(path), "muted", wrap=True, selectable=True)
        for label in (self.lines, self.where):
            self.text_column.addWidget(label)
        self.buttons.addStretch(1)
        if show is not None:
            self.show_button = self.add_button(tr("Show in folder"), lambda: show(path))
            style.set_icon(self.show_button, "folder")
        self.close_button = self.add_button(tr("Close"), self.close, main=True)


def show_error(parent: QWidget | None, sentence: str, details: str = "") -> ErrorDialog:
    """Show ``sentence`` without blocking; while one is open, the next ones go into its details."""
    for old in parent.findChildren(ErrorDialog) if parent else ():
        if old.isVisible():
            if (sentence, details) != (old.sentence.text(), old.details.toPlainText()):
                old.add_details(sentence, details)
            return old
    dialog = ErrorDialog(parent, sentence, details)
    dialog.open()
    return dialog
