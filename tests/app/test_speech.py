"""The window in another language: everything in it is translated, and German fits."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QLocale, Qt, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QSlider,
    QTabWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot
from window_support import (
    LONG,
    TINY,
    english_again,
    fill,
    filled_window,
    finish,
    opened_window,
    start,
)

from app import actions, speech
from app.main_window import MainWindow
from app.views.accept_dialog import AcceptDialog
from app.views.export_dialog import ExportDialog
from app.views.figure_dialog import FigureDialog, figure_options
from app.views.import_dialog import ImportDialog
from app.views.settings_dialog import SettingsDialog
from app.views.shortcuts_editor import Shortcut
from core.base import language
from core.base.preferences import Preferences
from core.boxes.sureness import Sureness
from core.formats import WRITTEN

__all__ = ["english_again"]

# Names of methods, formats and colour maps, units, and the keys of a keyboard.
NAMES = re.compile(
    r"\b(DCGAN|WGAN|GP|DRAGAN|Minimax GAN|MS-SSIM|bf16|CPU|GPU|CUDA|COCO|YOLO|Pascal VOC|MegaDetector"
    r"|[Ll]abelme|Viridis|Cividis|Inferno|Magma|Turbo|Boxscout|English|Deutsch|photos|png|px"
    r"|Ctrl|Shift|Alt|Del|Backspace|Home|End|Left|Right|object)\b"
)


class Pseudo(gettext.NullTranslations):
    """Every text in brackets, so that one without was never looked up."""

    def gettext(self, message: str) -> str:
        return f"[{message}]"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"[{msgid1 if n == 1 else msgid2}]"


class PseudoQt(QTranslator):
    """The same for Qt's own texts."""

    def translate(self, context: str, text: str, disambiguation: str = "", n: int = -1) -> str:
        return f"[{text}]"

    def isEmpty(self) -> bool:
        return False


def texts_of(widget: QWidget) -> Iterator[str]:
    """All that a person reads or hears of one widget."""
    yield from (widget.toolTip(), widget.accessibleName(), widget.windowTitle())
    if isinstance(widget, (QLabel, QAbstractButton)):
        yield widget.text()
    if isinstance(widget, QLineEdit):
        yield widget.placeholderText()
    if isinstance(widget, QComboBox):
        yield from (widget.itemText(i) for i in range(widget.count()))
    if isinstance(widget, QTabWidget):
        yield from (widget.tabText(i) for i in range(widget.count()))


def all_texts(top: QWidget) -> Iterator[tuple[str, str]]:
    for widget in (top, *top.findChildren(QWidget)):
        for text in texts_of(widget):
            yield type(widget).__name__, text
    for action in top.findChildren(QAction):
        for text in (action.text(), action.iconText(), action.toolTip()):
            yield f"action {action.objectName()}", text


