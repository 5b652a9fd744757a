"""The controls under the image: how a heat map becomes a box, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QIcon, QImage, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSizePolicy, QWidget

from app import style
from app.models.pictures import to_qimage
from app.views.controls import Choice, Combo, RealSpin, plain_label, tool_button
from app.views.layouts import STRETCH, hbox, vbox
from app.views.sliders import JumpSlider, MiddleSlider
from app.views.threshold_plot import ThresholdPlot
from core.base.language import number, tr
from core.boxes.rules import DEFAULT_RULE, MAX_THRESHOLD, RULES
from core.boxes.tightness import position_of, threshold_at
from core.maps.colouring import COLOUR_MAPS, colour_bar

_FINE = 100  # slider units from the middle to either end
_LABEL_ROOM = 4
_SPIN_ROOM = 38  # for frame and arrows
_ROW_SPACING = 6
_ICON_BOX = 72  # a box that shows its icon and no text


@dataclass(frozen=True, slots=True)
class CanvasBarState:
    """All that the bar shows.

    ``threshold`` is 0..0.95, of ``all_images`` or of this one alone, ``automatic`` that of its rule where
    nobody moved it, and ``opacity`` 0..1. ``enabled`` is
    whether there is a heat map to decide on; ``has_image`` whether there is an image to zoom. ``zoom`` is
    device pixels per image pixel, 0 where unknown.
    """

    threshold: float = 0.0
    automatic: float = 0.0
    rule: str = DEFAULT_RULE
    all_images: bool = True
    heat_map: bool = True
    opacity: float = 0.35
    colour_map: str = COLOUR_MAPS[0]
    side_by_side: bool = False
    enabled: bool = True
    has_image: bool = True
    zoom: float = 0.0


class LegendStrip(QWidget):
    """A colour map from low to high."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strip = QImage()
        self.setFixedHeight(12)
        self.setMinimumWidth(32)
        self.setMaximumWidth(72)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Colours from low to high"))

    def sizeHint(self) -> QSize:
        return QSize(72, 12)

    def set_colour_map(self, name: str) -> None:
        self._strip = to_qimage(colour_bar(name)[None])
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setOpacity(1.0 if self.isEnabled() else 0.4)
        painter.drawImage(self.rect(), self._strip)


