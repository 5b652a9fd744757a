"""How the boxes stand against the truth, beside the boxes that cost nothing: a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import style
from app.views.controls import fill_width, plain_label, push_button
from app.views.layouts import STRETCH, vbox
from app.views.threshold_plot import ThresholdPlot
from core.base.language import tr

_DOT = 4.5
_TICKS = (0, 50, 100)


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """One method: ``accuracy`` and its interval ``low`` to ``high`` are 0..1; the rest is text."""

    name: str
    accuracy: float
    low: float
    high: float
    value: str
    interval: str
    count: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class AccuracyPanelState:
    """All that the panel shows, ready to be read; no rows: there is nothing to compare with."""

    title: str = ""
    rows: tuple[AccuracyRow, ...] = ()
    reading: str = ""
    facts: tuple[str, ...] = ()


class IntervalRows(QWidget):
    """Each method's accuracy as a point on its interval, on one axis from 0 to 100 %."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[AccuracyRow, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Accuracy and baselines"))

    def set_rows(self, rows: Sequence[AccuracyRow]) -> None:
        self._rows = tuple(rows)
        spoken = tr("{name}: {value}, interval {interval}, {count} images")
        said = [
            spoken.format(name=row.name, value=row.value, interval=row.interval, count=row.count)
            for row in rows
        ]
        self.setAccessibleDescription("; ".join(said))
        self.setToolTip("\n".join(said))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, self._row * max(len(self._rows), 1) + self._line)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    @property
    def _line(self) -> int:
        return self.fontMetrics().height() + 2

    @property
    def _row(self) -> int:
        return 2 * self._line + style.GAP

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._rows:
            return
        widest = max(self.fontMetrics().horizontalAdvance(row.interval) for row in self._rows)
        left, right = _DOT, self.width() - widest - style.MARGIN
        self._paint_axis(painter, left, right)
        for i, row in enumerate(self._rows):
            self._paint_row(painter, QRect(0, i * self._row, self.width(), self._line), row, left, right)

    def _paint_axis(self, painter: QPainter, left: float, right: float) -> None:
        colours, bottom = style.colours(), self._row * len(self._rows)
        for tick in _TICKS:
            x = left + (right - left) * tick / 100
            painter.setPen(QPen(QColor(colours.border), 1))
            for i in range(len(self._rows)):
                top = i * self._row + self._line
                painter.drawLine(QPointF(x, top), QPointF(x, top + self._line))
            painter.setPen(QColor(colours.muted))
            text = tr("{number} %").format(number=tick)
            width = self.fontMetrics().horizontalAdvance(text)
            start = min(max(x - width / 2, 0.0), right + style.MARGIN - width / 2)
            painter.drawText(QRectF(start, bottom, width + 2, self._line), _LEFT, text)

    def _paint_row(self, painter: QPainter, room: QRect, row: AccuracyRow, left: float, right: float) -> None:
        """The name and the accuracy; below them the interval, drawn and in figures."""
        colours = style.colours()
        text, mark = QColor(colours.text), QColor(colours.accent if row.is_own else colours.muted)
        font = painter.font()
        font.setBold(row.is_own)
        painter.setFont(font)
        painter.setPen(text if row.is_own else QColor(colours.muted))
        room_for_name = room.width() - painter.fontMetrics().horizontalAdvance(row.value) - style.SPACING
        name = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, room_for_name)
        painter.drawText(room, _LEFT, name)
        painter.drawText(room, _RIGHT, row.value)
        below = room.translated(0, self._line)
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(QColor(colours.muted))
        painter.drawText(below, _RIGHT, row.interval)
        middle, scale = below.center().y() + 0.5, right - left
        painter.setPen(QPen(mark, 3 if row.is_own else 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(left + scale * row.low, middle), QPointF(left + scale * row.high, middle))
        painter.setPen(QPen(QColor(colours.window), 1.5))
        painter.setBrush(mark)
        painter.drawEllipse(QPointF(left + scale * row.accuracy, middle), _DOT, _DOT)


_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class AccuracyPanel(QWidget):
    """The rows, what they say in a sentence, and what else was measured."""

    import_requested = Signal()
    worst_first_requested = Signal()
    remove_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.nothing = plain_label(tr("No ground truth yet. Import true boxes to measure accuracy."), "muted")
        self.import_button = push_button(tr("Import…"), self.import_requested.emit)
        self.nothing.setWordWrap(True)
        self.title = plain_label(role="title", wrap=True)
        self.rows, self.plot = IntervalRows(), ThresholdPlot()
        self.reading, self.facts = (
            plain_label(role=role, wrap=True, selectable=True) for role in ("", "muted")
        )
        tip = tr("Sort images by IoU: those without a box first, then the lowest.")
        self.worst_button = push_button(tr("Worst first"), self.worst_first_requested.emit, tip=tip)
        self.remove_button = push_button(tr("Remove ground truth"), self.remove_requested.emit)
        self._lay_out()
        self.set_state(AccuracyPanelState())

    def set_state(self, state: AccuracyPanelState) -> None:
        self.title.setText(state.title)
        for other in (self.nothing, self.import_button):
            other.setVisible(not state.rows)
        self.rows.set_rows(state.rows)
        self.reading.setText(state.reading)
        self.facts.setText("\n".join(state.facts))
        measured: tuple[QWidget, ...] = (self.title, self.rows, self.reading, self.facts)
        for widget in (*measured, self.worst_button, self.remove_button):
            widget.setVisible(bool(state.rows))
        self.updateGeometry()

    def _lay_out(self) -> None:
        for button in (self.worst_button, self.remove_button, self.import_button):
            fill_width(button)
        empty = vbox(self.nothing, self.import_button, spacing=style.SPACING)
        buttons = vbox(self.worst_button, self.remove_button, spacing=style.SPACING)
        parts = self.title, self.rows, self.reading, self.plot, self.facts, buttons, empty
        vbox(*parts, STRETCH, on=self, margins=(0, style.GAP, 0, 0), spacing=style.MARGIN)
