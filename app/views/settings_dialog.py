"""The settings of the program: a form made from :class:`core.base.preferences.Preferences`, and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QTabWidget, QWidget

from app import style
from app.views.controls import plain_label, push_button
from app.views.field_editors import Editor, SwitchEditor, editor_for, tip_of
from app.views.layouts import form_layout, hbox, vbox
from app.views.shortcuts_editor import Shortcut, ShortcutsEditor
from core.base.language import number, tr
from core.base.preferences import Preferences

_SIZE = (640, 720)


class SettingsDialog(QDialog):
    """Nothing takes effect before it is accepted, but the theme, which is shown at once.

    ``running`` is the language that the window was built in; ``kept`` as in :meth:`set_kept`.
    """

    theme_chosen = Signal(str)
    kept_deleted = Signal()
    """The features that the open project keeps shall go, at once."""

    def __init__(
        self,
        preferences: Preferences,
        shortcuts: Sequence[Shortcut],
        parent: QWidget | None = None,
        *,
        running: str = "system",
        kept: int | None = None,
    ) -> None:
        super().__init__(parent)
        self._running = running
        self.delete_kept = push_button(tr("Delete kept features"), self.kept_deleted.emit)
        self.used = plain_label(role="muted", wrap=True)
        self.setWindowTitle(tr("Settings"))
        self.editors: dict[str, Editor] = {
            each.name: editor_for(each) for each in fields(Preferences) if each.name != "shortcuts"
        }
        self.keys = ShortcutsEditor(shortcuts, preferences.shortcuts)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(self._make_form(), tr("General"))
        self.tabs.addTab(self.keys, tr("Keyboard"))
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        style.mark(self.ok, "primary")
        self.standard = self.buttons.addButton(tr("Restore defaults"), QDialogButtonBox.ButtonRole.ResetRole)
        vbox((self.tabs, 1), self.buttons, on=self, margins=2 * style.MARGIN, spacing=style.MARGIN)
        self.standard.clicked.connect(self._reset)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._set(preferences)
        self.editors["theme"].changed.connect(self._show_theme)
        self.editors["language"].changed.connect(self._show_restart)
        self.editors["theme"].setFocus()
        self.set_kept(kept)
        self.resize(*_SIZE)

    def set_kept(self, count: int | None) -> None:
        """How many bytes the features take that the open project keeps; None where no project is open."""
        self.delete_kept.setEnabled(bool(count))
        text = tr("No project is open.")
        if count is not None:
            text = tr("This project uses {0} MB now.").format(number(count / 1e6, ",.0f"))
        self.used.setText(text)

    def preferences(self) -> Preferences:
        values = {name: editor.value() for name, editor in self.editors.items()}
        return Preferences(**values, shortcuts=self.keys.changed_keys())

    def _make_form(self) -> QWidget:
        page = QWidget()
        margins = (0, style.MARGIN, 0, 0)
        form = form_layout(on=page, margins=margins, across=style.MARGIN, down=2 * style.SPACING)
        self._help: dict[str, QLabel] = {}
        for name, editor in self.editors.items():
            is_switch = isinstance(editor, SwitchEditor)
            label = plain_label("" if is_switch else tr(editor.limits.label))
            label.setBuddy(editor)
            self._help[name] = plain_label(tip_of(editor.limits), "muted", wrap=True)
            form.addRow(label, vbox(editor, self._help[name], spacing=style.GAP))
        form.addRow("", hbox((self.used, 1), self.delete_kept, spacing=style.SPACING))
        return page

    def _set(self, preferences: Preferences) -> None:
        for name, editor in self.editors.items():
            editor.set_value(getattr(preferences, name))
        self._show_restart()

    def _show_theme(self) -> None:
        self.theme_chosen.emit(self.editors["theme"].value())

    def _show_restart(self) -> None:
        """Say it where the language was chosen: nothing else in the window would."""
        line, editor = self._help["language"], self.editors["language"]
        waits = editor.value() != self._running
        style.mark(line, "warning" if waits else "muted")
        line.setText(tr("Restart Boxscout to change the language.") if waits else tip_of(editor.limits))

    def _reset(self) -> None:
        self._set(Preferences())
        self._show_theme()
        self.keys.reset_all()
