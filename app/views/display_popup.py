"""Brightness, contrast and gamma of the picture on the screen."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app import style
from app.views.controls import plain_label, push_button
from app.views.dialog import Popup
from app.views.layouts import vbox
from app.views.sliders import JumpSlider
from core.base.language import number, tr
from core.images.display import MAX_GAMMA, Display

_FINE = 100  # slider units in 1.0


class DisplayPopup(Popup):
    """Opened by :meth:`ask`; what is shown changes while a slider moves."""

    changed = Signal(object)  # a Display

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.brightness = self._slider(tr("Brightness"), tr("Brightness of the whole image."))
        self.contrast = self._slider(tr("Contrast"), tr("Difference between light and dark."))
        self.gamma = self._slider(tr("Gamma"), tr("Move right to brighten dark areas, left to darken them."))
        self._values = [plain_label("", "muted") for _ in range(3)]
        grid = QGridLayout()
        grid.setHorizontalSpacing(style.SPACING)
        for row, slider in enumerate((self.brightness, self.contrast, self.gamma)):
            label = plain_label(slider.accessibleName())
            label.setBuddy(slider)
            value = self._values[row]
            value.setMinimumWidth(value.fontMetrics().horizontalAdvance("−100 %"))
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for column, widget in enumerate((label, slider, value)):
                grid.addWidget(widget, row, column)
        self.reset = push_button(tr("Reset"), lambda: self._tell(Display()))
        vbox(
            grid,
            plain_label(tr("Changes the display only. Exported images stay the same."), "muted"),
            (self.reset, 0, Qt.AlignmentFlag.AlignRight),
            on=self,
            margins=style.MARGIN,
            spacing=style.SPACING,
        )
        self._show(Display())

    def ask(self, display: Display, at: QPoint) -> None:
        self._show(display)
        self.show_at(at)
        self.brightness.setFocus()

    def _slider(self, name: str, tip: str) -> JumpSlider:
        slider = JumpSlider(-_FINE, _FINE, page=10, name=name, tip=tip, least=180)
        slider.valueChanged.connect(lambda _: self._moved())
        return slider

    def _moved(self) -> None:
        # The middle of the gamma slider is 1, its ends are as far from it as light can be from dark.
        self._tell(
            Display(
                brightness=self.brightness.value() / _FINE,
                contrast=self.contrast.value() / _FINE,
                gamma=MAX_GAMMA ** (self.gamma.value() / _FINE),
            )
        )

    def _tell(self, display: Display) -> None:
        self._show(display)
        self.changed.emit(display)

    def _show(self, display: Display) -> None:
        units = (display.brightness, display.contrast, math.log(display.gamma, MAX_GAMMA))
        for slider, unit in zip((self.brightness, self.contrast, self.gamma), units, strict=True):
            with QSignalBlocker(slider):
                slider.setValue(round(unit * _FINE))
        texts = (
            f"{display.brightness * 100:+.0f} %",
            f"{display.contrast * 100:+.0f} %",
            number(display.gamma, ".2f"),
        )
        for label, text in zip(self._values, texts, strict=True):
            label.setText(text.replace("-", "−").replace("+0 %", "0 %"))
        self.reset.setEnabled(not display.is_plain)
