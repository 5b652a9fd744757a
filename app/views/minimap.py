"""A small copy of the whole image, with a frame around what is in sight."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from app import style
from app.views.viewport import Viewport

SIDE = 132.0  # logical pixels of the longer side
_SMALLEST = 6.0
# Not over more than this part of the canvas.
_SHARE = 0.3


def place(view: Viewport) -> QRectF | None:
    """Where the minimap lies, in the lower right corner; None while the whole image is in sight."""
    if view.shows_all:
        return None
    side = min(SIDE, _SHARE * min(view.view_width, view.view_height))
    scale = side / max(view.width, view.height)
    width, height = max(_SMALLEST, view.width * scale), max(_SMALLEST, view.height * scale)
    margin = float(style.SPACING)
    return QRectF(
        round(view.view_width - width - margin), round(view.view_height - height - margin), width, height
    )


def frame(view: Viewport, room: QRectF) -> QRectF:
    first = view.to_image(QPointF(0, 0))
    last = view.to_image(QPointF(view.view_width, view.view_height))
    across, down = room.width() / view.width, room.height() / view.height
    shown = QRectF(
        room.left() + first.x() * across,
        room.top() + first.y() * down,
        (last.x() - first.x()) * across,
        (last.y() - first.y()) * down,
    )
    return shown.intersected(room)


def looked_at(view: Viewport, room: QRectF, at: QPointF) -> Viewport:
    """The view with the point of the image in its middle that lies at ``at`` on the minimap."""
    return view.centred_on(
        QPointF(
            (at.x() - room.left()) * view.width / room.width(),
            (at.y() - room.top()) * view.height / room.height(),
        )
    )


def draw(painter: QPainter, view: Viewport, image: QImage) -> None:
    """Draw the minimap, where there is one, with ``image``, a copy of any size."""
    room = place(view)
    if room is None:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.OUTLINE_DARK)
    painter.drawRect(room.adjusted(-2, -2, 2, 2))
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
    painter.drawImage(room, image)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    shown = frame(view, room)
    for colour, width in ((style.OUTLINE_DARK, 4.0), (style.OUTLINE_LIGHT, 2.0)):
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap))
        painter.drawRect(shown)
