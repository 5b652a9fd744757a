"""A field that filters a list."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from app import style
from app.views.controls import named
from core.base.language import tr


class FilterEdit(QLineEdit):
    """Return and Down go on to the list, Esc clears the field and leaves it."""

    list_wanted = Signal()
    left = Signal()

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.setPlaceholderText(name)
        named(self, name, tip)
        # Qt's own clear button has an icon of another family.
        clear = self.addAction(style.icon("close"), self.ActionPosition.TrailingPosition)
        style.set_icon(clear, "close", "muted")
        clear.setText(tr("Clear"))
        clear.triggered.connect(self.clear)
        clear.setVisible(False)
        self.textChanged.connect(lambda text: clear.setVisible(bool(text)))

    def event(self, event: QEvent) -> bool:
        # Esc may be a command's key elsewhere in the window.
        if event.type() == QEvent.Type.ShortcutOverride and self._leaving(event) is not None:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        leaving = self._leaving(event)
        if leaving is None:
            super().keyPressEvent(event)
            return
        if leaving is self.left:
            self.clear()
        leaving.emit()

    def _leaving(self, event: QEvent) -> SignalInstance | None:
        if not isinstance(event, QKeyEvent) or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        if event.key() == Qt.Key.Key_Escape:
            return self.left
        on = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down)
        return self.list_wanted if on else None
