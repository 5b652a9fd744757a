"""In the real window: several boxes, how steady they are, both CAMs, and what is learned."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_support import LONG, close, export, fill, finish, settle, start

from app.main_window import MainWindow
from app.models.image_list import Role
from app.views.train_panel import OWN
from core.base.config import TrainConfig
from core.boxes.rules import MAX_BOXES
from core.learn import snapshots
from core.maps.heatmap import AVERAGED, heat_maps
from core.project.localize import localize_images, map_source
from core.project.queries import framings, undecided
from core.project.store import Project
from core.project.workflow import load_pixels, saved_run

WINDOWS = {"image_size": 32, "crop_size": 32, "background": 1.0}


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Twelve images, every other one with two bright squares."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for i in range(12):
        image = Image.new("RGB", (96, 64), (20 + i, 20, 30))
        draw = ImageDraw.Draw(image)
        for left in (6, 66)[: 1 + i % 2]:
            draw.rectangle((left, 20, left + 22, 44), fill=(250, 240, 230))
        image.save(folder / f"{i:02}.png")
    return folder


def train(qtbot: QtBot, window: MainWindow, folder: Path, config: TrainConfig) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, config)
    finish(qtbot, window)
    settle(qtbot, window)


def peaks(window: MainWindow) -> None:
    """Put maps with two peaks of their own into every other image, as a trained network would."""
    session = window.session
    project = session.project
    rows, columns = np.mgrid[:32, :32]
    maps = {}
    for i, record in enumerate(project.images()):
        spots = ((6, 1.0), (25, 0.8))[: 1 + i % 2]
        heat = sum(h * np.exp(-((rows - 16) ** 2 + (columns - x) ** 2) / 12) for x, h in spots)
        maps[record.id] = heat.astype(np.float32)
    project.set_heat_maps(maps, step=6, source=project.load_survey().source)
    window.workbench.localization.evidence_changed.emit()


def test_more_boxes_come_from_the_maps_at_hand_and_are_taken_back(
    window: MainWindow, pairs: Path, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    train(qtbot, window, pairs, tiny)
    peaks(window)
    window.bar.threshold_spin.setValue(0.3)
    settle(qtbot, window)
    session, spin, project = window.session, window.bar.boxes.spin, window.session.project
    assert spin.value() == 1 and not window.boxes_bar.isVisible()
    one = project.all_boxes()
    assert {len(boxes) for boxes in one.values()} == {1}

    qtbot.mouseClick(window.bar.boxes_button, Qt.MouseButton.LeftButton)
    assert window.bar.boxes.isVisible()
    for _ in range(2):
        qtbot.keyClick(spin, Qt.Key.Key_Up)
    window.bar.boxes.close()
    assert window.boxes_bar.find_button.isVisible(), "the maps are guided: made for one box"
    settle(qtbot, window)
    many = project.all_boxes()
    assert [len(many[record.id]) for record in project.images()] == [1, 2] * 6
    for boxes in many.values():
        scores = [box.score for box in boxes]
        assert scores == sorted(scores, reverse=True)
    rows = [session.images.index(row) for row in range(12)]
    assert [index.data(Role.BOXES) for index in rows] == [1, 2] * 6
    window.session.select(project.images()[1].id)
    qtbot.waitUntil(lambda: session.has_evidence and session.picture is not None, timeout=LONG)
    assert window.canvas.boxes == many[session.current] and len(window.canvas.boxes) == 2

    export(qtbot, window, "coco", tmp_path / "boxes.json")
    assert len(json.loads((tmp_path / "boxes.json").read_text())["annotations"]) == 18

    assert window.workbench.editing.undo_text == "Change the number of boxes"
    window.actions_["undo"].trigger()
    settle(qtbot, window)
    assert spin.value() == 1 and project.all_boxes() == one
    window.actions_["redo"].trigger()
    settle(qtbot, window)
    assert spin.value() == 3 and project.all_boxes() == many and project.load_view().max_boxes == 3

    qtbot.mouseClick(window.boxes_bar.find_button, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    assert project.load_survey().source.looks == "averaged"
    network = snapshots.load(snapshots.snapshots_dir(saved_run(project, "gan").file), 6).discriminator
    pixels = load_pixels(project, project.images(), size=32)
    expected = heat_maps(network, pixels.array, options=AVERAGED)
    np.testing.assert_allclose(project.heat_map(project.images()[0].id), expected[0], atol=1e-5)
    assert not window.boxes_bar.find_button.isVisible()


def test_how_steady_boxes_are_is_said_and_said_again_in_a_reopened_project(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    assert first.bar.boxes.sentence.text() == ""
    train(qtbot, first, folder, tiny)
    sure = first.session.project.load_survey().sureness
    said = first.bar.boxes.sentence.text()
    assert sure.verdict in said and f"{sure.beyond_chance:.2f}" in said and "This is not accuracy" in said
    assert sure.sentence() in first.bar.boxes.sentence.toolTip()
    path = first.session.project.path
    close(qtbot, first)

    window.open_paths([path])
    qtbot.waitUntil(lambda: window.bar.boxes.sentence.text() == said, timeout=LONG)
    assert not window.boxes_bar.find_button.isVisible()


def test_each_unit_has_its_map_and_a_stop_between_them_is_told(
    window: MainWindow, folder: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    train(qtbot, window, folder, tiny.with_(**WINDOWS))
    session, picker, project = window.session, window.train_panel.source, window.session.project
    assert picker.unit_row.isVisible() and picker.unit_box.currentText() == "Object vs. background"
    assert project.load_survey().source.unit == "background"
    before = {record.id: project.heat_map(record.id) for record in project.images()}

    def stopping(*args: object, **options: object) -> tuple[int, int]:
        """Stopped by the person when eight of the twelve images are done."""
        looks: list[int] = []
        options["cancelled"] = lambda: len(looks) > 2 or looks.append(1) or len(looks) > 2
        return localize_images(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr("core.project.localize.BATCH", 4)
        patch.setattr("app.controllers.gan_jobs.localize_images", stopping)
        picker.unit_box.setFocus()
        qtbot.keyClick(picker.unit_box, Qt.Key.Key_Down)
        settle(qtbot, window)
    survey = project.load_survey()
    assert not survey.complete and survey.source.unit == "real" and survey.prior is None
    new = [project.map_source(record.id) == survey.source.key for record in project.images()]
    assert new == [True] * 8 + [False] * 4
    said = window.boxes_bar.sentence
    qtbot.waitUntil(lambda: "was stopped" in said.text(), timeout=LONG)
    window.session.select(project.images()[-1].id)
    qtbot.waitUntil(lambda: "This image still has" in said.text(), timeout=LONG)
    assert session.in_view.outdated and np.array_equal(session.heat_map, before[session.current])
    qtbot.mouseClick(window.boxes_bar.find_button, Qt.MouseButton.LeftButton)
    settle(qtbot, window)

    network = snapshots.load(snapshots.snapshots_dir(saved_run(project, "gan").file), 6).discriminator
    options = replace(AVERAGED, guided=True, unit="real")
    survey = project.load_survey()
    assert survey.complete and survey.source == map_source(network, options)
    pixels = load_pixels(project, project.images(), size=32)
    expected = heat_maps(network, pixels.array, options=options)
    for record, heat_map in zip(project.images(), expected, strict=True):
        np.testing.assert_allclose(project.heat_map(record.id), heat_map, atol=1e-5)
        assert project.map_source(record.id) == survey.source.key
    assert not session.in_view.outdated and not window.boxes_bar.find_button.isVisible()
    assert project.load_view().unit == "real"


def test_without_a_generator_the_windows_that_are_learned_are_shown(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    gallery = window.train_panel.gallery
    train(qtbot, window, folder, tiny.with_(**WINDOWS, adversarial=0.0))
    assert window.train_panel.tabs.buttons[1].text() == "Curves" and window.train_panel.tabs.index() == OWN
    window.train_panel.tabs.buttons[1].click()
    assert not gallery.choice.isVisible() and not window.train_panel.source.unit_row.isVisible()
    assert gallery.real.isVisible() and gallery.background.isVisible()
    assert gallery.real.count() == gallery.background.count() == 8
    told = window.train_panel.plot.points()["told_apart"]
    assert told[0].tolist() == [1, 2, 3, 4, 5, 6] and np.all((told[1] >= 0) & (told[1] <= 1))
    path = window.session.project.path

    window.workbench.new_project()
    qtbot.waitUntil(lambda: window.session.project is None, timeout=LONG)
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.project is not None, timeout=LONG)
    qtbot.waitUntil(lambda: gallery.real.count() == 8, timeout=LONG)
    settle(qtbot, window)


def test_the_limit_of_boxes_is_remembered_image_by_image(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    train(qtbot, window, folder, tiny)
    project = window.session.project
    options = window.session.view.options
    assert undecided(project, options) == {}
    assert len(undecided(project, replace(options, max_boxes=MAX_BOXES))) == 12


class Made:
    """The images whose maps are written, batch by batch; the ``hold``-th waits until :attr:`go` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, hold: int) -> None:
        self.batches: list[list[int]] = []
        self.go, self.held = threading.Event(), threading.Event()
        write = Project.set_heat_maps

        def watched(project: Project, maps: Mapping[int, np.ndarray], **by: object) -> None:
            self.batches.append(list(maps))
            if len(self.batches) == hold:
                self.held.set()
                assert self.go.wait(LONG / 1000)
            write(project, maps, **by)

        monkeypatch.setattr(Project, "set_heat_maps", watched)


