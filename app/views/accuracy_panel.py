"""How the boxes stand against the truth, beside the boxes that cost nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import style
from app.views.controls import plain_label, push_button, there
from app.views.layouts import STRETCH, hbox, vbox
from core.base.language import tr

_ROW = 21
_AXIS = 20
_DOT = 4.5
_TICKS = (0, 25, 50, 75, 100)


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
        self.setAccessibleDescription(
            "; ".join(
                spoken.format(name=row.name, value=row.value, interval=row.interval, count=row.count)
                for row in rows
            )
        )
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(560, _ROW * max(len(self._rows), 1) + _AXIS)

    def minimumSizeHint(self) -> QSize:
        return QSize(380, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._rows:
            return
        widths = [self._widest(row.name for row in self._rows)]
        widths += [self._widest(getattr(row, part) for row in self._rows) for part in _COLUMNS]
        left = widths[0] + style.MARGIN
        right = self.width() - sum(widths[1:]) - len(_COLUMNS) * style.MARGIN
        self._paint_axis(painter, left, right)
        for i, row in enumerate(self._rows):
            self._paint_row(painter, QRect(0, i * _ROW, self.width(), _ROW), row, left, right, widths)

    def _widest(self, texts: Iterable[str]) -> int:
        bold = self.font()
        bold.setBold(True)
        metrics = QFontMetrics(bold)
        return max(metrics.horizontalAdvance(text) for text in texts)

    def _paint_axis(self, painter: QPainter, left: int, right: int) -> None:
        colours, bottom = style.colours(), _ROW * len(self._rows)
        wide = right - left >= len(_TICKS) * self.fontMetrics().horizontalAdvance("100 %  ")
        for tick in _TICKS if wide else _TICKS[::2]:
            x = left + (right - left) * tick / 100
            painter.setPen(QPen(QColor(colours.border), 1))
            painter.drawLine(QPointF(x, 0), QPointF(x, bottom))
            painter.setPen(QColor(colours.muted))
            text = tr("{number} %").format(number=tick)
            flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            painter.drawText(QRectF(x - 30, bottom, 60, _AXIS), flags, text)

    def _paint_row(
        self, painter: QPainter, room: QRect, row: AccuracyRow, left: int, right: int, widths: Sequence[int]
    ) -> None:
        colours = style.colours()
        text, mark = QColor(colours.text), QColor(colours.accent if row.is_own else colours.muted)
        font = painter.font()
        font.setBold(row.is_own)
        painter.setFont(font)
        painter.setPen(text if row.is_own else QColor(colours.muted))
        painter.drawText(room, _LEFT, row.name)
        middle, scale = room.center().y() + 0.5, right - left
        painter.setPen(QPen(mark, 3 if row.is_own else 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(QPointF(left + scale * row.low, middle), QPointF(left + scale * row.high, middle))
        painter.setPen(QPen(QColor(colours.window), 1.5))
        painter.setBrush(mark)
        painter.drawEllipse(QPointF(left + scale * row.accuracy, middle), _DOT, _DOT)
        painter.setPen(text if row.is_own else QColor(colours.muted))
        end = self.width()
        for part, width in reversed(list(zip(_COLUMNS, widths[1:], strict=True))):
            painter.drawText(QRect(end - width, room.top(), width, _ROW), _RIGHT, getattr(row, part))
            end -= width + style.MARGIN


_COLUMNS = ("value", "interval", "count")
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
        self.rows = IntervalRows()
        self.reading, self.facts = (
            plain_label(role=role, wrap=True, selectable=True) for role in ("", "muted")
        )
        tip = tr("Sort images by IoU: those without a box first, then the lowest.")
        self.worst_button = push_button(tr("Worst first"), self.worst_first_requested.emit, tip=tip)
        self.remove_button = push_button(tr("Remove ground truth"), self.remove_requested.emit)
        self._lay_out()
        self.set_state(AccuracyPanelState())

    def set_state(self, state: AccuracyPanelState) -> None:
        self.setWindowTitle(state.title)
        self.nothing.setVisible(not state.rows)
        self.import_button.setVisible(not state.rows)
        self.rows.set_rows(state.rows)
        self.reading.setText(state.reading)
        self.facts.setText("\n".join(state.facts))
        for widget in (self.rows, self.reading, self.facts, self.worst_button, self.remove_button):
            widget.setVisible(bool(state.rows))
        self._keep_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._keep_height()

    def _keep_height(self) -> None:
        """A dock asks only for the height of what does not wrap."""
        layout = there(self.layout())
        layout.activate()  # else the rows within it are still those of before
        least = layout.totalMinimumSize().height()
        self.setMinimumHeight(max(least, layout.totalHeightForWidth(self.width())))

    def _lay_out(self) -> None:
        empty = hbox(self.nothing, self.import_button, STRETCH, spacing=style.MARGIN)
        left = vbox(empty, self.rows, STRETCH, spacing=style.GAP)
        buttons = hbox(self.worst_button, self.remove_button, STRETCH, spacing=style.SPACING)
        right = vbox(self.reading, self.facts, STRETCH, buttons, spacing=style.SPACING)
        hbox(
            (left, 3),
            (right, 2),
            on=self,
            margins=(style.MARGIN, style.GAP, style.MARGIN, style.SPACING),
            spacing=2 * style.MARGIN,
        )
