"""The main job in the real window: drops, keys and clicks in; heat maps, boxes and files out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from window_support import LONG, close, draw_folder, drop, export, fill, finish, held_step, start

from app.main_window import MainWindow
from app.models.training import Phase
from app.views.message import ErrorDialog
from core.base.annotations import Status
from core.base.config import TrainConfig
from core.boxes.batches import find_box
from core.boxes.rules import MAX_THRESHOLD
from core.learn import checkpoint, engine
from core.project.browse import Show
from core.project.queries import framings
from core.project.store import Project
from core.project.workflow import saved_run

ENDLESS = 1_000_000


def error(qtbot: QtBot, window: MainWindow) -> ErrorDialog:
    """The message that is shown, once it is."""
    qtbot.waitUntil(lambda: window.findChild(ErrorDialog) is not None, timeout=LONG)
    return window.findChild(ErrorDialog)


def colours(widget: QWidget) -> int:
    """How many different colours a widget shows: few where it is empty."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    points = [(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)]
    return len({image.pixel(x, y) for x, y in points})


def test_the_main_job_from_drop_to_export(
    window: MainWindow, folder: Path, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    session, panel, bar = window.session, window.train_panel, window.bar
    assert window.pages.currentWidget() is window.welcome
    fill(qtbot, window, folder, 12)
    assert window.pages.currentWidget() is window.splitter
    assert window.images.count.text() == "12 images"

    for key, name in ((Qt.Key.Key_Right, 2), (Qt.Key.Key_N, 3), (Qt.Key.Key_J, 4), (Qt.Key.Key_Left, 3)):
        qtbot.keyClick(window, key)
        assert session.record.name == f"image {name}.png"
    assert window.images.list.currentIndex().row() == 2

    blank = colours(panel.samples)
    start(qtbot, window, tiny.with_(steps=ENDLESS))
    qtbot.waitUntil(lambda: session.samples is not None and session.heat_map is not None, timeout=LONG)
    assert colours(panel.samples) > blank + 10
    qtbot.waitUntil(lambda: len(panel.plot.points()["ms_ssim"][0]) >= 2, timeout=LONG)
    qtbot.mouseClick(panel.pause_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.training.phase is Phase.PAUSED)
    held = held_step(qtbot, session)
    qtbot.mouseClick(panel.pause_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.training.step > held, timeout=LONG)
    qtbot.mouseClick(panel.stop_button, Qt.MouseButton.LeftButton)
    finish(qtbot, window)

    record, project = session.record, session.project
    heat_map, prior = project.heat_map(record.id), project.load_survey().prior
    known = {"prior": prior, "framing": framings(project, [record.id]).get(record.id)}
    qtbot.waitUntil(
        lambda: window.canvas.boxes == (find_box(heat_map, width=40, height=30, **known),), timeout=LONG
    )
    assert window.canvas._heat is not None
    slider = bar.threshold_slider
    slider.setValue(round(slider.minimum() * 0.6 / MAX_THRESHOLD))
    assert session.threshold == 0.6
    expected = find_box(heat_map, width=40, height=30, threshold=0.6, **known)
    assert window.canvas.boxes == (expected,)
    assert f"{expected.box.x0:.0f}, {expected.box.y0:.0f}" in window.strip.box.text()

    for name, suffix in (("csv", ".csv"), ("coco", ".json")):
        export(qtbot, window, name, tmp_path / f"boxes{suffix}")
    table = pd.read_csv(tmp_path / "boxes.csv")
    assert len(table) == 12
    assert set(table["threshold"]) == {0.6}
    coco = json.loads((tmp_path / "boxes.json").read_text())
    assert len(coco["images"]) == len(coco["annotations"]) == 12


def test_a_drop_is_a_copy_whatever_its_source_proposes(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    actions = Qt.DropAction
    every = actions.MoveAction | actions.CopyAction | actions.LinkAction
    page = window.pages.currentWidget()
    assert drop(page, [folder], actions.MoveAction) is None, "its source would delete what it has moved"
    assert drop(page, [folder], every) == actions.CopyAction
    qtbot.waitUntil(lambda: window.session.images.total == 12, timeout=LONG)
    assert drop(window.splitter, [folder], every) == actions.CopyAction
    qtbot.waitUntil(lambda: not window.session.activities, timeout=LONG)


@pytest.mark.parametrize("place", ["welcome", "canvas", "images", "train_panel", "name_filter", "list"])
def test_a_drop_is_taken_wherever_it_lands(
    window: MainWindow, folder: Path, tmp_path: Path, place: str, qtbot: QtBot
) -> None:
    if place == "welcome":
        fill(qtbot, window, folder, 12)
        return
    fill(qtbot, window, folder, 12)
    more = draw_folder(tmp_path / "more", 2)
    target = {
        "name_filter": window.images.name_filter,
        "list": window.images.list.viewport(),
    }.get(place) or getattr(window, place)
    assert drop(target, [more])
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    assert "“more”" in window.notice.text.text()
    assert window.findChild(QLineEdit, "name_filter").text() == ""


def test_an_address_of_localhost_is_a_folder_of_this_computer(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    address = QUrl.fromLocalFile(str(folder))
    address.setHost("localhost")
    assert drop(window.pages.currentWidget(), [address])
    qtbot.waitUntil(lambda: window.session.images.total == 12, timeout=LONG)


def test_filters_find_images_by_name_and_status(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    qtbot.keyClick(window, Qt.Key.Key_X)
    assert window.session.images.record(1).status is Status.REJECTED
    assert window.session.record.name == "image 2.png", "on to the next unseen one"
    images = window.images
    images.name_filter.setFocus()
    qtbot.keyClicks(images.name_filter, "IMAGE 1")
    assert images.count.text() == "4 of 12 images"
    images.show_box.setCurrentIndex(images.show_box.findData(Show.REJECTED.value))
    assert images.count.text() == "1 of 12 images"
    images.name_filter.clear()
    images.show_box.setCurrentIndex(0)
    assert images.count.text() == "12 images"
    assert images.list.currentIndex().row() == 1


def test_a_click_in_the_list_shows_that_image(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    view = window.images.list
    where = view.visualRect(window.session.images.index(4)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert window.session.record.name == "image 5.png"
    qtbot.waitUntil(lambda: colours(window.canvas) > 50)


def test_the_status_bar_tells_pixel_and_size(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    target = window.canvas.viewport_state.target
    inside = QPoint(
        round(target.left() + target.width() * 0.51), round(target.top() + target.height() * 0.51)
    )
    qtbot.mouseMove(window.canvas, inside)
    qtbot.waitUntil(lambda: window.strip.position.text() == "20, 15")
    assert window.strip.image_size.text() == "40 × 30 px"


def test_arrow_keys_move_a_slider_that_has_the_focus(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)
    window.activateWindow()
    window.bar.threshold_slider.setFocus()
    qtbot.waitUntil(window.bar.threshold_slider.hasFocus)
    before = window.session.threshold
    qtbot.keyClick(window.bar.threshold_slider, Qt.Key.Key_Left)
    assert window.session.threshold > before
    assert window.session.record.name == "image 1.png"


def test_closing_while_training_saves_and_the_project_goes_on(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    first.workbench.browsing.last()
    start(qtbot, first, tiny.with_(steps=ENDLESS))
    qtbot.waitUntil(lambda: first.session.training.step >= 3, timeout=LONG)
    path = first.session.project.path
    first.close()
    assert first.isVisible(), "it lives until the training is saved"
    assert "Saving" in first.strip.text.text()
    close(qtbot, first)
    with Project.open(path) as project:
        saved = checkpoint.load(saved_run(project, "gan").file).step
    assert saved >= 3

    window.open_paths([path])
    session, panel = window.session, window.train_panel
    qtbot.waitUntil(lambda: session.project is not None and session.picture is not None, timeout=LONG)
    assert session.record.name == "image 12.png"
    assert panel.config() == tiny.with_(steps=ENDLESS)
    assert panel.continue_button.isVisible()
    panel.set_config(tiny.with_(steps=saved + 2))
    qtbot.mouseClick(panel.continue_button, Qt.MouseButton.LeftButton)
    finish(qtbot, window)
    assert session.training.saved_step == saved + 2


def test_an_error_in_the_training_thread_is_a_message_and_the_window_lives(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("the <b>gears</b> came off\nand more")

    fill(qtbot, window, folder, 12)
    with monkeypatch.context() as patch:
        patch.setattr(engine._Adversarial, "step", broken)
        start(qtbot, window, tiny)
        shown = error(qtbot, window)
    assert shown.sentence.text() == "Something went wrong: the <b>gears</b> came off"
    assert shown.sentence.textFormat() is Qt.TextFormat.PlainText
    assert "Traceback" in shown.details.toPlainText()
    assert window.session.training.phase is Phase.FAILED
    shown.close()
    start(qtbot, window, tiny)
    finish(qtbot, window)
    assert window.session.training.phase is Phase.FINISHED


def test_too_little_graphics_memory_says_what_to_do(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(engine._Adversarial, "step", broken)
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    assert "smaller batch" in error(qtbot, window).sentence.text()


def bad_files(folder: Path) -> None:
    (folder / "zero.jpg").touch()
    (folder / "words.png").write_text("these are words and no pixels at all, in plain text")


def test_a_folder_of_bad_files_only_is_a_sentence_and_a_list(
    window: MainWindow, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    bad_files(bad)
    fill(qtbot, window, bad, 1)
    start(qtbot, window, tiny)
    assert "no usable image" in error(qtbot, window).sentence.text()
    qtbot.waitUntil(lambda: window.problems.count() == 2, timeout=LONG)
    assert window.strip.problems.text() == "2 files could not be used"
    qtbot.mouseClick(window.strip.problems, Qt.MouseButton.LeftButton)
    assert window.dock.isVisible()


@pytest.mark.parametrize(("count", "says"), [(0, "No usable image"), (1, "at least 8")])
def test_an_empty_folder_and_one_image_are_sentences(
    window: MainWindow, tiny: TrainConfig, tmp_path: Path, count: int, says: str, qtbot: QtBot
) -> None:
    few = draw_folder(tmp_path / "few", count)
    if count:
        fill(qtbot, window, few, count)
        start(qtbot, window, tiny)
    else:
        assert drop(window.welcome, [few])
    assert says in error(qtbot, window).sentence.text()


def test_names_with_markup_are_shown_as_they_are(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    folder = draw_folder(tmp_path / "<b>bold & co</b>", 2)
    name = "<img src='x'>&amp; %s {0} ü 漢字.png"
    (folder / "image 1.png").rename(folder / name)
    fill(qtbot, window, folder, 2)
    assert window.session.record.name == name
    assert window.canvas._caption == name
    window.images.list.viewport().grab()


def test_a_folder_that_vanishes_while_training(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    session = window.session
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny.with_(steps=ENDLESS))
    qtbot.waitUntil(lambda: session.training.step >= 2, timeout=LONG)
    shutil.rmtree(folder)
    qtbot.keyClick(window, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: "no longer there" in window.canvas._message, timeout=LONG)
    qtbot.waitUntil(lambda: [one.root for one in session.problems.away] == [folder], timeout=LONG)
    seen = session.training.step
    qtbot.waitUntil(lambda: session.training.step > seen, timeout=LONG)
    qtbot.mouseClick(window.train_panel.stop_button, Qt.MouseButton.LeftButton)
    finish(qtbot, window)
    assert len(session.project.all_boxes()) == 12


def test_a_photo_stored_on_its_side_gets_its_box_in_displayed_pixels(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 20), "red").save(folder / "a turned.jpg", exif=exif)
    fill(qtbot, window, folder, 13)
    assert window.session.record.name == "a turned.jpg"
    assert window.session.in_view.size == (20, 80)
    start(qtbot, window, tiny)
    finish(qtbot, window)
    [record] = window.session.project.boxes(window.session.current)
    assert 0 <= record.box.x0 < record.box.x1 <= 20
    assert 0 <= record.box.y0 < record.box.y1 <= 80


def test_every_command_has_a_title_and_its_keys_are_its_own(window: MainWindow) -> None:
    keys = [key.toString() for action in window.actions_.values() for key in action.shortcuts()]
    assert len(keys) == len(set(keys))
    assert all(action.text() for action in window.actions_.values())
