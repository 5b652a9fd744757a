"""One editor for each kind of field that a training's config has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import Field, fields
from inspect import get_annotations
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from app import style
from app.views.controls import Combo, Spin, fill_width, named
from app.views.layouts import hbox
from core.base.config import Settings
from core.base.language import mark, number, tr
from core.base.limits import Limits

_TITLES = {
    "object": mark("Object unit"),
    "ddt": "DDT",
    "dcgan": "DCGAN",
    "wgan-gp": "WGAN-GP",
    "dragan": "DRAGAN",
    "minimax": "Minimax GAN",
    "wgan": mark("WGAN (clipped)"),
    "auto": mark("Automatic"),
    "system": mark("Follow system"),
    "light": mark("Light"),
    "dark": mark("Dark"),
    "en": "English",
    "de": "Deutsch",
    "cpu": "CPU",
    "cuda": "GPU (CUDA)",
    "mps": "GPU (Apple)",
    "fp32": mark("32 bit"),
    "bf16": "bf16",
    "batch": mark("Batch"),
    "image": mark("Image"),
}
_SHORT = ".12g"  # enough for every number that a person types


class Editor(QWidget):
    """An editor of one field in ``widget``; ``changed`` is emitted when a person changes it."""

    changed = Signal()

    def __init__(self, limits: Limits, widget: QWidget) -> None:
        super().__init__()
        self.limits = limits
        self.row = hbox(widget, on=self)
        named(widget, tr(limits.label), tip_of(limits))
        self.setFocusProxy(widget)

    def value(self) -> Any:
        raise NotImplementedError

    def set_value(self, value: Any) -> None:
        with QSignalBlocker(self):
            self._show(value)

    def _show(self, value: Any) -> None:
        raise NotImplementedError

    def problem(self) -> str:
        """Why what is typed is no value, in one sentence; empty when all is well."""
        return ""


class ChoiceEditor(Editor):
    """One of several values; one that the field may hold besides joins them when it is shown or offered."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self.box = Combo({choice: choice_title(name, choice) for choice in limits.choices})
        super().__init__(limits, self.box)
        self.box.currentIndexChanged.connect(self.changed)

    def value(self) -> Any:
        return self.box.itemData(self.box.currentIndex())

    def _show(self, value: Any) -> None:
        self._join(value)
        self.box.setCurrentIndex(self._values().index(value))

    def _values(self) -> list[Any]:
        return [self.box.itemData(index) for index in range(self.box.count())]

    def _join(self, value: Any) -> None:
        if value not in self._values() and self.limits.allow(value):
            self.box.addItem(choice_title(self._name, value), value)

    def offer(self, available: Iterable[str], reason: str) -> None:
        """Grey the choices that are not ``available``, with the reason as their tool tip."""
        available = list(available)
        for value in available:
            self._join(value)
        model = self.box.model()
        assert isinstance(model, QStandardItemModel)
        for index in range(self.box.count()):
            on = self.box.itemData(index) in available
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            model.item(index).setFlags(flags if on else Qt.ItemFlag.NoItemFlags)
            self.box.setItemData(index, "" if on else reason, Qt.ItemDataRole.ToolTipRole)


class CountEditor(Editor):
    """A whole number within its range."""

    def __init__(self, limits: Limits) -> None:
        self.spin = Spin(int(limits.low or 0), int(limits.high or 0))
        self.spin.setSpecialValueText(tr(limits.zero) if limits.zero else "")
        self.spin.setStepType(Spin.StepType.AdaptiveDecimalStepType)
        fill_width(self.spin)
        super().__init__(limits, self.spin)
        self.spin.valueChanged.connect(self.changed)

    def value(self) -> int:
        return self.spin.value()

    def _show(self, value: int) -> None:
        self.spin.setValue(value)


class TextEditor(Editor):
    """A name or a path; empty is None where it is ``optional``."""

    def __init__(self, limits: Limits, *, optional: bool) -> None:
        self.edit, self.optional = QLineEdit(), optional
        super().__init__(limits, self.edit)
        self.edit.textEdited.connect(self._edited)

    def value(self) -> Any:
        return self.edit.text().strip() or (None if self.optional else "")

    def _show(self, value: str | None) -> None:
        self.edit.setText(value or "")

    def problem(self) -> str:
        if self.optional or self.edit.text().strip():
            return ""
        return tr("{0} must not be empty.").format(tr(self.limits.label))

    def _edited(self) -> None:
        self.changed.emit()


class RealEditor(TextEditor):
    """A real number, typed freely (0.0002, 2e-4), kept exactly as it was given."""

    def __init__(self, limits: Limits, *, optional: bool) -> None:
        super().__init__(limits, optional=optional)
        if optional:
            self.edit.setPlaceholderText(tr("the objective's own"))

    def value(self) -> float | None:
        text = self.edit.text().strip()
        return None if self.optional and not text else float(text.replace(",", "."))

    def _show(self, value: Any) -> None:
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
        except ValueError:
            return tr("{0} must be a number.").format(label)
        if value is None or low <= value <= high:
            return ""
        return tr("{0} must lie between {1} and {2}.").format(label, number(low, "g"), number(high, "g"))

    def _edited(self) -> None:
        self._mark()
        self.changed.emit()

    def _mark(self) -> None:
        style.mark(self.edit, "invalid" if self.problem() else "")


class SwitchEditor(Editor):
    """On or off."""

    def __init__(self, limits: Limits) -> None:
        self.box = QCheckBox(tr(limits.label))
        super().__init__(limits, self.box)
        self.row.addStretch(1)
        self.box.toggled.connect(self.changed)

    def value(self) -> bool:
        return self.box.isChecked()

    def _show(self, value: bool) -> None:
        self.box.setChecked(value)


def editor_for(field: Field[Any]) -> Editor:
    """The editor that fits a field of a training's config or of another dataclass of settings."""
    limits: Limits = field.metadata["limits"]
    optional = field.default is None
    if limits.choices:
        return ChoiceEditor(field.name, limits)
    if "str" in str(field.type):
        return TextEditor(limits, optional=optional)
    if isinstance(field.default, bool):
        return SwitchEditor(limits)
    if isinstance(field.default, int):
        return CountEditor(limits)
    return RealEditor(limits, optional=optional)


def all_fields(config: type[Settings]) -> dict[str, Field[Any]]:
    """The fields of a config by name, its own before those of its bases."""
    known = {field.name: field for field in fields(config)}
    return {name: known[name] for kind in config.__mro__ for name in get_annotations(kind) if name in known}


def choice_title(name: str, choice: Any) -> str:
    if choice is None:
        return tr("Whole image")
    if name in ("image_size", "crop_size"):
        return tr("{0} × {1} px").format(choice, choice)
    return tr(_TITLES.get(str(choice), str(choice)))


def tip_of(limits: Limits) -> str:
    """A field's help and its range, as plain sentences."""
    text = tr(limits.help)
    if limits.low is None or limits.high is None or limits.zero:
        return text
    return tr("{0} From {1} to {2}.").format(text, _short(limits.low), _short(limits.high))


def _short(value: float) -> str:
    whole = float(value).is_integer() and abs(value) < 1e15
    return number(int(value), ",") if whole else number(value, "g")
