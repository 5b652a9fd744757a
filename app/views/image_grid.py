"""All images that the list shows, as thumbnails beside and below each other."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app import style
from app.views.thumbnail_paint import paint_thumbnail
from core.base.language import tr

SIDE = 128
_CELL = QSize(SIDE + 2 * style.SPACING, SIDE + 36)


class _Delegate(QStyledItemDelegate):
    """A thumbnail above the end of its name; selected ones on a tint, the one in view in a frame."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return _CELL

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        colours, view = style.colours(), self.parent()
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        cell = option.rect.adjusted(2, 2, -2, -2)
        is_current = isinstance(view, QAbstractItemView) and view.currentIndex() == index
        if option.state & QStyle.StateFlag.State_Selected:
            tint = QColor(colours.accent)
            tint.setAlphaF(0.3)
            painter.setBrush(tint)
            painter.setPen(QPen(QColor(colours.accent), 2) if is_current else Qt.PenStyle.NoPen)
            painter.drawRoundedRect(cell, 5, 5)
        frame = QRect(cell.left() + (cell.width() - SIDE) // 2, cell.top() + 4, SIDE, SIDE)
        paint_thumbnail(painter, frame, index)
        name = str(index.data(Qt.ItemDataRole.DisplayRole)).rpartition("/")[2]
        metrics = QFontMetrics(option.font)
        below = QRect(frame.left(), frame.bottom() + 2, SIDE, metrics.height() + 4)
        painter.setFont(option.font)
        painter.setPen(QColor(colours.text))
        told = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, SIDE)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), told)
        painter.restore()


class ImageGrid(QListView):
    """The rows of ``table``, with its selection, as a grid; rows are laid out only while it is in sight."""

    opened = Signal()
    """The image in view is to be seen in full."""
    menu_asked = Signal(object)
    """Where on the screen a menu about the selected images is wanted."""

    def __init__(self, table: QTableView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self.setObjectName("image_grid")
        self.setAccessibleName(tr("Images as a grid"))
        self.setItemDelegate(_Delegate(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setGridSize(_CELL)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask_menu)
        self.doubleClicked.connect(lambda _: self.opened.emit())

    def set_shown(self, on: bool) -> None:
        """Lay the rows out and show them, or hide them."""
        if on:
            self.setModel(self._table.model())
            self.setSelectionModel(self._table.selectionModel())
        else:
            self.setModel(None)  # a new order of 100,000 rows would be laid out for nobody
        self.setVisible(on)
        if on:
            self.scrollTo(self.currentIndex(), QAbstractItemView.ScrollHint.PositionAtCenter)
            self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def _ask_menu(self, at: QPoint) -> None:
        if self.indexAt(at).isValid():
            self.menu_asked.emit(self.viewport().mapToGlobal(at))
