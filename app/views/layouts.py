"""How the parts of a view lie beside and above each other, said in one call."""

from __future__ import annotations

from typing import Any, TypeVar

from PySide6.QtWidgets import QBoxLayout, QFormLayout, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from app import style

STRETCH = "stretch"
"""A part that takes all the room there is."""
Margins = int | tuple[int, int, int, int]
BoxT = TypeVar("BoxT", bound=QBoxLayout)


def hbox(
    *parts: Any, on: QWidget | None = None, margins: Margins = 0, spacing: int | None = None
) -> QHBoxLayout:
    """``parts`` from left to right.

    Parameters
    ----------
    parts
        Widgets, layouts, :data:`STRETCH`, or pixels of empty space; or a tuple of one and what else Qt takes
        with it: its stretch, and a widget's alignment.
    on
        The widget that is laid out so.
    margins
        Around all parts, in pixels: one number, or left, top, right and bottom.
    """
    return _filled(QHBoxLayout(), parts, on, margins, spacing)


def vbox(
    *parts: Any, on: QWidget | None = None, margins: Margins = 0, spacing: int | None = None
) -> QVBoxLayout:
    """``parts`` from top to bottom; see :func:`hbox`."""
    return _filled(QVBoxLayout(), parts, on, margins, spacing)


def form_layout(
    *, on: QWidget | None = None, margins: Margins = 0, across: int = style.SPACING, down: int = style.SPACING
) -> QFormLayout:
    """Labels and what they name, a row each; ``across`` and ``down`` are the pixels between."""
    form = QFormLayout()
    if on is not None:
        on.setLayout(form)
    form.setContentsMargins(*(margins if isinstance(margins, tuple) else [margins] * 4))
    form.setHorizontalSpacing(across)
    form.setVerticalSpacing(down)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def clear_layout(layout: QLayout) -> None:
    """Take all widgets away; they go only when the event loop turns, and are out of sight until then."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def _filled(
    box: BoxT, parts: tuple[Any, ...], on: QWidget | None, margins: Margins, spacing: int | None
) -> BoxT:
    if on is not None:
        on.setLayout(box)
    box.setContentsMargins(*(margins if isinstance(margins, tuple) else [margins] * 4))
    if spacing is not None:
        box.setSpacing(spacing)
    for part in parts:
        what, *how = part if isinstance(part, tuple) else (part,)
        if isinstance(what, QWidget):
            box.addWidget(what, *how)
        elif isinstance(what, QLayout):
            box.addLayout(what, *how)
        elif what == STRETCH:
            box.addStretch(*(how or [1]))
        else:
            box.addSpacing(what)
    return box
