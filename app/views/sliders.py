"""Sliders that jump to where they are pressed."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QSignalBlocker, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider

from app import style
from app.views.controls import named


class JumpSlider(QSlider):
    """A horizontal slider whose handle jumps to where the groove is pressed."""

    def __init__(self, low: int, high: int, *, page: int, name: str, tip: str, least: int = 0) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(low, high)
        self.setPageStep(page)
        self.setMinimumWidth(least)
        named(self, name, tip)

    def span(self) -> tuple[int, int]:
        """Where the middle of the handle is at the lowest and at the highest value, in its pixels."""
        half = self._handle().width() // 2
        return half, self.width() - half

    def _handle(self) -> QRect:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        return self.style().subControlRect(
            QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle, self
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            handle = self._handle()
            if not handle.contains(event.position().toPoint()):
                room = self.width() - handle.width()
                at = round(event.position().x() - handle.width() / 2)
                self.setValue(QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), at, room))
        super().mousePressEvent(event)


class MiddleSlider(JumpSlider):
    """A slider with a mark at 0, where it stands until somebody moves it."""

    def __init__(self, *, page: int, name: str, tip: str, least: int = 0) -> None:
        super().__init__(-1, 1, page=page, name=name, tip=tip, least=least)
        self.setSingleStep(3)

    def set_range(self, low: int, high: int) -> None:
        """From ``low`` to ``high``, without a word of a value that moves with it."""
        with QSignalBlocker(self):
            self.setRange(low, high)

    def paintEvent(self, event: QPaintEvent) -> None:
        left, right = self.span()
        at = left + (right - left) * -self.minimum() / max(self.maximum() - self.minimum(), 1)
        painter = QPainter(self)
        painter.setPen(QPen(QColor(style.colours().faint), 2))
        painter.drawLine(QPointF(at, 1), QPointF(at, self.height() - 1))
        painter.end()
        super().paintEvent(event)
