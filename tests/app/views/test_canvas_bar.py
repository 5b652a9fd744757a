"""The bar under the image, driven with real clicks and keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from seeing import pixel

from app.views.canvas_bar import CanvasBar, CanvasBarState
from app.views.layouts import vbox
from core.boxes.rules import RULES
from core.maps.colouring import COLOUR_MAPS, colour_bar

SIGNALS = (
    "threshold_changed",
    "rule_changed",
    "scope_changed",
    "heat_map_toggled",
    "opacity_changed",
    "colour_map_changed",
    "fit_requested",
    "actual_size_requested",
    "reset_threshold_requested",
)


@pytest.fixture
def bar(show: Callable[..., QWidget]) -> CanvasBar:
    return show(CanvasBar(), 700, 80)


def listen(bar: CanvasBar) -> list[tuple[object, ...]]:
    """Everything the bar says from now on."""
    heard: list[tuple[object, ...]] = []
    for name in SIGNALS:
        getattr(bar, name).connect(lambda *values, name=name: heard.append((name, *values)))
    return heard


def test_the_slider_stays_where_there_is_little_room(show: Callable[..., QWidget], qtbot: QtBot) -> None:
    bar, around = CanvasBar(), QWidget()
    vbox(bar, on=around)
    show(around, 900, 80)
    for width in (bar.minimumSizeHint().width(), 560, 620, 700, 1200):
        around.resize(width, 80)
        qtbot.waitUntil(lambda width=width: bar.width() == width)
        shown = [one for one in bar.findChildren(QWidget) if one.isVisible() and one.parent() is bar]
        assert bar.threshold_slider in shown and bar.threshold_slider.width() >= 140
        assert {bar.threshold_spin, bar.boxes_button, bar.heat_button, bar.fit_button} <= set(shown)
        assert all(bar.rect().contains(one.geometry()) for one in shown), width
        assert bar.zoom_label.isVisible() == (width >= 700)


def test_showing_a_state_says_nothing(bar: CanvasBar) -> None:
    heard = listen(bar)
    rules, maps = list(RULES), list(COLOUR_MAPS)
    state = CanvasBarState(
        threshold=0.37,
        automatic=0.5,
        rule=rules[-1],
        all_images=False,
        heat_map=False,
        opacity=0.8,
        colour_map=maps[-1],
        zoom=2.5,
    )
    bar.set_state(state)
    assert heard == []
    assert bar.threshold_spin.value() == 0.37 and bar.threshold_slider.value() == 26, "looser, by 0.13 of 0.5"
    assert bar.boxes.rule_box.currentData() == rules[-1]
    assert bar.heat.colours.currentData() == maps[-1]
    assert not bar.boxes.scope.is_first() and not bar.heat.shown.isChecked()
    assert bar.heat.opacity.value() == 80
    assert bar.zoom_label.text() == "250 %"
    assert not bar.heat.opacity.isEnabled()


def test_the_slider_goes_from_tighter_over_automatic_to_looser(bar: CanvasBar, qtbot: QtBot) -> None:
    heard = listen(bar)
    slider = bar.threshold_slider
    bar.set_state(CanvasBarState(threshold=0.5, automatic=0.5))
    left, right = slider.span()
    ends = QPoint(1, slider.height() // 2), QPoint(slider.width() - 1, slider.height() // 2)
    for end in ends:
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=end)
    assert heard == [("threshold_changed", 0.95), ("threshold_changed", 0.0)]
    bar.set_state(CanvasBarState(threshold=0.5, automatic=0.5))
    qtbot.keyClick(slider, Qt.Key.Key_Left)
    assert heard[-1] == ("threshold_changed", 0.51), "each key moves it by what is shown at least"
    assert bar.threshold_spin.value() == 0.51
    mark = slider.grab().toImage().pixelColor((left + right) // 2, 2)
    assert mark != slider.grab().toImage().pixelColor((left + right) // 2 - 8, 2), "the middle is marked"


def test_where_nothing_is_looser_than_automatic_the_slider_ends_there(bar: CanvasBar, qtbot: QtBot) -> None:
    heard = listen(bar)
    slider = bar.threshold_slider
    bar.set_state(CanvasBarState(threshold=0.4, automatic=0.0))
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 1, slider.height() // 2))
    assert heard == [("threshold_changed", 0.0)]
    assert slider.value() == slider.maximum() == 0


def test_a_click_on_the_groove_goes_there_at_once(bar: CanvasBar, qtbot: QtBot) -> None:
    slider = bar.threshold_slider
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, slider.height() // 2))
    assert bar.threshold_spin.value() == pytest.approx(0.475, abs=0.02)


def test_a_typed_threshold_moves_the_slider_and_stays_in_range(bar: CanvasBar, qtbot: QtBot) -> None:
    heard = listen(bar)
    bar.threshold_spin.selectAll()
    qtbot.keyClicks(bar.threshold_spin, bar.threshold_spin.locale().toString(0.31, "f", 2))
    qtbot.keyClick(bar.threshold_spin, Qt.Key.Key_Return)
    assert heard[-1] == ("threshold_changed", 0.31) and bar.threshold_slider.value() == -33
    bar.threshold_spin.setValue(3)
    assert heard[-1] == ("threshold_changed", 0.95)


def test_rule_scope_colours_and_heat_map(bar: CanvasBar, qtbot: QtBot) -> None:
    heard = listen(bar)
    qtbot.mouseClick(bar.boxes_button, Qt.MouseButton.LeftButton)
    assert bar.boxes.isVisible()
    qtbot.keyClick(bar.boxes.rule_box, Qt.Key.Key_Down)
    qtbot.mouseClick(bar.boxes.scope.second, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.boxes.scope.second, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.boxes.scope.first, Qt.MouseButton.LeftButton)
    bar.boxes.close()
    qtbot.mouseClick(bar.heat_button, Qt.MouseButton.LeftButton)
    assert bar.heat.isVisible()
    qtbot.keyClick(bar.heat.colours, Qt.Key.Key_Down)
    qtbot.keyClick(bar.heat.shown, Qt.Key.Key_Space)
    assert heard == [
        ("rule_changed", list(RULES)[1]),
        ("scope_changed", False),
        ("scope_changed", True),
        ("colour_map_changed", COLOUR_MAPS[1]),
        ("heat_map_toggled", False),
    ]


def test_buttons(bar: CanvasBar, qtbot: QtBot) -> None:
    heard = listen(bar)
    for button in (bar.fit_button, bar.actual_size_button, bar.reset_button):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert heard == [("fit_requested",), ("actual_size_requested",), ("reset_threshold_requested",)]


def test_without_a_heat_map_there_is_nothing_to_decide(bar: CanvasBar) -> None:
    bar.set_state(CanvasBarState(enabled=False))
    for widget in (
        bar.threshold_slider,
        bar.boxes.rule_box,
        bar.boxes.scope,
        bar.reset_button,
        bar.heat.opacity,
    ):
        assert not widget.isEnabled()
    assert bar.fit_button.isEnabled()
    bar.set_state(CanvasBarState(enabled=False, has_image=False))
    assert not bar.fit_button.isEnabled()


def test_the_same_state_takes_back_what_a_person_did_meanwhile(bar: CanvasBar) -> None:
    state = CanvasBarState(threshold=0.2, zoom=1.0)
    bar.set_state(state)
    bar.threshold_slider.setValue(-50)
    bar.boxes.rule_box.setCurrentIndex(1)
    bar.heat.opacity.setValue(3)
    bar.boxes.scope.second.click()
    bar.set_state(state)
    assert bar.threshold_spin.value() == 0.2
    assert bar.boxes.rule_box.currentData() == state.rule
    assert bar.heat.opacity.value() == round(state.opacity * 100)
    assert bar.boxes.scope.is_first()


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_the_legend_shows_the_colour_map(bar: CanvasBar, qtbot: QtBot, name: str) -> None:
    bar.set_state(replace(CanvasBarState(), colour_map=name))
    colours = colour_bar(name)
    qtbot.mouseClick(bar.heat_button, Qt.MouseButton.LeftButton)
    width = bar.heat.legend.width()
    for share in (0.02, 0.5, 0.98):
        shown = pixel(bar.heat.legend, share * width, 6)
        assert shown == pytest.approx(tuple(int(v) for v in colours[round(share * 255)]), abs=14)


def test_every_control_has_a_name_and_a_tip(bar: CanvasBar) -> None:
    for widget in (
        bar.boxes.rule_box,
        bar.threshold_slider,
        bar.threshold_spin,
        bar.reset_button,
        bar.heat.opacity,
        bar.heat.colours,
        bar.fit_button,
        bar.actual_size_button,
    ):
        assert widget.accessibleName() and (widget.toolTip() or widget is bar.boxes.rule_box)
    assert bar.boxes.rule_box.toolTip()
