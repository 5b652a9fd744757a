"""The first page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.views.welcome import WelcomePage
from core.base import language
from core.base.preferences import LANGUAGES


@pytest.fixture
def page(show: Callable[..., QWidget]) -> WelcomePage:
    return show(WelcomePage(), 900, 640)


@pytest.mark.parametrize("spoken", [name for name in LANGUAGES if name != "system"])
def test_no_word_is_cut_off_in_any_language(show: Callable[..., QWidget], spoken: str) -> None:
    language.speak(spoken)
    try:
        page = show(WelcomePage(), 900, 640)
    finally:
        language.speak("en")
    texts = [label for label in page.findChildren(QLabel) if label.isVisible() and label.text()]
    assert len(texts) >= 7
    assert [one.text() for one in texts if one.width() < one.sizeHint().width()] == []


def test_the_buttons_say_what_is_wanted(page: WelcomePage, qtbot: QtBot) -> None:
    for button, signal in (
        (page.folder_button, page.open_folder_requested),
        (page.images_button, page.open_images_requested),
        (page.sample_button, page.sample_requested),
    ):
        with qtbot.waitSignal(signal, timeout=1000):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_recent_project_can_be_chosen(page: WelcomePage, qtbot: QtBot) -> None:
    paths = [Path("/a/b & c/d & e.boxscout"), Path("/x/<b>y</b>/z.boxscout")]
    page.set_recent(paths)
    QApplication.processEvents()
    button = next(b for b in page.findChildren(QPushButton) if b.accessibleName() == str(paths[0]))
    assert button.text() == "d && e"
    with qtbot.waitSignal(page.recent_chosen) as heard:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert heard.args == [str(paths[0])]


def test_no_label_reads_markup_from_a_path(page: WelcomePage) -> None:
    page.set_recent([Path("/x/<b>y/z.boxscout")])
    for label in page.findChildren(QLabel):
        if "<b>" in label.text():
            assert label.textFormat() == Qt.TextFormat.PlainText
            break
    else:
        pytest.fail("The folder is not shown.")


def test_only_the_newest_are_listed_and_old_rows_go(page: WelcomePage, qtbot: QtBot) -> None:
    for count in (9, 2, 0):
        page.set_recent([Path(f"/p/{i}.boxscout") for i in range(count)])
        QApplication.processEvents()
        names = [b.text() for b in page.findChildren(QPushButton) if b.isVisible() and b.accessibleName()]
        assert names == [str(i) for i in range(min(count, 5))]


def test_it_shows_that_a_drag_would_be_taken(page: WelcomePage) -> None:
    before = page.grab().toImage()
    page.set_drag_active(True)
    assert page.grab().toImage() != before
    page.set_drag_active(False)
    assert page.grab().toImage() == before


def test_it_fits_beside_nothing_else_at_small_sizes(page: WelcomePage) -> None:
    assert page.minimumSizeHint().width() <= 700
    assert page.minimumSizeHint().height() <= 620
