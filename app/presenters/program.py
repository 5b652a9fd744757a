"""What belongs to the program and not to a project: its settings, its keys, and the palette of commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QWidget

from app import actions, paths, style
from app.presenters.part import Handlers
from app.views.guide_window import GuideWindow
from app.views.palette import Command, CommandPalette
from app.views.settings_dialog import SettingsDialog
from app.views.shortcuts_editor import Shortcut
from core.base import preferences
from core.base.errors import BoxscoutError
from core.base.language import spoken
from core.base.preferences import Preferences, keys_in_force
from core.base.threads import set_threads
from core.project.described import delete_kept, kept_bytes

STANDARD_KEYS = {spec.id: spec.keys for spec in actions.ACTIONS}


class Program(QObject):
    """Reads the settings once, applies them, and keeps what is changed."""

    changed = Signal(object)
    """The :class:`~core.base.preferences.Preferences` in force from now on."""
    failed = Signal(object, str)
    """Settings could not be read or kept, with an empty text for details."""

    def __init__(self, window: QWidget, data_folder: Callable[[], Path | None]) -> None:
        """``data_folder`` is asked for that of the open project, None where there is none."""
        super().__init__(window)
        self._data_folder = data_folder
        self._window = window
        self._actions: Mapping[str, QAction] = {}
        self.preferences, problem = preferences.load(paths.settings_file())
        self._language = self.preferences.language
        """What the window was built in: another one waits for the next start."""
        if problem:
            # Once somebody listens and the window is there.
            QTimer.singleShot(0, self, lambda: self.failed.emit(BoxscoutError(problem), ""))

    def handlers(self) -> Handlers:
        return {
            "palette": self.show_palette,
            "settings": self.show_settings,
            "guide": self.show_guide,
            "accept_drawn": lambda on: self.change(replace(self.preferences, accept_drawn=on)),
        }

    def set_actions(self, made: Mapping[str, QAction]) -> None:
        """The window's actions, which from now on have the keys that the person set."""
        self._actions = made
        self._apply()

    def show_guide(self) -> None:
        guide = GuideWindow(paths.guide_file(spoken()), self._window)
        guide.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        guide.show()

    def show_palette(self) -> None:
        menus = actions.menu_titles()
        commands = [
            Command(
                spec.id,
                actions.plain_title(spec),
                menus[spec.menu],
                actions.key_text(self._actions[spec.id]),
                self._actions[spec.id].isEnabled(),
            )
            for spec in actions.ACTIONS
            if spec.id != "palette"
        ]
        palette = CommandPalette(commands, self._window)
        # Once the palette is gone: a command may open a dialog of its own.
        palette.chosen.connect(lambda name: QTimer.singleShot(0, self, self._actions[name].trigger))
        palette.open()

    def show_settings(self) -> None:
        menus = actions.menu_titles()
        shortcuts = [
            Shortcut(spec.id, menus[spec.menu], actions.plain_title(spec).rstrip("…"), spec.keys)
            for spec in actions.ACTIONS
        ]
        folder = self._data_folder()
        dialog = SettingsDialog(
            self.preferences,
            shortcuts,
            self._window,
            running=self._language,
            kept=None if folder is None else kept_bytes(folder),
        )
        dialog.kept_deleted.connect(lambda: self._delete_kept(dialog, folder))
        dialog.theme_chosen.connect(show_theme)
        if dialog.exec() == SettingsDialog.DialogCode.Accepted:
            self.change(dialog.preferences())
        else:
            show_theme(self.preferences.theme)
        dialog.deleteLater()

    def _delete_kept(self, dialog: SettingsDialog, folder: Path | None) -> None:
        if folder is not None:
            try:
                delete_kept(folder)
            except BoxscoutError as error:
                self.failed.emit(error, "")
            dialog.set_kept(kept_bytes(folder))

    def change(self, wanted: Preferences) -> None:
        if wanted == self.preferences:
            return
        self.preferences = wanted
        apply(wanted)
        self._apply()
        self.changed.emit(wanted)
        try:
            preferences.save(paths.settings_file(), wanted)
        except BoxscoutError as error:
            self.failed.emit(error, "")

    def _apply(self) -> None:
        """What the actions show of the settings."""
        with QSignalBlocker(self._actions["accept_drawn"]):
            self._actions["accept_drawn"].setChecked(self.preferences.accept_drawn)
        for name, keys in keys_in_force(STANDARD_KEYS, self.preferences.shortcuts).items():
            self._actions[name].setShortcuts([QKeySequence(key) for key in keys])


def language_set() -> str:
    """The language in the settings, before there is a window; a file that cannot be read has none."""
    return preferences.load(paths.settings_file())[0].language


def apply(wanted: Preferences) -> None:
    show_theme(wanted.theme)
    set_threads(wanted.threads)


def show_theme(theme: str) -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication) and app.property("boxscoutScheme") != theme:
        style.apply(app, theme)  # type: ignore[arg-type]
