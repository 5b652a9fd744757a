"""The row between image and threshold: how many boxes an image may get, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app import style
from app.views.controls import Spin, plain_label, push_button
from core.base.language import tr, trn
from core.boxes.rules import MAX_BOXES

_SPIN_ROOM = 40  # for frame and arrows
_ROW_SPACING = 6


@dataclass(frozen=True, slots=True)
class BoxesBarState:
    """All that the row shows.

    ``text`` says how far boxes can be trusted, ``tip`` says what that means, ``caution`` that they should be
    looked at first. ``can_find`` offers to find all boxes again; with ``goes_on`` those that a stop left out.
    """

    max_boxes: int = 1
    enabled: bool = False
    text: str = ""
    tip: str = ""
    caution: bool = False
    can_find: bool = False
    goes_on: bool = False


class BoxesBar(QWidget):
    """A number on the left, a sentence beside it, and what can be done about it."""

    max_boxes_changed = Signal(int)
    find_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: BoxesBarState | None = None
        tip = tr("An image gets more than one box only if several objects stand out.")
        self.spin = Spin(1, MAX_BOXES, name=tr("Boxes per image at most"), tip=tip)
        self.spin.setMinimumWidth(0)
        self.spin.setFixedWidth(self.fontMetrics().horizontalAdvance(str(MAX_BOXES)) + _SPIN_ROOM)
        self._before = plain_label(tr("At most"))
        self._before.setBuddy(self.spin)
        self._after = plain_label()
        self.sentence = plain_label(wrap=True)
        self.sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.find_button = push_button("", self.find_requested.emit)
        self._row, self._row_below = QHBoxLayout(), QHBoxLayout()
        self._is_below = False
        rows = QVBoxLayout(self)
        rows.setContentsMargins(style.MARGIN, style.SPACING, style.SPACING, 0)
        rows.setSpacing(style.GAP)
        for row in (self._row, self._row_below):
            row.setSpacing(_ROW_SPACING)
            rows.addLayout(row)
        for widget in (self._before, self.spin, self._after):
            self._row.addWidget(widget)
        self._row.addSpacing(style.MARGIN)
        self._row.addWidget(self.sentence, 1, Qt.AlignmentFlag.AlignVCenter)
        self._row.addStretch(0)  # it holds the button on the right where the sentence is below
        self._row.addWidget(self.find_button)
        self.spin.valueChanged.connect(self._changed)
        self.set_state(BoxesBarState())

    def set_state(self, state: BoxesBarState) -> None:
        if state == self._state:
            return
        self._state = state
        with QSignalBlocker(self.spin):
            if self.spin.value() != state.max_boxes:  # else it would rewrite what is being typed
                self.spin.setValue(state.max_boxes)
        for widget in (self._before, self.spin, self._after):
            widget.setEnabled(state.enabled)
        self._count(state.max_boxes)
        self.sentence.setText(state.text)
        self.sentence.setToolTip(state.tip)
        style.mark(self.sentence, "warning" if state.caution else "muted")
        self.find_button.setVisible(state.can_find)
        text, tip = tr("Find boxes again"), tr("Create all heat maps and boxes again.")
        if state.goes_on:
            text, tip = (
                tr("Continue search"),
                tr("Continue where the search stopped. Existing heat maps are kept."),
            )
        self.find_button.setText(text)
        self.find_button.setToolTip(tip)
        self._place_sentence()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_sentence()

    def _place_sentence(self) -> None:
        """Beside the number where it takes two lines at most, else below."""
        others = [self._before, self.spin, self._after, self.find_button]
        taken = sum(one.sizeHint().width() + _ROW_SPACING for one in others if not one.isHidden())
        room = self.contentsRect().width() - taken - 2 * style.MARGIN - style.SPACING
        height = self.sentence.heightForWidth(max(room, 1))
        is_below = height > 2.5 * self.sentence.fontMetrics().lineSpacing()
        if is_below == self._is_below:
            return
        self._is_below = is_below
        for row in (self._row, self._row_below):
            row.removeWidget(self.sentence)
        row = self._row_below if is_below else self._row
        row.insertWidget(max(0, row.count() - 2), self.sentence, 1, Qt.AlignmentFlag.AlignVCenter)

    def _changed(self, boxes: int) -> None:
        self._state = None  # the next set_state must be applied, whatever it says
        self._count(boxes)
        self.max_boxes_changed.emit(boxes)

    def _count(self, boxes: int) -> None:
        self._after.setText(trn("box per image", "boxes per image", boxes))
