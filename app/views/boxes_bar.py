"""The row between image and threshold that says what is in the way of all boxes, and mends it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import style
from app.views.controls import plain_label, push_button
from app.views.layouts import hbox
from core.base.language import tr


@dataclass(frozen=True, slots=True)
class BoxesBarState:
    """All that the row shows; it is hidden without ``text``.

    ``can_find`` offers to find all boxes again; with ``goes_on`` those that a stop left out.
    """

    text: str = ""
    can_find: bool = False
    goes_on: bool = False


class BoxesBar(QWidget):
    """A sentence, and a button beside it."""

    find_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: BoxesBarState | None = None
        self.sentence = plain_label(role="warning", wrap=True)
        self.sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.find_button = push_button("", self.find_requested.emit)
        margins = style.MARGIN, style.GAP, style.SPACING, 0
        hbox((self.sentence, 1), self.find_button, on=self, margins=margins, spacing=style.MARGIN)
        self.set_state(BoxesBarState())

    def set_state(self, state: BoxesBarState) -> None:
        if state == self._state:
            return
        self._state = state
        self.sentence.setText(state.text)
        self.setVisible(bool(state.text))
        self.find_button.setVisible(state.can_find)
        text, tip = tr("Find boxes again"), tr("Create all heat maps and boxes again.")
        if state.goes_on:
            text = tr("Continue search")
            tip = tr("Continue where the search stopped. Existing heat maps are kept.")
        self.find_button.setText(text)
        self.find_button.setToolTip(tip)
