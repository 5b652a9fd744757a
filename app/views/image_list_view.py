"""The left panel: all images as thumbnails, with a filter by name and by status."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app import style
from app.models.image_list import ImageListModel, Role
from core.annotations import Status

THUMBNAIL = 56
PADDING = 6
ROW = THUMBNAIL + 2 * PADDING


class ThumbnailDelegate(QStyledItemDelegate):
    """One row: the thumbnail, the name's end and its folder, and a mark for the status."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._failed: tuple[str, QIcon] | None = None

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_background(painter, option, selected)
        frame = QRect(option.rect.left() + PADDING, option.rect.top() + PADDING, THUMBNAIL, THUMBNAIL)
        self._paint_thumbnail(painter, frame, index.data(Role.THUMBNAIL))
        self._paint_text(painter, option, frame, index, selected)
        painter.restore()

    def _paint_background(self, painter: QPainter, option: QStyleOptionViewItem, selected: bool) -> None:
        colours = style.colours()
        if selected:
            painter.fillRect(option.rect, QColor(colours.accent))
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
        left = frame.right() + 1 + PADDING + 2
        text = QRect(left, frame.top(), option.rect.right() - PADDING - left, THUMBNAIL)
        metrics = QFontMetrics(option.font)
        second = _status_text(self, status) if status is not Status.UNSEEN else folder
        lines = 2 if second else 1
        top = text.top() + (THUMBNAIL - lines * metrics.height()) // 2
        strong = QColor(colours.on_accent if selected else colours.text)
        painter.setFont(option.font)
        painter.setPen(strong)
        # The end of a name tells images apart more often than its beginning.
        elided = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(QRect(text.left(), top, text.width(), metrics.height()), _FLAGS, elided)
        if second:
            painter.setPen(strong if selected else QColor(_status_colour(status)))
            elided = metrics.elidedText(second, Qt.TextElideMode.ElideMiddle, text.width())
            below = QRect(text.left(), top + metrics.height(), text.width(), metrics.height())
            painter.drawText(below, _FLAGS, elided)


_FLAGS = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine)


def _status_text(owner: QWidget | QStyledItemDelegate, status: Status) -> str:
    return {
        Status.UNSEEN: owner.tr("Unseen"),
        Status.ACCEPTED: owner.tr("Accepted"),
        Status.REJECTED: owner.tr("Rejected"),
        Status.FAILED: owner.tr("Cannot be used"),
    }[status]


def _status_colour(status: Status) -> str:
    colours = style.colours()
    return {
        Status.ACCEPTED: colours.good,
        Status.REJECTED: colours.muted,
        Status.FAILED: colours.error,
    }.get(status, colours.muted)


class _List(QListView):
    """Says so where the filter leaves nothing."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        model = self.model()
        if isinstance(model, ImageListModel) and model.total and not model.rowCount():
            painter = QPainter(self.viewport())
            painter.setPen(QColor(style.colours().muted))
            room = self.viewport().rect().adjusted(style.MARGIN, style.MARGIN, -style.MARGIN, -style.MARGIN)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(room, int(flags), self.tr("No image passes this filter."))


class ImageListView(QWidget):
    """Shows an :class:`ImageListModel` and says which image the person chose."""

    chosen = Signal(int)
    """An image's id."""
    filter_changed = Signal(str, object)
    """The text, and a :class:`~core.annotations.Status` or None for all."""

    def __init__(self, model: ImageListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._current: int | None = None
        self.name_filter = self._make_name_filter()
        self.status_filter = self._make_status_filter()
        self.list = self._make_list()
        self.count = QLabel()
        self.count.setTextFormat(Qt.TextFormat.PlainText)
        style.mark(self.count, "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(style.SPACING, style.SPACING, style.SPACING, style.GAP)
        layout.setSpacing(style.GAP + 2)
        for widget in (self.name_filter, self.status_filter, self.list, self.count):
            layout.addWidget(widget)
        self.setMinimumWidth(180)
        model.count_changed.connect(self._show_count)
        model.modelReset.connect(self._show_current)
        self._show_count(model.rowCount(), model.total)

    def set_current(self, image_id: int | None) -> None:
        """Mark an image as the one in view and scroll to it."""
        self._current = image_id
        self._show_current()

    def clear_filter(self) -> None:
        self.name_filter.clear()
        self.status_filter.setCurrentIndex(0)

    def _make_name_filter(self) -> QLineEdit:
        edit = QLineEdit()
        edit.setObjectName("name_filter")
        edit.setPlaceholderText(self.tr("Filter by name"))
        edit.setAccessibleName(self.tr("Filter by name"))
        edit.setClearButtonEnabled(True)
        edit.textChanged.connect(self._tell_filter)
        return edit

    def _make_status_filter(self) -> QComboBox:
        combo = QComboBox()
        combo.setObjectName("status_filter")
        combo.setAccessibleName(self.tr("Filter by status"))
        combo.addItem(self.tr("All images"), None)
        for status in Status:
            combo.addItem(_status_text(self, status), status.value)
        combo.currentIndexChanged.connect(self._tell_filter)
        return combo

    def _make_list(self) -> QListView:
        view = _List()
        view.setObjectName("image_list")
        view.setAccessibleName(self.tr("Images"))
        view.setModel(self._model)
        view.setItemDelegate(ThumbnailDelegate(view))
        view.setUniformItemSizes(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.setMouseTracking(True)
        view.verticalScrollBar().setSingleStep(ROW // 2)
        view.selectionModel().currentChanged.connect(self._on_current_changed)
        return view

    def _tell_filter(self) -> None:
        value = self.status_filter.currentData()
        self.filter_changed.emit(self.name_filter.text(), None if value is None else Status(value))

    def _on_current_changed(self, now: QModelIndex, _: QModelIndex) -> None:
        image_id = now.data(Role.ID) if now.isValid() else None
        if image_id is not None and image_id != self._current:
            self._current = image_id
            self.chosen.emit(image_id)

    def _show_current(self) -> None:
        row = self._model.row_of(self._current)
        index = self._model.index(row) if row >= 0 else QModelIndex()
        if index.isValid():
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.list.selectionModel().setCurrentIndex(index, flag)
            self.list.scrollTo(index)
        else:
            self.list.selectionModel().clear()

    def _show_count(self, shown: int, total: int) -> None:
        if shown == total:
            text = self.tr("1 image") if total == 1 else self.tr("{total:,} images")
        else:
            text = self.tr("{shown:,} of {total:,} images")
        self.count.setText(text.format(shown=shown, total=total))
