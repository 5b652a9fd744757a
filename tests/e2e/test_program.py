"""The palette, the settings and the keys, in the real window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu, QPushButton
from pytestqt.qtbot import QtBot
from window_support import LONG, close, fill

from app import actions, paths, style
from app.main_window import MainWindow
from app.splash import show_splash
from app.views.message import ErrorDialog
from app.views.palette import Command, CommandPalette, ranked
from app.views.settings_dialog import SettingsDialog
from core.base.preferences import Preferences, save

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def palette(window: MainWindow, qtbot: QtBot) -> CommandPalette:
    qtbot.keyClick(window, Qt.Key.Key_P, CONTROL | SHIFT)
    qtbot.waitUntil(lambda: window.findChild(CommandPalette) is not None)
    return window.findChild(CommandPalette)


def in_settings(window: MainWindow, act: Callable[[SettingsDialog], None]) -> None:
    """Open the settings and do ``act`` in them; a failure there fails here."""
    failures: list[BaseException] = []

    def run() -> None:
        dialog = QApplication.activeModalWidget()
        try:
            assert isinstance(dialog, SettingsDialog)
            act(dialog)
        except BaseException as error:
            failures.append(error)
        finally:
            if isinstance(dialog, QDialog) and dialog.isVisible():
                dialog.reject()

    QTimer.singleShot(0, run)
    window.actions_["settings"].trigger()
    if failures:
        raise failures[0]


def press(qtbot: QtBot, dialog: SettingsDialog, key: Qt.Key, keys: Qt.KeyboardModifier) -> None:
    qtbot.keyClick(dialog.keys.editor, key, keys)


def test_every_command_is_in_the_palette_and_a_part_of_its_name_finds_it(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    shown = palette(window, qtbot)
    assert shown.list.topLevelItemCount() == len(actions.ACTIONS) - 1
    qtbot.keyClicks(shown.search, "last")
    assert shown.list.topLevelItem(0).text(0) == "Last image"
    assert shown.list.topLevelItem(0).text(2) == "End"
    qtbot.keyClick(shown.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.record.name == "image 12.png")
    qtbot.waitUntil(lambda: window.findChild(CommandPalette) is None)


def test_arrows_choose_in_the_palette(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    shown = palette(window, qtbot)
    qtbot.keyClicks(shown.search, "image")
    titles = [shown.list.topLevelItem(row).text(0) for row in range(shown.list.topLevelItemCount())]
    for _ in range(titles.index("Last image")):
        qtbot.keyClick(shown.search, Qt.Key.Key_Down)
    qtbot.keyClick(shown.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.session.record.name == "image 12.png")


def test_what_cannot_be_done_now_comes_last_and_does_nothing(window: MainWindow, qtbot: QtBot) -> None:
    shown = palette(window, qtbot)
    qtbot.keyClicks(shown.search, "reject")
    assert shown.list.topLevelItem(0).isDisabled()
    qtbot.keyClick(shown.search, Qt.Key.Key_Return)
    assert shown.isVisible()
    qtbot.keyClicks(shown.search, " nonsense")
    assert shown.nothing.isVisible()
    qtbot.keyClick(shown.search, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.findChild(CommandPalette) is None)


def test_ranking_puts_the_beginning_of_a_title_first() -> None:
    commands = [
        Command("a", "Export boxes", "File", ""),
        Command("b", "Find boxes", "Train", ""),
        Command("c", "Box colours", "View", "", enabled=False),
        Command("d", "Boxes", "View", ""),
    ]
    assert [each.id for each in ranked("box", commands)] == ["d", "a", "b", "c"]
    assert [each.id for each in ranked("box train", commands)] == ["b"]
    assert [each.id for each in ranked("", commands)] == ["a", "b", "d", "c"]


def test_settings_take_effect_and_are_kept(window: MainWindow, qtbot: QtBot) -> None:
    def act(dialog: SettingsDialog) -> None:
        theme = dialog.editors["theme"].box
        theme.setCurrentIndex(theme.findData("dark"))
        dialog.editors["threads"].spin.setValue(1)
        device = dialog.editors["device"].box
        device.setCurrentIndex(device.findData("cpu"))
        qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)

    in_settings(window, act)
    try:
        assert style.is_dark()
        assert window.train_panel.config().device == "cpu"
        kept = json.loads(paths.settings_file().read_text())
        assert (kept["theme"], kept["threads"], kept["device"]) == ("dark", 1, "cpu")
    finally:
        style.apply(QApplication.instance(), "light")


def test_cancel_changes_nothing(window: MainWindow, qtbot: QtBot) -> None:
    def act(dialog: SettingsDialog) -> None:
        theme = dialog.editors["theme"].box
        theme.setCurrentIndex(theme.findData("dark"))
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)

    in_settings(window, act)
    assert not style.is_dark()
    assert not paths.settings_file().exists()


def test_a_new_key_works_and_is_listed_and_survives(folder: Path, qtbot: QtBot) -> None:
    first = MainWindow()
    first.show()
    qtbot.waitExposed(first)
    fill(qtbot, first, folder, 12)

    def act(dialog: SettingsDialog) -> None:
        dialog.tabs.setCurrentWidget(dialog.keys)
        dialog.keys.choose("last")
        press(qtbot, dialog, Qt.Key.Key_Y, Qt.KeyboardModifier.NoModifier)
        assert dialog.keys.note.text() == "Y is available."
        qtbot.mouseClick(dialog.keys.add, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)

    in_settings(first, act)
    first.activateWindow()
    qtbot.waitUntil(first.isActiveWindow, timeout=LONG)
    qtbot.keyClick(first, Qt.Key.Key_Y)
    assert first.session.record.name == "image 12.png"
    texts: list[str] = []

    def read() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is not None:
            texts.extend(label.text() for label in dialog.findChildren(QLabel))
            dialog.reject()

    QTimer.singleShot(0, read)
    first.actions_["shortcuts"].trigger()
    assert "?" in actions.key_text(first.actions_["shortcuts"])
    assert "End  Y" in texts
    close(qtbot, first)
    second = MainWindow()
    assert actions.key_text(second.actions_["last"]) == "End  Y"
    close(qtbot, second)


def test_a_key_that_is_taken_is_told_and_moves(window: MainWindow, qtbot: QtBot) -> None:
    def act(dialog: SettingsDialog) -> None:
        keys = dialog.keys
        keys.choose("find_boxes")
        press(qtbot, dialog, Qt.Key.Key_E, CONTROL)
        assert "is used by “Export boxes”" in keys.note.text()
        assert keys.add.text() == "Reassign key"
        qtbot.mouseClick(keys.add, Qt.MouseButton.LeftButton)
        assert keys.changed_keys() == {"find_boxes": ("Ctrl+B", "Ctrl+E"), "export": ()}
        qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)

    in_settings(window, act)
    assert actions.key_text(window.actions_["find_boxes"]) == "Ctrl+B  Ctrl+E"
    assert actions.key_text(window.actions_["export"]) == ""

    def back(dialog: SettingsDialog) -> None:
        dialog.keys.choose("export")
        qtbot.mouseClick(dialog.keys.reset, Qt.MouseButton.LeftButton)
        assert dialog.keys.changed_keys() == {}, "the standard key came back from who had it"
        qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)

    in_settings(window, back)
    assert actions.key_text(window.actions_["export"]) == "Ctrl+E"


@pytest.mark.parametrize("content", ["{", '{"theme": "pink"}'])
def test_a_damaged_settings_file_is_one_sentence(qtbot: QtBot, content: str) -> None:
    path = paths.settings_file()
    save(path, Preferences())
    path.write_text(content)
    window = MainWindow()
    window.show()
    qtbot.waitUntil(lambda: window.findChild(ErrorDialog) is not None, timeout=LONG)
    assert str(path) in window.findChild(ErrorDialog).sentence.text()
    assert window.program.preferences == Preferences()
    close(qtbot, window)


def test_recent_projects_are_on_the_first_page_of_the_next_start(folder: Path, qtbot: QtBot) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    close(qtbot, first)
    again = MainWindow()
    again.show()
    qtbot.waitExposed(again)

    def listed() -> list[QPushButton]:
        buttons = again.welcome.findChildren(QPushButton)
        return [b for b in buttons if b.isVisible() and b.accessibleName().endswith(".boxscout")]

    qtbot.waitUntil(lambda: [button.text() for button in listed()] == ["photos"])
    qtbot.mouseClick(listed()[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: again.session.images.total == 12, timeout=LONG)
    again.actions_["new"].trigger()
    qtbot.waitUntil(lambda: again.pages.currentWidget() is again.welcome and len(listed()) == 1)
    menu = next(m for m in again.findChildren(QMenu) if m.title() == "Open &recent")
    menu.aboutToShow.emit()
    menu.actions()[-1].trigger()
    qtbot.waitUntil(lambda: not listed())
    close(qtbot, again)


def test_a_recent_project_says_what_is_in_it_and_enter_opens_it(folder: Path, qtbot: QtBot) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    qtbot.keyClick(first, Qt.Key.Key_A)
    close(qtbot, first)
    again = MainWindow()
    again.show()
    qtbot.waitExposed(again)
    (row,) = again.welcome.recent_rows
    qtbot.waitUntil(lambda: row.facts.text() == "12 images, 1 reviewed", timeout=LONG)
    assert row.folder.text() == str(folder)
    assert not row.picture.pixmap().isNull()
    qtbot.keyClick(row.button, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: again.session.images.total == 12, timeout=LONG)
    close(qtbot, again)


class Paints(QObject):
    """Which widgets were painted."""

    def __init__(self) -> None:
        super().__init__()
        self.of: list[QObject] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.of.append(watched)
        return False


def test_a_splash_is_painted_before_the_window_is_there(qapp: QApplication) -> None:
    paints = Paints()
    qapp.installEventFilter(paints)
    splash = show_splash()
    qapp.removeEventFilter(paints)
    assert splash.isVisible() and splash in paints.of
    assert splash.screen().availableGeometry().center() == splash.geometry().center()
    painted = splash.grab().toImage()
    colours = {painted.pixelColor(x, y).name() for x in range(0, 360, 3) for y in range(0, 200, 3)}
    assert len(colours) > 3, "the mark and the name"
    splash.close()
