"""Which images belong to a project: opened by itself, added, removed, and all of it taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_support import LONG, draw_folder, drop, fill, settle

from app import paths
from app.main_window import MainWindow
from app.views import dialogs
from core.base.annotations import Status
from core.base.geometry import Box


@pytest.fixture
def filled(qtbot: QtBot, window: MainWindow, folder: Path) -> MainWindow:
    """The window with twelve images."""
    fill(qtbot, window, folder, 12)
    return window


def answer(qtbot: QtBot, window: MainWindow, text: str) -> None:
    """Press a button of the strip."""
    (button,) = [one for one in window.notice.buttons if one.text() == text]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def rest(qtbot: QtBot, window: MainWindow, total: int) -> None:
    """Wait until so many images are listed and nothing works any more."""
    session = window.session
    qtbot.waitUntil(lambda: session.images.total == total and not session.activities, timeout=LONG)
    settle(qtbot, window)


def names(window: MainWindow) -> list[str]:
    return [record.name for record in window.session.images.records]


def test_a_folder_that_is_opened_is_a_project_of_its_own(
    qtbot: QtBot, filled: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more, session = draw_folder(tmp_path / "more", 3), filled.session
    assert session.project is not None
    first = session.project.path
    monkeypatch.setattr(dialogs, "choose_folder", lambda _: [more])
    filled.actions_["open_folder"].trigger()
    rest(qtbot, filled, 3)
    assert session.project.path == paths.default_project([more])
    assert not filled.actions_["undo"].isEnabled()
    filled.open_paths([first])
    rest(qtbot, filled, 12)


def test_photos_dropped_beside_others_ask_where_they_belong(
    qtbot: QtBot, filled: MainWindow, tmp_path: Path
) -> None:
    more, session = draw_folder(tmp_path / "more", 3), filled.session
    assert session.project is not None
    first = session.project.path
    assert drop(filled.splitter, [more])
    qtbot.waitUntil(filled.notice.isVisible)
    assert "“more”" in filled.notice.text.text() and "“photos”" in filled.notice.text.text()
    assert session.images.total == 12, "nothing happens before there is an answer"

    answer(qtbot, filled, "Cancel")
    assert not filled.notice.isVisible() and session.images.total == 12

    assert drop(filled.splitter, [more])
    qtbot.waitUntil(filled.notice.isVisible)
    answer(qtbot, filled, "Add to project")
    rest(qtbot, filled, 15)
    assert session.project.path == first and not filled.notice.isVisible()
    filled.actions_["undo"].trigger()
    rest(qtbot, filled, 12)
    filled.actions_["redo"].trigger()
    rest(qtbot, filled, 15)

    assert drop(filled.splitter, [more])
    qtbot.waitUntil(filled.notice.isVisible)
    answer(qtbot, filled, "Open")
    rest(qtbot, filled, 3)
    assert session.project.path == paths.default_project([more])


def test_the_same_folder_again_asks_nothing_and_finds_what_is_new(
    qtbot: QtBot, filled: MainWindow, folder: Path
) -> None:
    draw_folder(folder / "later", 2)
    assert drop(filled.splitter, [folder])
    rest(qtbot, filled, 14)
    assert not filled.notice.isVisible()


def test_removed_images_come_back_reviewed(qtbot: QtBot, filled: MainWindow, folder: Path) -> None:
    session, bench = filled.session, filled.workbench
    chosen = session.images.ids_in(2, 4)
    session.select(chosen[1])
    bench.editing.draw(Box(3, 4, 20, 25))
    filled.actions_["accept"].trigger()
    rest(qtbot, filled, 12)
    assert session.project is not None
    before = session.project.image_boxes()
    listed = filled.images.list
    listed.setFocus()
    session.select(chosen[0])
    for _ in range(2):
        qtbot.keyClick(listed, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert set(session.selection) == set(chosen)

    filled.actions_["remove_images"].trigger()
    rest(qtbot, filled, 9)
    assert session.current is not None and session.current not in chosen
    assert "3 images were removed" in filled.strip.text.text()
    assert len(list(folder.iterdir())) == 12, "files are left alone"
    assert len(session.project.image_boxes()) == 9
    assert drop(filled.splitter, [folder])  # a look through the folder does not bring them back
    rest(qtbot, filled, 9)

    filled.actions_["undo"].trigger()
    rest(qtbot, filled, 12)
    assert session.project.image_boxes() == before
    assert session.images.record(chosen[1]).status is Status.ACCEPTED  # type: ignore[union-attr]
    session.select(chosen[1])
    qtbot.waitUntil(lambda: session.has_evidence, timeout=LONG)
    assert [box.box for box in session.boxes] == [Box(3, 4, 20, 25)]

    filled.actions_["redo"].trigger()
    rest(qtbot, filled, 9)


def test_all_images_can_be_removed_and_taken_back(qtbot: QtBot, filled: MainWindow) -> None:
    filled.actions_["select_all"].trigger()
    filled.actions_["remove_images"].trigger()
    rest(qtbot, filled, 0)
    assert filled.session.current is None and not filled.actions_["remove_images"].isEnabled()
    assert not filled.actions_["export"].isEnabled()
    filled.actions_["undo"].trigger()
    rest(qtbot, filled, 12)
    qtbot.waitUntil(lambda: filled.session.picture is not None, timeout=LONG)


def test_removed_images_are_added_again_by_name(
    qtbot: QtBot, filled: MainWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.actions_["remove_images"].trigger()
    rest(qtbot, filled, 11)
    (gone,) = {path.name for path in folder.iterdir()} - set(names(filled))
    monkeypatch.setattr(dialogs, "choose_images", lambda _: [folder / gone])
    filled.actions_["add_images"].trigger()
    rest(qtbot, filled, 12)
    filled.actions_["add_images"].trigger()
    rest(qtbot, filled, 12)
    assert "already" in filled.strip.text.text()
    for count in (11, 12):  # both are taken back, the later one first
        filled.actions_["undo"].trigger()
        rest(qtbot, filled, count)
    assert QApplication.activeModalWidget() is None
