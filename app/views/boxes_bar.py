"""The row between image and threshold: how many boxes an image may get, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from app import style
from app.views.controls import Spin, plain_label
from core.boxes import MAX_BOXES
from core.language import tr, trn

_SPIN_ROOM = 40  # for frame and arrows


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
        self.spin = Spin(self)
        self.spin.setRange(1, MAX_BOXES)
        self.spin.setMinimumWidth(0)
        self.spin.setFixedWidth(self.fontMetrics().horizontalAdvance(str(MAX_BOXES)) + _SPIN_ROOM)
        self.spin.setAccessibleName(tr("Boxes per image at most"))
        self.spin.setToolTip(tr("An image gets more than one box only where several objects stand out."))
        self._before = plain_label(tr("At most"))
        self._before.setBuddy(self.spin)
        self._after = plain_label()
        self.sentence = plain_label()
        self.sentence.setWordWrap(True)
        self.sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.find_button = QPushButton()
        row = QHBoxLayout(self)
        row.setContentsMargins(style.MARGIN, style.SPACING, style.SPACING, 0)
        row.setSpacing(6)
        for widget in (self._before, self.spin, self._after):
            row.addWidget(widget)
        row.addSpacing(style.MARGIN)
        row.addWidget(self.sentence, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.find_button)
        self.spin.valueChanged.connect(self._changed)
        self.find_button.clicked.connect(self.find_requested)
        self.set_state(BoxesBarState())

    def set_state(self, state: BoxesBarState) -> None:
        """Show ``state`` and emit nothing."""
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
        if state.goes_on:
            self.find_button.setText(tr("Find the rest"))
            self.find_button.setToolTip(tr("Go on where it was stopped: heat maps that are there stay."))
        else:
            self.find_button.setText(tr("Find boxes again"))
            self.find_button.setToolTip(tr("Make the heat maps and boxes of all images anew."))

    def _changed(self, boxes: int) -> None:
        self._state = None  # the next set_state must be applied, whatever it says
        self._count(boxes)
        self.max_boxes_changed.emit(boxes)

    def _count(self, boxes: int) -> None:
        self._after.setText(trn("box per image", "boxes per image", boxes))
