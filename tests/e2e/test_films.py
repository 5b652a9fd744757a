"""Films become images at the drop and by ``--every``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from command_support import run
from film_support import saved_film
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_support import LONG, click, draw_folder, drop, fill, settle

from app.main_window import MainWindow
from app.views.film_dialog import FilmDialog
from app.views.message import ErrorDialog
from core.cli.films import with_images_of_films
from core.cli.left_out import not_used
from core.cli.projects import project_to_train
from core.images.film import images_folder
from core.project.workflow import add_folders


def answer(qtbot: QtBot, how: Callable[[FilmDialog], None]) -> list[str]:
    """Answer the dialog once it is there; its question comes back."""
    asked: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, FilmDialog) and dialog.isVisible():
            asked.append(dialog.question.text())
            how(dialog)
        elif not asked:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)
    return asked


def shown_names(window: MainWindow) -> list[str]:
    return [record.name for record in window.session.images.records]


def test_a_dropped_film_asks_how_often_and_its_images_are_opened(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    film = saved_film(tmp_path / "DEER.mp4", seconds=3)

    def fill_in(dialog: FilmDialog) -> None:
        assert dialog.every.value() == 2.0 and str(tmp_path / "data") in dialog.path_edit.text()
        dialog.path_edit.clear()
        assert not dialog.main_button.isEnabled()
        dialog.path_edit.setText(str(tmp_path / "mine"))
        dialog.every.setValue(1.0)
        dialog.quality.setValue(80)
        click(qtbot, dialog.main_button)

    asked = answer(qtbot, fill_in)
    assert drop(window.pages.currentWidget(), [film])
    qtbot.waitUntil(lambda: window.session.images.total == 3, timeout=LONG)
    assert len(asked) == 1 and "DEER.mp4" in asked[0]
    settle(qtbot, window)
    assert shown_names(window) == [f"DEER_00000{i}.0s.jpg" for i in range(3)]
    assert sorted(
        path.name for path in (tmp_path / "mine" / "DEER.mp4 every 1 s").glob("*.jpg")
    ) == shown_names(window)
    assert film.exists()


def test_a_folder_of_films_alone_asks_too_and_one_that_is_damaged_is_told(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    films = tmp_path / "card"
    films.mkdir()
    saved_film(films / "a.mp4", seconds=3)
    (films / "b.MOV").write_bytes(b"\0\0\0\x18ftypqt  " + bytes(64))
    (films / "a.thm").write_bytes(b"\xff\xd8\xff")  # a film's still
    asked = answer(qtbot, lambda dialog: click(qtbot, dialog.main_button))
    assert drop(window.pages.currentWidget(), [films])
    qtbot.waitUntil(lambda: bool(window.findChildren(ErrorDialog)), timeout=LONG)
    (told,) = window.findChildren(ErrorDialog)
    assert "2 images taken from 1 film. b.MOV: Damaged: " in told.sentence.text()
    told.close()
    qtbot.waitUntil(lambda: window.session.images.total == 2, timeout=LONG)
    assert len(asked) == 1 and "2 films" in asked[0]
    settle(qtbot, window)


def test_films_are_added_to_an_open_project_and_cancel_adds_nothing(
    window: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    film = saved_film(tmp_path / "a.avi", seconds=1)
    asked = answer(qtbot, lambda dialog: dialog.reject())
    window.workbench.add_paths([film])
    qtbot.waitUntil(lambda: bool(asked), timeout=LONG)
    settle(qtbot, window)
    assert window.session.images.total == 12
    answer(qtbot, lambda dialog: click(qtbot, dialog.main_button))
    window.workbench.add_paths([film])
    qtbot.waitUntil(lambda: window.session.images.total == 13, timeout=LONG)
    settle(qtbot, window)


def test_without_the_extra_a_film_is_one_sentence(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = saved_film(tmp_path / "a.avi", seconds=1)
    monkeypatch.setitem(sys.modules, "av", None)
    assert drop(window.pages.currentWidget(), [film])
    qtbot.waitUntil(lambda: bool(window.findChildren(ErrorDialog)), timeout=LONG)
    (told,) = window.findChildren(ErrorDialog)
    assert "the extra “video”" in told.sentence.text()
    told.close()
    assert window.pages.currentWidget() is window.welcome


def test_a_command_takes_images_of_films_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photos, project = draw_folder(tmp_path / "photos", 2), tmp_path / "p.boxscout"
    film = saved_film(photos / "a.mp4", seconds=3)
    assert with_images_of_films([photos], project, None) == [photos]
    kept, taken = with_images_of_films([photos], project, 1.5)
    assert kept == photos and taken.parent == images_folder(project)
    assert sorted(path.name for path in taken.glob("*.jpg")) == ["a_000000.0s.jpg", "a_000001.5s.jpg"]
    assert with_images_of_films([film], project, 1.5) == [taken]
    assert "2 images taken from 1 film." in capsys.readouterr().err


def test_a_film_whose_images_are_used_is_not_left_out(tmp_path: Path) -> None:
    photos, path = draw_folder(tmp_path / "photos", 2), tmp_path / "p.boxscout"
    film, other = saved_film(photos / "a.mp4", seconds=3), saved_film(photos / "b.mp4", seconds=1)
    *_, taken = with_images_of_films([film], path, 1.5)
    with project_to_train(path) as project:
        add_folders(project, [photos, taken])
        assert [file.path for file in not_used(project, [photos], ())] == [film, other], "its images are not"
        assert [file.path for file in not_used(project, [photos, taken], ())] == [other]
        os.utime(film, (1, 1))  # another film by now
        assert [file.path for file in not_used(project, [photos, taken], ())] == [film, other]


def test_a_command_on_films_alone_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved_film(tmp_path / "films.mp4", seconds=1)
    project = tmp_path / "p.boxscout"
    code, _, err = run(capsys, "train", tmp_path, "--project", project)
    assert code == 1 and "There are only films in" in err and "--every SECONDS" in err
    code, _, err = run(capsys, "train", tmp_path, "--project", project, "--every", "0")
    assert code == 1 and "every 0.1 to 3600 seconds" in err
    code, _, err = run(capsys, "train", draw_folder(tmp_path / "x", 2), "--project", project, "--every", "2")
    assert code == 1 and "there is none in these folders" in err
