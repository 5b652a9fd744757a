"""The settings of the program: a form made from :class:`core.base.preferences.Preferences`, and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTabWidget, QWidget

from app import style
from app.views.controls import plain_label
from app.views.field_editors import Editor, SwitchEditor, editor_for, tip_of
from app.views.layouts import form_layout, vbox
from app.views.shortcuts_editor import Shortcut, ShortcutsEditor
from core.base.language import tr
from core.base.preferences import Preferences

_SIZE = (600, 520)


class SettingsDialog(QDialog):
    """Nothing takes effect before it is accepted."""

    def __init__(
        self, preferences: Preferences, shortcuts: Sequence[Shortcut], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Settings"))
        self.editors: dict[str, Editor] = {
            each.name: editor_for(each) for each in fields(Preferences) if each.name != "shortcuts"
        }
        self.keys = ShortcutsEditor(shortcuts, preferences.shortcuts)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._make_form(), tr("General"))
        self.tabs.addTab(self.keys, tr("Keyboard"))
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        style.mark(self.ok, "primary")
        self.standard = self.buttons.addButton(tr("Standard settings"), QDialogButtonBox.ButtonRole.ResetRole)
        vbox((self.tabs, 1), self.buttons, on=self, margins=style.MARGIN, spacing=style.SPACING)
        self.standard.clicked.connect(self._reset)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._set(preferences)
        self.resize(*_SIZE)

    def preferences(self) -> Preferences:
        values = {name: editor.value() for name, editor in self.editors.items()}
        return Preferences(**values, shortcuts=self.keys.changed_keys())

    def _make_form(self) -> QWidget:
        page = QWidget()
        form = form_layout(on=page, margins=style.MARGIN, across=style.MARGIN, down=style.GAP)
        for editor in self.editors.values():
            is_switch = isinstance(editor, SwitchEditor)
            label = plain_label("" if is_switch else tr(editor.limits.label))
            label.setBuddy(editor)
            form.addRow(label, editor)
            help_line = plain_label(tip_of(editor.limits), "muted", wrap=True)
            help_line.setContentsMargins(0, 0, 0, style.SPACING)
            form.addRow("", help_line)
        return page

    def _set(self, preferences: Preferences) -> None:
        for name, editor in self.editors.items():
            editor.set_value(getattr(preferences, name))

    def _reset(self) -> None:
        self._set(Preferences())
        self.keys.reset_all()
