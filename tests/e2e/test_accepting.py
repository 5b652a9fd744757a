"""What a person has accepted in the real window stays as it was seen, whatever comes after."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from command_support import run
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_support import LONG, close, export, fill, finish, held_step, settle, start

from app.controllers.deciding import WAIT_MS
from app.main_window import MainWindow
from core.base.annotations import BoxRecord, Source, Status
from core.base.config import TrainConfig
from core.project.queries import heat_maps
from core.project.store import Project

ENDLESS = 1_000_000


@pytest.fixture
def trained(window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot) -> MainWindow:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)
    settle(qtbot, window)
    return window


def accept(qtbot: QtBot, window: MainWindow) -> tuple[int, tuple[BoxRecord, ...]]:
    """Press the key; the image that was in view and the boxes that were seen in it."""
    image_id, seen = window.session.current, window.canvas.boxes
    qtbot.keyClick(window.canvas, Qt.Key.Key_A)
    assert window.session.images.record(image_id).status is Status.ACCEPTED
    return image_id, seen


def stored(window: MainWindow, image_id: int) -> tuple[BoxRecord, ...]:
    """As it is on disk."""
    with Project.open(window.session.project.path) as other:
        return other.boxes(image_id)


def look(qtbot: QtBot, window: MainWindow, image_id: int) -> None:
    window.session.select(image_id)
    qtbot.waitUntil(lambda: window.session.has_evidence and window.session.picture is not None, timeout=LONG)


def move_threshold(qtbot: QtBot, window: MainWindow, value: float) -> None:
    window.bar.threshold_spin.setValue(value)
    qtbot.wait(WAIT_MS // 2)
    settle(qtbot, window)


def test_accepted_while_it_trains_a_box_stays_as_it_was_seen_to_the_end(
    window: MainWindow, folder: Path, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny.with_(steps=ENDLESS, snapshot_every=3))
    session = window.session
    qtbot.waitUntil(lambda: bool(window.canvas.boxes), timeout=LONG)
    qtbot.mouseClick(window.train_panel.pause_button, Qt.MouseButton.LeftButton)
    held_step(qtbot, session)
    image_id, seen = accept(qtbot, window)
    assert seen and stored(window, image_id) == seen and seen[0].source is Source.AUTO
    step = session.training.step
    qtbot.mouseClick(window.train_panel.pause_button, Qt.MouseButton.LeftButton)
    look(qtbot, window, image_id)
    qtbot.waitUntil(lambda: (session.live.step_of(image_id) or 0) > step + 3, timeout=LONG)
    assert window.canvas.boxes == seen, "a later snapshot looks elsewhere; the accepted box is drawn"
    qtbot.mouseClick(window.train_panel.stop_button, Qt.MouseButton.LeftButton)
    finish(qtbot, window)
    settle(qtbot, window)
    assert window.canvas.boxes == seen == stored(window, image_id)
    assert all(session.project.boxes(i) for i in range(1, 13)), "all others have theirs"

    export(qtbot, window, "csv", tmp_path / "boxes.csv")
    with (tmp_path / "boxes.csv").open(newline="") as file:
        [row] = [row for row in csv.DictReader(file) if row["status"] == "accepted"]
    assert row["source"] == "auto" and float(row["score"]) == pytest.approx(seen[0].score)
    assert int(row["xmin"]) == round(seen[0].box.x0)


def test_neither_threshold_nor_rule_nor_number_moves_an_accepted_box(
    trained: MainWindow, qtbot: QtBot
) -> None:
    session = trained.session
    free, (held, seen) = 12, accept(qtbot, trained)
    other = session.project.boxes(free)
    move_threshold(qtbot, trained, 0.6)
    assert session.project.boxes(free) != other, "the others follow"
    rule = next(name for name in ("component", "moments") if name != session.view.rule)
    trained.bar.rule_changed.emit(rule)
    trained.bar.boxes.spin.setValue(3)
    look(qtbot, trained, held)
    trained.workbench.browsing.set_this_image_only(True)
    move_threshold(qtbot, trained, 0.7)
    assert session.view.thresholds.get(held) == 0.7
    assert trained.canvas.boxes == seen == stored(trained, held)
    while trained.workbench.editing.undo_text != "Accept":
        trained.actions_["undo"].trigger()
    settle(qtbot, trained)
    assert trained.canvas.boxes == seen == stored(trained, held), "what is taken back is not about it"


def test_accepting_right_after_a_move_keeps_what_the_move_shows(trained: MainWindow, qtbot: QtBot) -> None:
    session = trained.session
    before = session.project.boxes(session.current)
    trained.bar.threshold_spin.setValue(0.6)
    assert trained.canvas.boxes != before
    held, seen = accept(qtbot, trained)  # the project is not told of the move yet
    assert seen != before and stored(trained, held) == seen
    trained.images.list.selectAll()
    qtbot.waitUntil(lambda: len(session.selection) == 12)
    trained.bar.threshold_spin.setValue(0.4)
    trained.workbench.review.judge(Status.ACCEPTED)
    assert stored(trained, held) == seen
    assert {stored(trained, i)[0].threshold for i in range(1, 13) if i != held} == {0.4}
    move_threshold(qtbot, trained, 0.1)
    assert {stored(trained, i)[0].threshold for i in range(1, 13) if i != held} == {0.4}


def test_taken_back_or_restored_it_follows_again(trained: MainWindow, qtbot: QtBot) -> None:
    session = trained.session
    held, seen = accept(qtbot, trained)
    move_threshold(qtbot, trained, 0.6)
    look(qtbot, trained, held)
    assert trained.canvas.boxes == seen and trained.actions_["automatic"].isEnabled()
    trained.actions_["automatic"].trigger()
    settle(qtbot, trained)
    assert session.images.record(held).status is Status.UNSEEN
    assert trained.canvas.boxes == stored(trained, held) != seen
    assert stored(trained, held)[0].threshold == 0.6
    trained.actions_["undo"].trigger()
    assert session.images.record(held).status is Status.ACCEPTED and trained.canvas.boxes == seen
    trained.actions_["unmark"].trigger()
    settle(qtbot, trained)
    assert stored(trained, held)[0].threshold == 0.6
    assert trained.canvas.boxes == stored(trained, held)


def test_no_other_window_and_no_command_moves_it(
    folder: Path, tiny: TrainConfig, qtbot: QtBot, capsys: pytest.CaptureFixture[str], window: MainWindow
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    start(qtbot, first, tiny)
    finish(qtbot, first)
    settle(qtbot, first)
    held, seen = accept(qtbot, first)
    project, path = first.session.project, first.session.project.path
    map_before = heat_maps(project, [held])[held]
    close(qtbot, first)

    small = (
        "--preset",
        "scratch",
        "--steps",
        3,
        "--image-size",
        32,
        "--batch-size",
        8,
        "--width",
        8,
        "--device",
        "cpu",
    )
    assert run(capsys, "train", folder, "--project", path, "--restart", *small, "--seed", 5)[0] == 0
    code, out, _ = run(capsys, "localize", folder, "--project", path, "--threshold", 0.5)
    assert code == 0 and "Run 2" in out and "1 edited or accepted image was left alone" in out

    window.open_paths([path])
    session = window.session
    qtbot.waitUntil(lambda: session.project is not None and session.heat_map is not None, timeout=LONG)
    settle(qtbot, window)
    look(qtbot, window, held)
    assert not np.array_equal(session.heat_map, map_before), "the map is another network's"
    assert window.canvas.boxes == seen == stored(window, held)
    assert session.in_view.overlap is None or session.boxes == seen
