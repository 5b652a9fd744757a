"""The project's trainings: which one is shown, whose boxes are used, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.views.controls import Combo, plain_label, push_button
from app.views.layouts import hbox, vbox
from core.base.language import tr


@dataclass(frozen=True, slots=True)
class RunOption:
    """One run to show."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class RunsState:
    """All that the row shows: ``source`` names the run that the boxes come from, ``shown`` is one's id.

    ``can_take`` offers the boxes of the one that is shown, ``can_find`` to find them first, ``can_delete`` to
    delete it.
    """

    options: tuple[RunOption, ...] = ()
    shown: int | None = None
    source: str = ""
    can_take: bool = False
    can_find: bool = False
    can_delete: bool = False


class RunsPicker(QWidget):
    """A box to choose from, a sentence, and two buttons; there are at least two runs where it is shown."""

    chosen = Signal(int)
    take_requested = Signal(int)
    find_requested = Signal()
    delete_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = RunsState()
        tip = tr("Each training is kept as a run until you delete it.")
        self.box, self.source = Combo(name=tr("Run"), tip=tip), plain_label("", "muted", wrap=True)
        tip = tr("Replaces the boxes that you have not accepted or edited. You can undo this.")
        self.take_button = push_button(tr("Use its boxes"), self._take, tip=tip)
        self.delete_button = push_button(
            tr("Delete run…"), lambda: self.delete_requested.emit(self._state.shown)
        )
        buttons = hbox((self.take_button, 1), (self.delete_button, 1), spacing=6)
        vbox(self.box, self.source, buttons, on=self, spacing=6)
        self.box.activated.connect(lambda index: self.chosen.emit(self.box.itemData(index)))
        self.hide()

    def set_state(self, state: RunsState) -> None:
        # An open list would close under the mouse: it is filled again only where it has changed.
        if state.options != self._state.options:
            self.box.clear()
            for option in state.options:
                self.box.addItem(option.title, option.id)
        self._state = state
        self.box.setCurrentIndex(self.box.findData(state.shown))
        self.source.setText(state.source)
        self.take_button.setText(tr("Find its boxes") if state.can_find else tr("Use its boxes"))
        self.take_button.setEnabled(state.can_take or state.can_find)
        self.delete_button.setEnabled(state.can_delete)
        self.setVisible(len(state.options) > 1)

    def _take(self) -> None:
        if self._state.can_find:
            self.find_requested.emit()
        elif self._state.shown is not None:
            self.take_requested.emit(self._state.shown)
