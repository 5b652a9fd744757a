"""The training panel in every phase."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.models.training import Kind, Phase, TrainingStatus
from app.views.controls import FitScroll
from app.views.run_controls import TrainPanelState, step_text, time_left
from app.views.train_panel import TrainPanel
from core.base.presets import PRESETS

SIGNALS = ("start_requested", "resume_requested", "pause_requested", "stop_requested")

RUNNING = TrainPanelState(status=TrainingStatus(phase=Phase.TRAINING, step=10, steps=100, fraction=0.1))


@pytest.fixture
def panel(show: Callable[..., QWidget]) -> TrainPanel:
    made = show(TrainPanel(), 340, 720)
    made.settings.toggle.click()
    return made


def listen(panel: TrainPanel) -> list[tuple[object, ...]]:
    heard: list[tuple[object, ...]] = []
    for name in SIGNALS:
        sender = panel if name == "start_requested" else panel.controls
        getattr(sender, name).connect(lambda *values, name=name: heard.append((name, *values)))
    return heard


def press(qtbot: QtBot, button: QPushButton) -> None:
    assert button.isVisible() and button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_it_fits_beside_the_image(panel: TrainPanel) -> None:
    panel.set_state(
        TrainPanelState(
            status=TrainingStatus(step=200_000, steps=200_000, fraction=1.0), resumable_step=200_000
        )
    )
    assert panel.minimumSizeHint().width() <= 340


@pytest.mark.parametrize("kind", [Kind.FEATURES, Kind.CAM])
def test_a_form_with_room_for_it_has_nothing_to_scroll(panel: TrainPanel, qtbot: QtBot, kind: Kind) -> None:
    panel.set_state(TrainPanelState(kind=kind))
    qtbot.waitUntil(lambda: panel.form_scroll.height() == panel.form_scroll.sizeHint().height())
    assert panel.form_scroll.verticalScrollBar().maximum() == 0
    form = panel.class_form if kind is Kind.CAM else panel.features_form
    form.advanced.toggle.click()
    panel.resize(340, 400)
    qtbot.waitUntil(lambda: panel.form_scroll.verticalScrollBar().maximum() > 0)


def test_curves_and_images_are_never_squeezed(
    panel: TrainPanel, show: Callable[..., QWidget], qtbot: QtBot
) -> None:
    panel.settings.toggle.click()
    scroll = show(FitScroll(panel), 360, 720)
    panel.set_state(RUNNING)
    for step in range(5):
        panel.plot.add_point(step, 1.0 / (step + 1), None)
    panel.refresh()
    for height in (900, 300, 900):
        scroll.resize(360, height)
        for part in (panel.plot, panel.gallery):
            qtbot.waitUntil(lambda part=part: part.height() >= part.minimumSizeHint().height())
        plot, bar = panel.plot, scroll.verticalScrollBar()
        lower = plot.lower_plot.mapTo(plot, plot.lower_plot.rect().topLeft()).y()
        upper = plot.upper_plot.mapTo(plot, plot.upper_plot.rect().bottomLeft()).y()
        assert upper < lower <= plot.height() - plot.lower_plot.height()
        qtbot.waitUntil(lambda height=height, bar=bar: (bar.maximum() > 0) == (height == 300))
    scroll.takeWidget()


def test_start_hands_over_the_config(panel: TrainPanel, qtbot: QtBot) -> None:
    heard = listen(panel)
    panel.set_config(PRESETS["generator"])
    press(qtbot, panel.start_button)
    assert heard == [("start_requested", PRESETS["generator"])]


def test_a_checkpoint_can_be_continued_or_left(panel: TrainPanel, qtbot: QtBot) -> None:
    heard = listen(panel)
    assert not panel.continue_button.isVisible()
    panel.set_state(TrainPanelState(resumable_step=1200))
    assert panel.continue_button.text() == "Continue from step 1,200"
    press(qtbot, panel.continue_button)
    press(qtbot, panel.start_button)
    assert [name for name, *_ in heard] == ["resume_requested", "start_requested"]


def test_pause_resume_and_stop(panel: TrainPanel, qtbot: QtBot) -> None:
    heard = listen(panel)
    panel.set_state(RUNNING)
    press(qtbot, panel.pause_button)
    panel.set_state(replace(RUNNING, status=replace(RUNNING.status, phase=Phase.PAUSED)))
    assert panel.pause_button.text() == "Resume"
    press(qtbot, panel.pause_button)
    press(qtbot, panel.stop_button)
    assert heard == [("pause_requested",), ("pause_requested",), ("stop_requested",)]


@pytest.mark.parametrize("phase", list(Phase))
def test_what_can_be_done_in_each_phase(panel: TrainPanel, phase: Phase) -> None:
    panel.set_state(TrainPanelState(status=TrainingStatus(phase=phase)))
    busy = phase in (Phase.PREPARING, Phase.TRAINING, Phase.PAUSED, Phase.STOPPING)
    assert panel.form.isEnabled() is not busy
    assert panel.settings.is_open() is not busy
    assert panel.start_button.isVisible() is not busy
    assert panel.stop_button.isVisible() is busy
    assert panel.stop_button.isEnabled() is (busy and phase is not Phase.STOPPING)
    assert panel.pause_button.isEnabled() is (phase in (Phase.TRAINING, Phase.PAUSED))


def test_nothing_can_start_without_images_or_with_a_wrong_number(panel: TrainPanel, qtbot: QtBot) -> None:
    panel.set_state(TrainPanelState(can_start=False))
    assert not panel.start_button.isEnabled()
    panel.set_state(TrainPanelState(can_start=True))
    assert panel.start_button.isEnabled()
    panel.set_config(PRESETS["scratch"])
    panel.form.advanced.set_open(True)
    edit = panel.form.editors["learning_rate"].focusProxy()
    edit.selectAll()
    qtbot.keyClicks(edit, "x")
    assert not panel.start_button.isEnabled()
    assert panel.start_button.toolTip() == panel.form.problem() != ""
    panel.set_config(PRESETS["scratch"])
    assert panel.start_button.isEnabled()


def test_progress_in_words(panel: TrainPanel) -> None:
    status = TrainingStatus(
        phase=Phase.TRAINING, step=600, steps=2000, fraction=0.3, steps_per_s=12.34, seconds_left=113.0,
        message="All is well.",
    )  # fmt: skip
    panel.set_state(TrainPanelState(status=status))
    assert panel.progress.value() / panel.progress.maximum() == pytest.approx(0.3)
    assert panel.step_label.text() == "Step 600 of 2,000"
    assert panel.time_label.text() == "2 min left · 12.3 steps/s"
    assert panel.message_label.text() == "All is well."
    panel.set_state(
        TrainPanelState(status=TrainingStatus(phase=Phase.FAILED, message="<b>Out of memory</b> & more"))
    )
    assert panel.message_label.text() == "<b>Out of memory</b> & more"
    assert panel.message_label.textFormat() == Qt.TextFormat.PlainText


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (float("nan"), ""),
        (float("inf"), ""),
        (-1.0, ""),
        (0.0, "0 s left"),
        (59.4, "59 s left"),
        (59.6, "1 min left"),
        (3569.0, "59 min left"),
        (3599.0, "1 h 0 min left"),
        (7260.0, "2 h 1 min left"),
    ],
)
def test_time_left(seconds: float | None, words: str) -> None:
    assert time_left(seconds) == words


def test_steps_in_words() -> None:
    assert step_text(0, 100) == ""
    assert step_text(5, 0) == "Step 5"


def test_samples_and_points_reach_grid_and_plot(panel: TrainPanel) -> None:
    panel.samples.set_samples(np.zeros((16, 32, 32, 3), np.uint8))
    panel.plot.add_point(1, 0.5, 2.0)
    panel.plot.add("ms_ssim", 1, 0.25)
    panel.refresh()
    assert panel.samples.count() == 16
    assert panel.plot.points()["g"][1].tolist() == [2.0]
    panel.clear()
    assert panel.samples.count() == 0
    assert all(len(x) == 0 for x, _ in panel.plot.points().values())
