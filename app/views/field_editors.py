"""One editor for each kind of field that a training's config has."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from app import style
from app.views.controls import Combo, Spin, named
from core.base.config import Limits, Settings
from core.base.language import mark, number, tr

_TITLES = {
    "object": mark("Object unit"),
    "ddt": "DDT",
    "dcgan": "DCGAN",
    "wgan-gp": "WGAN-GP",
    "dragan": "DRAGAN",
    "minimax": "Minimax GAN",
    "wgan": mark("WGAN (clipped)"),
    "auto": mark("Automatic"),
    "system": mark("As the desktop"),
    "light": mark("Light"),
    "dark": mark("Dark"),
    "en": "English",
    "de": "Deutsch",
    "cpu": "CPU",
    "cuda": "GPU (CUDA)",
    "fp32": mark("32 bit"),
    "bf16": "bf16",
    "batch": mark("Batch"),
    "image": mark("Image"),
}
_SHORT = ".12g"  # enough for every number that a person types


class Editor(QWidget):
    """An editor of one field; ``changed`` is emitted when a person changes it."""

    changed = Signal()

    def __init__(self, name: str, limits: Limits, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.limits = name, limits
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)

    def _take(self, widget: QWidget) -> None:
        self.row.addWidget(widget)
        named(widget, tr(self.limits.label), tip_of(self.limits))
        self.setFocusProxy(widget)

    def value(self) -> Any:
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        """Show ``value`` and emit nothing."""
        raise NotImplementedError

    def problem(self) -> str:
        """Why what is typed is no value, in one sentence; empty when all is well."""
        return ""


class ChoiceEditor(Editor):
    """One of several values."""

    def __init__(self, name: str, limits: Limits, parent: QWidget | None = None) -> None:
        super().__init__(name, limits, parent)
        self.box = Combo(self)
        for choice in limits.choices:
            self.box.addItem(choice_title(name, choice), choice)
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._take(self.box)
        self.box.currentIndexChanged.connect(self.changed)

    def value(self) -> Any:
        return self.limits.choices[self.box.currentIndex()]

    def set_value(self, value: Any) -> None:
        blocked = self.box.blockSignals(True)
        self.box.setCurrentIndex(self.limits.choices.index(value))
        self.box.blockSignals(blocked)

    def offer(self, available: set[str], reason: str) -> None:
        """Grey the choices that are not ``available``, with the reason as their tool tip."""
        for index in range(self.box.count()):
            on = self.box.itemData(index) in available
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            self.box.model().item(index).setFlags(flags if on else Qt.ItemFlag.NoItemFlags)
            self.box.setItemData(index, "" if on else reason, Qt.ItemDataRole.ToolTipRole)


class CountEditor(Editor):
    """A whole number within its range."""

    def __init__(self, name: str, limits: Limits, parent: QWidget | None = None) -> None:
        super().__init__(name, limits, parent)
        self.spin = Spin(self)
        self.spin.setRange(int(limits.low or 0), int(limits.high or 0))
        self.spin.setStepType(Spin.StepType.AdaptiveDecimalStepType)
        self.spin.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._take(self.spin)
        self.spin.valueChanged.connect(self.changed)

    def value(self) -> int:
        return self.spin.value()

    def set_value(self, value: int) -> None:
        blocked = self.spin.blockSignals(True)
        self.spin.setValue(value)
        self.spin.blockSignals(blocked)


class RealEditor(Editor):
    """A real number, typed freely (0.0002, 2e-4), kept exactly as it was given."""

    def __init__(
        self, name: str, limits: Limits, parent: QWidget | None = None, *, optional: bool = False
    ) -> None:
        super().__init__(name, limits, parent)
        self.optional = optional  # empty is None
        self.edit = QLineEdit(self)
        if optional:
            self.edit.setPlaceholderText(tr("the objective's own"))
        self._take(self.edit)
        self.edit.textEdited.connect(self._edited)

    def value(self) -> float | None:
        """The number typed; raises ValueError where it is none."""
        text = self.edit.text().strip()
        return None if self.optional and not text else float(text.replace(",", "."))

    def set_value(self, value: float | None) -> None:
        if value is None:
            self.edit.clear()
        else:
            short = float(format(value, _SHORT)) == value
            self.edit.setText(number(value, _SHORT if short else ""))
        self._mark()

    def problem(self) -> str:
        label, low, high = tr(self.limits.label), self.limits.low or 0.0, self.limits.high or 0.0
        try:
            value = self.value()
            inside = value is None or low <= value <= high
        except ValueError:
            return tr("{0} must be a number.").format(label)
        if inside:
            return ""
        return tr("{0} must lie between {1} and {2}.").format(label, number(low, "g"), number(high, "g"))

    def _edited(self) -> None:
        self._mark()
        self.changed.emit()

    def _mark(self) -> None:
        style.mark(self.edit, "invalid" if self.problem() else "")


class TextEditor(Editor):
    """A name or a path; empty is None where that may be."""

    def __init__(
        self, name: str, limits: Limits, parent: QWidget | None = None, *, optional: bool = False
    ) -> None:
        super().__init__(name, limits, parent)
        self.optional = optional
        self.edit = QLineEdit(self)
        self._take(self.edit)
        self.edit.textEdited.connect(lambda _: self.changed.emit())

    def value(self) -> str | None:
        text = self.edit.text().strip()
        return None if self.optional and not text else text

    def set_value(self, value: str | None) -> None:
        self.edit.setText(value or "")

    def problem(self) -> str:
        if self.optional or self.edit.text().strip():
            return ""
        return tr("{0} must not be empty.").format(tr(self.limits.label))


class SwitchEditor(Editor):
    """On or off."""

    def __init__(self, name: str, limits: Limits, parent: QWidget | None = None) -> None:
        super().__init__(name, limits, parent)
        self.box = QCheckBox(tr(limits.label), self)
        self._take(self.box)
        self.row.addStretch(1)
        self.box.toggled.connect(self.changed)

    def value(self) -> bool:
        return self.box.isChecked()

    def set_value(self, value: bool) -> None:
        blocked = self.box.blockSignals(True)
        self.box.setChecked(value)
        self.box.blockSignals(blocked)


def editor_for(field: Field[Any], parent: QWidget | None = None) -> Editor:
    """The editor that fits a field of a training's config or of another dataclass of settings."""
    limits: Limits = field.metadata["limits"]
    if limits.choices:
        return ChoiceEditor(field.name, limits, parent)
    if "str" in str(field.type):
        return TextEditor(field.name, limits, parent, optional=field.default is None)
    if isinstance(field.default, bool):
        return SwitchEditor(field.name, limits, parent)
    if isinstance(field.default, int):
        return CountEditor(field.name, limits, parent)
    return RealEditor(field.name, limits, parent, optional=field.default is None)


def all_fields(config: type[Settings]) -> dict[str, Field[Any]]:
    """The fields of a config by name, in order."""
    return {field.name: field for field in fields(config)}


def choice_title(name: str, choice: Any) -> str:
    """How a choice is written for a person."""
    if choice is None:
        return tr("Whole image")
    if name in ("image_size", "crop_size"):
        return tr("{0} × {1} px").format(choice, choice)
    return tr(_TITLES.get(str(choice), str(choice)))


def tip_of(limits: Limits) -> str:
    """A field's help and its range, as plain sentences."""
    text = tr(limits.help)
    if limits.low is None or limits.high is None:
        return text
    return tr("{0} From {1} to {2}.").format(text, _short(limits.low), _short(limits.high))


def _short(value: float) -> str:
    whole = float(value).is_integer() and abs(value) < 1e15
    return number(int(value), ",") if whole else number(value, "g")
