"""A small list of class names that pops up at a box: type a few letters, or a new name, and press Return."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QWidget

from app import style
from app.views.controls import named, plain_label
from app.views.dialog import Popup
from app.views.layouts import vbox
from core.base.language import tr

_ROWS = 8


class ClassChooser(Popup):
    """Opened by :meth:`ask`; it deletes nothing and keeps nothing."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: tuple[str, ...] = ()
        self.edit = QLineEdit()
        self.edit.setPlaceholderText(tr("Class name"))
        named(self.edit, tr("Class name"), tr("Class of the box. Press Return to apply it."))
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Class names in this project"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        parts = self.edit, self.list, plain_label(tr("Return applies, Esc cancels"), "muted")
        vbox(*parts, on=self, margins=style.SPACING, spacing=style.GAP)
        self.edit.textEdited.connect(self._filter)
        self.edit.returnPressed.connect(self._choose)
        self.edit.installEventFilter(self)
        self.list.itemClicked.connect(lambda item: self._take(item.text()))

    def ask(self, names: Sequence[str], now: str, at: QPoint) -> None:
        """Show ``names`` at a point of the screen, with ``now`` written in the line and selected."""
        self._names = tuple(names)
        self.edit.setText(now)
        self._fill(self._names, now)
        self.show_at(at)
        self.edit.setFocus()
        self.edit.selectAll()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down walk through the list while the line keeps the focus."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None and self.list.count():
                row = (self.list.currentRow() + step) % self.list.count()
                self.list.setCurrentRow(row)
                self.edit.setText(self.list.item(row).text())
                return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        needle = text.casefold().strip()
        self._fill([name for name in self._names if needle in name.casefold()], text)

    def _fill(self, names: Sequence[str], now: str) -> None:
        self.list.clear()
        self.list.addItems(list(names))
        self.list.setCurrentRow(list(names).index(now) if now in names else -1)
        height = self.list.sizeHintForRow(0) if names else self.fontMetrics().height()
        self.list.setFixedHeight(_ROWS * max(height, self.fontMetrics().height()) + 2 * style.GAP)

    def _choose(self) -> None:
        """What is written counts; where it is only the beginning of one name in the list, that name."""
        text = self.edit.text().strip()
        if text and text not in self._names and self.list.count() == 1:
            only = self.list.item(0).text()
            text = only if only.casefold().startswith(text.casefold()) and only != text else text
        self._take(text)

    def _take(self, name: str) -> None:
        self.hide()
        if name:
            self.chosen.emit(name)
