"""Trainings as runs in the real window: a new one deletes nothing, its boxes come when they are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_support import LONG, click, close, fill, finish, held_step, settle, start

from app.main_window import MainWindow
from app.models.training import Phase
from app.views.message import MessageDialog
from core.base.annotations import BoxRecord, Status
from core.base.config import TrainConfig
from core.learn.snapshots import kept_steps, snapshots_dir
from core.project.runs import current_run, runs
from core.project.store import Project

ENDLESS = 1_000_000
Boxes = dict[int, tuple[BoxRecord, ...]]


@pytest.fixture
def trained(window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot) -> MainWindow:
    """With run 1 and its boxes; the second image is accepted."""
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)
    settle(qtbot, window)
    window.session.select(2)
    qtbot.waitUntil(lambda: window.session.heat_map is not None, timeout=LONG)
    qtbot.keyClick(window.canvas, Qt.Key.Key_A)
    settle(qtbot, window)
    return window


def on_disk(window: MainWindow) -> Boxes:
    with Project.open(window.session.project.path) as other:
        return other.all_boxes()


def train_anew(qtbot: QtBot, window: MainWindow, config: TrainConfig) -> None:
    """A second run to its end."""
    assert window.train_panel.start_button.text() == "New run"
    start(qtbot, window, config)
    finish(qtbot, window)
    settle(qtbot, window)
    qtbot.waitUntil(window.train_panel.runs.take_button.isEnabled, timeout=LONG)


def files_of(project: Project, number: int) -> dict[str, bytes]:
    folder = project.data_dir / "runs" / str(number)
    return {path.name: path.read_bytes() for path in folder.rglob("*.pt")}


def test_a_new_run_replaces_no_box_until_it_is_taken_and_undo_brings_them_back(
    trained: MainWindow, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session, picker = trained.session, trained.train_panel.runs
    project, before, learned = session.project, on_disk(trained), files_of(session.project, 1)
    assert not picker.isVisible(), "one run needs no choice"
    accepted = before[2]

    train_anew(qtbot, trained, tiny.with_(seed=7))
    assert on_disk(trained) == before and files_of(project, 1) == learned
    assert [(run.name, run.finished, run.current) for run in runs(project)] == [
        ("Run 1", True, True),
        ("Run 2", True, False),
    ]
    assert picker.source.text().startswith("The boxes come from Run 1.")
    session.select(1)
    qtbot.waitUntil(lambda: session.has_evidence and bool(trained.canvas.provisional), timeout=LONG)
    assert trained.canvas.boxes == before[1] and trained.canvas.provisional[0] != before[1][0].box

    click(qtbot, picker.take_button)
    qtbot.waitUntil(lambda: picker.source.text() == "The boxes come from Run 2.", timeout=LONG)
    settle(qtbot, trained)
    after = on_disk(trained)
    assert after[2] == accepted and all(after[i] != before[i] for i in before if i != 2)
    qtbot.waitUntil(lambda: trained.canvas.boxes == after[1], timeout=LONG)
    assert not trained.canvas.provisional
    assert trained.workbench.editing.undo_text == "Use boxes of Run 2"

    trained.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: on_disk(trained) == before, timeout=LONG)
    settle(qtbot, trained)
    qtbot.waitUntil(lambda: trained.canvas.boxes == before[1], timeout=LONG)
    assert on_disk(trained) == before
    trained.actions_["redo"].trigger()
    qtbot.waitUntil(lambda: on_disk(trained) == after, timeout=LONG)
    settle(qtbot, trained)
    assert current_run(project).name == "Run 2" and on_disk(trained) == after


def test_while_a_new_run_works_and_when_it_is_stopped_boxes_stay(
    trained: MainWindow, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session, panel = trained.session, trained.train_panel
    before, learned = on_disk(trained), files_of(session.project, 1)
    session.select(3)
    start(qtbot, trained, tiny.with_(steps=ENDLESS, seed=7))
    qtbot.waitUntil(lambda: bool(trained.canvas.provisional), timeout=LONG)
    click(qtbot, panel.pause_button)
    held_step(qtbot, session)
    assert trained.canvas.boxes == before[3], "the new run's box is beside it"
    assert "Dashed: boxes found by Run 2." in panel.runs.source.text()
    qtbot.keyClick(trained.canvas, Qt.Key.Key_A)
    assert session.images.record(3).status is Status.ACCEPTED and on_disk(trained) == before
    click(qtbot, panel.stop_button)
    finish(qtbot, trained)
    settle(qtbot, trained)
    assert on_disk(trained) == before and files_of(session.project, 1) == learned
    assert [run.finished for run in runs(session.project)] == [True, False]
    qtbot.waitUntil(panel.runs.take_button.isEnabled, timeout=LONG)
    click(qtbot, panel.runs.take_button)  # a stopped run's can be had too, but only by asking
    qtbot.waitUntil(lambda: on_disk(trained) != before, timeout=LONG)
    settle(qtbot, trained)
    assert {i for i, boxes in on_disk(trained).items() if boxes == before[i]} == {2, 3}


def test_a_run_that_is_stopped_before_its_first_step_was_none(
    trained: MainWindow, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session, panel = trained.session, trained.train_panel
    signals = session.results.snapshots.signals
    start(qtbot, trained, tiny.with_(steps=ENDLESS, image_size=64))
    trained.workbench.run.stop()
    qtbot.waitUntil(lambda: not session.training.phase.running, timeout=LONG)
    settle(qtbot, trained)
    qtbot.waitUntil(lambda: session.training.saved_step == 6, timeout=LONG)
    assert [run.name for run in runs(session.project)] == ["Run 1"]
    assert session.results.snapshots.signals == signals and panel.continue_button.text().endswith("step 6")


def test_an_earlier_run_is_looked_at_taken_again_and_another_deleted(
    trained: MainWindow, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session, picker = trained.session, trained.train_panel.runs
    project, before = session.project, on_disk(trained)
    train_anew(qtbot, trained, tiny.with_(seed=7, steps=4))
    title, shown = picker.box.currentText(), picker.box.shown_text()
    assert shown == title or (shown.endswith("…") and title.startswith(shown[:-1])), "no letter is cut"
    assert picker.box.fontMetrics().horizontalAdvance(shown) < picker.box.width()
    click(qtbot, picker.take_button)
    qtbot.waitUntil(lambda: current_run(project).name == "Run 2", timeout=LONG)
    settle(qtbot, trained)
    assert session.training.saved_step == 4 and not picker.delete_button.isEnabled()

    picker.box.setFocus()
    qtbot.keyClick(picker.box, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: session.training.saved_step == 6, timeout=LONG)
    settle(qtbot, trained)
    assert picker.box.currentText().startswith("Run 1")
    qtbot.waitUntil(picker.take_button.isEnabled, timeout=LONG)
    click(qtbot, picker.take_button)
    qtbot.waitUntil(lambda: on_disk(trained) == before, timeout=LONG)
    settle(qtbot, trained)

    picker.box.setFocus()
    qtbot.keyClick(picker.box, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: session.training.saved_step == 4, timeout=LONG)
    settle(qtbot, trained)
    qtbot.waitUntil(picker.delete_button.isEnabled, timeout=LONG)
    click(qtbot, picker.delete_button)
    question = trained.findChild(MessageDialog)
    assert question.sentence.text().startswith("Delete Run 2 with its training")
    qtbot.mouseClick(question.buttons.itemAt(1).widget(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(runs(project)) == 1, timeout=LONG)
    settle(qtbot, trained)
    qtbot.waitUntil(lambda: session.training.saved_step == 6, timeout=LONG)
    assert not (project.data_dir / "runs" / "2").exists() and on_disk(trained) == before
    assert not picker.isVisible() and trained.workbench.editing.undo_text == ""


def test_runs_are_there_in_a_reopened_project_and_the_shown_one_is_the_boxes_own(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    start(qtbot, first, tiny)
    finish(qtbot, first)
    settle(qtbot, first)
    before = on_disk(first)
    start(qtbot, first, tiny.with_(steps=ENDLESS, seed=7))
    qtbot.waitUntil(lambda: first.session.training.step >= 2, timeout=LONG)
    path = first.session.project.path
    close(qtbot, first)

    window.open_paths([path])
    session, picker = window.session, window.train_panel.runs
    qtbot.waitUntil(lambda: session.project is not None and session.heat_map is not None, timeout=LONG)
    settle(qtbot, window)
    assert on_disk(window) == before and picker.isVisible()
    assert picker.box.currentText().startswith("Run 1") and "boxes in use" in picker.box.currentText()
    assert session.training.saved_step == 6
    picker.box.setFocus()
    qtbot.keyClick(picker.box, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: (session.training.saved_step or 0) != 6, timeout=LONG)
    stopped = session.training.saved_step
    window.train_panel.set_config(tiny.with_(steps=stopped + 2, seed=7))
    qtbot.waitUntil(window.train_panel.continue_button.isEnabled, timeout=LONG)
    click(qtbot, window.train_panel.continue_button)
    qtbot.waitUntil(lambda: session.training.phase is Phase.FINISHED, timeout=LONG)
    settle(qtbot, window)
    assert session.training.step == stopped + 2 and on_disk(window) == before
    assert kept_steps(snapshots_dir(runs(session.project)[0].file)) == (2, 4, 6)
