"""One row of the image list: its thumbnail with what was said of it, its name, and its score."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app import style
from app.models.image_list import Role
from app.views.thumbnail_paint import paint_thumbnail
from core.base.language import number, tr
from core.boxes.overlap import CORRECT_IOU

THUMBNAIL = 44
PADDING = 4
ROW = THUMBNAIL + 2 * PADDING


class ThumbnailDelegate(QStyledItemDelegate):
    """One line a row: the thumbnail with the sign of what was said, the name's end, and a figure."""

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view

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
        paint_thumbnail(painter, frame, index)
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

    def _paint_text(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        frame: QRect,
        index: QModelIndex | QPersistentModelIndex,
        selected: bool,
    ) -> None:
        """The name, and on the right the score; where there is truth, the IoU with it instead."""
        colours, metrics = style.colours(), QFontMetrics(option.font)
        left = frame.right() + 1 + style.SPACING
        room = QRect(left, frame.top(), option.rect.right() - PADDING - left, frame.height())
        strong = QColor(colours.on_accent if selected else colours.text)
        figure, colour = _figure(index)
        painter.setFont(option.font)
        if figure:
            painter.setPen(strong if selected else QColor(colour))
            painter.drawText(room, _RIGHT, figure)
            room.setRight(room.right() - metrics.horizontalAdvance(figure) - PADDING)
        painter.setPen(strong)
        name = str(index.data(Qt.ItemDataRole.DisplayRole)).rpartition("/")[2]
        painter.drawText(room, _FLAGS, shortened(name, metrics, room.width()))


def shortened(name: str, metrics: QFontMetrics, width: int) -> str:
    """A file's name in ``width`` pixels: without its ending, then without its middle, where it is longer.

    What comes before the ending tells images apart, its last letters more often than its first ones.
    """
    stem = PurePath(name).stem
    for text in (name, stem):
        if metrics.horizontalAdvance(text) <= width:
            return text
    return metrics.elidedText(stem, Qt.TextElideMode.ElideMiddle, width)


def _figure(index: QModelIndex | QPersistentModelIndex) -> tuple[str, str]:
    """What stands on the right of a row, and its colour."""
    colours, overlap, score = style.colours(), index.data(Role.OVERLAP), index.data(Role.SCORE)
    if overlap is not None:
        boxes = index.data(Role.BOXES)
        told = tr("IoU {overlap}").format(overlap=number(overlap, ".2f")) if boxes else tr("No box")
        return told, _overlap_colour(overlap, boxes)
    return ("" if score is None else number(score, ".2f")), colours.muted


_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)
_FLAGS = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)


def _overlap_colour(overlap: float, boxes: int) -> str:
    """It says whether the box counts as right; before boxes were looked for all rows would be a warning."""
    colours = style.colours()
    if not boxes:
        return colours.muted
    return colours.good if overlap >= CORRECT_IOU else colours.warning
