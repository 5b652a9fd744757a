"""Above the list: which images are shown, and in what order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from app import style
from app.views.controls import Combo, fill_width, tool_button
from app.views.filter_edit import FilterEdit
from app.views.layouts import hbox, vbox
from core.base.language import tr
from core.project.browse import Browse, Order, Show


class BrowseBar(QWidget):
    """A :class:`~core.project.browse.Browse` to read and to change."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name_filter = self._make_name_filter()
        self.show_box = self._make_show_box()
        self.order_box = self._make_order_box()
        self.direction = self._make_direction()
        order = hbox((self.order_box, 1), self.direction, spacing=style.GAP)
        vbox(self.name_filter, self.show_box, order, on=self, spacing=style.GAP + 2)
        self.name_filter.textChanged.connect(self._tell)
        self.show_box.currentIndexChanged.connect(self._tell)
        self.order_box.currentIndexChanged.connect(self._tell)
        self.direction.toggled.connect(self._tell)
        self._show_direction()

    def browse(self) -> Browse:
        return Browse(
            text=self.name_filter.text(),
            show=Show(self.show_box.currentData()),
            order=Order(self.order_box.currentData()),
            descending=self.direction.isChecked(),
        )

    def set_browse(self, browse: Browse) -> None:
        if browse == self.browse():
            return
        with QSignalBlocker(self):
            self.name_filter.setText(browse.text)
            self.show_box.setCurrentIndex(self.show_box.findData(browse.show.value))
            self.order_box.setCurrentIndex(self.order_box.findData(browse.order.value))
            self.direction.setChecked(browse.descending)
        self._show_direction()

    def _make_name_filter(self) -> FilterEdit:
        edit = FilterEdit(
            tr("Filter by name"), tr("Show only images whose name or folder contains this text.")
        )
        edit.setObjectName("name_filter")
        return edit

    def _make_show_box(self) -> Combo:
        texts = {
            Show.ALL: tr("All images"),
            Show.UNSEEN: tr("Unseen"),
            Show.ACCEPTED: tr("Accepted"),
            Show.REJECTED: tr("Rejected"),
            Show.EDITED: tr("Edited by hand"),
            Show.NO_BOX: tr("Without a box"),
            Show.MAY_BE_EMPTY: tr("May show no object"),
            Show.WITH_TRUTH: tr("With ground truth"),
            Show.FAILED: tr("Cannot be used"),
        }
        tip = tr("Show only images of this kind.")
        box = _combo("show_box", tr("Images to show"), tip, texts)
        tip = tr(
            "Images whose heat map looks more like the folder's backgrounds than like its objects. They keep "
            "their boxes: reject those that show nothing."
        )
        box.setItemData(box.findData(Show.MAY_BE_EMPTY.value), tip, Qt.ItemDataRole.ToolTipRole)
        return box

    def _make_order_box(self) -> Combo:
        texts = {
            Order.FOUND: tr("Folder order"),
            Order.NAME: tr("By name"),
            Order.SCORE: tr("By score"),
            Order.SIZE: tr("By box size"),
            Order.STATUS: tr("By status"),
            Order.LEAST_SURE: tr("Least sure first"),
            Order.WORST: tr("Worst first"),
        }
        tip = tr("How the images are sorted.")
        box = _combo("order_box", tr("Sort order"), tip, texts)
        tip = tr("Unseen images first, the lowest score on top. Useful for reviewing.")
        box.setItemData(box.findData(Order.LEAST_SURE.value), tip, Qt.ItemDataRole.ToolTipRole)
        tip = tr(
            "Images without a box first, then the lowest IoU with the ground truth. Import ground truth "
            "first."
        )
        box.setItemData(box.findData(Order.WORST.value), tip, Qt.ItemDataRole.ToolTipRole)
        return box

    def _make_direction(self) -> QToolButton:
        button = tool_button("ascending", tr("Descending order"), "")
        button.setObjectName("direction")
        button.setCheckable(True)
        return button

    def _show_direction(self) -> None:
        down = self.direction.isChecked()
        style.set_icon(self.direction, "descending" if down else "ascending")
        text = (
            tr("Descending. Click to sort ascending.") if down else tr("Ascending. Click to sort descending.")
        )
        self.direction.setToolTip(text)

    def _tell(self) -> None:
        self._show_direction()
        self.changed.emit(self.browse())


def _combo(name: str, accessible: str, tip: str, texts: Mapping[Any, str]) -> Combo:
    """As wide as there is room, and never narrower than its longest text."""
    box = Combo({each.value: text for each, text in texts.items()}, name=accessible, tip=tip, whole=True)
    box.setObjectName(name)
    box.setMinimumWidth(box.sizeHint().width())
    fill_width(box)
    return box
