"""The signs of boxes and images: each has a shape of its own, so that its colour is never all that tells."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app import style
from app.models.marks import Mark

SIDE = 11.0  # logical pixels
_LINE = 2.0

MARK_COLOURS = {
    Mark.AUTOMATIC: style.OUTLINE_AUTOMATIC,
    Mark.EDITED: style.OUTLINE_EDITED,
    Mark.ACCEPTED: style.OUTLINE_ACCEPTED,
    Mark.EMPTY: style.OUTLINE_ACCEPTED,
    Mark.REJECTED: style.OUTLINE_REJECTED,
}
# Ends of lines, in shares of the square.
_LINES = {
    Mark.ACCEPTED: ((0.08, 0.55), (0.38, 0.85), (0.95, 0.18)),
    Mark.REJECTED: ((0.12, 0.12), (0.88, 0.88), (0.5, 0.5), (0.88, 0.12), (0.12, 0.88)),
    Mark.EMPTY: ((0.15, 0.85), (0.85, 0.15)),
    Mark.EDITED: ((0.08, 0.92), (0.2, 0.58), (0.72, 0.06), (0.94, 0.28), (0.42, 0.8), (0.08, 0.92)),
}


def draw_sign(painter: QPainter, place: QRectF, mark: Mark) -> None:
    """Draw the sign of ``mark`` into a square: ring, pencil, tick, struck ring or cross."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    width = _LINE * place.width() / SIDE
    round_ = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    painter.setPen(QPen(MARK_COLOURS[mark], width, Qt.PenStyle.SolidLine, *round_))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inside = place.adjusted(width / 2, width / 2, -width / 2, -width / 2)
    if mark in (Mark.AUTOMATIC, Mark.EMPTY):
        painter.drawEllipse(inside)
    points = [
        QPointF(inside.left() + x * inside.width(), inside.top() + y * inside.height())
        for x, y in _LINES.get(mark, ())
    ]
    if points:
        painter.drawPolyline(points)
    painter.restore()


def draw_chip(painter: QPainter, place: QRectF, mark: Mark) -> None:
    """The sign on a dark disc, to be seen on any picture."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(QColor(255, 255, 255, 70), 1))
    painter.setBrush(style.TAG_SOLID)
    painter.drawEllipse(place)
    by = place.width() * 0.24
    draw_sign(painter, place.adjusted(by, by, -by, -by), mark)
    painter.restore()
