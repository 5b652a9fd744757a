"""How boxes come of heat maps: how many, by which rule, for which images; and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QWidget

from app import style
from app.views.controls import Choice, Combo, Spin, fill_width, plain_label
from app.views.dialog import Popup
from app.views.layouts import STRETCH, form_layout, hbox, vbox
from core.base.language import tr, trn
from core.boxes.rules import MAX_BOXES, RULES

_WIDTH = 320
_SPIN_ROOM = 40  # for frame and arrows


@dataclass(frozen=True, slots=True)
class StandingState:
    """``text`` says how far boxes can be trusted, ``tip`` what that means, ``caution`` that it is not far."""

    max_boxes: int = 1
    enabled: bool = False
    text: str = ""
    tip: str = ""
    caution: bool = False


class BoxesPopup(Popup):
    """What is shown changes while it is changed here."""

    max_boxes_changed = Signal(int)
    rule_changed = Signal(str)
    scope_changed = Signal(bool)  # whether the threshold and the rule are for all images
    caution_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: StandingState | None = None
        tip = tr("An image gets more than one box only if several objects stand out.")
        self.spin = Spin(1, MAX_BOXES, name=tr("Boxes per image at most"), tip=tip)
        self.spin.setMinimumWidth(0)
        self.spin.setFixedWidth(self.fontMetrics().horizontalAdvance(str(MAX_BOXES)) + _SPIN_ROOM)
        self._after = plain_label()
        self.rule_box = Combo({name: tr(rule.title) for name, rule in RULES.items()}, name=tr("Rule"))
        for row, rule in enumerate(RULES.values()):
            self.rule_box.setItemData(row, tr(rule.help), Qt.ItemDataRole.ToolTipRole)
        self.scope = Choice(tr("All images"), tr("This image only"))
        self.scope.setToolTip(tr("Images that a change of threshold or rule applies to."))
        for button in (self.scope.first, self.scope.second):
            fill_width(button)
        self.sentence = plain_label(wrap=True)
        form = form_layout(across=style.MARGIN)
        most = hbox(self.spin, self._after, STRETCH, spacing=style.SPACING)
        for title, part in ((tr("At most"), most), (tr("Rule"), self.rule_box), (tr("For"), self.scope)):
            form.addRow(plain_label(title), part)
        vbox(form, self.sentence, on=self, margins=style.MARGIN, spacing=style.MARGIN)
        self.setMinimumWidth(_WIDTH)
        self.spin.valueChanged.connect(self._counted)
        self.rule_box.currentIndexChanged.connect(self._rule_chosen)
        self.scope.changed.connect(self.scope_changed)
        self.set_standing(StandingState())

    @property
    def caution(self) -> bool:
        return self._state is not None and self._state.caution

    def set_standing(self, state: StandingState) -> None:
        if state == self._state:
            return
        self._state = state
        with QSignalBlocker(self.spin):
            if self.spin.value() != state.max_boxes:  # else it would rewrite what is being typed
                self.spin.setValue(state.max_boxes)
        self.spin.setEnabled(state.enabled)
        self._after.setEnabled(state.enabled)
        self._count(state.max_boxes)
        self.sentence.setText(state.text)
        self.sentence.setToolTip(state.tip)
        self.sentence.setVisible(bool(state.text))
        style.mark(self.sentence, "warning" if state.caution else "muted")
        self.caution_changed.emit()

    def set_ruling(self, *, enabled: bool, rule: str, all_images: bool) -> None:
        self.rule_box.show_data(rule)
        self.scope.set_first(all_images)
        self._explain_rule()
        for widget in (self.rule_box, self.scope):
            widget.setEnabled(enabled)

    def _counted(self, boxes: int) -> None:
        self._state = None  # the next set_standing must be applied, whatever it says
        self._count(boxes)
        self.max_boxes_changed.emit(boxes)

    def _count(self, boxes: int) -> None:
        self._after.setText(trn("box per image", "boxes per image", boxes))

    def _rule_chosen(self, index: int) -> None:
        self._explain_rule()
        self.rule_changed.emit(self.rule_box.itemData(index))

    def _explain_rule(self) -> None:
        self.rule_box.setToolTip(self.rule_box.currentData(Qt.ItemDataRole.ToolTipRole) or "")
