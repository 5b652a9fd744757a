"""The choice of what heat maps come from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.views.source_picker import Figure, SourceOption, SourcePicker, SourceState

OPTIONS = (
    SourceOption("gan", "last", "Last: step 600"),
    SourceOption("gan", "proposed", "Recommended: none", "why", enabled=False),
    SourceOption("gan", "400", "Step 400", "Separation: 0.80"),
    SourceOption("cam", "last", "Class labels: step 30"),
)


@pytest.fixture
def picker(show: Callable[..., QWidget]) -> SourcePicker:
    shown = show(SourcePicker(), 320, 160)
    shown.set_state(SourceState(OPTIONS, reason="Because of <b>this</b>."))
    return shown


def test_keys_choose_and_skip_what_cannot_be_chosen(picker: SourcePicker, qtbot: QtBot) -> None:
    heard: list[tuple[str, str]] = []
    picker.chosen.connect(lambda model, at: heard.append((model, at)))
    qtbot.keyClick(picker.box, Qt.Key.Key_Down)
    qtbot.keyClick(picker.box, Qt.Key.Key_Down)
    assert heard == [("gan", "400"), ("cam", "last")]


def test_what_was_measured_is_a_tool_tip_in_the_list(picker: SourcePicker) -> None:
    assert picker.box.itemData(2, Qt.ItemDataRole.ToolTipRole) == "Separation: 0.80"
    assert not picker.box.model().item(1).isEnabled()


def test_showing_a_state_is_silent_and_plain(picker: SourcePicker) -> None:
    heard: list[object] = []
    picker.chosen.connect(lambda *choice: heard.append(choice))
    figures = (Figure("Separation", "0.55", "tip", good=False), Figure("Map difference", "0.50", "tip"))
    picker.set_state(SourceState(OPTIONS, "cam", "last", "Because of <b>this</b>.", figures))
    assert picker.box.currentText() == "Class labels: step 30"
    assert picker.reason.text() == "Because of <b>this</b>." and picker.numbers.isVisible()
    labels = {
        label.text(): label.property("role") for label in picker.numbers.children() if hasattr(label, "text")
    }
    assert labels["0.55"] == "caution" and labels["0.50"] == "title"
    picker.set_state(SourceState(OPTIONS))
    assert not picker.reason.isVisible() and not picker.numbers.isVisible()
    assert heard == []
