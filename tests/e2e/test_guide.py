"""The guide in the window, in each language: F1, chapters, pictures, links; its words are the window's."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QImage, QTextDocument
from pytestqt.qtbot import QtBot

from app import actions, paths
from app.main_window import MainWindow
from app.views.guide_window import GuideWindow
from core.base import language
from core.base.preferences import LANGUAGES

OTHERS = [name for name in LANGUAGES if name not in ("system", "en")]


PAGES = "guide", "details"


def page_in(language: str, page: str = "guide") -> Path:
    """The guide, or the page beside it that goes into detail."""
    guide = paths.guide_file(language)
    return guide.with_name(guide.name.replace("guide", page))


def text_in(language: str, page: str = "guide") -> str:
    return page_in(language, page).read_text(encoding="utf-8")


def headings(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^(#+) (.+)$", text, re.MULTILINE)


def pictures(text: str) -> list[str]:
    return re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)


GUIDE = text_in("en")
CHAPTERS = [title for _, title in headings(GUIDE)]


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
    names = pictures(GUIDE)
    assert names
    kind = QTextDocument.ResourceType.ImageResource.value
    for width in (700, 1100):
        guide.resize(width, 600)
        qtbot.wait(10)
        for name in names:
            image = guide.pages.document().resource(kind, QUrl(name))
            room = guide.pages.viewport().width()
            assert not image.isNull(), name
            natural = QImage(str(paths.guide_file().parent / name)).width()
            assert min(natural, 0.8 * room) <= image.width() / image.devicePixelRatio() <= room, name


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_every_link_leads_somewhere(language: str, page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text_in(language, page))
    missing = [link for link in links if not Path(paths.guide_file().parent, link).is_file()]
    assert links
    assert not missing


def test_the_guide_names_the_keys_that_the_program_has() -> None:
    keys = {actions.plain_title(spec).rstrip("…"): spec.keys for spec in actions.ACTIONS}
    text = "\n".join(text_in("en", page) for page in PAGES)
    named = re.findall(r"\*\*([A-Z][^*]+)\*\* \(((?:Ctrl\+)?[A-Z][^ )]*)\)", text)
    assert len(named) >= 6
    for title, key in named:
        assert key in keys[title], (title, key)


# ---- other languages --------------------------------------------------------------------------------


@pytest.fixture
def german() -> Iterator[None]:
    language.speak("de")
    yield
    language.speak("en")


def test_f1_shows_the_guide_in_the_language_of_the_window(
    german: None, window: MainWindow, qtbot: QtBot
) -> None:
    guide = _opened(window, qtbot)
    listed = [guide.contents.item(row).text() for row in range(guide.contents.count())]
    assert listed == [title for _, title in headings(text_in("de"))] != CHAPTERS
    assert Path(guide.pages.source().toLocalFile()) == paths.guide_file("de")


def test_a_language_without_a_guide_shows_the_english_one() -> None:
    assert paths.guide_file("xx") == paths.guide_file() and language.spoken() == "en"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("spoken", OTHERS)
def test_each_guide_is_built_alike(spoken: str, page: str) -> None:
    ours, theirs = text_in("en", page), text_in(spoken, page)
    assert theirs != ours
    assert [level for level, _ in headings(theirs)] == [level for level, _ in headings(ours)]
    assert pictures(theirs) == [name.replace("images/", f"images/{spoken}/") for name in pictures(ours)]
    for part in (r"^- ", r"^\|", r"\n\n"):  # items, rows of tables, paragraphs
        assert len(re.findall(part, theirs, re.MULTILINE)) == len(re.findall(part, ours, re.MULTILINE))


@pytest.mark.parametrize("spoken", ["en", *OTHERS])
def test_the_guide_is_at_most_four_screens_long(
    spoken: str, german: None, window: MainWindow, qtbot: QtBot
) -> None:
    language.speak(spoken)
    pages = _opened(window, qtbot).pages
    assert pages.document().size().height() <= 4 * pages.viewport().height()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("spoken", OTHERS)
def test_what_a_guide_points_out_is_called_so_in_the_window(spoken: str, page: str) -> None:
    """Each stressed name that is in the catalog stands in the other guide, in the same place, as it says."""
    catalog = gettext.translation("boxscout", language.LANGUAGES_FOLDER, languages=[spoken])
    called: dict[str, set[str]] = {}
    for text, translated in catalog._catalog.items():  # type: ignore[attr-defined]
        if isinstance(text, str):
            called.setdefault(_plain(text), set()).add(_plain(translated))
    stressed = r"\*{1,2}([^*\n]+)\*{1,2}"
    ours, theirs = (
        [name for each in re.findall(stressed, text) for name in each.split(" > ")]
        for text in (text_in("en", page), text_in(spoken, page))
    )
    assert len(ours) == len(theirs)
    named = [(one, other) for one, other in zip(ours, theirs, strict=True) if one in called]
    assert len(named) >= 25
    wrong = [(one, other, called[one]) for one, other in named if other not in called[one]]
    assert not wrong


def _plain(title: str) -> str:
    """Without the key that a menu underlines, and without dots."""
    return title.replace("&", "").rstrip("…")


@pytest.mark.parametrize("name", ["score", "details"])
@pytest.mark.parametrize("spoken", ["en", *OTHERS])
def test_the_guide_leads_to_other_pages_and_back(
    spoken: str, name: str, german: None, window: MainWindow, qtbot: QtBot
) -> None:
    language.speak(spoken)
    guide = _opened(window, qtbot)
    page = page_in(spoken, name).name
    assert f"]({page})" in text_in(spoken)
    guide.pages.setSource(QUrl(page))  # what a click on the link does
    titles = [title for _, title in headings(text_in(spoken, name))]
    listed = [guide.contents.item(row).text() for row in range(guide.contents.count())]
    assert listed == titles
    back = re.findall(r"\]\((guide[^)]*)\)", guide.pages.document().toMarkdown())
    assert back == [paths.guide_file(spoken).name]


@pytest.mark.parametrize(("spoken", "both"), [("en", "Copy or move both together"), ("de", "beide zusammen")])
def test_the_guide_says_that_a_project_is_a_file_and_a_folder(
    window: MainWindow, qtbot: QtBot, spoken: str, both: str
) -> None:
    language.speak(spoken)
    try:
        guide = _opened(window, qtbot)
        said = guide.pages.toPlainText()
    finally:
        language.speak("en")
    assert ".boxscout" in said and "-data" in said and both in said