@pytest.mark.parametrize("change", ["nothing", "more boxes"])
def test_finding_boxes_goes_on_where_it_was_stopped_unless_something_was_changed(
    window: MainWindow,
    folder: Path,
    tiny: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    change: str,
) -> None:
    monkeypatch.setattr("core.project.localize.BATCH", 4)
    made = Made(monkeypatch, hold=2)
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    qtbot.waitUntil(made.held.is_set, timeout=LONG)
    project, bar = window.session.project, window.boxes_bar
    qtbot.waitUntil(window.strip.stop.isVisible, timeout=LONG)
    qtbot.mouseClick(window.strip.stop, Qt.MouseButton.LeftButton)
    made.go.set()
    settle(qtbot, window)
    ids = [record.id for record in project.images()]
    assert made.batches == [ids[:4], ids[4:8]]
    qtbot.waitUntil(lambda: "was stopped" in bar.sentence.text(), timeout=LONG)
    qtbot.waitUntil(lambda: bar.find_button.text() == "Continue search", timeout=LONG)

    if change == "more boxes":  # for which maps are made in another way
        window.bar.boxes_button.click()
        qtbot.keyClick(window.bar.boxes.spin, Qt.Key.Key_Up)
        window.bar.boxes.close()
        settle(qtbot, window)
        assert bar.find_button.text() == "Find boxes again"
    qtbot.mouseClick(bar.find_button, Qt.MouseButton.LeftButton)
    settle(qtbot, window)
    again = [ids[:4], ids[4:8]] if change == "more boxes" else []
    assert made.batches[2:] == [*again, ids[8:]]
    survey, view = project.load_survey(), project.load_view()
    assert survey.complete and survey.prior.images == 12
    for record in project.images():
        framing = framings(project, [record.id]).get(record.id)
        assert project.boxes(record.id) == view.options.boxes_of(
            project.heat_map(record.id), (40, 30), prior=survey.prior, framing=framing
        )
    assert not bar.find_button.isVisible()
