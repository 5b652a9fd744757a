"""The controllers on a session, without a window: scan, train, localize, decide, reopen."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from window_support import draw_folder, held_step, leave, open_and_scan

from app import paths
from app.controllers.workbench import Workbench
from app.models.export import ExportRequest
from app.models.training import Phase
from core.base.annotations import BoxRecord, Source, Status
from core.base.config import TrainConfig
from core.base.errors import BoxscoutError
from core.base.geometry import Box
from core.boxes.batches import find_box
from core.boxes.rules import DEFAULT_RULE
from core.formats import FORMATS, Selection, Which
from core.learn import checkpoint, engine
from core.project.queries import framings
from core.project.runs import begin_run
from core.project.store import Project
from core.project.workflow import saved_run

LONG = 30_000


def wait_idle(qtbot: QtBot, bench: Workbench) -> None:
    qtbot.waitUntil(lambda: not bench.pump.busy and not bench.deciding._timer.isActive(), timeout=LONG)


def train(qtbot: QtBot, bench: Workbench, config: TrainConfig) -> None:
    """A whole training with its boxes."""
    with qtbot.waitSignal(bench.localization.boxes_found, timeout=LONG):
        bench.start_training(config)
    wait_idle(qtbot, bench)


def test_a_folder_becomes_a_project_with_the_first_image_in_view(opened: Workbench, qtbot: QtBot) -> None:
    session = opened.session
    assert [r.name for r in session.images.records] == [f"image {i}.png" for i in range(1, 13)]
    qtbot.waitUntil(lambda: session.picture is not None)
    assert session.record is not None and session.record.name == "image 1.png"
    assert (session.picture.width, session.picture.height) == (40, 30)
    assert session.project is not None and session.project.path.name.startswith("photos-")


def test_the_same_folder_is_the_same_project_and_another_one_is_another(
    opened: Workbench, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    first = opened.session.project.path
    open_and_scan(qtbot, opened, folder, 12)
    assert opened.session.project.path == first
    open_and_scan(qtbot, opened, draw_folder(tmp_path / "more", 3), 3)
    assert opened.session.project.path != first
    opened.new_project()
    assert opened.session.project is None
    wait_idle(qtbot, opened)
    open_and_scan(qtbot, opened, folder, 12)
    assert opened.session.project.path == first


def test_training_fills_plots_samples_heat_maps_and_boxes(
    opened: Workbench, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session = opened.session
    train(qtbot, opened, tiny)
    assert session.training.phase is Phase.FINISHED
    assert [point.step for point in session.learning.points] == [1, 2, 3, 4, 5, 6]
    assert [p.step for p in session.learning.points if p.ms_ssim is not None] == [2, 4, 6]
    assert session.samples.shape == (64, 32, 32, 3)
    project = session.project
    assert project.heat_maps_step() == 6
    boxes = project.all_boxes()
    assert sorted(boxes) == [r.id for r in project.images()]
    record = project.images()[0]
    prior = project.load_survey().prior
    framing = framings(project, [record.id]).get(record.id)
    expected = find_box(project.heat_map(record.id), width=40, height=30, prior=prior, framing=framing)
    assert boxes[record.id] == (expected,)
    qtbot.waitUntil(lambda: session.boxes == (expected,))


def test_stop_saves_and_resume_goes_on_from_there(opened: Workbench, tiny: TrainConfig, qtbot: QtBot) -> None:
    session = opened.session
    endless = tiny.with_(steps=100_000)
    opened.start_training(endless)
    qtbot.waitUntil(lambda: session.training.step >= 3, timeout=LONG)
    with qtbot.waitSignal(opened.localization.boxes_found, timeout=LONG):
        opened.training.stop()
    stopped = session.training.saved_step
    state = checkpoint.load(saved_run(session.project, "gan").file)
    assert stopped == state.step >= 3
    points = len(session.learning.points)
    with qtbot.waitSignal(opened.localization.boxes_found, timeout=LONG):
        opened.start_training(endless.with_(steps=stopped + 4), resume=True)
    assert [p.step for p in session.learning.points[points:]] == [stopped + i for i in (1, 2, 3, 4)]
    assert checkpoint.load(saved_run(session.project, "gan").file).step == stopped + 4
    wait_idle(qtbot, opened)


def test_pause_holds_the_steps(opened: Workbench, tiny: TrainConfig, qtbot: QtBot) -> None:
    session = opened.session
    opened.start_training(tiny.with_(steps=100_000))
    qtbot.waitUntil(lambda: session.training.step >= 2, timeout=LONG)
    opened.training.pause()
    held = held_step(qtbot, session)
    assert session.training.phase is Phase.PAUSED
    opened.training.unpause()
    qtbot.waitUntil(lambda: session.training.step > held, timeout=LONG)


def test_the_viewer_follows_snapshots_while_training(
    opened: Workbench, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session = opened.session
    opened.start_training(tiny.with_(steps=100_000))
    qtbot.waitUntil(lambda: session.heat_map is not None, timeout=LONG)
    before = session.heat_map.copy()
    qtbot.waitUntil(lambda: not np.array_equal(session.heat_map, before), timeout=LONG)
    opened.browsing.next()
    qtbot.waitUntil(lambda: session.heat_map is not None, timeout=LONG)
    assert session.project.heat_maps_step() is None, "the project gets its maps at the end"


def test_a_threshold_reaches_every_box_and_an_own_one_only_its_image(
    opened: Workbench, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session = opened.session
    train(qtbot, opened, tiny)
    project, browsing = session.project, opened.browsing
    first, second = (record.id for record in project.images()[:2])
    browsing.set_threshold(0.5)
    browsing.set_this_image_only(True)
    browsing.set_threshold(0.7)
    wait_idle(qtbot, opened)
    assert {box.threshold for i, (box,) in project.all_boxes().items() if i != first} == {0.5}
    assert project.boxes(first)[0].threshold == 0.7
    assert project.load_view().thresholds == {first: 0.7}
    browsing.next()
    assert session.current == second
    assert not session.this_image_only
    assert session.threshold == 0.5
    browsing.previous()
    browsing.reset_threshold()
    wait_idle(qtbot, opened)
    assert project.boxes(first)[0].threshold == 0.5


def test_a_rule_has_its_own_default_and_remembers_its_threshold(opened: Workbench) -> None:
    session, browsing = opened.session, opened.browsing
    browsing.set_threshold(0.3)
    browsing.set_rule("component")
    assert session.threshold == 0.2
    browsing.set_rule(DEFAULT_RULE)
    assert session.threshold == 0.3


def test_an_edited_box_is_never_replaced(opened: Workbench, tiny: TrainConfig, qtbot: QtBot) -> None:
    project = opened.session.project
    mine = (BoxRecord(Box(1, 2, 30, 20), source=Source.EDITED),)
    image_id = project.images()[0].id
    project.set_boxes(image_id, mine)
    train(qtbot, opened, tiny)
    opened.browsing.set_threshold(0.6)
    wait_idle(qtbot, opened)
    assert project.boxes(image_id) == mine
    assert opened.session.boxes == mine


def test_a_project_reopens_where_it_was_left(
    qtbot: QtBot, folder: Path, tiny: TrainConfig, bench: Workbench
) -> None:
    other = Workbench()
    open_and_scan(qtbot, other, folder, 12)
    train(qtbot, other, tiny)
    other.browsing.last()
    other.review.mark(Status.ACCEPTED)
    other.browsing.set_rule("component")
    other.browsing.set_threshold(0.4)
    other.session.change_view(colour_map="magma", opacity=0.25)
    qtbot.waitUntil(lambda: other.session.picture is not None and other.session.heat_map is not None)
    path, boxes = other.session.project.path, other.session.boxes
    points = [p.step for p in other.session.learning.points if p.ms_ssim is not None]
    samples = other.session.samples
    assert samples is not None
    leave(qtbot, other)

    bench.open_paths([path])
    session = bench.session
    qtbot.waitUntil(lambda: session.project is not None and session.heat_map is not None, timeout=LONG)
    assert session.record.name == "image 12.png"
    assert session.record.status is Status.ACCEPTED
    assert (session.view.rule, session.threshold) == ("component", 0.4)
    assert (session.view.colour_map, session.view.opacity) == ("magma", 0.25)
    assert session.view.config == tiny
    assert (session.training.phase, session.training.saved_step) == (Phase.FINISHED, 6)
    assert [point.step for point in session.learning.points] == points
    assert np.array_equal(session.samples, samples)
    qtbot.waitUntil(lambda: session.boxes == boxes)
    assert paths.recent_projects() == [path]


def test_leaving_without_an_event_loop_saves_too(qtbot: QtBot, folder: Path, tiny: TrainConfig) -> None:
    bench = Workbench()
    open_and_scan(qtbot, bench, folder, 12)
    bench.start_training(tiny.with_(steps=100_000))
    qtbot.waitUntil(lambda: bench.session.training.step >= 2, timeout=LONG)
    path = bench.session.project.path
    bench.shut_down_now()
    assert bench.is_closed
    with Project.open(path) as project:
        assert checkpoint.load(saved_run(project, "gan").file).step >= 2


def test_another_project_opens_after_the_training_is_saved(
    opened: Workbench, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    first = opened.session.project.path
    Project.open_or_create(tmp_path / "other.boxscout").close()
    opened.start_training(tiny.with_(steps=100_000))
    qtbot.waitUntil(lambda: opened.session.training.step >= 2, timeout=LONG)
    opened.open_paths([tmp_path / "other.boxscout"])
    qtbot.waitUntil(lambda: opened.session.project.path.name == "other.boxscout", timeout=LONG)
    wait_idle(qtbot, opened)
    with Project.open(first) as project:
        assert checkpoint.load(saved_run(project, "gan").file).step >= 2


@pytest.mark.parametrize("count", [1, 7])
def test_too_few_images_are_a_sentence(
    bench: Workbench, tiny: TrainConfig, tmp_path: Path, count: int, qtbot: QtBot
) -> None:
    open_and_scan(qtbot, bench, draw_folder(tmp_path / "few", count), count)
    with qtbot.waitSignal(bench.session.error, timeout=LONG) as told:
        bench.start_training(tiny)
    assert isinstance(told.args[0], BoxscoutError)
    assert "at least 8" in str(told.args[0])
    bench.errors.clear()  # type: ignore[attr-defined]


def test_a_training_that_cannot_start_leaves_the_former_checkpoint(
    opened: Workbench, tiny: TrainConfig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(qtbot, opened, tiny)

    def broken(*_: object) -> object:
        raise RuntimeError("no")

    monkeypatch.setattr(engine._Adversarial, "step", broken)
    with qtbot.waitSignal(opened.session.error, timeout=LONG):
        opened.start_training(tiny)
    opened.errors.clear()  # type: ignore[attr-defined]
    assert checkpoint.load(saved_run(opened.session.project, "gan").file).step == 6
    qtbot.waitUntil(lambda: opened.session.training.saved_step == 6, timeout=LONG)


def test_an_empty_folder_and_bad_files_are_told(bench: Workbench, tmp_path: Path, qtbot: QtBot) -> None:
    empty, bad = tmp_path / "empty", tmp_path / "bad"
    empty.mkdir()
    bad.mkdir()
    (bad / "zero.jpg").touch()
    (bad / "text.gpx").write_text("not an image at all, only words")
    with qtbot.waitSignal(bench.session.error, timeout=LONG) as told:
        bench.open_paths([empty])
    assert "No usable image" in str(told.args[0]) and "empty" in str(told.args[0])
    assert "Choose a folder with photos" in str(told.args[0])
    wait_idle(qtbot, bench)
    assert bench.session.project is None and paths.recent_projects() == []
    with qtbot.waitSignal(bench.session.error, timeout=LONG):
        bench.open_paths([bad])
    assert {file.path.name for file in bench.session.problems.files} == {"zero.jpg", "text.gpx"}
    with qtbot.waitSignal(bench.session.error):
        bench.open_paths([tmp_path / "missing"])
    bench.errors.clear()  # type: ignore[attr-defined]


def test_a_file_that_is_no_project_leaves_the_open_one_alone(
    opened: Workbench, tmp_path: Path, qtbot: QtBot
) -> None:
    fake = tmp_path / "fake.boxscout"
    fake.write_bytes(b"no project at all")
    with qtbot.waitSignal(opened.session.error, timeout=LONG) as told:
        opened.open_paths([fake])
    assert "not a Boxscout project" in str(told.args[0])
    assert opened.session.images.total == 12
    assert opened.session.activities == {}
    opened.errors.clear()  # type: ignore[attr-defined]


def test_a_damaged_checkpoint_is_told_and_the_project_opens(
    bench: Workbench, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    other = Workbench()
    open_and_scan(qtbot, other, folder, 12)
    path = other.session.project.path
    begin_run(other.session.project, "gan").file.write_bytes(b"PK broken")
    leave(qtbot, other)
    with qtbot.waitSignal(bench.session.error, timeout=LONG) as told:
        bench.open_paths([path])
    assert "checkpoint" in str(told.args[0])
    assert bench.session.images.total == 12
    bench.errors.clear()  # type: ignore[attr-defined]
    train(qtbot, bench, tiny)


@pytest.mark.parametrize("name", ["csv", "coco"])
def test_export_holds_the_boxes_of_the_threshold_in_force(
    opened: Workbench, tiny: TrainConfig, tmp_path: Path, name: str, qtbot: QtBot
) -> None:
    train(qtbot, opened, tiny)
    session = opened.session
    opened.browsing.set_threshold(0.65)
    shown = session.boxes[0].box
    out = tmp_path / f"boxes{FORMATS[name].suffix}"
    with qtbot.waitSignal(opened.exporting.exported, timeout=LONG) as told:
        opened.exporting.export(ExportRequest(name, out, Selection()))
    assert (told.args[0].images, told.args[0].boxes) == (12, 12)
    read = {image.name: image for image in FORMATS[name].read(out)}
    assert sorted(read) == sorted(f"image {i}.png" for i in range(1, 13))
    box = read["image 1.png"].boxes[0].box
    assert astuple(box) == pytest.approx(astuple(shown), abs=1 if name == "csv" else 1e-3)


def test_export_of_accepted_images_only(opened: Workbench, tmp_path: Path, qtbot: QtBot) -> None:
    out = tmp_path / "accepted.json"
    with qtbot.waitSignal(opened.session.error, timeout=LONG):
        opened.exporting.export(ExportRequest("coco", out, Selection(which=Which.ACCEPTED)))
    assert not out.exists()
    opened.errors.clear()  # type: ignore[attr-defined]
    first = opened.session.current
    opened.session.project.set_boxes(first, [BoxRecord(Box(1, 2, 30, 20), source=Source.EDITED)])
    opened.review.mark(Status.ACCEPTED)
    with qtbot.waitSignal(opened.exporting.exported, timeout=LONG):
        opened.exporting.export(ExportRequest("coco", out, Selection(which=Which.ACCEPTED)))
    assert [image.name for image in FORMATS["coco"].read(out)] == ["image 1.png"]


def test_save_a_copy_of_the_project(opened: Workbench, tmp_path: Path, qtbot: QtBot) -> None:
    copy = tmp_path / "copy.boxscout"
    opened.library.save_copy(copy)
    qtbot.waitUntil(lambda: copy.exists() and not opened.pump.busy)
    with Project.open(copy) as project:
        assert len(project.images()) == 12


def test_find_boxes_from_a_saved_training(
    bench: Workbench, folder: Path, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    open_and_scan(qtbot, bench, folder, 12)
    assert not bench.can_find_boxes
    train(qtbot, bench, tiny)
    bench.add_paths([draw_folder(tmp_path / "more", 3)])
    qtbot.waitUntil(lambda: bench.session.images.total == 15 and not bench.session.activities, timeout=LONG)
    assert bench.can_find_boxes
    with qtbot.waitSignal(bench.localization.boxes_found, timeout=LONG) as told:
        bench.localization.find_boxes()
    assert told.args == [15]
    assert len(bench.session.project.all_boxes()) == 15


def test_the_sample_is_drawn_once_and_opened(
    bench: Workbench, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Path] = []

    def draw(out: Path) -> None:
        drawn.append(out)
        draw_folder(out, 5)

    monkeypatch.setattr("core.images.sample.draw_sample", draw)
    bench.library.open_sample()
    qtbot.waitUntil(lambda: bench.session.images.total == 5, timeout=LONG)
    wait_idle(qtbot, bench)
    bench.new_project()
    bench.library.open_sample()
    qtbot.waitUntil(lambda: bench.session.images.total == 5, timeout=LONG)
    assert len(drawn) == 1
