"""Bad moments of the one job in the real window: nothing to find, nothing to compare, nothing to look at."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from command_support import run
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from review_support import on_disk, ready
from window_support import (
    LONG,
    click,
    close,
    draw_folder,
    drop,
    export,
    fill,
    finish,
    settle,
    start,
)

from app.main_window import MainWindow
from app.views.message import ErrorDialog
from core.base.annotations import Status
from core.base.config import FeaturesConfig
from core.formats import FORMATS
from core.images.sample import draw_sample
from core.images.scan import ImageFile, scan_folder
from core.maps.localizer import Localizer
from core.project.claim import COMMAND, claim
from core.project.store import Project

SMALL = FeaturesConfig(image_size=224, threads=1, device="cpu")
COUNT = 6


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Six photos of the sample."""
    draw_sample(tmp_path / "drawn", count=COUNT, seed=3)
    return tmp_path / "drawn" / "images"


def find(qtbot: QtBot, window: MainWindow) -> None:
    """Press the button, and wait for its end and for what is said then."""
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    settle(qtbot, window)
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)


def offered(window: MainWindow) -> list[str]:
    return [button.text() for button in window.notice.buttons]


def told(qtbot: QtBot, window: MainWindow) -> str:
    """What the one error says, which is then closed."""
    qtbot.waitUntil(lambda: any(one.isVisible() for one in window.findChildren(ErrorDialog)), timeout=LONG)
    [shown] = (one for one in window.findChildren(ErrorDialog) if one.isVisible())
    text = shown.sentence.text()
    shown.close()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=LONG)
    return text


