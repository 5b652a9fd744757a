"""Which network heat maps and boxes come from, and what was measured of it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app import style
from app.views.controls import Combo, plain_label
from app.views.layouts import clear_layout, hbox, vbox
from core.base.language import tr


@dataclass(frozen=True, slots=True)
class SourceOption:
    """One network to choose; ``model`` and ``at`` as in ``core.project.localizers.saved_localizer``."""

    model: str
    at: str
    title: str
    tip: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number in words; ``good`` is false where it speaks against the snapshot."""

    caption: str
    value: str
    tip: str
    good: bool = True


@dataclass(frozen=True, slots=True)
class SourceState:
    """All that the picker shows; ``reason`` is why one is proposed, or why none is.

    Where the network has learned ``both_units``, ``unit`` is the one that shows the heat map: ``own`` for
    object against background, ``real`` for real against generated.
    """

    options: tuple[SourceOption, ...] = ()
    model: str = "gan"
    at: str = "last"
    reason: str = ""
    figures: tuple[Figure, ...] = ()
    both_units: bool = False
    unit: str = "own"


class SourcePicker(QWidget):
    """A box to choose from, the numbers of the chosen snapshot, and one sentence."""

    chosen = Signal(str, str)  # model, at
    unit_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = SourceState()
        tip = tr("The network that heat maps and boxes come from.")
        self.box, self.reason = Combo(name=tr("Heat maps from"), tip=tip), plain_label("", "muted", wrap=True)
        self.numbers, self.unit_row = QWidget(self), QWidget(self)
        self._grid = QGridLayout(self.numbers)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(style.SPACING)
        self._grid.setVerticalSpacing(0)
        self.unit_box = Combo(
            {"own": tr("Object vs. background"), "real": tr("Real vs. generated")},
            name=tr("Heat map shows"),
            tip=tr("Which of the network's two outputs the heat map shows."),
        )
        hbox(plain_label(tr("Showing")), (self.unit_box, 1), on=self.unit_row, spacing=6)
        self.unit_row.hide()
        row = vbox(plain_label(tr("Heat maps from")), self.box, spacing=style.GAP)
        vbox(row, self.unit_row, self.numbers, self.reason, on=self, spacing=6)
        self.box.activated.connect(self._activated)
        self.unit_box.activated.connect(lambda index: self.unit_chosen.emit(self.unit_box.itemData(index)))

    def set_state(self, state: SourceState) -> None:
        if state == self._state:
            return
        # An open list would close under the mouse: it is filled again only where it has changed.
        if state.options != self._state.options:
            self._fill(state.options)
        self._state = state
        self.box.setCurrentIndex(self._index(state.model, state.at))
        self.unit_box.setCurrentIndex(self.unit_box.findData(state.unit))
        self.unit_row.setVisible(state.both_units)
        self._show_numbers(state.figures)
        self.reason.setText(state.reason)
        self.reason.setVisible(bool(state.reason))

    def _fill(self, options: tuple[SourceOption, ...]) -> None:
        self.box.clear()
        for index, option in enumerate(options):
            self.box.addItem(option.title, (option.model, option.at))
            self.box.setItemData(index, option.tip, Qt.ItemDataRole.ToolTipRole)
            self.box.enable(index, option.enabled)

    def _index(self, model: str, at: str) -> int:
        keys = [(option.model, option.at) for option in self._state.options]
        return keys.index((model, at)) if (model, at) in keys else -1

    def _show_numbers(self, figures: tuple[Figure, ...]) -> None:
        clear_layout(self._grid)
        for column, figure in enumerate(figures):
            caption, value = (
                plain_label(figure.caption, "muted", wrap=True),
                plain_label(figure.value, "title"),
            )
            caption.setAlignment(Qt.AlignmentFlag.AlignTop)
            if not figure.good:
                style.mark(value, "caution")
            for row, label in enumerate((value, caption)):
                label.setToolTip(figure.tip)
                self._grid.addWidget(label, row, column)
            self._grid.setColumnStretch(column, 1)
        self.numbers.setVisible(bool(figures))

    def _activated(self, index: int) -> None:
        model, at = self.box.itemData(index)
        if (model, at) != (self._state.model, self._state.at):
            self.chosen.emit(model, at)
