"""A project whose files have changed meanwhile, in the real window: what is said, offered and kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from window_support import LONG, TINY, close, draw_folder, fill, finish, settle, start

from app.controllers import mending
from app.controllers.mending import SOON_MS
from app.main_window import MainWindow
from app.models.export import ExportRequest
from app.models.image_list import ImageListModel, Role
from app.views.message import ErrorDialog
from core.base.annotations import BoxRecord, Source, Status
from core.base.geometry import Box
from core.project.store import Project
from core.project.truth import set_truth

EDITED = BoxRecord(Box(4, 6, 20, 15), source=Source.EDITED)


@pytest.fixture(autouse=True)
def looked_for_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is away is looked for more than once a second, not every five."""
    monkeypatch.setattr(mending, "AGAIN_MS", 700)


@pytest.fixture
def worked_on(tmp_path: Path, qtbot: QtBot) -> tuple[Path, Path]:
    """A folder of three images, and a project in which the first has a person's box. Two are accepted."""
    folder = draw_folder(tmp_path / "photos", 3)
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 3)
    project = first.session.project
    ids = [image.id for image in project.images()]
    project.set_sizes(dict.fromkeys(ids, (40, 30)))
    project.set_boxes(ids[0], [EDITED])
    project.set_statuses(dict.fromkeys(ids[:2], Status.ACCEPTED))
    path = project.path
    close(qtbot, first)
    return folder, path


def _open(qtbot: QtBot, window: MainWindow, path: Path) -> None:
    window.open_paths([path])
    session = window.session
    qtbot.waitUntil(lambda: session.project is not None and session.picture is not None, timeout=LONG)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)


def _click(qtbot: QtBot, window: MainWindow, title: str) -> None:
    [button] = [one for one in window.notice.buttons if one.text() == title]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_moved_folder_is_asked_for_and_everything_stays(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, path = worked_on
    new = folder.rename(folder.with_name("<b>pictures"))
    (new / "image 2.png").unlink()
    wrong = draw_folder(folder.with_name("wrong"), 0)
    _open(qtbot, window, path)
    session = window.session
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    assert f"“{folder}” is no longer there; its 3 images keep their boxes" in window.notice.text.text()

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(wrong))
    _click(qtbot, window, "Locate folder…")
    qtbot.waitUntil(lambda: window.findChild(ErrorDialog) is not None, timeout=LONG)
    shown = window.findChild(ErrorDialog)
    assert "choose the folder that holds them now" in shown.sentence.text()
    shown.close()
    assert window.notice.isVisible(), "it can be tried again"

    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(new))
    _click(qtbot, window, "Locate folder…")
    qtbot.waitUntil(lambda: session.picture is not None and session.picture.image is not None, timeout=LONG)
    assert not window.notice.isVisible()
    assert session.record.path == new / "image 1.png"
    qtbot.waitUntil(lambda: session.boxes == (EDITED,), timeout=LONG)
    assert [r.status for r in session.images.records] == [Status.ACCEPTED, Status.NO_OBJECT, Status.UNSEEN]
    assert "2 images found" in window.strip.text.text()
    qtbot.waitUntil(lambda: window.problems.count() == 1, timeout=LONG)
    assert session.problems.files[0].path == new / "image 2.png"


def test_iou_with_the_truth_is_known_again_after_a_folder_was_found(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot
) -> None:
    folder, path = worked_on
    with Project.open(path) as project:
        set_truth(project, {1: [EDITED], 2: [EDITED]})
        project.set_boxes(2, [replace(EDITED, box=Box(30, 20, 40, 30))])
    new = folder.rename(folder.with_name("moved"))
    _open(qtbot, window, path)
    session = window.session
    qtbot.waitUntil(lambda: _overlaps(window) == [1, 0, None], timeout=LONG)
    settle(qtbot, window)
    window.workbench.mending.relocate(folder, new)
    qtbot.waitUntil(lambda: session.record is not None and session.record.root == new, timeout=LONG)
    qtbot.waitUntil(lambda: _overlaps(window) == [1, 0, None], timeout=LONG)
    settle(qtbot, window)


def _overlaps(window: MainWindow) -> list[float | None]:
    images = window.session.images
    return [images.index(row).data(Role.OVERLAP) for row in range(images.rowCount())]


def test_an_image_with_another_size_is_asked_about(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot
) -> None:
    folder, path = worked_on
    for name in ("image 1.png", "image 3.png"):
        Image.new("RGB", (80, 90), "teal").save(folder / name)
    _open(qtbot, window, path)
    session = window.session
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    assert window.notice.text.text() == (
        "“image 1.png” now has 80 × 90 pixels. Its boxes were made when it had 40 × 30."
    )
    _click(qtbot, window, "Scale the boxes with it")
    scaled = Box(8, 18, 40, 45)
    assert [one.box for one in session.boxes] == [scaled]
    assert not window.notice.isVisible()
    window.actions_["undo"].trigger()
    assert session.boxes == (EDITED,)
    assert window.notice.isVisible(), "they are boxes for the former size again"
    window.actions_["redo"].trigger()
    assert [one.box for one in session.boxes] == [scaled]
    assert not window.notice.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: session.picture is not None, timeout=LONG)
    assert not window.notice.isVisible(), "no box of a person’s, so nothing to ask"
    assert (session.record.width, session.record.height) == (80, 90)
    project = session.project
    assert project.boxes(1)[0].box == scaled
    assert project.image_boxes()[0].width == 80


