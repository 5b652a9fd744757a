"""A move of the threshold reaches all images of the real window: the rows in view first, the rest behind."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_support import LONG, fill

from app.controllers import deciding
from app.main_window import MainWindow
from app.models.image_list import Role
from core.base.annotations import BoxRecord, Source
from core.base.geometry import Box
from core.boxes.batches import find_box
from core.boxes.prior import Prior
from core.boxes.thresholds import Thresholds
from core.project import decide as core_deciding
from core.project.store import Project
from core.project.survey import MapSource, Survey

COUNT = 12
MAP = np.outer(np.arange(8), np.arange(8)).astype(np.float32)


class Writes:
    """What passes write, batch by batch; the ``hold``-th waits until :attr:`go` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, hold: int) -> None:
        self.batches: list[dict[int, float | None]] = []
        self.go, self.held = threading.Event(), threading.Event()
        write = Project.set_auto_boxes

        def watched(project: Project, boxes: Mapping[int, Sequence[BoxRecord]], **limit: int) -> int:
            self.batches.append({i: new[0].threshold for i, new in boxes.items()})
            if len(self.batches) == hold:
                self.held.set()
                assert self.go.wait(LONG / 1000)
            return write(project, boxes, **limit)

        monkeypatch.setattr(Project, "set_auto_boxes", watched)


