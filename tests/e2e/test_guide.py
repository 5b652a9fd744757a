"""The guide in the window: F1, chapters, pictures and links; and its words beside the window's own."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QTextDocument
from pytestqt.qtbot import QtBot

from app import actions, paths
from app.main_window import MainWindow
from app.views.guide_window import GuideWindow

GUIDE = paths.guide_file().read_text(encoding="utf-8")
CHAPTERS = re.findall(r"^##? (.+)$", GUIDE, re.MULTILINE)


def _opened(window: MainWindow, qtbot: QtBot) -> GuideWindow:
    qtbot.keyClick(window, Qt.Key.Key_F1)
    (guide,) = window.findChildren(GuideWindow)
    qtbot.waitExposed(guide)
    return guide


def test_f1_opens_the_guide_at_any_chapter(window: MainWindow, qtbot: QtBot) -> None:
    guide = _opened(window, qtbot)
    assert not guide.isModal()
    listed = [guide.contents.item(row).text() for row in range(guide.contents.count())]
    assert listed == CHAPTERS
    row = CHAPTERS.index("Correct it")
    guide.contents.scrollToItem(guide.contents.item(row))
    middle = guide.contents.visualItemRect(guide.contents.item(row)).center()
    qtbot.mouseClick(guide.contents.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert guide.pages.cursorForPosition(QPoint(20, 12)).block().text() == "Correct it"


def test_pictures_fit_the_guide_as_it_is_resized(window: MainWindow, qtbot: QtBot) -> None:
    guide = _opened(window, qtbot)
    names = re.findall(r"!\[[^]]*\]\(([^)]+)\)", GUIDE)
    assert names
    kind = QTextDocument.ResourceType.ImageResource.value
    for width in (700, 1100):
        guide.resize(width, 600)
        qtbot.wait(10)
        for name in names:
            image = guide.pages.document().resource(kind, QUrl(name))
            room = guide.pages.viewport().width()
            assert not image.isNull(), name
            assert 0.8 * room < image.width() / image.devicePixelRatio() <= room, name


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", GUIDE)
    missing = [link for link in links if not Path(paths.guide_file().parent, link).is_file()]
    assert links
    assert not missing


def test_the_guide_names_the_keys_that_the_program_has() -> None:
    keys = {actions.plain_title(spec).rstrip("…"): spec.keys for spec in actions.ACTIONS}
    named = re.findall(r"\*\*([A-Z][^*]+)\*\* \(((?:Ctrl\+)?[A-Z][^ )]*)\)", GUIDE)
    assert len(named) >= 6
    for title, key in named:
        assert key in keys[title], (title, key)
