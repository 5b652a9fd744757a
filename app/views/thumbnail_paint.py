"""A thumbnail in a square, with what was said of its image and how many boxes it has."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QIcon, QPainter, QPen

from app import style
from app.models.image_list import Role
from app.models.marks import mark_of_image
from app.views.mark_paint import draw_chip
from core.base.annotations import Status

_SHARE = 0.3  # of the square, that a sign takes
_LEAST, _MOST = 14.0, 24.0
_failed: dict[str, QIcon] = {}


def paint_thumbnail(painter: QPainter, frame: QRect, index: QModelIndex | QPersistentModelIndex) -> None:
    """Draw the image of a row into a square; its sign is in the lower right corner.

    Two boxes and more are counted in the upper right one.
    """
    colours = style.colours()
    thumbnail = index.data(Role.THUMBNAIL)
    pixmap, place = getattr(thumbnail, "pixmap", None), QRect(frame)
    if pixmap is None:
        painter.setPen(QPen(QColor(colours.border)))
        painter.setBrush(QColor(colours.canvas))
        painter.drawRoundedRect(frame.adjusted(0, 0, -1, -1), 3, 3)
        if thumbnail is not None:
            sign = QRect(0, 0, frame.width() // 3, frame.width() // 3)
            sign.moveCenter(frame.center())
            _failed_icon(colours.warning).paint(painter, sign)
    else:
        size = pixmap.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, max(1, size.width()), max(1, size.height()))
        place.moveCenter(frame.center())
        painter.drawPixmap(place, pixmap)
    side = min(max(_SHARE * frame.width(), _LEAST), _MOST)
    _paint_sign(painter, QRectF(frame.right() - side + 2, place.bottom() - side + 2, side, side), index)
    boxes = index.data(Role.BOXES) or 0
    if boxes > 1:
        _paint_count(painter, QPointF(frame.right() + 1, place.top()), str(boxes), side)


def _paint_sign(painter: QPainter, place: QRectF, index: QModelIndex | QPersistentModelIndex) -> None:
    status, edited = Status(index.data(Role.STATUS)), bool(index.data(Role.EDITED))
    mark = mark_of_image(status, boxes=index.data(Role.BOXES) or 0, edited=edited)
    # Not for what nobody has said anything of: of 200 signs none would be seen.
    if mark is not None and (edited or status is not Status.UNSEEN):
        draw_chip(painter, place, mark)


def _paint_count(painter: QPainter, corner: QPointF, text: str, side: float) -> None:
    font = painter.font()
    small = painter.font()
    small.setPixelSize(max(9, round(0.62 * side)))
    width = max(side, QFontMetricsF(small).horizontalAdvance(text) + 6)
    place = QRectF(corner.x() - width, corner.y(), width, side)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.TAG_BACKGROUND)
    painter.drawRoundedRect(place, 3, 3)
    painter.setFont(small)
    painter.setPen(style.TAG_TEXT)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), text)
    painter.setFont(font)


def _failed_icon(colour: str) -> QIcon:
    # Rendered from SVG: not for every thumbnail that is painted.
    if colour not in _failed:
        _failed[colour] = style.icon("warning", colour)
    return _failed[colour]
