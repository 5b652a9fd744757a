"""The left panel: images as thumbnails, what of them is shown in which order, and commands for many."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QItemSelectionRange, QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app import style
from app.models.image_list import ImageListModel, Role
from app.views.browse_bar import BrowseBar
from app.views.controls import plain_label, tool_button
from app.views.image_row import ROW, ThumbnailDelegate
from app.views.layouts import hbox, vbox
from core.base.annotations import Status
from core.base.language import number, tr, trn


class _List(QTableView):
    """One column of rows of one height. Says so where the filter leaves nothing.

    A table, because a list view asks for each of 100,000 rows whenever the order changes: a quarter of a
    second; a table asks for those on the screen.
    """

    def __init__(self, model: ImageListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("image_list")
        self.setModel(model)
        self.setItemDelegate(ThumbnailDelegate(self))
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.hide()
        across.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        down.hide()
        down.setMinimumSectionSize(ROW)
        down.setDefaultSectionSize(ROW)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.verticalScrollBar().setSingleStep(ROW // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A row in view stays whole where the list becomes shorter, such as above a dock that opens."""
        row = self.visualRect(self.currentIndex())
        was_seen = row.isValid() and row.bottom() > 0 and row.top() < event.oldSize().height()
        super().resizeEvent(event)
        if was_seen:
            self.scrollTo(self.currentIndex())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            event.ignore()  # it shows the bare image, whatever has the focus
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        model = self.model()
        if isinstance(model, ImageListModel) and model.total and not model.rowCount():
            painter = QPainter(self.viewport())
            painter.setPen(QColor(style.colours().muted))
            room = self.viewport().rect().adjusted(style.MARGIN, style.MARGIN, -style.MARGIN, -style.MARGIN)
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
            painter.drawText(room, int(flags), tr("No images match this filter."))


class SelectionBar(QWidget):
    """Shown while several images are selected: how many, and what can be said of all of them."""

    status_chosen = Signal(object)
    """A :class:`~core.base.annotations.Status` for all selected images."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count = plain_label(role="title")
        row = hbox((self.count, 1), on=self, spacing=style.GAP)
        self.buttons = {}
        for status, icon, name, tip in (
            (Status.ACCEPTED, "done", tr("Accept selected"), tr("Accept all selected images")),
            (Status.REJECTED, "close", tr("Reject selected"), tr("Reject all selected images")),
            (Status.UNSEEN, "reset", tr("Unmark selected"), tr("Unmark all selected images")),
        ):
            button = tool_button(icon, name, tip)
            button.clicked.connect(lambda _=False, status=status: self.status_chosen.emit(status))
            self.buttons[status] = button
            row.addWidget(button)
        self.set_count(0)

    def set_count(self, selected: int) -> None:
        self.count.setText(tr("{0} selected").format(number(selected, ",")))
        self.setVisible(selected > 1)


class ImageListView(QWidget):
    """Shows an :class:`ImageListModel` and says what the person chose."""

    chosen = Signal(int)
    """An image's id."""
    browse_changed = Signal(object)
    """A :class:`~core.project.browse.Browse`."""
    selection_changed = Signal(list)
    """The ids of all selected images."""
    rows_in_view_changed = Signal(int, int)
    menu_asked = Signal(object)
    """Where on the screen a menu about the selected images is wanted."""

    def __init__(self, model: ImageListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._current: int | None = None
        self.browse_bar = BrowseBar()
        self.name_filter, self.show_box = self.browse_bar.name_filter, self.browse_bar.show_box
        self.list = _List(model)
        self.list.setAccessibleName(tr("Images"))
        self.list.selectionModel().currentChanged.connect(self._on_current_changed)
        self.list.selectionModel().selectionChanged.connect(self._on_selection_changed)
        self.selection_bar = SelectionBar()
        self.count = plain_label(role="muted")
        vbox(
            self.browse_bar,
            self.list,
            self.selection_bar,
            hbox((self.count, 1), self.browse_bar.grid_button, spacing=style.GAP),
            on=self,
            margins=(style.SPACING, style.SPACING, style.SPACING, style.GAP),
            spacing=style.GAP + 2,
        )
        self.setMinimumWidth(180)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._ask_menu)
        self.browse_bar.changed.connect(self.browse_changed)
        self.list.verticalScrollBar().valueChanged.connect(self._tell_rows_in_view)
        self.name_filter.list_wanted.connect(self._enter_list)
        self.name_filter.left.connect(self.list.setFocus)
        model.count_changed.connect(self._show_count)
        model.modelReset.connect(self._show_current)
        self._show_count(model.rowCount(), model.total)

    def set_current(self, image_id: int | None) -> None:
        if image_id == self._current:
            return  # chosen here, maybe besides others: they stay selected
        self._current = image_id
        self._show_current()

    def selected_ids(self) -> list[int]:
        """In the order of the list. By ranges: all of 100,000 are one."""
        ids: list[int] = []
        for part in sorted(self.list.selectionModel().selection().toList(), key=QItemSelectionRange.top):
            ids += self._model.ids_in(part.top(), part.bottom())
        return ids

    def select_one(self) -> None:
        self._show_current()

    def _enter_list(self) -> None:
        """Go from the filter to what it found."""
        self.list.setFocus()
        if not self.list.currentIndex().isValid() and self._model.rowCount():
            self.list.setCurrentIndex(self._model.index(0))

    def _ask_menu(self, at: QPoint) -> None:
        """At a row, which the press has selected; of a key, at the row that has the focus."""
        if self.list.indexAt(at).isValid():
            self.menu_asked.emit(self.list.viewport().mapToGlobal(at))

    def _on_current_changed(self, now: QModelIndex, _: QModelIndex) -> None:
        image_id = now.data(Role.ID) if now.isValid() else None
        if image_id is not None and image_id != self._current:
            self._current = image_id
            self.chosen.emit(image_id)

    def _on_selection_changed(self) -> None:
        ids = self.selected_ids()
        self.selection_bar.set_count(len(ids))
        self.selection_changed.emit(ids)

    def _show_current(self) -> None:
        row = self._model.row_of(self._current)
        index = self._model.index(row) if row >= 0 else QModelIndex()
        if index.isValid():
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.list.selectionModel().setCurrentIndex(index, flag)
            self.list.scrollTo(index)
        else:
            self.list.selectionModel().clear()
        # A reset takes the selection away without a word.
        self._on_selection_changed()
        self._tell_rows_in_view()

    def _tell_rows_in_view(self) -> None:
        top = max(self.list.rowAt(0), 0)
        self.rows_in_view_changed.emit(top, top + self.list.viewport().height() // ROW + 1)

    def _show_count(self, shown: int, total: int) -> None:
        if shown == total:
            self.count.setText(trn("{count:,} image", "{count:,} images", total))
        else:
            self.count.setText(tr("{shown:,} of {total:,} images").format(shown=shown, total=total))
