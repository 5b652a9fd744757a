"""List, image and side panel beside each other; in a narrow window list and panel share a column."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QSplitter, QWidget

from app.views.controls import FitScroll

_NARROW = 1200
"""Pixels of width below which list and side panel are above each other."""
_LIST_SHARE, _LIST_LEAST, _LIST_MOST = 0.16, 210, 280
_SIDE_SHARE, _SIDE_LEAST, _SIDE_MOST = 0.19, 250, 340
_COLUMN, _LIST_HEIGHT = 264, 1.5
"""Of the column: its width, and how much higher the list is than the panel."""


class Panels(QSplitter):
    """Their widths go by the window's until somebody drags a handle, and are then kept."""

    def __init__(self, images: QWidget, centre: QWidget, side: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._images, self._side = images, side
        self._is_narrow = False
        self._chosen: tuple[int, int] | None = None
        self._column = QSplitter(Qt.Orientation.Vertical)
        self._scroll = FitScroll(side, bar_on_margin=True)
        # A splitter is no larger than its parts will be.
        self._scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._column.addWidget(images)
        for part in (self._column, centre, self._scroll):
            self.addWidget(part)
        for splitter in (self, self._column):
            splitter.setChildrenCollapsible(False)
        self.setStretchFactor(1, 1)
        self.splitterMoved.connect(self._note)
        for part in (images, side):
            part.installEventFilter(self)

    def state(self) -> str:
        """The widths of list and panel that somebody chose; empty where nobody did."""
        return "" if self._chosen is None else "{} {}".format(*self._chosen)

    def restore(self, state: str) -> None:
        """Show these widths as soon as there is room for three parts beside each other."""
        parts = state.split()
        if len(parts) == 2 and all(part.isdecimal() for part in parts):
            self._chosen = int(parts[0]), int(parts[1])
            self._share()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._stack(self.width() < _NARROW)
        super().resizeEvent(event)
        self._share()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._show_column()
        return super().eventFilter(watched, event)

    def _note(self) -> None:
        if not self._is_narrow:
            before, (own, _, side) = self._widths(), self.sizes()
            self._chosen = own or before[0], side or before[1]

    def _stack(self, narrow: bool) -> None:
        if narrow == self._is_narrow:
            return
        self._is_narrow = narrow
        (self._column if narrow else self).addWidget(self._scroll)
        if narrow:
            self._column.setSizes([round(self.height() * _LIST_HEIGHT), self.height()])
        self._show_column()

    def _show_column(self) -> None:
        has_side = not self._side.isHidden()
        self._scroll.setVisible(has_side)
        self._column.setVisible(not self._images.isHidden() or (self._is_narrow and has_side))

    def _share(self) -> None:
        """Give the image what list and side panel leave."""
        width = self.width()
        if self._is_narrow:
            self.setSizes([_COLUMN, width - _COLUMN])
        else:
            own, side = self._widths()
            self.setSizes([own, width - own - side, side])

    def _widths(self) -> tuple[int, int]:
        """Of list and panel, beside each other."""
        if self._chosen is not None:
            return self._chosen
        own = round(min(max(self.width() * _LIST_SHARE, _LIST_LEAST), _LIST_MOST))
        side = round(min(max(self.width() * _SIDE_SHARE, _SIDE_LEAST), _SIDE_MOST))
        return own, side