def test_boxes_of_an_image_with_another_size_can_stay(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot
) -> None:
    folder, path = worked_on
    Image.new("RGB", (80, 90), "teal").save(folder / "image 1.png")
    _open(qtbot, window, path)
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    _click(qtbot, window, "Keep boxes unchanged")
    assert not window.notice.isVisible()
    qtbot.waitUntil(lambda: window.session.boxes == (EDITED,), timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_Right)
    qtbot.keyClick(window, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    assert not window.notice.isVisible()


def test_a_disk_that_is_away_for_a_while_takes_nobodys_work(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    here, disk = draw_folder(tmp_path / "here", 9), draw_folder(tmp_path / "disk", 4)
    fill(qtbot, window, here, 9)
    window.workbench.add_paths([disk])
    session, project = window.session, window.session.project
    qtbot.waitUntil(lambda: session.images.total == 13 and not session.activities, timeout=LONG)
    accepted, rejected, edited, unseen = (one.id for one in session.images.records if one.root == disk)
    for image_id, name in ((accepted, "accept"), (rejected, "reject")):
        session.select(image_id)
        window.actions_[name].trigger()
    session.select(edited)
    window.workbench.editing.draw(Box(1, 2, 30, 20))
    work = {accepted: Status.NO_OBJECT, rejected: Status.REJECTED, edited: Status.UNSEEN}

    away = disk.rename(tmp_path / "unplugged")
    session.select(session.images.id_at(0))
    start(qtbot, window, TINY)
    finish(qtbot, window)
    settle(qtbot, window)
    assert _statuses(project, window) == {**work, unseen: Status.FAILED}
    assert [one.box for one in project.boxes(edited)] == [Box(1, 2, 30, 20)]
    qtbot.waitUntil(lambda: window.strip.problems.text() == "1 folder is missing", timeout=LONG)
    assert not session.problems.files, "its images are not told one by one"
    with Project.open(project.path) as other:  # as the next start will find it
        assert all(one.reason for one in other.images() if one.root == disk)

    away.rename(disk)
    window.actions_["find_boxes"].trigger()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: session.picture is not None and session.picture.image is not None, timeout=LONG)
    qtbot.waitUntil(window.strip.problems.isHidden, timeout=LONG)
    assert _statuses(project, window) == {**work, unseen: Status.UNSEEN}
    assert [one.box for one in project.boxes(edited)] == [Box(1, 2, 30, 20)]
    assert project.boxes(unseen), "and it got its box"


def test_a_folder_that_goes_away_under_an_open_project_is_told_once_until_it_is_back(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot
) -> None:
    folder, path = worked_on
    _open(qtbot, window, path)
    session = window.session
    away = folder.rename(folder.with_name("unplugged"))
    for name in ("last", "previous"):
        window.actions_[name].trigger()
        qtbot.waitUntil(lambda: session.picture is not None, timeout=LONG)
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    said = window.notice.text.text()
    assert said.startswith(f"The folder “{folder}” is no longer there; its 3 images keep their boxes.")
    assert said.endswith("connect it again.")
    qtbot.waitUntil(lambda: window.strip.problems.text() == "1 folder is missing", timeout=LONG)
    qtbot.mouseClick(window.strip.problems, Qt.MouseButton.LeftButton)
    assert window.problems.count() == 1
    assert window.problems.model.problem(window.problems.model.index(0, 0, _first(window))).path == folder

    _click(qtbot, window, "Not now")
    window.actions_["first"].trigger()
    qtbot.waitUntil(lambda: session.picture is not None, timeout=LONG)
    qtbot.wait(2 * SOON_MS)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    assert not window.notice.isVisible(), "a person who said “not now” is not asked at each image"

    away.rename(folder)
    qtbot.waitUntil(lambda: session.picture is not None and session.picture.image is not None, timeout=LONG)
    qtbot.waitUntil(window.strip.problems.isHidden, timeout=LONG)
    images = session.images
    qtbot.waitUntil(lambda: all(_thumbnail(images, row) for row in range(3)), timeout=LONG)
    assert session.boxes == (EDITED,)
    assert window.problems.count() == 0


def test_an_empty_place_where_a_disk_was_is_a_folder_that_is_away(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot
) -> None:
    folder, path = worked_on
    _open(qtbot, window, path)
    session = window.session
    away = folder.rename(folder.with_name("unplugged"))
    folder.mkdir()
    for name in ("last", "previous"):
        window.actions_[name].trigger()
        qtbot.waitUntil(lambda: session.picture is not None, timeout=LONG)
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    said = window.notice.text.text()
    assert said.startswith(f"The folder “{folder}” is empty now; its 3 images keep their boxes.")
    qtbot.waitUntil(lambda: window.strip.problems.text() == "1 folder is missing", timeout=LONG)
    assert not session.problems.files, "its images are not told one by one"

    folder.rmdir()
    away.rename(folder)
    qtbot.waitUntil(lambda: session.picture is not None and session.picture.image is not None, timeout=LONG)
    qtbot.waitUntil(window.strip.problems.isHidden, timeout=LONG)
    assert not window.notice.isVisible()
    assert session.project.boxes(1) == (EDITED,)


def _first(window: MainWindow) -> QModelIndex:
    return window.problems.model.index(0, 0)


def _thumbnail(images: ImageListModel, row: int) -> bool:
    thumbnail = images.index(row).data(Role.THUMBNAIL)
    return thumbnail is not None and thumbnail.pixmap is not None


def test_a_look_at_a_photo_that_is_back_is_enough(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot
) -> None:
    folder, path = worked_on
    with Project.open(path) as project:
        project.set_failed(dict.fromkeys((1, 3), "It is no longer there."))
    away = folder.rename(folder.with_name("unplugged"))
    _open(qtbot, window, path)
    session = window.session
    assert session.picture.image is None
    said = [one.status for one in session.images.records]
    assert said == [Status.ACCEPTED, Status.NO_OBJECT, Status.FAILED]
    away.rename(folder)
    window.actions_["last"].trigger()
    qtbot.waitUntil(lambda: session.picture is not None and session.picture.image is not None, timeout=LONG)
    assert session.record.status is Status.UNSEEN
    window.actions_["first"].trigger()
    qtbot.waitUntil(lambda: session.picture is not None and session.picture.image is not None, timeout=LONG)
    assert (session.record.status, session.record.reason) == (Status.ACCEPTED, "")
    qtbot.waitUntil(lambda: session.boxes == (EDITED,), timeout=LONG)
    assert [one.reason for one in session.project.images()] == ["", "", ""]


def _statuses(project: Project, window: MainWindow) -> dict[int, Status]:
    """Of the images on the disk, by the file and by the list, which must agree."""
    found = {one.id: one.status for one in project.images() if one.root.name == "disk"}
    assert found == {i: window.session.images.record(i).status for i in found}
    return found


def test_a_damaged_project_opens_with_what_is_whole(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot
) -> None:
    _, path = worked_on
    data = bytearray(path.read_bytes())
    data[:4096] = bytes(range(256)) * 16
    path.write_bytes(data)
    _open(qtbot, window, path)
    qtbot.waitUntil(lambda: window.findChild(ErrorDialog) is not None, timeout=LONG)
    said = window.findChild(ErrorDialog).sentence.text()
    assert f"“{path.name}” was damaged; 3 images and 1 box were saved from it." in said
    [copy] = path.parent.glob("*damaged*.boxscout")
    assert copy.name in said
    assert copy.read_bytes() == bytes(data)
    assert window.session.boxes == (EDITED,)


def test_an_export_to_a_full_disk_is_one_sentence_and_keeps_the_old_file(
    window: MainWindow, worked_on: tuple[Path, Path], small_disk: Path, qtbot: QtBot
) -> None:
    _open(qtbot, window, worked_on[1])
    out = small_disk / "boxes.csv"
    out.write_text("old")
    with suppress(OSError), (small_disk / "rest").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    window.workbench.exporting.export(ExportRequest("csv", out))
    qtbot.waitUntil(lambda: window.findChild(ErrorDialog) is not None, timeout=LONG)
    assert (
        window.findChild(ErrorDialog).sentence.text() == "“boxes.csv” could not be written: the disk is full."
    )
    assert out.read_text() == "old"
    assert sorted(path.name for path in small_disk.iterdir()) == ["boxes.csv", "rest"]


def test_taking_back_a_review_does_not_make_a_broken_file_usable(
    window: MainWindow, worked_on: tuple[Path, Path], qtbot: QtBot
) -> None:
    _open(qtbot, window, worked_on[1])
    session, project = window.session, window.session.project
    session.select(3)
    window.actions_["reject"].trigger()
    assert session.record.status is Status.REJECTED
    project.set_failed({3: "It is empty."})
    session.merge_records([project.image(3)])
    assert session.record.status is Status.REJECTED, "what a person said of it stays"
    window.actions_["undo"].trigger()
    assert (session.images.record(3).status, session.images.record(3).reason) == (
        Status.FAILED,
        "It is empty.",
    )
    assert project.image(3).status is Status.FAILED