class CanvasBar(QWidget):
    """Threshold, rule and scope above; heat map, opacity, colours and zoom below."""

    threshold_changed = Signal(float)
    threshold_held = Signal()  # the slider is pressed, and
    threshold_settled = Signal()  # let go
    rule_changed = Signal(str)
    scope_changed = Signal(bool)  # whether the threshold and the rule are for all images
    heat_map_toggled = Signal(bool)
    opacity_changed = Signal(float)
    colour_map_changed = Signal(str)
    side_by_side_toggled = Signal(bool)
    display_requested = Signal()
    fit_requested = Signal()
    actual_size_requested = Signal()
    reset_threshold_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state: CanvasBarState | None = None
        self._automatic = 0.0
        self._narrow = False
        self._own_row: bool | None = None  # the threshold's
        self._make_decision_controls()
        self._make_display_controls()
        self._first_row = hbox(self.rule_box, self.scope, spacing=_ROW_SPACING)
        self._wide_row = hbox(spacing=_ROW_SPACING)
        self._place_threshold()
        parts = self._first_row, self._wide_row, self.threshold_plot, self._display_row()
        vbox(*parts, on=self, margins=(style.MARGIN, style.SPACING, style.SPACING, style.SPACING), spacing=6)
        self._connect()
        self.set_state(CanvasBarState())

    def set_state(self, state: CanvasBarState) -> None:
        if state == self._state:
            return
        self._state = state
        self._automatic = state.automatic
        self.threshold_slider.set_range(-_FINE, _FINE if state.automatic > 0 else 0)
        self.threshold_plot.set_automatic(state.automatic)
        self._show_threshold(state.threshold)
        self.rule_box.show_data(state.rule)
        self.colour_map_box.show_data(state.colour_map)
        with QSignalBlocker(self.heat_map_box), QSignalBlocker(self.opacity_slider):
            self.heat_map_box.setChecked(state.heat_map)
            self.opacity_slider.setValue(round(state.opacity * 100))
        with QSignalBlocker(self.side_by_side_button):
            self.side_by_side_button.setChecked(state.side_by_side)
        self._explain_rule()
        self.scope.set_first(state.all_images)
        self.legend.set_colour_map(state.colour_map)
        self.set_zoom(state.zoom)
        self._enable(state)

    def set_zoom(self, zoom: float) -> None:
        """Show the zoom, in device pixels per image pixel; 0 shows none."""
        self.zoom_label.setText(tr("{0} %").format(number(zoom * 100, ",.0f")) if zoom > 0 else "")

    # Making

    def _make_decision_controls(self) -> None:
        titles = {name: tr(rule.title) for name, rule in RULES.items()}
        self.rule_box = Combo(titles, name=tr("Rule"), whole=True)
        for row, rule in enumerate(RULES.values()):
            self.rule_box.setItemData(row, tr(rule.help), Qt.ItemDataRole.ToolTipRole)
        tip = tr(
            "The heat from which a place counts as object: a share of the heat map's maximum, or a "
            "probability with the rule Object map. The mark is the automatic threshold."
        )
        self.threshold_slider = MiddleSlider(page=10, name=tr("Threshold"), tip=tip, least=72)
        self.threshold_spin = RealSpin(0.0, MAX_THRESHOLD, name=tr("Threshold, as a number"), tip=tip)
        self.threshold_spin.setFixedWidth(self.fontMetrics().horizontalAdvance("0.00") + _SPIN_ROOM)
        self.reset_button = tool_button("reset", tr("Reset threshold"), "", self.reset_threshold_requested)
        tighter, looser = plain_label(tr("tighter"), "muted"), plain_label(tr("looser"), "muted")
        tighter.setBuddy(self.threshold_slider)
        parts = tighter, self.threshold_slider, looser, self.threshold_spin, self.reset_button
        self._threshold_parts = parts
        self.threshold_plot = ThresholdPlot(self)
        self.scope = Choice(tr("All images"), tr("This image only"))
        self.scope.setToolTip(tr("Images that a change of threshold or rule applies to."))

    def _make_display_controls(self) -> None:
        self.heat_map_box = QCheckBox(tr("Heat map"), self)
        self.heat_map_box.setToolTip(tr("Show the heat map over the image."))
        name, tip = tr("Opacity of the heat map"), tr("Opacity of the heat map.")
        self.opacity_slider = JumpSlider(0, 100, page=10, name=name, tip=tip, least=48)
        self.opacity_slider.setMaximumWidth(140)
        titles = {name: tr("Grey") if name == "grey" else name.capitalize() for name in COLOUR_MAPS}
        self.colour_map_box = Combo(
            titles, name=tr("Colour map"), tip=tr("Colours of the heat map."), whole=True
        )
        self.colour_map_box.setIconSize(QSize(28, 12))
        for row, name in enumerate(COLOUR_MAPS):
            picture = to_qimage(colour_bar(name)[None]).scaled(QSize(56, 24))
            self.colour_map_box.setItemIcon(row, QIcon(QPixmap.fromImage(picture)))
        self.legend = LegendStrip(self)
        self.zoom_label = plain_label("", "muted")
        self.zoom_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("6400 %") + _LABEL_ROOM)
        self.zoom_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        tip = tr("Show the image and its heat map side by side (S).")
        self.side_by_side_button = tool_button("side-by-side", tr("Side by side"), tip)
        self.side_by_side_button.setCheckable(True)
        tip = tr("Brightness, contrast and gamma of what you see (Ctrl+L).")
        name = tr("Brightness and contrast")
        self.display_button = tool_button("display", name, tip, self.display_requested)
        tip = tr("Show the whole image (0, or a double click).")
        self.fit_button = tool_button("fit", tr("Fit to window"), tip, self.fit_requested)
        tip = tr("One image pixel on one screen pixel (Ctrl+1).")
        self.actual_size_button = tool_button(
            "actual-size", tr("Actual size"), tip, self.actual_size_requested
        )

    def _place_threshold(self) -> None:
        """Between rule and scope; as wide as the bar above its curve and where there is no room between."""
        has_plot = not self.threshold_plot.isHidden()
        title = self.threshold_plot.title  # its own hint is as wide as it was made
        below = title.fontMetrics().horizontalAdvance(title.text()) + _LABEL_ROOM if has_plot else 0
        self._threshold_parts[0].setMinimumWidth(below)  # both begin where the longer name ends
        wide = has_plot or self._narrow
        if wide == self._own_row:
            return
        self._own_row = wide
        row = self._wide_row if wide else self._first_row
        for i, part in enumerate(self._threshold_parts):
            for other in (self._wide_row, self._first_row):
                other.removeWidget(part)
            row.insertWidget(i + (not wide), part, int(part is self.threshold_slider))
        if wide:
            self._first_row.insertStretch(1, 1)
        elif (spacer := self._first_row.itemAt(len(self._threshold_parts) + 1)) and spacer.spacerItem():
            self._first_row.removeItem(spacer)

    def minimumSizeHint(self) -> QSize:
        """As narrow as it can be made: the threshold has its own row, colours have no names."""
        decision, display = _room_for(self.rule_box, self.scope), _room_for(*self._always) + style.GAP
        return QSize(max(decision, display + _ICON_BOX + _ROW_SPACING), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        decision = _room_for(self.rule_box, *self._threshold_parts, self.scope)
        display = _room_for(*self._always, self._low, self.legend, self._high) + style.GAP
        colours = self.colour_map_box.sizeHint().width() + _ROW_SPACING
        narrow = self.width() < max(decision, display + colours)
        if narrow != self._narrow:
            self._narrow = narrow
            for widget in (self._low, self.legend, self._high):
                widget.setVisible(not narrow)
            self.colour_map_box.setMinimumWidth(_ICON_BOX if narrow else 0)
            self._place_threshold()

    def _display_row(self) -> QHBoxLayout:
        self._low, self._high = plain_label(tr("low"), "muted"), plain_label(tr("high"), "muted")
        buttons = self.side_by_side_button, self.display_button, self.fit_button, self.actual_size_button
        row = hbox(
            self.heat_map_box,
            (self.opacity_slider, 1),
            style.GAP,
            self.colour_map_box,
            self._low,
            self.legend,
            self._high,
            STRETCH,
            *buttons[:2],
            self.zoom_label,
            *buttons[2:],
            spacing=_ROW_SPACING,
        )
        self._always = self.heat_map_box, self.opacity_slider, self.zoom_label, *buttons
        return row

    def _connect(self) -> None:
        self.threshold_slider.valueChanged.connect(lambda _: self._threshold_moved(self._slid()))
        self.threshold_slider.sliderPressed.connect(self.threshold_held)
        self.threshold_slider.sliderReleased.connect(self.threshold_settled)
        self.threshold_spin.valueChanged.connect(self._threshold_moved)
        self.threshold_plot.threshold_chosen.connect(self._threshold_moved)
        self.threshold_plot.held.connect(self.threshold_held)
        self.threshold_plot.settled.connect(self.threshold_settled)
        for widget in (self.threshold_slider, self.threshold_plot):
            widget.installEventFilter(self)
        self.rule_box.currentIndexChanged.connect(self._rule_chosen)
        self.scope.changed.connect(lambda first: self._tell(self.scope_changed, first))
        self.heat_map_box.toggled.connect(self._heat_map_toggled)
        self.opacity_slider.valueChanged.connect(lambda value: self._tell(self.opacity_changed, value / 100))
        self.colour_map_box.currentIndexChanged.connect(self._colour_map_chosen)
        self.side_by_side_button.toggled.connect(lambda on: self._tell(self.side_by_side_toggled, on))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind, is_plot = event.type(), watched is self.threshold_plot
        if is_plot and kind in (QEvent.Type.ShowToParent, QEvent.Type.HideToParent):
            self._place_threshold()
        if kind in (QEvent.Type.Resize, QEvent.Type.Move):
            self._place_plot()
        return super().eventFilter(watched, event)

    def _place_plot(self) -> None:
        left, right = self.threshold_slider.span()
        shift = self.threshold_slider.x() - self.threshold_plot.x()
        self.threshold_plot.set_span(left + shift, right + shift)

    # A person's doing

    def _tell(self, signal: SignalInstance, value: object) -> None:
        self._state = None  # the next set_state must be applied, whatever it says
        signal.emit(value)

    def _threshold_moved(self, threshold: float) -> None:
        self._show_threshold(threshold)
        self._tell(self.threshold_changed, threshold)

    def _slid(self) -> float:
        """The threshold where the slider's handle is, with the decimals that are shown."""
        return round(threshold_at(self.threshold_slider.value() / _FINE, automatic=self._automatic), 2)

    def _show_threshold(self, threshold: float) -> None:
        with QSignalBlocker(self.threshold_slider), QSignalBlocker(self.threshold_spin):
            if abs(self._slid() - threshold) > 1e-9:  # else the handle would slip from under the mouse
                position = position_of(threshold, automatic=self._automatic)
                self.threshold_slider.setValue(round(position * _FINE))
            if (
                abs(self.threshold_spin.value() - threshold) > 1e-9
            ):  # else it would rewrite what is being typed
                self.threshold_spin.setValue(threshold)

    def _rule_chosen(self, index: int) -> None:
        self._explain_rule()
        self._tell(self.rule_changed, self.rule_box.itemData(index))

    def _explain_rule(self) -> None:
        help_ = self.rule_box.currentData(Qt.ItemDataRole.ToolTipRole)
        self.rule_box.setToolTip(help_ or "")

    def _heat_map_toggled(self, on: bool) -> None:
        self._enable_heat(on)
        self._tell(self.heat_map_toggled, on)

    def _colour_map_chosen(self, index: int) -> None:
        name = self.colour_map_box.itemData(index)
        self.legend.set_colour_map(name)
        self._tell(self.colour_map_changed, name)

    def _enable(self, state: CanvasBarState) -> None:
        for widget in (*self._threshold_parts, self.rule_box, self.scope, self.heat_map_box):
            widget.setEnabled(state.enabled)
        self._enable_heat(state.enabled and state.heat_map)
        for button in (
            self.fit_button,
            self.actual_size_button,
            self.side_by_side_button,
            self.display_button,
        ):
            button.setEnabled(state.has_image)
        self.reset_button.setToolTip(
            tr("Reset to the threshold of all images.")
            if not state.all_images
            else tr("Reset to the default threshold of this rule.")
        )

    def _enable_heat(self, on: bool) -> None:
        for widget in (self.opacity_slider, self.colour_map_box, self.legend, self._low, self._high):
            widget.setEnabled(on)


def _room_for(*widgets: QWidget) -> int:
    """The width of a bar with ``widgets`` in one row, each as narrow as it may be."""
    widths = [widget.minimumWidth() or widget.minimumSizeHint().width() for widget in widgets]
    return sum(widths) + (len(widths) - 1) * _ROW_SPACING + style.MARGIN + style.SPACING
