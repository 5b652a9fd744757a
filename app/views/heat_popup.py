"""How the heat map lies over the image: whether, how strong and in what colours."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QWidget

from app import style
from app.models.pictures import to_qimage
from app.views.controls import Combo, fill_width, plain_label
from app.views.dialog import Popup
from app.views.layouts import form_layout, hbox, vbox
from app.views.sliders import JumpSlider
from core.base.language import number, tr
from core.maps.colouring import COLOUR_MAPS, colour_bar


class LegendStrip(QWidget):
    """A colour map from low to high."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strip = QImage()
        self.setFixedHeight(12)
        self.setMinimumWidth(72)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Colours from low to high"))

    def set_colour_map(self, name: str) -> None:
        self._strip = to_qimage(colour_bar(name)[None])
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setOpacity(1.0 if self.isEnabled() else 0.4)
        painter.drawImage(self.rect(), self._strip)


class HeatPopup(Popup):
    """What is shown changes while it is changed here."""

    shown_toggled = Signal(bool)
    opacity_changed = Signal(float)
    colour_map_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown = QCheckBox(tr("Heat map"))
        self.shown.setToolTip(tr("Show the heat map over the image."))
        name, tip = tr("Opacity of the heat map"), tr("How much the hottest places cover of the image.")
        self.opacity = JumpSlider(0, 100, page=10, name=name, tip=tip, least=140)
        self._value = plain_label("", "muted")
        self._value.setMinimumWidth(self._value.fontMetrics().horizontalAdvance("100 %"))
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.colours = self._make_colours()
        self.legend = LegendStrip()
        self._low, self._high = plain_label(tr("low"), "muted"), plain_label(tr("high"), "muted")
        form = form_layout(across=style.MARGIN)
        form.addRow(plain_label(tr("Opacity")), hbox((self.opacity, 1), self._value, spacing=style.SPACING))
        form.addRow(plain_label(tr("Colours")), self.colours)
        form.addRow("", hbox(self._low, (self.legend, 1), self._high, spacing=style.SPACING))
        vbox(self.shown, form, on=self, margins=style.MARGIN, spacing=style.SPACING)
        self.shown.toggled.connect(self._toggled)
        self.opacity.valueChanged.connect(self._slid)
        self.colours.currentIndexChanged.connect(self._chosen)

    def set_state(self, *, enabled: bool, shown: bool, opacity: float, colour_map: str) -> None:
        with QSignalBlocker(self.shown), QSignalBlocker(self.opacity):
            self.shown.setChecked(shown)
            self.opacity.setValue(round(opacity * 100))
        self._show_value()
        self.colours.show_data(colour_map)
        self.legend.set_colour_map(colour_map)
        self.shown.setEnabled(enabled)
        self._enable(enabled and shown)

    def _make_colours(self) -> Combo:
        titles = {name: tr("Grey") if name == "grey" else name.capitalize() for name in COLOUR_MAPS}
        box = Combo(titles, name=tr("Colour map"), tip=tr("Colours of the heat map."), whole=True)
        box.setIconSize(QSize(28, 12))
        fill_width(box)
        for row, name in enumerate(COLOUR_MAPS):
            picture = to_qimage(colour_bar(name)[None]).scaled(QSize(56, 24))
            box.setItemIcon(row, QIcon(QPixmap.fromImage(picture)))
        return box

    def _toggled(self, on: bool) -> None:
        self._enable(on)
        self.shown_toggled.emit(on)

    def _slid(self, value: int) -> None:
        self._show_value()
        self.opacity_changed.emit(value / 100)

    def _chosen(self, index: int) -> None:
        name = self.colours.itemData(index)
        self.legend.set_colour_map(name)
        self.colour_map_changed.emit(name)

    def _show_value(self) -> None:
        self._value.setText(tr("{0} %").format(number(self.opacity.value(), ".0f")))

    def _enable(self, on: bool) -> None:
        for widget in (self.opacity, self._value, self.colours, self.legend, self._low, self._high):
            widget.setEnabled(on)
