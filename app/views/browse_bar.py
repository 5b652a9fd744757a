"""Above the list: which images are shown, and in what order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QToolButton, QWidget

from app import style
from app.views.controls import Combo, RealSpin, Spin, fill_width, named, plain_label, push_button, tool_button
from app.views.filter_edit import FilterEdit
from app.views.layouts import form_layout, hbox, vbox
from core.base.language import tr
from core.project.browse import BoxFilter, Browse, Order, Show

_SPIN_LEAST = 56


class FilterPanel(QWidget):
    """A :class:`~core.project.browse.BoxFilter` to read and to change, and days of taking."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        widest = BoxFilter()
        tip = tr("Show only images with a box of this class.")
        self.label_box = Combo({"": tr("Any class")}, name=tr("Class"), tip=tip)
        tip = tr("Show only images whose least sure box has a score in this range.")
        names = tr("Lowest score"), tr("Highest score")
        low, high = (RealSpin(0.0, 1.0, step=0.05, name=name, tip=tip) for name in names)
        self.scores = low, high
        tip = tr("Show only images with so many boxes.")
        names = tr("Fewest boxes"), tr("Most boxes")
        fewest, most = (Spin(0, widest.count[1], name=name, tip=tip) for name in names)
        self.counts = fewest, most
        tip = tr("Show only photos taken on these days: 2024-05-01, 2024-05 or 2024.")
        self.day_edits = _day_edit(tr("First day"), tip), _day_edit(tr("Last day"), tip)
        self.reset = push_button(tr("Reset filters"), self._reset, role="link")
        form = form_layout(on=self, across=style.SPACING, down=style.GAP)
        form.addRow(plain_label(tr("Class")), self.label_box)
        for title, (first, last) in ((tr("Score"), self.scores), (tr("Boxes"), self.counts)):
            for spin in (first, last):
                spin.setMinimumWidth(_SPIN_LEAST)
                fill_width(spin)
            form.addRow(plain_label(title), hbox((first, 1), plain_label("–"), (last, 1), spacing=style.GAP))
        first_day, last_day = self.day_edits
        dash = plain_label("–")
        form.addRow(plain_label(tr("Taken")), hbox((first_day, 1), dash, (last_day, 1), spacing=style.GAP))
        form.addRow("", self.reset)
        self.set_filter(widest)
        self.label_box.currentIndexChanged.connect(self.changed)
        for spin in (*self.scores, *self.counts):
            spin.valueChanged.connect(self.changed)
        for edit in self.day_edits:
            edit.textChanged.connect(self.changed)

    def days(self) -> tuple[str, str]:
        first, last = (edit.text().strip() for edit in self.day_edits)
        return first, last

    def filter(self) -> BoxFilter:
        low, high = (round(spin.value(), 2) for spin in self.scores)
        fewest, most = (spin.value() for spin in self.counts)
        return BoxFilter(label=self.label_box.currentData() or "", score=(low, high), count=(fewest, most))

    def set_filter(self, wanted: BoxFilter, days: tuple[str, str] = ("", "")) -> None:
        with QSignalBlocker(self):
            if self.label_box.findData(wanted.label) < 0:
                self.label_box.addItem(wanted.label, wanted.label)
            self.label_box.show_data(wanted.label)
            for score_spin, score in zip(self.scores, wanted.score, strict=True):
                score_spin.setValue(score)
            for count_spin, count in zip(self.counts, wanted.count, strict=True):
                count_spin.setValue(count)
            for edit, day in zip(self.day_edits, days, strict=True):
                edit.setText(day)

    def set_classes(self, names: Sequence[str]) -> None:
        """Offer these classes; the one that is chosen stays."""
        chosen = self.label_box.currentData() or ""
        with QSignalBlocker(self), QSignalBlocker(self.label_box):
            self.label_box.clear()
            self.label_box.addItem(tr("Any class"), "")
            for name in names if chosen in ("", *names) else (*names, chosen):
                self.label_box.addItem(name, name)
            self.label_box.show_data(chosen)

    def _reset(self) -> None:
        self.set_filter(BoxFilter())
        self.changed.emit()


