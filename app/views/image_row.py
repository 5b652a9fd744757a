"""One row of the image list: its thumbnail, its name, and what is known and was said of it."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app import style
from app.models.image_list import Role
from core.base.annotations import Status
from core.base.language import number, tr, trn
from core.boxes.overlap import CORRECT_IOU

THUMBNAIL = 56
PADDING = 6
ROW = THUMBNAIL + 2 * PADDING


class ThumbnailDelegate(QStyledItemDelegate):
    """One row: the thumbnail, the name's end and its folder, and a mark for the status."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view
        self._failed: tuple[str, QIcon] | None = None

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, ROW)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        strong = selected and self._view.currentIndex().row() == index.row()
        self._paint_background(painter, option, selected, strong)
        frame = QRect(option.rect.left() + PADDING, option.rect.top() + PADDING, THUMBNAIL, THUMBNAIL)
        self._paint_thumbnail(painter, frame, index.data(Role.THUMBNAIL))
        self._paint_text(painter, option, frame, index, strong)
        painter.restore()

    def _paint_background(
        self, painter: QPainter, option: QStyleOptionViewItem, selected: bool, strong: bool
    ) -> None:
        """The image in view in full colour; others selected besides it in a tint of it."""
        colours = style.colours()
        if selected:
            tint = QColor(colours.accent)
            tint.setAlphaF(1.0 if strong else 0.22)
            painter.fillRect(option.rect, QColor(colours.base))  # a table has painted it in full already
            painter.fillRect(option.rect, tint)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(colours.hover))

    def _paint_thumbnail(self, painter: QPainter, frame: QRect, thumbnail: object) -> None:
        colours = style.colours()
        pixmap = getattr(thumbnail, "pixmap", None)
        if pixmap is None:
            painter.setPen(QPen(QColor(colours.border)))
            painter.setBrush(QColor(colours.canvas))
            painter.drawRoundedRect(frame.adjusted(0, 0, -1, -1), 3, 3)
            if thumbnail is not None:
                side = THUMBNAIL // 3
                place = QRect(0, 0, side, side)
                place.moveCenter(frame.center())
                self._failed_icon(colours.warning).paint(painter, place)
            return
        size = pixmap.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(0, 0, max(1, size.width()), max(1, size.height()))
        place.moveCenter(frame.center())
        painter.drawPixmap(place, pixmap)

    def _failed_icon(self, colour: str) -> QIcon:
        # Rendered from SVG: not for every row that is painted.
        if self._failed is None or self._failed[0] != colour:
            self._failed = colour, style.icon("warning", colour)
        return self._failed[1]

    def _paint_text(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        frame: QRect,
        index: QModelIndex | QPersistentModelIndex,
        selected: bool,
    ) -> None:
        colours = style.colours()
        folder, _, name = str(index.data(Qt.ItemDataRole.DisplayRole)).rpartition("/")
        status = Status(index.data(Role.STATUS))  # Qt hands a str Enum on as plain text
        score = index.data(Role.SCORE)
        left = frame.right() + 1 + PADDING + 2
        text = QRect(left, frame.top(), option.rect.right() - PADDING - left, THUMBNAIL)
        metrics = QFontMetrics(option.font)
        seconds = self._second_line(status, folder, edited=bool(index.data(Role.EDITED)))
        second = seconds[0]
        overlap = index.data(Role.OVERLAP)
        boxes = index.data(Role.BOXES)
        is_below = boxes > 1 or (overlap is not None and bool(second))
        lines = 1 + bool(second or (score, overlap) != (None, None)) + is_below
        top = text.top() + (THUMBNAIL - lines * metrics.height()) // 2
        strong = QColor(colours.on_accent if selected else colours.text)
        painter.setFont(option.font)
        painter.setPen(strong)
        # The end of a name tells images apart more often than its beginning.
        elided = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(QRect(text.left(), top, text.width(), metrics.height()), _FLAGS, elided)
        last = QRect(text.left(), top + (lines - 1) * metrics.height(), text.width(), metrics.height())
        if overlap is not None:
            told = tr("IoU {overlap}").format(overlap=number(overlap, ".2f")) if boxes else tr("No box")
            painter.setPen(strong if selected else QColor(_overlap_colour(overlap, boxes)))
            painter.drawText(last, _FLAGS, told)
            last.setLeft(last.left() + metrics.horizontalAdvance(told) + PADDING)
        if boxes > 1:
            painter.setPen(strong if selected else QColor(colours.muted))
            told = trn("{count} box", "{count} boxes", boxes)
            painter.drawText(
                last, _RIGHT, metrics.elidedText(told, Qt.TextElideMode.ElideRight, last.width())
            )
        below = QRect(text.left(), top + metrics.height(), text.width(), metrics.height())
        if score is not None:
            painter.setPen(strong if selected else QColor(colours.muted))
            told = number(score, ".2f")
            painter.drawText(below, _RIGHT, told)
            below.setRight(below.right() - metrics.horizontalAdvance(told) - PADDING)
        if second:
            painter.setPen(strong if selected else QColor(_status_colour(status)))
            fits = (text for text in seconds if metrics.horizontalAdvance(text) <= below.width())
            told = next(fits, metrics.elidedText(second, Qt.TextElideMode.ElideRight, below.width()))
            painter.drawText(below, _FLAGS, told)

    def _second_line(self, status: Status, folder: str, *, edited: bool) -> tuple[str, ...]:
        """What stands below the name, and what of it where there is no room for all."""
        if status is Status.UNSEEN:
            return (tr("Edited") if edited else folder,)
        text = status_text(status)
        return (tr("{0}, edited").format(text), text) if edited else (text,)


_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
_FLAGS = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)


def _overlap_colour(overlap: float, boxes: int) -> str:
    """It says whether the box counts as right; before boxes were looked for all rows would be a warning."""
    colours = style.colours()
    if not boxes:
        return colours.muted
    return colours.good if overlap >= CORRECT_IOU else colours.warning


def status_text(status: Status) -> str:
    return {
        Status.UNSEEN: tr("Unseen"),
        Status.ACCEPTED: tr("Accepted"),
        Status.REJECTED: tr("Rejected"),
        Status.FAILED: tr("Cannot be used"),
    }[status]


def _status_colour(status: Status) -> str:
    colours = style.colours()
    return {Status.ACCEPTED: colours.good, Status.REJECTED: colours.muted, Status.FAILED: colours.error}.get(
        status, colours.muted
    )