def left_plain(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those with a word outside of brackets that is no name."""
    found = []
    for where, text in texts:
        rest, before = text, ""
        while rest != before:
            before, rest = rest, re.sub(r"\[[^\[\]]*\]", "", rest)
        rest = re.sub(r"<[^<>]*>|&\w+;|/\S*|image \d+", "", rest)
        if re.search(r"[A-Za-z]{2}", NAMES.sub("", rest)):
            found.append((where, text))
    return found


def dialogs(window: MainWindow) -> list[QWidget]:
    menus = actions.menu_titles()
    shortcuts = [
        Shortcut(spec.id, menus[spec.menu], actions.plain_title(spec), spec.keys) for spec in actions.ACTIONS
    ]
    options = figure_options(images=2, has_maps=True, has_samples=False, has_points=False, has_course=False)
    here = Path("/")
    return [
        SettingsDialog(Preferences(), shortcuts, window),
        ExportDialog(WRITTEN, folder=here, stem="photos", parent=window),
        ImportDialog(folder=here, parent=window),
        AcceptDialog(np.array([0.5], np.float32), window),
        FigureDialog(options, folder=here, stem="photos", parent=window),
    ]


def test_nothing_in_the_window_is_left_in_english(
    qtbot: QtBot, folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(language, "_spoken", Pseudo())
    QCoreApplication.installTranslator(PseudoQt(QApplication.instance()))
    window = opened_window(qtbot, request)
    texts = list(all_texts(window.welcome))
    fill(qtbot, window, folder, 12)
    window.actions_["palette"].trigger()
    for dialog in dialogs(window):
        texts += all_texts(dialog)
        dialog.deleteLater()
    texts += all_texts(window)
    assert len(texts) > 500
    assert not left_plain(texts)


def test_every_field_says_what_it_is_for(qtbot: QtBot, folder: Path, window: MainWindow) -> None:
    fill(qtbot, window, folder, 12)
    shown = dialogs(window)
    kinds = (QLineEdit, QComboBox, QAbstractSpinBox, QSlider)
    silent, tops = set(), (window, window.box_editing.popup, *shown)
    for widget in (one for top in tops for kind in kinds for one in top.findChildren(kind)):
        own = not widget.objectName().startswith("qt_")  # Qt's parts of a field that was looked at itself
        if own and not widget.toolTip():
            silent.add((type(widget).__name__, widget.objectName() or widget.accessibleName()))
    for dialog in shown:
        dialog.deleteLater()
    assert not silent


def cut_off(top: QWidget) -> list[str]:
    """Texts of shown labels and buttons that have less room than they ask for."""
    found = []
    for widget in top.findChildren(QWidget):
        if not isinstance(widget, (QLabel, QAbstractButton)) or not widget.isVisible() or not widget.text():
            continue
        wraps = isinstance(widget, QLabel) and widget.wordWrap()

        if not wraps and widget.width() < widget.minimumSizeHint().width():
            found.append(widget.text())
    return found


def test_the_german_window_has_room_for_its_texts(
    qtbot: QtBot, folder: Path, request: pytest.FixtureRequest
) -> None:
    speech.speak(QApplication.instance(), "de")
    window = opened_window(qtbot, request)
    qtbot.waitUntil(lambda: cut_off(window) == [])
    fill(qtbot, window, folder, 12)
    assert window.train_panel.start_button.text() == "Objekte finden"
    assert window.actions_["undo"].text() == "&Rückgängig"
    assert window.images.count.text() == "12 Bilder"
    qtbot.waitUntil(lambda: cut_off(window) == [])
    shown = [window.tools.widgetForAction(window.actions_[name]) for name in ("open_folder", "export")]
    assert all(button.isVisible() for button in shown), "the tool bar is too long"


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_a_small_screen_has_room_for_the_window(
    tongue: str, qtbot: QtBot, folder: Path, request: pytest.FixtureRequest
) -> None:
    """Texts give way, whole or not at all; icons, the order of the list and what was told before stay."""
    window = filled_window(tongue, qtbot, folder, request)
    bar = window.bar
    qtbot.waitUntil(bar.zoom_label.isVisible)
    tools = [window.tools.widgetForAction(action) for action in window.tools.actions()]
    assert window.tools.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    window.dock.show()
    window.resize(1024, 768)
    assert (window.width(), window.height()) == (1024, 768)
    qtbot.waitUntil(lambda: all(tool.isVisible() for tool in tools))
    for box in (window.images.browse_bar.order_box, window.images.show_box):
        longest = max(box.fontMetrics().horizontalAdvance(box.itemText(i)) for i in range(box.count()))
        assert box.width() > longest + 20, "its arrow takes the rest"
    for widget in bar.findChildren(QWidget):
        assert not widget.isVisible() or bar.rect().right() >= widget.mapTo(bar, widget.rect().topRight()).x()
    qtbot.waitUntil(lambda: cut_off(window) == [])

    window.resize(1280, 800)
    qtbot.waitUntil(bar.zoom_label.isVisible)
    assert window.tools.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_how_steady_boxes_are_is_whole_in_its_popup_and_signed_where_it_is_a_warning(
    tongue: str, qtbot: QtBot, folder: Path, request: pytest.FixtureRequest
) -> None:
    window = filled_window(tongue, qtbot, folder, request)
    start(qtbot, window, TINY)
    finish(qtbot, window)
    session, bar = window.session, window.bar
    signs = {}
    for own, other in ((0.9, 0.9), (0.9, 0.2), (0.5, 0.2), (0.3, 0.2)):
        sureness = Sureness(own, other, 12)
        session.survey = replace(session.survey, sureness=sureness)
        session.survey_changed.emit()
        qtbot.mouseClick(bar.boxes_button, Qt.MouseButton.LeftButton)
        said = bar.boxes.sentence
        assert said.isVisible() and sureness.verdict in said.text()
        assert said.height() >= said.heightForWidth(said.width())
        bar.boxes.close()
        assert (said.text() == bar.boxes_button.toolTip()) == sureness.is_doubtful
        signs[sureness.is_doubtful] = bar.boxes_button.icon().cacheKey()
    assert len(set(signs.values())) == 2


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_the_curves_are_whole_beside_the_problems(
    tongue: str, qtbot: QtBot, folder: Path, request: pytest.FixtureRequest
) -> None:
    window = filled_window(tongue, qtbot, folder, request)
    start(qtbot, window, TINY)
    finish(qtbot, window)
    panel = window.train_panel
    qtbot.waitUntil(lambda: panel.source.reason.isVisible(), timeout=LONG)
    window.dock.show()
    for is_open in (False, True):
        panel.settings.set_open(is_open)
        qtbot.wait(200)
        assert panel.plot.isVisible()
        assert panel.plot.height() >= panel.plot.minimumSizeHint().height()
        end = panel.plot.mapTo(panel, panel.plot.rect().bottomLeft()).y()
        assert end < panel.height(), "the name of the steps is cut"
        assert window.height() == 800

    # In a small window an open form is no slit: the curves make way for it, and come back.
    window.resize(1024, 768)
    qtbot.wait(200)
    assert window.height() == 768
    assert panel.form_scroll.height() >= 144
    panel.settings.set_open(False)
    qtbot.waitUntil(lambda: panel.plot.height() >= panel.plot.minimumSizeHint().height())
    assert panel.plot.isVisible()


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_each_format_says_all_that_it_is_for(tongue: str, qtbot: QtBot) -> None:
    speech.speak(QApplication.instance(), tongue)
    dialog = ExportDialog(WRITTEN, folder=Path("/"), stem="photos")
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitExposed(dialog)
    for index in range(dialog.format.count()):
        dialog.format.setCurrentIndex(index)
        QApplication.processEvents()
        room, help = dialog.help.size(), dialog.help
        text = help.fontMetrics().boundingRect(0, 0, room.width(), 999, Qt.TextFlag.TextWordWrap, help.text())
        assert text.width() <= room.width() and text.height() <= room.height(), help.text()
        assert dialog.rect().contains(dialog.export.mapTo(dialog, dialog.export.rect().bottomRight()))


def test_qt_and_numbers_speak_german_too(qtbot: QtBot) -> None:
    speech.speak(QApplication.instance(), "de")
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    qtbot.addWidget(buttons)
    assert buttons.button(QDialogButtonBox.StandardButton.Cancel).text() == "Abbrechen"
    assert QLocale().toString(1.5) == "1,5"


def test_the_setting_offers_each_language_by_its_own_name(qtbot: QtBot, window: MainWindow) -> None:
    dialog = SettingsDialog(Preferences(), [Shortcut("quit", "File", "Quit", ())], window)
    box = dialog.editors["language"].findChild(QComboBox)
    assert [box.itemText(i) for i in range(box.count())] == ["Follow system", "English", "Deutsch"]
    box.setCurrentIndex(2)
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert dialog.preferences().language == "de"