class BrowseBar(QWidget):
    """A :class:`~core.project.browse.Browse` to read and to change."""

    changed = Signal(object)
    filters_opened = Signal()
    """The classes to filter by are needed now."""
    grid_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name_filter = self._make_name_filter()
        self.show_box = self._make_show_box()
        self.order_box = self._make_order_box()
        self.direction = self._make_direction()
        self.filters, self.filters_button = FilterPanel(), _toggle("filter", tr("More filters"))
        self.grid_button = _toggle("grid", tr("All images as a grid (Ctrl+G)"))
        first = hbox((self.name_filter, 1), self.filters_button, self.direction, spacing=style.GAP)
        vbox(first, self.show_box, self.filters, self.order_box, on=self, spacing=style.GAP)
        self.filters.hide()
        self.filters.changed.connect(self._tell)
        self.filters_button.toggled.connect(self._open_filters)
        self.grid_button.toggled.connect(self.grid_toggled)
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
            boxes=self.filters.filter(),
            days=self.filters.days(),
        )

    def set_browse(self, browse: Browse) -> None:
        if browse == self.browse():
            return
        with QSignalBlocker(self):
            self.name_filter.setText(browse.text)
            self.show_box.setCurrentIndex(self.show_box.findData(browse.show.value))
            self.order_box.setCurrentIndex(self.order_box.findData(browse.order.value))
            self.direction.setChecked(browse.descending)
            self.filters.set_filter(browse.boxes, browse.days)
        if (browse.boxes, browse.days) != (BoxFilter(), ("", "")):
            self.filters_button.setChecked(True)  # what hides images is in sight
        self._show_direction()

    def _open_filters(self, on: bool) -> None:
        self.filters.setVisible(on)
        if on:
            self.filters_opened.emit()

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
            Show.NO_OBJECT: tr("No object"),
            Show.REJECTED: tr("Rejected"),
            Show.EDITED: tr("Edited by hand"),
            Show.NO_BOX: tr("Without a box"),
            Show.MAY_BE_EMPTY: tr("May show no object"),
            Show.WITH_TRUTH: tr("With ground truth"),
            Show.PLACED: tr("With a GPS position"),
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
            Order.TAKEN: tr("By capture time"),
            Order.SCORE: tr("By score"),
            Order.SIZE: tr("By box size"),
            Order.STATUS: tr("By status"),
            Order.LEAST_SURE: tr("Least sure first"),
            Order.USEFUL: tr("Most useful next"),
            Order.WORST: tr("Worst first"),
        }
        tip = tr("How the images are sorted.")
        box = _combo("order_box", tr("Sort order"), tip, texts)
        tip = tr("Unseen images first, the lowest score on top. Useful for reviewing.")
        box.setItemData(box.findData(Order.LEAST_SURE.value), tip, Qt.ItemDataRole.ToolTipRole)
        tip = tr(
            "Unsure images that are unlike those reviewed already: their corrections teach the others most."
        )
        box.setItemData(box.findData(Order.USEFUL.value), tip, Qt.ItemDataRole.ToolTipRole)
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


def _day_edit(name: str, tip: str) -> QLineEdit:
    edit = QLineEdit()
    edit.setPlaceholderText(tr("YYYY-MM-DD"))
    edit.setMaxLength(10)
    edit.setMinimumWidth(_SPIN_LEAST)
    named(edit, name, tip)
    return edit


def _toggle(icon: str, name: str) -> QToolButton:
    button = tool_button(icon, name, name)
    button.setCheckable(True)
    return button


def _combo(name: str, accessible: str, tip: str, texts: Mapping[Any, str]) -> Combo:
    """As wide as there is room, and never narrower than its longest text."""
    box = Combo({each.value: text for each, text in texts.items()}, name=accessible, tip=tip, whole=True)
    box.setObjectName(name)
    box.setMinimumWidth(box.sizeHint().width())
    fill_width(box)
    return box
