"""The one bar under the image: how tight boxes are, and buttons for all else about boxes and their image."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QSignalBlocker, QSize, Qt, Signal, SignalInstance
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from app import style
from app.views.boxes_popup import BoxesPopup
from app.views.controls import RealSpin, plain_label, tool_button
from app.views.dialog import Popup
from app.views.heat_popup import HeatPopup
from app.views.layouts import STRETCH, hbox
from app.views.sliders import MiddleSlider
from core.base.language import number, tr
from core.boxes.rules import DEFAULT_RULE, MAX_THRESHOLD
from core.boxes.tightness import position_of, threshold_at
from core.maps.colouring import COLOUR_MAPS

_FINE = 100  # slider units from the middle to either end
_SLIDER_LEAST, _SLIDER_MOST = 140, 360
_LABEL_ROOM = 4
_SPIN_ROOM = 38  # for frame and arrows
_SPACING = 6


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


class CanvasBar(QWidget):
    """The threshold on the left, always in sight; on the right popups for boxes and heat map, and zoom."""

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
        self.boxes, self.heat = BoxesPopup(self), HeatPopup(self)
        self._make_threshold()
        self._make_buttons()
        hbox(
            self._tighter,
            (self.threshold_slider, 3),
            self._looser,
            self.threshold_spin,
            self.reset_button,
            self.this_image,
            STRETCH,
            self.boxes_button,
            self.heat_button,
            self.side_by_side_button,
            self.display_button,
            self.zoom_label,
            self.fit_button,
            self.actual_size_button,
            on=self,
            margins=(style.MARGIN, style.GAP, style.SPACING, style.GAP),
            spacing=_SPACING,
        )
        self._connect()
        self.set_state(CanvasBarState())

    def set_state(self, state: CanvasBarState) -> None:
        if state == self._state:
            return
        self._state = state
        self._automatic = state.automatic
        self.threshold_slider.set_range(-_FINE, _FINE if state.automatic > 0 else 0)
        self._show_threshold(state.threshold)
        self.boxes.set_ruling(enabled=state.enabled, rule=state.rule, all_images=state.all_images)
        self.heat.set_state(
            enabled=state.enabled, shown=state.heat_map, opacity=state.opacity, colour_map=state.colour_map
        )
        with QSignalBlocker(self.side_by_side_button):
            self.side_by_side_button.setChecked(state.side_by_side)
        self.set_zoom(state.zoom)
        self._enable(state)
        self._fit()

    def set_zoom(self, zoom: float) -> None:
        """Show the zoom, in device pixels per image pixel; 0 shows none."""
        self.zoom_label.setText(tr("{0} %").format(number(zoom * 100, ",.0f")) if zoom > 0 else "")

    def minimumSizeHint(self) -> QSize:
        """As narrow as it is without what is left out first."""
        return QSize(self._room(without=self._left_out_first), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # Making

    def _make_threshold(self) -> None:
        tip = tr(
            "The heat from which a place counts as object: a share of the heat map's maximum, or a "
            "probability with the rule Object map. The mark is the automatic threshold."
        )
        self.threshold_slider = MiddleSlider(page=10, name=tr("Threshold"), tip=tip, least=_SLIDER_LEAST)
        self.threshold_slider.setMaximumWidth(_SLIDER_MOST)
        self.threshold_spin = RealSpin(0.0, MAX_THRESHOLD, name=tr("Threshold, as a number"), tip=tip)
        self.threshold_spin.setFixedWidth(self.fontMetrics().horizontalAdvance("0.00") + _SPIN_ROOM)
        self.reset_button = tool_button("reset", tr("Reset threshold"), "", self.reset_threshold_requested)
        self._tighter = plain_label(tr("tighter"), "muted")
        self._looser = plain_label(tr("looser"), "muted")
        self._tighter.setBuddy(self.threshold_slider)
        self.this_image = plain_label(tr("this image"), "muted")
        self.this_image.setToolTip(tr("Images that a change of threshold or rule applies to."))

    def _make_buttons(self) -> None:
        tip = tr("How many boxes an image gets, by which rule and for which images.")
        self.boxes_button = _opens(tool_button("box", tr("Boxes"), tip), self.boxes, self.boxes.spin)
        tip = tr("Colours and opacity of the heat map; H shows and hides it.")
        self.heat_button = _opens(tool_button("heat-map", tr("Heat map"), tip), self.heat, self.heat.shown)
        tip = tr("Show the image and its heat map side by side (S).")
        self.side_by_side_button = tool_button("side-by-side", tr("Side by side"), tip)
        self.side_by_side_button.setCheckable(True)
        tip = tr("Brightness, contrast and gamma of what you see (Ctrl+L).")
        name = tr("Brightness and contrast")
        self.display_button = tool_button("display", name, tip, self.display_requested)
        self.zoom_label = plain_label("", "muted")
        self.zoom_label.setMinimumWidth(self.fontMetrics().horizontalAdvance("6400 %") + _LABEL_ROOM)
        self.zoom_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        tip = tr("Show the whole image (0, or a double click).")
        self.fit_button = tool_button("fit", tr("Fit to window"), tip, self.fit_requested)
        tip = tr("One image pixel on one screen pixel (Ctrl+1).")
        self.actual_size_button = tool_button(
            "actual-size", tr("Actual size"), tip, self.actual_size_requested
        )
        self._of_the_image = (
            self.fit_button,
            self.actual_size_button,
            self.side_by_side_button,
            self.display_button,
        )
        # The menus have what they do, too.
        self._left_out_first: tuple[QWidget, ...] = (
            self.zoom_label,
            self.actual_size_button,
            self.side_by_side_button,
            self.display_button,
        )

    def _connect(self) -> None:
        self.threshold_slider.valueChanged.connect(lambda _: self._threshold_moved(self._slid()))
        self.threshold_slider.sliderPressed.connect(self.threshold_held)
        self.threshold_slider.sliderReleased.connect(self.threshold_settled)
        self.threshold_spin.valueChanged.connect(self._threshold_moved)
        for its, own in (
            (self.boxes.rule_changed, self.rule_changed),
            (self.boxes.scope_changed, self.scope_changed),
            (self.heat.shown_toggled, self.heat_map_toggled),
            (self.heat.opacity_changed, self.opacity_changed),
            (self.heat.colour_map_changed, self.colour_map_changed),
            (self.side_by_side_button.toggled, self.side_by_side_toggled),
        ):
            its.connect(lambda value, own=own: self._tell(own, value))
        self.boxes.caution_changed.connect(self._sign_boxes)

    def _sign_boxes(self) -> None:
        """What is said of boxes in their popup is out of sight: a warning is not."""
        style.set_icon(self.boxes_button, "warning" if self.boxes.caution else "box")
        caution = self.boxes.sentence.text() if self.boxes.caution else ""
        plain = tr("How many boxes an image gets, by which rule and for which images.")
        self.boxes_button.setToolTip(caution or plain)

    def _fit(self) -> None:
        """Leave out what there is no room for."""
        for count in range(len(self._left_out_first) + 1):
            left_out = self._left_out_first[:count]
            if self._room(without=left_out) <= self.width():
                break
        for widget in self._left_out_first:
            widget.setVisible(widget not in left_out)
        self.this_image.setVisible(self._state is not None and not self._state.all_images)

    def _room(self, *, without: tuple[QWidget, ...]) -> int:
        parts = (
            self._tighter,
            self.threshold_slider,
            self._looser,
            self.threshold_spin,
            self.reset_button,
            self.boxes_button,
            self.heat_button,
            self.fit_button,
            *self._left_out_first,
        )
        is_one = self._state is not None and not self._state.all_images
        kept = [part for part in (*parts, *([self.this_image] * is_one)) if part not in without]
        widths = [part.minimumWidth() or part.minimumSizeHint().width() for part in kept]
        return sum(widths) + (len(widths) + 1) * _SPACING + style.MARGIN + style.SPACING

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

    def _enable(self, state: CanvasBarState) -> None:
        threshold = self._tighter, self.threshold_slider, self._looser, self.threshold_spin, self.reset_button
        for widget in (*threshold, self.this_image):
            widget.setEnabled(state.enabled)
        for button in self._of_the_image:
            button.setEnabled(state.has_image)
        self.reset_button.setToolTip(
            tr("Reset to the threshold of all images.")
            if not state.all_images
            else tr("Reset to the default threshold of this rule.")
        )


def _opens(button: QToolButton, popup: Popup, first: QWidget) -> QToolButton:
    """Let ``button`` open ``popup`` above itself, with the keys for its ``first`` field."""

    def open_it() -> None:
        popup.adjustSize()
        popup.show_at(button.mapToGlobal(QPoint(0, -popup.height() - style.GAP)))
        first.setFocus(Qt.FocusReason.PopupFocusReason)

    button.clicked.connect(open_it)
    return button
