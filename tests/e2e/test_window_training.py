"""The right side of the real window: snapshots to choose from, class labels, what the discriminator sees."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QWidget
from pytestqt.qtbot import QtBot
from window_support import LONG, click, close, draw_folder, drop, fill, finish, settle, start

from app.main_window import MainWindow
from app.models.training import Phase
from app.views.train_panel import TrainPanel
from core.base.config import ClassifierConfig, TrainConfig
from core.base.devices import resolve_device
from core.base.presets import PRESETS
from core.images.pixels import Pixels
from core.learn import checkpoint, lesson, snapshots
from core.learn import class_training as classify
from core.learn.batches import batch_seen
from core.learn.signals import yardstick
from core.learn.stopping import propose
from core.maps.heatmap import heat_maps, read_out_of
from core.project.fitting import FolderSummary, fitted_to
from core.project.store import Project
from core.project.workflow import load_pixels, saved_run

ENDLESS = 1_000_000
CLASSES = ClassifierConfig(
    steps=3, image_size=32, width=4, batch_size=8, report_every=1, device="cpu", precision="fp32"
)


def choose(qtbot: QtBot, window: MainWindow, model: str, at: str) -> None:
    """Pick a source by keys, as a person without a mouse does, and wait for its boxes."""
    box = window.train_panel.source.box
    index = source_index(box, model, at)
    box.setFocus()
    key = Qt.Key.Key_Down if index > box.currentIndex() else Qt.Key.Key_Up
    while box.currentIndex() != index:
        before = box.currentIndex()
        qtbot.keyClick(box, key)
        assert box.currentIndex() != before
    settle(qtbot, window)


def source_index(box: QComboBox, model: str, at: str) -> int:
    return [tuple(box.itemData(i)) for i in range(box.count())].index((model, at))


def pixels_of(project: Project, size: int) -> Pixels:
    return load_pixels(project, project.images(), size=size)


def choose_kind(qtbot: QtBot, panel: TrainPanel, *, labels: bool) -> None:
    """Which training it is, among the details."""
    if not panel.settings.is_open():
        click(qtbot, panel.settings.toggle)
    click(qtbot, panel.kind.second if labels else panel.kind.first)


@pytest.fixture
def trained(window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot) -> MainWindow:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)
    settle(qtbot, window)
    return window


def test_the_default_follows_the_dropped_folder_until_a_person_changes_it(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    form = window.train_panel.form
    window.train_panel.set_config(PRESETS["scratch"])
    fill(qtbot, window, folder, 12)
    qtbot.waitUntil(
        lambda: form.reason_label.text().startswith("12 images of 40 × 30 pixels. "), timeout=LONG
    )
    click(qtbot, window.train_panel.settings.toggle)
    assert form.reason_label.isVisible()
    assert form.config() == fitted_to(PRESETS["scratch"], FolderSummary(12, 40, 30)).config

    qtbot.keyClick(form.editors["batch_size"].focusProxy(), Qt.Key.Key_Up)
    own = form.config()
    more = draw_folder(folder.parent / "more", 3)
    window.workbench.add_paths([more])
    qtbot.waitUntil(lambda: window.session.results.summary.images == 15, timeout=LONG)
    assert form.config() == own
    assert not form.reason_label.isVisible()


def test_any_kept_snapshot_gives_the_heat_maps_and_the_choice_stays(
    trained: MainWindow, qtbot: QtBot
) -> None:
    session, picker = trained.session, trained.train_panel.source
    project = session.project
    pixels = pixels_of(project, 32)
    titles = [picker.box.itemText(i) for i in range(picker.box.count())]
    assert titles[0] == "Last: step 6" and titles[-3:] == ["Step 6", "Step 4", "Step 2"]
    assert project.heat_maps_step() == 6

    choose(qtbot, trained, "gan", "2")
    kept = snapshots.load(snapshots.snapshots_dir(saved_run(project, "gan").file), 2)
    network = kept.discriminator
    expected = heat_maps(network, pixels.array, options=read_out_of(network))
    for record, heat_map in zip(project.images(), expected, strict=True):
        np.testing.assert_allclose(project.heat_map(record.id), heat_map, atol=1e-5)
    assert project.heat_maps_step() == 2
    qtbot.waitUntil(lambda: np.allclose(session.heat_map, expected[0], atol=1e-5), timeout=LONG)
    boxes = project.all_boxes()
    assert trained.canvas.boxes == boxes[session.current]


def test_the_choice_of_a_snapshot_is_there_again_in_a_reopened_project(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    start(qtbot, first, tiny)
    finish(qtbot, first)
    settle(qtbot, first)
    choose(qtbot, first, "gan", "4")
    path, boxes = first.session.project.path, first.session.project.all_boxes()
    close(qtbot, first)

    window.open_paths([path])
    session = window.session
    qtbot.waitUntil(lambda: session.project is not None and session.heat_map is not None, timeout=LONG)
    settle(qtbot, window)
    assert window.train_panel.source.box.currentText() == "Step 4"
    assert session.project.all_boxes() == boxes
    choose(qtbot, window, "gan", "last")
    assert session.project.heat_maps_step() == 6


def test_the_proposal_and_its_reason_are_shown(trained: MainWindow, qtbot: QtBot) -> None:
    picker, project = trained.train_panel.source, trained.session.project
    path = saved_run(project, "gan").file
    proposal = propose(snapshots.kept_signals(checkpoint.load(path), snapshots.snapshots_dir(path)))
    assert picker.reason.isVisible() and picker.reason.text() == proposal.reason
    assert picker.numbers.isVisible()
    index = source_index(picker.box, "gan", "proposed")
    assert picker.box.model().item(index).isEnabled() is proposal.qualifies
    if proposal.qualifies:
        choose(qtbot, trained, "gan", "proposed")
        assert project.heat_maps_step() == proposal.step


def test_the_real_images_own_ms_ssim_is_there_before_the_first_snapshot(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    panel = window.train_panel
    assert panel.plot.reference is None and not panel.plot.real_line.isVisible()
    config = tiny.with_(steps=ENDLESS, snapshot_every=100_000)
    start(qtbot, window, config)
    qtbot.waitUntil(lambda: panel.plot.reference is not None, timeout=LONG)
    assert window.session.results.snapshots.signals == ()
    click(qtbot, panel.stop_button)
    finish(qtbot, window)
    pixels = pixels_of(window.session.project, 32)
    real = yardstick(config, pixels.array, resolve_device("cpu")).real_ms_ssim
    assert panel.plot.reference == pytest.approx((real.mean, *real.interval))
    assert panel.plot.real_line.value() == pytest.approx(real.mean)
    assert panel.plot.real_line.isVisible()


def test_what_the_discriminator_sees(trained: MainWindow, tiny: TrainConfig, qtbot: QtBot) -> None:
    gallery, session = trained.train_panel.gallery, trained.session
    assert gallery.samples.isVisible() and not gallery.real.isVisible()
    click(qtbot, gallery.choice.second)
    assert gallery.real.isVisible() and not gallery.samples.isVisible()
    assert gallery.real.count() == tiny.batch_size
    pixels = pixels_of(session.project, 32)
    np.testing.assert_array_equal(session.results.seen.real, batch_seen(tiny, pixels.array, step=6).real)


def test_what_it_would_see_without_augmentation_before_any_training(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    panel = window.train_panel
    panel.set_config(tiny.with_(augmentation=False))
    panel.config_changed.emit()  # as an edit by hand does
    click(qtbot, panel.tabs.buttons[1])
    click(qtbot, panel.gallery.choice.second)
    qtbot.waitUntil(lambda: panel.gallery.real.count() == 8, timeout=LONG)
    known = {image.tobytes() for image in pixels_of(window.session.project, 32).array}
    assert all(image.tobytes() in known for image in window.session.results.seen.real)


def two_classes(folder: Path) -> Path:
    for name in ("cats", "dogs"):
        draw_folder(folder / name, 6)
    return folder


def test_class_labels_from_folders_to_boxes_and_back(
    window: MainWindow, tmp_path: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session, panel = window.session, window.train_panel
    fill(qtbot, window, two_classes(tmp_path / "animals"), 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)
    settle(qtbot, window)
    gan = {r.id: session.project.heat_map(r.id) for r in session.project.images()}

    choose_kind(qtbot, panel, labels=True)
    qtbot.waitUntil(lambda: "12 images in 2 class folders" in panel.note_label.text(), timeout=LONG)
    assert "needs labels" in panel.note_label.text()
    panel.set_config(CLASSES.with_(steps=ENDLESS))
    click(qtbot, panel.start_button)
    results = session.results
    qtbot.waitUntil(lambda: results.labelled.status.step >= 2, timeout=LONG)
    assert not panel.kind.isEnabled()
    click(qtbot, panel.pause_button)
    qtbot.waitUntil(lambda: results.labelled.status.phase is Phase.PAUSED)
    click(qtbot, panel.pause_button)
    held = results.labelled.status.step
    qtbot.waitUntil(lambda: results.labelled.status.step > held + 1, timeout=LONG)
    click(qtbot, panel.stop_button)
    settle(qtbot, window)
    drawn = panel.class_plot.points
    qtbot.waitUntil(lambda: len(drawn()["loss"][0]) == results.labelled.status.step, timeout=LONG)
    for record in session.project.images():
        np.testing.assert_array_equal(session.project.heat_map(record.id), gan[record.id])
    qtbot.waitUntil(panel.runs.take_button.isEnabled, timeout=LONG)
    click(qtbot, panel.runs.take_button)
    settle(qtbot, window)

    state = classify.load(saved_run(session.project, "cam").file)
    assert state.classes == ("cats", "dogs") and state.step == results.labelled.status.saved_step
    assert panel.source.box.currentText().startswith("Class labels")
    assert "labels" in panel.source.reason.text()
    records = session.project.images()
    own = np.array([("cats", "dogs").index(r.path.parent.name) for r in records], np.int64)
    network = classify.snapshot_of(state).network
    expected = heat_maps(network, pixels_of(session.project, 32).array, classes=own)
    for record, heat_map in zip(records, expected, strict=True):
        np.testing.assert_allclose(session.project.heat_map(record.id), heat_map, atol=1e-4)

    choose_kind(qtbot, panel, labels=False)
    qtbot.waitUntil(panel.runs.take_button.isEnabled, timeout=LONG)
    click(qtbot, panel.runs.take_button)
    settle(qtbot, window)
    for record in records:
        np.testing.assert_array_equal(session.project.heat_map(record.id), gan[record.id])


def test_a_training_with_class_labels_goes_on_in_a_reopened_project(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, two_classes(tmp_path / "animals"), 12)
    choose_kind(qtbot, first.train_panel, labels=True)
    first.train_panel.set_config(CLASSES.with_(steps=ENDLESS))
    qtbot.waitUntil(first.train_panel.start_button.isEnabled, timeout=LONG)
    click(qtbot, first.train_panel.start_button)
    qtbot.waitUntil(lambda: first.session.results.labelled.status.step >= 2, timeout=LONG)
    path = first.session.project.path
    close(qtbot, first)

    window.open_paths([path])
    session, panel = window.session, window.train_panel
    qtbot.waitUntil(lambda: session.project is not None and session.picture is not None, timeout=LONG)
    choose_kind(qtbot, panel, labels=True)
    saved = session.results.labelled.status.saved_step
    assert panel.continue_button.isVisible() and saved >= 2
    panel.set_config(CLASSES.with_(steps=saved + 2))
    qtbot.waitUntil(panel.continue_button.isEnabled, timeout=LONG)
    click(qtbot, panel.continue_button)
    qtbot.waitUntil(lambda: session.results.labelled.status.phase is Phase.FINISHED, timeout=LONG)
    settle(qtbot, window)
    assert classify.load(saved_run(session.project, "cam").file).step == saved + 2
    assert session.project.heat_maps_step() == saved + 2


@pytest.mark.parametrize("labels", [False, True])
def test_the_curves_of_a_training_closed_before_its_first_samples_are_there_again(
    window: MainWindow, folder: Path, tiny: TrainConfig, labels: bool, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, two_classes(folder) if labels else folder, 24 if labels else 12)
    panel, session = first.train_panel, first.session
    config = CLASSES.with_(report_every=1000) if labels else tiny.with_(sample_every=1000)
    if labels:
        choose_kind(qtbot, panel, labels=True)
    panel.set_config(config.with_(steps=ENDLESS))
    qtbot.waitUntil(panel.start_button.isEnabled, timeout=LONG)
    click(qtbot, panel.start_button)
    drawn = (panel.class_plot if labels else panel.plot).points
    qtbot.waitUntil(lambda: len(drawn()["loss" if labels else "d"][0]) >= 3, timeout=LONG)
    live, path = drawn(), session.project.path
    close(qtbot, first)

    window.open_paths([path])
    plot = window.train_panel.class_plot if labels else window.train_panel.plot
    qtbot.waitUntil(lambda: window.session.project is not None, timeout=LONG)
    results = window.session.results
    step = (results.labelled.status if labels else window.session.training).saved_step
    for name, (steps, values) in live.items():
        again_steps, again = plot.points()[name]
        assert again_steps.tolist() == (list(range(1, step + 1)) if len(steps) else []), name
        np.testing.assert_array_equal(again[: len(values)], values)
    settle(qtbot, window)


def test_without_class_folders_one_sentence_says_what_is_missing(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    panel = window.train_panel
    choose_kind(qtbot, panel, labels=True)
    qtbot.waitUntil(lambda: "no class folders" in panel.note_label.text(), timeout=LONG)
    assert not panel.start_button.isEnabled()
    choose_kind(qtbot, panel, labels=False)
    assert panel.start_button.isEnabled() and not panel.note_label.isVisible()


def test_images_of_no_class_get_the_likeliest_ones_map(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    where = two_classes(tmp_path / "animals")
    shutil.copy(where / "cats" / "image 1.png", where / "stray.png")
    fill(qtbot, window, where, 13)
    panel, session = window.train_panel, window.session
    choose_kind(qtbot, panel, labels=True)
    panel.set_config(CLASSES)
    qtbot.waitUntil(panel.start_button.isEnabled, timeout=LONG)
    click(qtbot, panel.start_button)
    qtbot.waitUntil(lambda: session.results.labelled.status.phase is Phase.FINISHED, timeout=LONG)
    settle(qtbot, window)
    stray = next(r for r in session.project.images() if r.name == "stray.png")
    network = classify.snapshot_of(classify.load(saved_run(session.project, "cam").file)).network
    rows = {file.path: i for i, file in enumerate(pixels_of(session.project, 32).files)}
    array = pixels_of(session.project, 32).array[[rows[stray.path]]]
    np.testing.assert_allclose(session.project.heat_map(stray.id), heat_maps(network, array)[0], atol=1e-4)


def test_a_dropped_folder_is_counted_while_class_labels_are_shown(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, draw_folder(tmp_path / "cats", 6), 6)
    panel = window.train_panel
    choose_kind(qtbot, panel, labels=True)
    qtbot.waitUntil(lambda: "no class folders" in panel.note_label.text(), timeout=LONG)
    assert drop(window.splitter, [draw_folder(tmp_path / "dogs", 5)])
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    click(qtbot, window.notice.buttons[1])  # adds it
    qtbot.waitUntil(lambda: "11 images in 2 class folders" in panel.note_label.text(), timeout=LONG)


def test_the_key_goes_on_with_a_stopped_training(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny.with_(steps=ENDLESS))
    qtbot.waitUntil(lambda: window.session.training.step >= 4, timeout=LONG)
    click(qtbot, window.train_panel.stop_button)
    finish(qtbot, window)
    stopped = window.session.training.saved_step
    assert stopped
    seen: list[int] = []
    window.session.learning.changed.connect(lambda: seen.append(window.session.training.step))
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert window.session.training.phase is Phase.PREPARING
    qtbot.waitUntil(lambda: any(seen), timeout=LONG)
    assert next(filter(None, seen)) >= stopped, "the stopped training is given up"


def test_the_time_left_forgets_a_slow_first_step(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter(range(ENDLESS))

    def clock() -> float:
        """Asked three times a step; each takes a second, only the first ten minutes."""
        return 0.5 * (count := next(asked)) + 600 * (count > 0)

    monkeypatch.setattr(lesson, "time", SimpleNamespace(perf_counter=clock))
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny.with_(steps=10_000, sample_every=10_000, snapshot_every=10_000))
    status, panel = window.session, window.train_panel
    qtbot.waitUntil(lambda: status.training.step >= 60, timeout=LONG)
    step, told = status.training.step, panel.time_label.text()
    click(qtbot, panel.stop_button)
    hours, minutes = re.fullmatch(r"(\d) h (\d+) min left · 1.0 steps/s", told).groups()
    assert 60 * int(hours) + int(minutes) == pytest.approx((10_000 - step) / 60, rel=0.03)
    finish(qtbot, window)


@pytest.mark.parametrize("advanced", [False, True])
@pytest.mark.parametrize(("kind", "most"), [("features", 6), ("scratch", 8), ("labels", 8)])
def test_tab_goes_down_the_panel_as_the_eye_does(
    window: MainWindow, folder: Path, kind: str, most: int, advanced: bool, qtbot: QtBot
) -> None:
    labels = kind == "labels"
    fill(qtbot, window, two_classes(folder) if labels else folder, 24 if labels else 12)
    panel = window.train_panel
    if labels:
        choose_kind(qtbot, panel, labels=True)
    if kind == "scratch":
        box = panel.features_form.preset_box
        box.setCurrentIndex(box.findData("scratch"))
    form = {"features": panel.features_form, "scratch": panel.form, "labels": panel.class_form}[kind]
    form.advanced.set_open(advanced)
    qtbot.waitUntil(panel.start_button.isEnabled, timeout=LONG)
    QApplication.processEvents()
    panel.settings.set_open(True)
    QApplication.processEvents()
    panel.start_button.setFocus()
    seen: list[QWidget] = []
    while (at := QApplication.focusWidget()) is not None and panel.isAncestorOf(at) and at not in seen:
        seen.append(at)
        qtbot.keyClick(at, Qt.Key.Key_Tab)
    assert len(seen) > most + (4 if advanced else 0) and panel.start_button in seen
    assert seen[:2] == [panel.start_button, panel.settings.toggle]
    assert panel.kind.isAncestorOf(seen[2]) and seen[3] is form.preset_box
    form_rows = [w.mapTo(form, QPoint(0, 0)).y() for w in seen if form.isAncestorOf(w)]
    assert all(below >= above - 6 for above, below in pairwise(form_rows)), form_rows
    assert seen.index(panel.start_button) < min(i for i, w in enumerate(seen) if form.isAncestorOf(w))