def test_where_nothing_stands_out_it_is_said_and_boxes_can_be_drawn(
    window: MainWindow, few: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Localizer.heat
    monkeypatch.setattr(Localizer, "heat", lambda self, own: np.zeros_like(real(self, own)))
    fill(qtbot, window, few, COUNT)
    find(qtbot, window)
    said = "No object stands out: all 6 boxes are unsure. Are these photos of one kind of object"
    qtbot.waitUntil(lambda: window.notice.text.text().startswith(said), timeout=LONG)
    assert offered(window) == ["Review", "Add images…"]
    assert window.session.images.table.columns.score.tolist() == [0] * COUNT, "and the list says so too"

    click(qtbot, window.notice.buttons[0])
    ready(qtbot, window)
    current = window.session.current
    qtbot.keyClick(window, Qt.Key.Key_D)
    qtbot.keyClick(window.canvas, Qt.Key.Key_Return)
    qtbot.keyClick(window, Qt.Key.Key_A)
    [box] = on_disk(window, current).boxes
    assert box.box.area < 120 * 160, "a box of the person's, not the whole image"
    assert window.session.project.image(current).status is Status.ACCEPTED


def test_images_that_are_one_picture_are_called_so(window: MainWindow, few: Path, qtbot: QtBot) -> None:
    alike = few.parent / "alike"
    alike.mkdir()
    for i in range(3):
        shutil.copy(few / "beetle-001.jpg", alike / f"{i}.jpg")
    fill(qtbot, window, alike, 3)
    find(qtbot, window)
    said = "These 3 images look the same, so their boxes mean little. Add different ones."
    qtbot.waitUntil(lambda: window.notice.text.text() == said, timeout=LONG)
    assert offered(window) == ["Review", "Add images…"]


def test_where_all_is_approved_a_search_changes_nothing_and_says_so(
    window: MainWindow, few: Path, qtbot: QtBot
) -> None:
    for photo in sorted(few.iterdir())[3:]:  # of more it would be offered to learn
        photo.unlink()
    fill(qtbot, window, few, 3)
    find(qtbot, window)
    assert offered(window) == ["Review", "Export"]
    qtbot.keyClick(window, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.actions_["accept"].trigger()
    settle(qtbot, window)
    before = {i: on_disk(window, i) for i in range(1, 4)}
    window.actions_["find_boxes"].trigger()
    said = "3 images with edited or accepted boxes are unchanged. There were no others."
    qtbot.waitUntil(lambda: window.notice.text.text() == said, timeout=LONG)
    settle(qtbot, window)
    assert {i: on_disk(window, i) for i in range(1, 4)} == before
    click(qtbot, window.notice.buttons[0])
    assert not window.notice.isVisible()


def test_one_image_alone_from_the_button_to_the_export(
    window: MainWindow, few: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    one = tmp_path / "one"
    one.mkdir()
    shutil.copy(few / "beetle-001.jpg", one)
    fill(qtbot, window, one, 1)
    caution = window.train_panel.controls.caution_label
    qtbot.waitUntil(caution.isVisible)
    assert caution.text().startswith("1 image shows little")
    find(qtbot, window)
    assert window.notice.text.text().startswith("The box for 1 image is ready.")
    click(qtbot, window.notice.buttons[0])
    ready(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: window.strip.reviewed.text() == "1 of 1 reviewed", timeout=LONG)
    assert window.session.current == 1, "there is no next one to go on to"
    export(qtbot, window, "coco", tmp_path / "one.json")
    [read] = FORMATS["coco"].read(tmp_path / "one.json")
    [box] = read.boxes
    shown = window.session.boxes[0].box
    assert box.box.sides == pytest.approx(shown.sides, abs=0.01)


def test_after_a_folder_of_films_a_folder_of_photos_opens(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # without the extra that reads films
    films = tmp_path / "films"
    films.mkdir()
    for name in ("a.mp4", "b.MOV"):
        (films / name).write_bytes(b"\0\0\0\x18ftypmp42" + bytes(64))
    assert drop(window.pages.currentWidget(), [films])
    assert "the extra “video”" in told(qtbot, window)
    photos = draw_folder(tmp_path / "photos", 3)
    assert drop(window.pages.currentWidget(), [photos])
    qtbot.waitUntil(lambda: window.session.images.total == 3, timeout=LONG)
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    assert window.train_panel.start_button.isEnabled()


def test_a_hundred_thousand_images_are_found_judged_and_taken_back(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    photos, path, many = draw_folder(tmp_path / "photos", 1), tmp_path / "many.boxscout", 100_000
    shutil.copy(photos / "image 1.png", photos / "z last.png")
    names = ["image 1.png", *(f"n {i:06}.png" for i in range(2, many)), "z last.png"]
    with Project.open_or_create(path) as project:
        project.add_images([ImageFile(photos, name, 1, 1) for name in names])
    window.open_paths([path])
    session = window.session
    qtbot.waitUntil(lambda: session.images.total == many and session.picture is not None, timeout=LONG)
    qtbot.waitUntil(lambda: window.strip.reviewed.text() == "0 of 100,000 reviewed", timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: session.record.name == "z last.png", timeout=LONG)
    qtbot.waitUntil(lambda: session.picture is not None and session.picture.image is not None, timeout=LONG)
    assert window.images.list.visualRect(session.images.index(many - 1)).isValid(), "it is scrolled to"
    window.images.name_filter.setFocus()
    qtbot.keyClicks(window.images.name_filter, "n 054321")
    qtbot.waitUntil(lambda: window.images.count.text() == "1 of 100,000 images", timeout=LONG)
    qtbot.keyClick(window.images.name_filter, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.images.count.text() == "100,000 images", timeout=LONG)
    window.images.list.setFocus()
    qtbot.keyClick(window.images.list, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    window.actions_["reject"].trigger()
    qtbot.waitUntil(lambda: window.strip.reviewed.text() == "100,000 of 100,000 reviewed", timeout=LONG)
    window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: window.strip.reviewed.text() == "0 of 100,000 reviewed", timeout=LONG)
    settle(qtbot, window)


def test_beside_an_open_window_commands_read_and_never_write(
    window: MainWindow, few: Path, tmp_path: Path, qtbot: QtBot, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(qtbot, window, few, COUNT)
    find(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_A)
    settle(qtbot, window)
    path = window.session.project.path
    before = {i: on_disk(window, i) for i in range(1, COUNT + 1)}
    for command in (
        ["train", few, "--restart"],
        ["localize", few],
        ["learn"],
        ["relocate", tmp_path, "--from", few],
        ["runs", "--delete", "1"],
    ):
        code, _, said = run(capsys, *command, "--project", path)
        assert code == 1, command
        assert "is open in another window. Continue there or close it first." in said, command
    out = tmp_path / "boxes.json"
    assert run(capsys, "export", "--format", "coco", "--out", out, "--project", path)[0] == 0
    assert len(FORMATS["coco"].read(out)) == COUNT
    assert run(capsys, "runs", "--project", path)[0] == 0
    assert {i: on_disk(window, i) for i in range(1, COUNT + 1)} == before
    with Project.open(path) as other:
        assert other.image(1).status is Status.ACCEPTED
    window.actions_["reject"].trigger()  # and the window goes on
    settle(qtbot, window)
    assert window.session.project.image(2).status is Status.REJECTED


def test_a_project_that_a_command_works_on_opens_once_it_has_ended(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    photos, path = draw_folder(tmp_path / "photos", 3), tmp_path / "a.boxscout"
    with Project.open_or_create(path) as project:
        project.add_images(scan_folder([photos]).images)
    with claim(path, COMMAND):
        window.open_paths([path])
        said = "A command is still working on “a.boxscout”. Wait until it has finished."
        assert told(qtbot, window) == said
        assert window.session.project is None
        assert window.pages.currentWidget() is window.welcome, "another one can be opened meanwhile"
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.images.total == 3, timeout=LONG)
    settle(qtbot, window)


def test_what_was_learned_is_missing(
    window: MainWindow,
    few: Path,
    qtbot: QtBot,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The project's file was copied alone: its boxes are there, its ``-data`` folder is not."""
    first = MainWindow()
    first.show()
    fill(qtbot, first, few, COUNT)
    find(qtbot, first)
    first.actions_["accept"].trigger()
    path = first.session.project.path
    close(qtbot, first)
    data = path.with_name(f"{path.name}-data")
    shutil.move(data, tmp_path / "left behind")

    for command in (["localize", few], ["learn"], ["localizer", "save", "--out", tmp_path / "x"]):
        code, _, said = run(capsys, *command, "--project", path)
        assert code == 1
        assert f"What Run 1 learned is missing: the folder “{data.name}” beside the project held it." in said
        assert "Put it back, or train again: " in said
    assert "what it learned is missing" in run(capsys, "runs", "--project", path)[1]
    out = tmp_path / "boxes.json"
    assert run(capsys, "export", "--format", "coco", "--out", out, "--project", path)[0] == 0

    window.open_paths([path])
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    settle(qtbot, window)
    assert window.notice.text.text() == (
        f"What Run 1 learned is missing: the folder “{data.name}” beside the project held it. Boxes and heat "
        "maps are still here. Put it back and open the project again, or find objects anew."
    )
    qtbot.waitUntil(lambda: bool(window.session.boxes), timeout=LONG)
    approved = on_disk(window, 1)
    assert offered(window) == ["Find objects", "Not now"]
    window.train_panel.set_config(SMALL)
    click(qtbot, window.notice.buttons[0])
    finish(qtbot, window)
    settle(qtbot, window)
    assert "is missing" not in window.notice.text.text() or not window.notice.isVisible()
    assert on_disk(window, 1) == approved
    close_and_put_back(qtbot, window, tmp_path / "left behind", data)


def close_and_put_back(qtbot: QtBot, window: MainWindow, aside: Path, data: Path) -> None:
    """The folder comes back beside the project: nothing is missing any more."""
    path = window.session.project.path
    window.actions_["new"].trigger()
    qtbot.waitUntil(lambda: window.session.project is None and not window.workbench.pump.busy, timeout=LONG)
    shutil.rmtree(data)
    shutil.move(aside, data)
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    settle(qtbot, window)
    assert not window.notice.isVisible()


def test_a_project_moved_with_its_photos_finds_them_by_one_click(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    photos = draw_folder(home / "photos", 3)
    first = MainWindow()
    first.show()
    fill(qtbot, first, photos, 3)
    copy = home / "mine.boxscout"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(copy), ""))
    first.actions_["accept"].trigger()
    first.actions_["save_as"].trigger()
    qtbot.waitUntil(lambda: copy.is_file() and not first.workbench.pump.busy, timeout=LONG)
    close(qtbot, first)
    elsewhere = home.rename(tmp_path / "elsewhere")

    window.open_paths([elsewhere / copy.name])
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    assert window.notice.text.text() == (
        f"The folder “{photos}” is no longer there. Its images seem to be in “{elsewhere / 'photos'}” now."
    )
    assert offered(window) == ["Use this folder", "Locate folder…", "Not now"]
    click(qtbot, window.notice.buttons[0])
    session = window.session
    qtbot.waitUntil(lambda: session.picture is not None and session.picture.image is not None, timeout=LONG)
    assert not window.notice.isVisible()
    assert {record.root for record in session.images.records} == {elsewhere / "photos"}
    assert session.images.record(1).status is Status.NO_OBJECT, "it was accepted without a box"
    settle(qtbot, window)


def test_a_copy_under_another_name_has_what_was_learned(
    window: MainWindow, few: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(qtbot, window, few, COUNT)
    find(qtbot, window)
    before = {i: on_disk(window, i) for i in range(1, COUNT + 1)}
    copy = tmp_path / "copies" / "mine.boxscout"
    copy.parent.mkdir()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(copy), ""))
    window.actions_["save_as"].trigger()
    qtbot.waitUntil(lambda: window.strip.text.text() == "Saved as mine.boxscout.", timeout=LONG)
    window.open_paths([copy])
    qtbot.waitUntil(lambda: window.session.project.path == copy, timeout=LONG)
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    settle(qtbot, window)
    assert not window.notice.isVisible(), "nothing is missing"
    assert {i: on_disk(window, i) for i in range(1, COUNT + 1)} == before
    window.actions_["find_boxes"].trigger()  # by what was learned, which came along
    settle(qtbot, window)
    assert {i: on_disk(window, i) for i in range(1, COUNT + 1)} == before
