"""What the window remembers, keeps in place and shows at once, by clicks and keys."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot
from test_program import in_settings
from window_support import LONG, click, close, fill, finish, start

from app import actions, style
from app.main_window import MainWindow
from app.views.import_dialog import ImportDialog
from app.views.message import DoneDialog
from app.views.settings_dialog import SettingsDialog
from core.base.config import TrainConfig

ENDLESS = 1_000_000
CONTROL = Qt.KeyboardModifier.ControlModifier


def give_truth(qtbot: QtBot, window: MainWindow, place: Path) -> None:
    """Import one true box for each image through the dialog."""
    rows = [f"{one.name},40,30,thing,4,4,20,20" for one in window.session.images.records]
    place.write_text("\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax", *rows]))
    dialog = open_import(qtbot, window)
    click(qtbot, dialog.meaning.second)
    dialog.path_edit.setText(str(place))
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    click(qtbot, dialog.agree)
    qtbot.waitUntil(lambda: window.session.measures.standing is not None, timeout=LONG)
    for shown in QApplication.topLevelWidgets():
        if hasattr(shown, "where"):
            shown.close()


def open_import(qtbot: QtBot, window: MainWindow) -> ImportDialog:
    qtbot.keyClick(window, Qt.Key.Key_I, CONTROL)
    (dialog,) = [one for one in window.findChildren(ImportDialog) if one.isVisible()]
    return dialog


def test_an_accuracy_tab_left_for_another_stays_behind(folder: Path, tmp_path: Path, qtbot: QtBot) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    give_truth(qtbot, first, tmp_path / "true.csv")
    path = first.session.project.path
    assert first.truth.in_front and first.truth.panel.isVisible()
    click(qtbot, first.train_panel.tabs.buttons[0])
    first.actions_["new"].trigger()
    qtbot.waitUntil(lambda: first.session.project is None, timeout=LONG)
    first.open_paths([path])
    qtbot.waitUntil(lambda: first.session.measures.standing is not None, timeout=LONG)
    assert not first.truth.in_front
    close(qtbot, first)

    second = MainWindow()
    second.show()
    second.open_paths([path])
    qtbot.waitUntil(lambda: second.session.measures.standing is not None, timeout=LONG)
    assert not second.truth.in_front
    qtbot.keyClick(second, Qt.Key.Key_F8)
    qtbot.keyClick(second, Qt.Key.Key_F10)
    assert second.truth.in_front and second.truth.panel.isVisible(), "in a panel that was hidden, too"
    close(qtbot, second)

    third = MainWindow()
    third.show()
    third.open_paths([path])
    qtbot.waitUntil(lambda: third.session.measures.standing is not None, timeout=LONG)
    assert third.truth.in_front, "it was opened again"
    qtbot.keyClick(third, Qt.Key.Key_F10)
    assert not third.truth.in_front and third.train_panel.own.isVisible()
    close(qtbot, third)


def test_a_project_closed_in_mid_training_shows_its_map_again(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    start(qtbot, first, tiny.with_(steps=ENDLESS))
    qtbot.waitUntil(lambda: first.session.training.step >= 5, timeout=LONG)
    qtbot.waitUntil(lambda: first.session.heat_map is not None, timeout=LONG)
    path = first.session.project.path
    close(qtbot, first)
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    qtbot.waitUntil(lambda: window.canvas._heat is not None, timeout=LONG)
    assert window.canvas._heat is not None


def test_the_import_button_stays_where_it_is(
    window: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    dialog = open_import(qtbot, window)
    qtbot.wait(50)
    before = dialog.agree.mapTo(dialog, dialog.agree.rect().topLeft()), dialog.size()
    boxes = tmp_path / "boxes.csv"
    rows = [f"image {i}.png,40,30,{'cat' if i % 2 else 'dog'},1,2,20,25,0.{i % 9}" for i in range(1, 13)]
    rows += [f"nobody {i}.png,40,30,cat,1,2,20,25,0.5" for i in range(30)]
    boxes.write_text("\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax,score", *rows]))
    dialog.path_edit.setText(str(boxes))
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    assert dialog.classes.isEnabled() and dialog.score.isEnabled()
    for choose in (dialog.meaning.second, dialog.meaning.first, dialog.replace_held):
        click(qtbot, choose)
        qtbot.wait(50)
        assert (dialog.agree.mapTo(dialog, dialog.agree.rect().topLeft()), dialog.size()) == before
    dialog.path_edit.setText(str(tmp_path / "nothing"))
    qtbot.waitUntil(lambda: "does not exist" in dialog.details.text(), timeout=LONG)
    assert (dialog.agree.mapTo(dialog, dialog.agree.rect().topLeft()), dialog.size()) == before
    dialog.reject()


def test_switching_the_kind_of_training_leaves_the_settings_in_place(
    window: MainWindow, folder: Path, tiny: TrainConfig, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)
    panel = window.train_panel
    click(qtbot, panel.settings.toggle)
    where = [part.mapTo(panel, part.rect().topLeft()) for part in (panel.settings.toggle, panel.kind)]
    for button in (panel.kind.second, panel.kind.first):
        click(qtbot, button)
        qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
        assert panel.settings.is_open()
        now = [part.mapTo(panel, part.rect().topLeft()) for part in (panel.settings.toggle, panel.kind)]
        assert now == where, "the button that was pressed stays under the mouse"
    top = panel.review_button.mapTo(panel, QPoint(0, 0)).y()
    assert top == panel.layout().contentsMargins().top(), "room that is kept lies below"


def test_what_a_start_will_take_is_told_of_the_kind_that_is_chosen(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    """Steps are those of class labels; without labels nothing has steps at first."""
    fill(qtbot, window, folder, 12)
    panel = window.train_panel
    hint = panel.controls.hint_label
    before = hint.text()
    click(qtbot, panel.settings.toggle)
    click(qtbot, panel.kind.second)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    assert hint.text().endswith(" 1,500 steps.") and before == "12 images."
    click(qtbot, panel.kind.first)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    assert hint.text() == before


def test_a_theme_shows_at_once_and_goes_with_cancel(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)

    def background() -> QColor:
        return window.train_panel.grab().toImage().pixelColor(2, window.train_panel.height() - 2)

    def act(dialog: SettingsDialog) -> None:
        dialog.editors["theme"].box.setFocus()
        for _ in range(2):
            qtbot.keyClick(dialog.editors["theme"].box, Qt.Key.Key_Down)
        assert dialog.editors["theme"].value() == "dark"
        assert background() == QColor(style.DARK.window)
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)

    assert background() == QColor(style.LIGHT.window)
    in_settings(window, act)
    assert background() == QColor(style.LIGHT.window)


def test_restored_defaults_show_their_theme_and_another_language_asks_for_a_restart(
    window: MainWindow, qtbot: QtBot
) -> None:
    def act(dialog: SettingsDialog) -> None:
        box = dialog.editors["theme"].box
        box.setCurrentIndex(box.findData("dark"))
        assert style.is_dark()
        language = dialog.editors["language"].box
        told = [label for label in dialog.findChildren(QLabel) if "Restart" in label.text()]
        assert told == []
        language.setCurrentIndex(language.findData("de"))
        [hint] = [label for label in dialog.findChildren(QLabel) if "Restart" in label.text()]
        assert hint.isVisible()
        click(qtbot, dialog.standard)
        assert not style.is_dark()
        assert "Restart" not in hint.text()

    in_settings(window, act)


@pytest.mark.parametrize("place", ["settings", "help"])
def test_shortcuts_are_grouped_by_menu(window: MainWindow, qtbot: QtBot, place: str) -> None:
    titles = list(actions.menu_titles().values())
    found: list[str] = []

    def in_editor(dialog: SettingsDialog) -> None:
        tree = dialog.keys.list
        groups = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
        found.extend(group.text(0) for group in groups)
        assert sum(group.childCount() for group in groups) == len(actions.ACTIONS)
        qtbot.keyClicks(dialog.keys.filter, "last im")
        shown = [group.text(0) for group in groups if not group.isHidden()]
        assert shown == ["Image"]

    def in_help() -> None:
        dialog = QApplication.activeModalWidget()
        labels = [one for one in dialog.findChildren(QLabel) if one.property("role") == "title"]
        found.extend(label.text() for label in labels)
        dialog.reject()

    if place == "settings":
        in_settings(window, in_editor)
    else:
        QTimer.singleShot(0, in_help)
        window.actions_["shortcuts"].trigger()
    assert found == titles


def test_diagnostics_are_saved_from_the_help_menu(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "help"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    window.actions_["diagnostics"].trigger()
    qtbot.waitUntil(lambda: window.findChild(DoneDialog) is not None, timeout=LONG)
    done = window.findChild(DoneDialog)
    assert done.where.text() == f"{out}.zip"
    with zipfile.ZipFile(f"{out}.zip") as archive:
        assert "doctor.txt" in archive.namelist()
    done.close()
