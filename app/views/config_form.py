"""The form of a training, made from the fields of its config in :mod:`core.base.config`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QFormLayout, QWidget

from app import style
from app.views.controls import Choice, Combo, RealSpin, Section, plain_label, tab_in_order, there
from app.views.field_editors import ChoiceEditor, Editor, SwitchEditor, all_fields, editor_for, tip_of
from app.views.layouts import STRETCH, form_layout, hbox, vbox
from core.base.config import Settings, limits_of
from core.base.errors import BoxscoutError
from core.base.language import mark, tr
from core.base.presets import FEATURES_PRESETS, PRESETS, SCRATCH_PRESET

MAIN_FIELDS = ("objective", "image_size", "batch_size", "augmentation", "device")
CLASS_FIELDS = ("image_size", "batch_size", "augmentation", "device")
_BUDGET = ("steps", "minutes")
FEATURES_FIELDS = ("method", "image_size")
_PRESET_TITLES = {
    "features": mark("Frozen features"),
    "scratch": mark("From scratch"),
    "quick": mark("Quick"),
    "balanced": mark("Balanced"),
    "generator": mark("Generator"),
    "paper": mark("Paper"),
}
_ANY_PRESET = ("device", "precision", "seed")  # these belong to the machine and the run, not to a preset
_DEFAULT_MINUTES = 10.0
_LABEL_WIDTH = 72
_LABEL_GAP = 6


class BudgetEditor(QWidget):
    """How long to train: a number of steps, or minutes."""

    changed = Signal()

    def __init__(self, steps: Editor) -> None:
        super().__init__()
        self.steps, self._given = steps, 0.0
        limits = limits_of("minutes")
        self.minutes = RealSpin(
            limits.low or 0.01, limits.high or 1.0, name=tr(limits.label), tip=tip_of(limits)
        )
        self.minutes.setValue(_DEFAULT_MINUTES)
        self.minutes.setStepType(RealSpin.StepType.AdaptiveDecimalStepType)
        self.unit = Choice(tr("Steps"), tr("Minutes"))
        hbox((steps, 1), (self.minutes, 1), self.unit, on=self, spacing=style.GAP)
        self._show_unit()
        self.steps.changed.connect(self.changed)
        self.minutes.valueChanged.connect(self.changed)
        self.unit.changed.connect(self._chosen)

    def value(self) -> tuple[int, float | None]:
        # What was given comes back exactly, though two decimals of it are shown.
        shown = self.minutes.value()
        exact = self._given if abs(self._given - shown) < 0.00501 else shown
        return self.steps.value(), None if self.unit.is_first() else exact

    def set_value(self, steps: int, minutes: float | None) -> None:
        self.steps.set_value(steps)
        self.unit.set_first(minutes is None)
        if minutes is not None:
            with QSignalBlocker(self.minutes):
                self.minutes.setValue(minutes)
        self._given = minutes or 0.0
        self._show_unit()

    def _chosen(self) -> None:
        self._show_unit()
        self.changed.emit()

    def _show_unit(self) -> None:
        by_steps = self.unit.is_first()
        self.steps.setVisible(by_steps)
        self.minutes.setVisible(not by_steps)


class ConfigForm(QWidget):
    """Preset, main fields, and all the others under "Advanced".

    ``presets`` say which config it makes, the ``default`` one is fitted to the folder; ``main`` names the
    fields that are always shown. ``others`` are presets of another form, which are offered here too.
    """

    config_changed = Signal()
    other_chosen = Signal(str)
    """A preset of another form is wanted."""

    def __init__(
        self,
        *,
        presets: Mapping[str, Settings] = PRESETS,
        default: str = SCRATCH_PRESET,
        main: Sequence[str] = MAIN_FIELDS,
        others: Collection[str] = (),
    ) -> None:
        super().__init__()
        self._presets, self._main, self._default = dict(presets), main, default
        self._config: type[Settings] = type(presets[default])
        all_free = [name for name in (*FEATURES_PRESETS, *PRESETS) if name in others or name in presets]
        offered = all_free if others else presets
        titles = {name: tr(_PRESET_TITLES.get(name, name.capitalize())) for name in offered}
        self.preset_box = Combo(titles, name=tr("Preset"), tip=tr("A set of values to start from."))
        own = all_fields(self._config)
        self.editors = {name: editor_for(field) for name, field in own.items() if name != "minutes"}
        self.budget = BudgetEditor(self.editors["steps"]) if "steps" in self.editors else None
        self._reason = ""
        self.reason_label, self.problem_label = (
            plain_label(role=role, wrap=True) for role in ("muted", "error")
        )
        self.reason_label.hide()
        self.problem_label.hide()
        self._lay_out()
        self.preset_box.currentIndexChanged.connect(self._preset_chosen)
        if self.budget is not None:
            self.budget.changed.connect(self._edited)
        for name, editor in self.editors.items():
            if name not in _BUDGET:
                editor.changed.connect(self._edited)
        self.set_config(presets[default])

    def config(self) -> Any:
        """What the form says; raises :class:`BoxscoutError` with the sentence of :meth:`problem`."""
        problem = next((p for editor in self.editors.values() if (p := editor.problem())), "")
        if problem:
            raise BoxscoutError(problem)
        values = {name: editor.value() for name, editor in self.editors.items()}
        if self.budget is not None:
            values["steps"], values["minutes"] = self.budget.value()
        return self._config(**values)

    def makes(self, config: Any) -> bool:
        return isinstance(config, self._config)

    def set_config(self, config: Any) -> None:
        if self.budget is not None:
            self.budget.set_value(config.steps, config.minutes)
        for name, editor in self.editors.items():
            if name not in _BUDGET:
                editor.set_value(getattr(config, name))
        self._show_preset()
        self._show_problem()

    def set_fitted(self, config: Any, reason: str) -> None:
        """Let the default preset be ``config``, which was fitted to the folder for a ``reason``.

        Emits nothing. Where the form shows another preset, or a person's own settings, these stay.
        """
        shown = self._preset_name() == self._default
        self._presets[self._default], self._reason = config, reason
        if shown:
            self.set_config(config.with_(**self._kept()))
        else:
            self._show_preset()

    def set_device(self, device: str) -> None:
        self.editors["device"].set_value(device)
        self._show_problem()

    def problem(self) -> str:
        """Why the form is no config, in one sentence; empty when it is one."""
        try:
            self.config()
        except BoxscoutError as error:
            return str(error)
        return ""

    def set_devices(self, available: Collection[str]) -> None:
        editor = self.editors["device"]
        if isinstance(editor, ChoiceEditor):
            editor.offer(available, tr("Not available on this computer."))

    # Making

    def _lay_out(self) -> None:
        main = self._form()
        main.addRow(self._label(tr("Preset")), self.preset_box)
        main.addRow(self.reason_label)
        for name in self._main:
            if name == "image_size" and self.budget is not None:
                main.addRow(self._label(tr("Train for")), self.budget)
            self._add(main, name)
        self.advanced = Section(tr("Advanced"))
        advanced = self._form()
        self.advanced.content.setLayout(advanced)
        for name in self._folded():
            self._add(advanced, name)
        vbox(main, self.advanced, self.problem_label, STRETCH, on=self, spacing=style.SPACING)
        for form in (main, advanced):
            _level(form)
        tab_in_order(self._in_sight_order())

    def _in_sight_order(self) -> list[QWidget]:
        order: list[QWidget] = [self.preset_box]
        for name in self._main:
            if name == "image_size" and self.budget is not None:
                order += [self.budget.steps, self.budget.minutes, self.budget.unit]
            order.append(self.editors[name])
        return [*order, self.advanced.toggle, *(self.editors[name] for name in self._folded())]

    def _folded(self) -> list[str]:
        return [name for name in self.editors if name not in (*self._main, *_BUDGET)]

    def _form(self) -> QFormLayout:
        # Labels hold the space between: Qt forgets it where it asks whether a row is too long.
        form = form_layout(across=0, down=6)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        return form

    def _label(self, text: str) -> QWidget:
        label = plain_label(text)
        label.setContentsMargins(0, 0, _LABEL_GAP, 0)
        label.setMinimumWidth(_LABEL_WIDTH + _LABEL_GAP)
        return label

    def _add(self, form: QFormLayout, name: str) -> None:
        editor = self.editors[name]
        is_switch = isinstance(editor, SwitchEditor)
        label = self._label("" if is_switch else tr(editor.limits.label))
        label.setToolTip(tip_of(editor.limits))
        form.addRow(label, editor)

    # A person's doing

    def _edited(self) -> None:
        self._show_preset()
        self._show_problem()
        self.config_changed.emit()

    def _preset_chosen(self, index: int) -> None:
        name = self.preset_box.itemData(index)
        if name is None:
            return
        if name not in self._presets:
            self._show_preset()  # it is the other form's from here on
            self.other_chosen.emit(name)
            return
        self.choose(name)

    def _kept(self) -> dict[str, Any]:
        """What stays as it is when another preset is shown."""
        editors = {field: self.editors[field] for field in self._any_preset()}
        return {field: editor.value() for field, editor in editors.items() if not editor.problem()}

    def choose(self, preset: str) -> None:
        """Show one of its own presets, as if a person had chosen it."""
        self.set_config(self._presets[preset].with_(**self._kept()))
        self.config_changed.emit()

    def _any_preset(self) -> list[str]:
        return [field for field in _ANY_PRESET if field in self.editors]

    def _show_preset(self) -> None:
        name = self._preset_name()
        with QSignalBlocker(self.preset_box):
            custom = self.preset_box.findText(tr("Custom"))
            if name is None and custom < 0:
                self.preset_box.addItem(tr("Custom"))
                custom = self.preset_box.count() - 1
            elif name is not None and custom >= 0:
                self.preset_box.removeItem(custom)
            self.preset_box.setCurrentIndex(custom if name is None else self.preset_box.findData(name))
        self.reason_label.setText(self._reason)
        self.reason_label.setVisible(name == self._default and bool(self._reason))

    def _preset_name(self) -> str | None:
        try:
            mine = self.config()
        except BoxscoutError:
            return None
        same = {field: getattr(mine, field) for field in self._any_preset()}
        # Two can be alike in a small folder: the one that was chosen counts, and else the default.
        names = (self.preset_box.currentData(), self._default, *self._presets)
        known = [name for name in names if name in self._presets]
        return next((name for name in known if self._presets[name].with_(**same) == mine), None)

    def _show_problem(self) -> None:
        problem = self.problem()
        self.problem_label.setText(problem)
        self.problem_label.setVisible(bool(problem))


def _level(form: QFormLayout) -> None:
    """One width for all labels: a form asks for each row's own, and then gives all the widest."""
    cells = (form.itemAt(row, QFormLayout.ItemRole.LabelRole) for row in range(form.rowCount()))
    labels = [there(cell.widget()) for cell in cells if cell is not None]
    widest = max((label.sizeHint().width() for label in labels), default=0)
    for label in labels:
        label.setMinimumWidth(max(widest, label.minimumWidth()))
