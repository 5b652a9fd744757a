"""Pages to choose from by one button each, in one row where there is room."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QToolButton, QWidget

from app import style
from app.views.controls import fill_width


class Tabs(QWidget):
    """Buttons of which exactly one is on; where they are too wide together, the last has its own row."""

    changed = Signal(int)  # the index of the one that is on; only when a person changed it

    def __init__(self, *texts: str) -> None:
        super().__init__()
        self.buttons = [QToolButton(self) for _ in texts]
        self._wraps: bool | None = None
        self._group = QButtonGroup(self)
        for index, (button, text) in enumerate(zip(self.buttons, texts, strict=True)):
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            fill_width(button)
            self._group.addButton(button, index)
            self.set_text(index, text)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(0)
        self._grid.setVerticalSpacing(style.GAP)
        self.buttons[0].setChecked(True)
        self._group.idToggled.connect(lambda index, on: self.changed.emit(index) if on else None)
        self._place(wraps=False)

    def index(self) -> int:
        return self._group.checkedId()

    def set_index(self, index: int) -> None:
        """Choose one, without a word."""
        with QSignalBlocker(self):
            self.buttons[index].setChecked(True)

    def set_text(self, index: int, text: str) -> None:
        self.buttons[index].setText(text)
        self.buttons[index].setAccessibleName(text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place(wraps=sum(button.sizeHint().width() for button in self.buttons) > self.width())

    def _place(self, *, wraps: bool) -> None:
        if wraps == self._wraps:
            return
        self._wraps = wraps
        first = len(self.buttons) - wraps
        for index, button in enumerate(self.buttons):
            self._grid.removeWidget(button)
            if index < first:
                role = "left" if index == 0 else "right" if index == first - 1 else "middle"
                self._grid.addWidget(button, 0, index)
            else:
                role = "alone"
                self._grid.addWidget(button, 1, 0, 1, first)
            style.mark(button, role)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        widths = [button.sizeHint().width() for button in self.buttons]
        least = max(sum(widths[:-1]), widths[-1])
        return QSize(least, super().minimumSizeHint().height())
