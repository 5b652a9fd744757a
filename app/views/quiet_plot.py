"""A plot that only shows: no menu, no buttons, no wheel."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent


class QuietPlot(pg.PlotWidget):
    """``options`` are those of pyqtgraph's plot."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(False, False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(self.Shape.NoFrame)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
