"""List, image and side panel beside each other; in a narrow window list and panel share a column."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

_NARROW = 1200
"""Pixels of width below which list and side panel are above each other."""
_LIST_SHARE, _LIST_LEAST, _LIST_MOST = 0.16, 210, 280
_SIDE_SHARE, _SIDE_LEAST, _SIDE_MOST = 0.19, 250, 340
_COLUMN = 264
_STACK = (1, 1)


class Panels(QSplitter):
    """Their widths go by the window's until somebody drags a handle, and are then kept."""

    def __init__(self, images: QWidget, centre: QWidget, side: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._images, self._centre, self._side = images, centre, side
        self._is_narrow = self._is_own = False
        self._column = QSplitter(Qt.Orientation.Vertical)
        self._column.setChildrenCollapsible(False)
        self._column.addWidget(images)
        for part in (self._column, centre, side):
            self.addWidget(part)
        self.setChildrenCollapsible(False)
        self.setStretchFactor(1, 1)
        self.splitterMoved.connect(self._note)
        for part in (images, side):
            part.installEventFilter(self)

    @property
    def is_narrow(self) -> bool:
        """Whether list and side panel share a column."""
        return self._is_narrow

    def state(self) -> QByteArray | None:
        """The widths that somebody chose; None where nobody did."""
        return self.saveState() if self._is_own and not self._is_narrow else None

    def restore(self, state: QByteArray) -> None:
        self._is_own = self.restoreState(state)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._stack(self.width() < _NARROW)
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._share()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            both = (self._images, self._side) if self._is_narrow else (self._images,)
            self._column.setVisible(not all(part.isHidden() for part in both))
        return super().eventFilter(watched, event)

    def _note(self) -> None:
        self._is_own = True

    def _stack(self, narrow: bool) -> None:
        if narrow == self._is_narrow:
            return
        self._is_narrow, hidden = narrow, self._side.isHidden()
        self._is_own = False
        if narrow:
            self._column.addWidget(self._side)
            self._column.setSizes([self.height() * part for part in _STACK])
        else:
            self.addWidget(self._side)
        self._side.setHidden(hidden)

    def _share(self) -> None:
        """Give the image what list and side panel leave."""
        if self._is_own:
            return
        width = self.width()
        if self._is_narrow:
            self.setSizes([_COLUMN, width - _COLUMN])
            return
        own = round(min(max(width * _LIST_SHARE, _LIST_LEAST), _LIST_MOST))
        side = round(min(max(width * _SIDE_SHARE, _SIDE_LEAST), _SIDE_MOST))
        self.setSizes([own, width - own - side, side])