@pytest.fixture
def found(window: MainWindow, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """Twelve images with heat maps; batches of two, of which the status line tells."""
    fill(qtbot, window, folder, COUNT)
    monkeypatch.setattr(core_deciding, "BATCH", 2)
    monkeypatch.setattr(deciding, "TELL_FROM", 2)
    project = window.session.project
    project.set_sizes(dict.fromkeys(range(1, COUNT + 1), (40, 30)))
    project.set_heat_maps(dict.fromkeys(range(1, COUNT + 1), MAP), step=1)
    with qtbot.waitSignal(window.workbench.deciding.decided, timeout=LONG):
        window.workbench.localization.evidence_changed.emit()
    qtbot.waitUntil(lambda: window.session.heat_map is not None, timeout=LONG)
    rest(window, qtbot)
    return window


def move(window: MainWindow, threshold: float) -> None:
    window.bar.threshold_spin.setValue(threshold)


def rest(window: MainWindow, qtbot: QtBot) -> None:
    bench = window.workbench
    qtbot.waitUntil(lambda: not bench.deciding.running and not bench.pump.busy, timeout=LONG)


def thresholds(window: MainWindow) -> dict[int, float | None]:
    """As they are on disk."""
    with Project.open(window.session.project.path) as other:
        return {i: boxes[0].threshold for i, boxes in other.all_boxes().items()}


def test_rows_in_view_come_first_and_a_newer_move_ends_the_older_pass(
    found: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = found.session
    session.set_rows_in_view(7, 9)
    writes = Writes(monkeypatch, hold=2)
    move(found, 0.3)
    qtbot.waitUntil(writes.held.is_set, timeout=LONG)
    assert writes.batches == [dict.fromkeys([8, 9, 10], 0.3), dict.fromkeys([1, 2], 0.3)]
    score = find_box(MAP, width=40, height=30, threshold=0.3).score
    listed = session.images
    qtbot.waitUntil(lambda: found.strip.bar.value() == 3, timeout=LONG)
    assert found.strip.text.text() == "Applying the threshold…"
    columns = [listed.index(row).data(Role.SCORE) for row in (7, 8, 9)]
    assert columns == pytest.approx([score] * 3), "the list shows what is on disk already"
    move(found, 0.6)
    writes.go.set()
    rest(found, qtbot)
    assert thresholds(found) == dict.fromkeys(range(1, COUNT + 1), 0.6)
    old = [batch for batch in writes.batches if set(batch.values()) == {0.3}]
    assert len(old) == 2, "the older pass ends with the batch in hand"


def test_boxes_on_disk_and_in_view_follow_the_framing(found: MainWindow, qtbot: QtBot) -> None:
    session, prior = found.session, Prior(0.1, 3.0, 1.0, COUNT, usual_width=-0.2, usual_height=0.1)
    project, own = session.project, np.array([-0.1, -0.2, -0.4, -0.3])
    project.set_heat_maps(dict.fromkeys(range(1, COUNT + 1), MAP), step=2, framings={1: own, 2: -own})
    project.save_survey(Survey(2, prior))
    found.workbench.localization.evidence_changed.emit()
    qtbot.waitUntil(lambda: session.survey is not None and session.survey.prior == prior, timeout=LONG)
    move(found, 0.3)
    rest(found, qtbot)
    expected = [
        find_box(MAP, width=40, height=30, threshold=0.3, prior=prior, framing=framing)
        for framing in (own, -own, None)
    ]
    assert len(set(expected)) == 3
    with Project.open(project.path) as other:
        assert [other.boxes(i) for i in (1, 2, 3, 4)] == [(box,) for box in (*expected, expected[2])]
    assert session.current == 1
    assert found.canvas.boxes == session.boxes == (expected[0],)
    # A snapshot's map is another network's, and nobody has asked that one how photos are framed.
    session.set_live_map(1, 3, MAP)
    assert session.boxes == (find_box(MAP, width=40, height=30, threshold=0.3),)


def test_what_the_newest_maps_have_in_common_says_nothing_of_older_ones(
    found: MainWindow, qtbot: QtBot
) -> None:
    session, prior = found.session, Prior(0.5, 3.0, 1.0, COUNT, usual_width=-0.2, usual_height=0.1)
    project, framing = session.project, np.array([-0.1, -0.2, -0.4, -0.3])
    old, new = (MapSource(name, "background", "guided") for name in ("old", "new"))
    for ids, source in (((1, 2), old), (range(3, COUNT + 1), new)):
        maps = dict.fromkeys(ids, MAP)
        project.set_heat_maps(maps, step=2, source=source, framings=dict.fromkeys(ids, framing))
    project.save_survey(Survey(2, prior, source=new))
    found.workbench.localization.evidence_changed.emit()
    qtbot.waitUntil(lambda: session.in_view.outdated, timeout=LONG)
    move(found, 0.3)
    rest(found, qtbot)
    alone = find_box(MAP, width=40, height=30, threshold=0.3)
    known = find_box(MAP, width=40, height=30, threshold=0.3, prior=prior, framing=framing)
    assert alone != known
    with Project.open(project.path) as other:
        boxes = other.all_boxes()
    assert boxes == {i: (alone if i <= 2 else known,) for i in range(1, COUNT + 1)}
    assert found.canvas.boxes == boxes[1], "what is seen is what an export takes"
    session.select(3)
    qtbot.waitUntil(lambda: session.has_evidence and session.picture is not None, timeout=LONG)
    assert session.boxes == boxes[3]


def test_a_move_back_before_the_next_pass_leaves_nothing_behind(
    found: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = Writes(monkeypatch, hold=1)
    move(found, 0.3)
    qtbot.waitUntil(writes.held.is_set, timeout=LONG)
    move(found, 0.6)
    move(found, 0.3)
    writes.go.set()
    rest(found, qtbot)
    assert thresholds(found) == dict.fromkeys(range(1, COUNT + 1), 0.3)


def test_stop_ends_the_pass_and_the_next_move_reaches_all(
    found: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    found.session.set_rows_in_view(0, 1)
    writes = Writes(monkeypatch, hold=2)
    before = thresholds(found)
    move(found, 0.3)
    qtbot.waitUntil(writes.held.is_set, timeout=LONG)
    qtbot.waitUntil(found.strip.stop.isVisible, timeout=LONG)
    qtbot.mouseClick(found.strip.stop, Qt.MouseButton.LeftButton)
    writes.go.set()
    rest(found, qtbot)
    assert not found.strip.stop.isVisible()
    assert thresholds(found) == {**before, **dict.fromkeys(range(1, 5), 0.3)}
    move(found, 0.6)
    rest(found, qtbot)
    assert thresholds(found) == dict.fromkeys(range(1, COUNT + 1), 0.6)


def test_edited_and_emptied_images_stay_and_undo_is_one_step(found: MainWindow, qtbot: QtBot) -> None:
    project = found.session.project
    mine = BoxRecord(Box(1, 2, 3, 4), source=Source.EDITED)
    project.set_boxes(5, [mine])
    project.set_boxes(6, [])
    others = set(range(1, COUNT + 1)) - {5, 6}
    found.workbench.editing.hold()
    for threshold in (0.2, 0.5, 0.4):
        move(found, threshold)
    found.workbench.editing.settle()
    rest(found, qtbot)
    assert thresholds(found) == {5: None, **dict.fromkeys(others, 0.4)}
    assert project.boxes(5) == (mine,) and project.boxes(6) == ()
    found.actions_["undo"].trigger()
    rest(found, qtbot)
    assert thresholds(found) == {5: None, **dict.fromkeys(others, 0.0)}
    assert not found.actions_["undo"].isEnabled()


def test_a_move_for_one_image_costs_the_same_however_many_have_a_threshold_of_their_own(
    found: MainWindow, qtbot: QtBot
) -> None:
    """Memory is counted, not time: what goes through all of 100,000 thresholds holds a megabyte of them."""
    found.session.change_view(thresholds=Thresholds().given(range(1, 100_001), 0.3))
    rest(found, qtbot)
    assert found.session.this_image_only
    move(found, 0.4)
    undo = found.actions_["undo"]
    tracemalloc.start()
    try:
        for threshold in (0.5, 0.6, 0.7):
            move(found, threshold)
            found.canvas.repaint()
        rest(found, qtbot)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    others = dict.fromkeys(range(2, COUNT + 1), 0.3)
    assert thresholds(found) == {1: 0.7, **others}
    with Project.open(found.session.project.path) as other:
        saved = other.load_view().thresholds
    assert (saved[1], saved[2], len(saved)) == (0.7, 0.3, 100_000)
    undo.trigger()
    rest(found, qtbot)
    assert thresholds(found) == {1: 0.3, **others}
