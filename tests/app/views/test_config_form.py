"""The form and the config say the same, both ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.views.config_form import ConfigForm
from core.base.config import TrainConfig, limits_of
from core.base.errors import BoxscoutError
from core.base.presets import PRESETS


@pytest.fixture
def form(show: Callable[..., QWidget]) -> ConfigForm:
    return show(ConfigForm(), 316, 700)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_goes_there_and_back(form: ConfigForm, qtbot: QtBot, name: str) -> None:
    with qtbot.assertNotEmitted(form.config_changed):
        form.set_config(PRESETS[name])
    assert form.config() == PRESETS[name]
    assert form.preset_box.currentData() == name


def values_of(name: str) -> st.SearchStrategy[object]:
    limits, default = limits_of(name), getattr(TrainConfig(), name)
    if limits.choices:
        return st.sampled_from(limits.choices)
    if isinstance(default, bool):
        return st.booleans()
    assert limits.low is not None and limits.high is not None
    if isinstance(default, int):
        return st.integers(int(limits.low), int(limits.high))
    real = st.floats(limits.low, limits.high)
    return st.none() | real if default is None else real


@st.composite
def configs(draw: st.DrawFn) -> TrainConfig:
    values = {field.name: draw(values_of(field.name)) for field in fields(TrainConfig)}
    try:
        return TrainConfig(**values)
    except BoxscoutError:  # values that contradict each other
        reject()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(config=configs())
def test_every_config_goes_there_and_back(form: ConfigForm, config: TrainConfig) -> None:
    form.set_config(config)
    assert form.config() == config
    assert form.problem() == ""


def test_every_field_has_a_named_editor_with_its_help(form: ConfigForm) -> None:
    for field in fields(TrainConfig):
        if field.name == "minutes":
            widget: QWidget = form.budget.minutes
        else:
            widget = form.editors[field.name].focusProxy()
        limits = limits_of(field.name)
        assert widget.accessibleName() == limits.label
        assert widget.toolTip().startswith(limits.help)


def test_an_edit_makes_the_preset_custom_and_a_preset_undoes_it(form: ConfigForm, qtbot: QtBot) -> None:
    batch = form.editors["batch_size"].focusProxy()
    with qtbot.waitSignal(form.config_changed):
        qtbot.keyClick(batch, Qt.Key.Key_Up)
    assert form.preset_box.currentText() == "Custom"
    assert form.config().batch_size != PRESETS["scratch"].batch_size
    with qtbot.waitSignal(form.config_changed):
        form.preset_box.setCurrentIndex(form.preset_box.findData("generator"))
    assert form.config() == PRESETS["generator"]
    assert form.preset_box.findText("Custom") < 0


def test_a_preset_leaves_device_and_seed_alone(form: ConfigForm) -> None:
    form.set_config(PRESETS["scratch"].with_(device="cpu", seed=7))
    assert form.preset_box.currentData() == "scratch"
    form.preset_box.setCurrentIndex(form.preset_box.findData("generator"))
    assert form.config() == PRESETS["generator"].with_(device="cpu", seed=7)


def test_the_default_follows_the_folder_and_says_why(form: ConfigForm, qtbot: QtBot) -> None:
    # What another preset has too.
    fitted = PRESETS["generator"]
    with qtbot.assertNotEmitted(form.config_changed):
        form.set_fitted(fitted, "12 images: 300 steps.")
    assert form.config() == fitted
    assert form.preset_box.currentData() == "scratch"
    assert form.reason_label.isVisible() and form.reason_label.text() == "12 images: 300 steps."
    form.preset_box.setCurrentIndex(form.preset_box.findData("generator"))
    assert form.preset_box.currentData() == "generator"
    assert not form.reason_label.isVisible()
    form.preset_box.setCurrentIndex(form.preset_box.findData("scratch"))
    form.set_fitted(PRESETS["scratch"], "")
    assert form.config() == PRESETS["scratch"]
    assert not form.reason_label.isVisible()


def test_what_was_fitted_before_is_known_again(form: ConfigForm) -> None:
    """A project that is opened again shows its settings before its images have been counted."""
    fitted = PRESETS["scratch"].with_(steps=300)
    form.set_config(fitted.with_(seed=3))
    assert form.preset_box.currentText() == "Custom"
    form.set_fitted(fitted, "12 images: 300 steps.")
    assert form.preset_box.currentData() == "scratch"
    assert form.reason_label.isVisible()
    assert form.config() == fitted.with_(seed=3)


def test_what_a_person_set_is_not_fitted(form: ConfigForm, qtbot: QtBot) -> None:
    qtbot.keyClick(form.editors["batch_size"].focusProxy(), Qt.Key.Key_Up)
    own = form.config()
    form.set_fitted(PRESETS["generator"], "12 images: 300 steps.")
    assert form.config() == own
    assert form.preset_box.currentText() == "Custom"
    assert not form.reason_label.isVisible()
    form.preset_box.setCurrentIndex(form.preset_box.findData("scratch"))
    assert form.config() == PRESETS["generator"]
    assert form.reason_label.isVisible()


def test_steps_or_minutes(form: ConfigForm, qtbot: QtBot) -> None:
    assert form.budget.steps.isVisible() and not form.budget.minutes.isVisible()
    qtbot.mouseClick(form.budget.unit.second, Qt.MouseButton.LeftButton)
    assert form.budget.minutes.isVisible() and not form.budget.steps.isVisible()
    assert form.config().minutes == form.budget.minutes.value() > 0
    assert form.config().steps == PRESETS["scratch"].steps
    qtbot.mouseClick(form.budget.unit.first, Qt.MouseButton.LeftButton)
    assert form.config().minutes is None


def test_minutes_given_exactly_come_back_exactly_until_changed(form: ConfigForm, qtbot: QtBot) -> None:
    config = TrainConfig(minutes=1 / 3)
    form.set_config(config)
    assert form.config() == config
    form.budget.minutes.setValue(2.5)
    assert form.config().minutes == 2.5


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("fast", "Learning rate must be a number."),
        ("nan", "Learning rate must lie between 1e-07 and 1."),
        ("-1", "Learning rate must lie between 1e-07 and 1."),
        ("1e9", "Learning rate must lie between 1e-07 and 1."),
    ],
)
def test_a_wrong_number_is_explained(form: ConfigForm, qtbot: QtBot, typed: str, sentence: str) -> None:
    form.advanced.toggle.click()
    edit = form.editors["learning_rate"].focusProxy()
    edit.selectAll()
    qtbot.keyClicks(edit, typed)
    assert form.problem_label.isVisible() and form.problem_label.text() == sentence
    with pytest.raises(BoxscoutError, match=r"^Learning rate"):
        form.config()
    edit.selectAll()
    qtbot.keyClicks(edit, "3e-4")
    assert not form.problem_label.isVisible()
    assert form.config().learning_rate == 3e-4
    edit.selectAll()
    qtbot.keyClicks(edit, "0,001")
    assert form.config().learning_rate == 1e-3


def test_an_empty_optional_number_is_none(form: ConfigForm, qtbot: QtBot) -> None:
    form.set_config(TrainConfig(learning_rate=1e-3))
    edit = form.editors["learning_rate"].focusProxy()
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    assert form.config().learning_rate is None


def test_a_whole_number_cannot_leave_its_range(form: ConfigForm, qtbot: QtBot) -> None:
    batch = form.editors["batch_size"].focusProxy()
    batch.selectAll()
    qtbot.keyClicks(batch, "99999999")
    qtbot.keyClick(batch, Qt.Key.Key_Return)
    assert 2 <= form.config().batch_size <= 1024


def test_the_advanced_fields_are_folded_away_at_first(form: ConfigForm, qtbot: QtBot) -> None:
    assert not form.editors["seed"].isVisible()
    qtbot.mouseClick(form.advanced.toggle, Qt.MouseButton.LeftButton)
    assert form.editors["seed"].isVisible()


def test_a_device_that_is_not_there_cannot_be_chosen(form: ConfigForm) -> None:
    form.set_devices({"auto", "cpu"})
    box = form.editors["device"].focusProxy()
    cuda = box.model().item(box.findData("cuda"))
    assert not cuda.isEnabled() and "ot available on this" in cuda.toolTip()
    assert box.model().item(box.findData("cpu")).isEnabled()


def test_a_card_by_its_number_joins_the_devices(form: ConfigForm) -> None:
    form.set_devices(("auto", "cpu", "cuda", "cuda:0", "cuda:1"))
    form.set_device("cuda:1")
    assert form.config().device == "cuda:1"
    box = form.editors["device"].focusProxy()
    assert box.model().item(box.findData("cuda:1")).isEnabled()
    assert not box.model().item(box.findData("mps")).isEnabled()


def test_the_wheel_does_not_change_what_it_scrolls_past(form: ConfigForm) -> None:
    from PySide6.QtCore import QPointF
    from seeing import wheel

    before = form.config()
    for editor in form.editors.values():
        editor.focusProxy().clearFocus()
        wheel(editor.focusProxy(), QPointF(5, 5), 1)
    assert form.config() == before
