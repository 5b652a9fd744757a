"""All commands with their keys, to be changed one by one; a key that is taken is told before it moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QKeySequence
from PySide6.QtWidgets import QHeaderView, QKeySequenceEdit, QTreeWidget, QTreeWidgetItem, QWidget

from app import style
from app.views.controls import plain_label, push_button, there
from app.views.filter_edit import FilterEdit
from app.views.layouts import hbox, vbox
from core.base.language import tr
from core.base.preferences import Keys, holder_of, keys_in_force

_KEYS_COLUMN = 1
_KEY_FIELD = 144


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A command that can have keys, and those that it has as the program comes."""

    id: str
    group: str
    """The menu that it is in."""
    title: str
    standard: tuple[str, ...]


class ShortcutsEditor(QWidget):
    """What is changed here is had from :meth:`changed_keys`; nothing takes effect before."""

    def __init__(self, shortcuts: Sequence[Shortcut], changed: Keys, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._standard = {each.id: each.standard for each in shortcuts}
        self._titles = {each.id: each.title for each in shortcuts}
        self._keys = keys_in_force(self._standard, changed)
        self._make_controls()
        self._lay_out()
        self._items = {each.id: self._add_row(each) for each in shortcuts}
        self.list.expandAll()
        self.choose(shortcuts[0].id)
        self._connect()
        self._show()

    def changed_keys(self) -> dict[str, tuple[str, ...]]:
        """The keys of every command whose keys are not its standard ones."""
        return {name: keys for name, keys in self._keys.items() if keys != self._standard[name]}

    def reset_all(self) -> None:
        self._keys = dict(self._standard)
        self._show()

    @property
    def command(self) -> str:
        return str(there(self.list.currentItem()).data(0, Qt.ItemDataRole.UserRole))

    def choose(self, command: str) -> None:
        self.list.setCurrentItem(self._items[command])

    def _add_row(self, each: Shortcut) -> QTreeWidgetItem:
        """A row for a command, below the heading of its menu."""
        if each.group not in self._groups:
            heading = QTreeWidgetItem(self.list, [each.group])
            heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
            heading.setFirstColumnSpanned(True)
            bold = self.list.font()
            bold.setWeight(QFont.Weight.DemiBold)
            heading.setFont(0, bold)
            self._groups[each.group] = heading
        row = QTreeWidgetItem(self._groups[each.group], [each.title, ""])
        row.setData(0, Qt.ItemDataRole.UserRole, each.id)
        return row

    def _make_controls(self) -> None:
        tip = tr("Show only commands whose name or key contains this text.")
        self.filter = FilterEdit(tr("Search commands"), tip)
        self.list = QTreeWidget()
        self._groups: dict[str, QTreeWidgetItem] = {}
        self.list.setAccessibleName(tr("Commands and their keys"))
        self.list.setHeaderLabels([tr("Command"), tr("Keys")])
        self.list.setRootIsDecorated(False)
        self.list.setItemsExpandable(False)
        self.list.setIndentation(style.MARGIN)
        self.list.setUniformRowHeights(True)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(_KEYS_COLUMN, QHeaderView.ResizeMode.ResizeToContents)
        self.editor = QKeySequenceEdit()
        self.editor.setMaximumSequenceLength(1)
        self.editor.setMinimumWidth(_KEY_FIELD)
        self.editor.setAccessibleName(tr("New key"))
        self.add = push_button(tr("Add key"), self._add)
        self.clear = push_button(tr("Remove keys"), lambda: self._set(()))
        self.reset = push_button(tr("Reset keys"), lambda: self._set(self._standard[self.command]))
        for button in (self.add, self.clear, self.reset):
            button.setAutoDefault(False)
        self.note = plain_label(role="muted", wrap=True)

    def _lay_out(self) -> None:
        row = hbox((self.editor, 1), self.add, self.clear, self.reset, spacing=style.SPACING)
        vbox(
            self.filter, (self.list, 1), row, self.note, on=self, margins=style.MARGIN, spacing=style.SPACING
        )

    def _connect(self) -> None:
        self.filter.textChanged.connect(self._filter)
        for leaving in (self.filter.list_wanted, self.filter.left):
            leaving.connect(self.list.setFocus)
        self.list.currentItemChanged.connect(lambda *_: self._chosen())
        self.editor.keySequenceChanged.connect(lambda _: self._show_note())

    # A person's doing

    def _typed(self) -> str:
        return self.editor.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _chosen(self) -> None:
        self.editor.clear()
        self._show_note()

    def _add(self) -> None:
        key, command = self._typed(), self.command
        holder = holder_of(key, self._keys)
        if not key or holder == command:
            return
        if holder is not None:
            kept = tuple(each for each in self._keys[holder] if each.casefold() != key.casefold())
            self._keys[holder] = kept
        self._set((*self._keys[command], key))

    def _set(self, keys: tuple[str, ...]) -> None:
        # Standard keys may be another command's by now: one key never means two things.
        for name, held in self._keys.items():
            if name != self.command:
                self._keys[name] = tuple(key for key in held if holder_of(key, {"": keys}) is None)
        self._keys[self.command] = keys
        self.editor.clear()
        self._show()

    def _filter(self, text: str) -> None:
        needle = text.casefold().strip()
        for item in self._items.values():
            item.setHidden(needle not in f"{item.text(0)} {item.text(_KEYS_COLUMN)}".casefold())
        for heading in self._groups.values():
            rows = (heading.child(i) for i in range(heading.childCount()))
            heading.setHidden(all(row is None or row.isHidden() for row in rows))

    def _show(self) -> None:
        for name, item in self._items.items():
            item.setText(_KEYS_COLUMN, "  ".join(_native(key) for key in self._keys[name]))
        self._show_note()

    def _show_note(self) -> None:
        key, command = self._typed(), self.command
        title, holder = self._titles[command], holder_of(key, self._keys) if key else None
        taken = holder is not None and holder != command
        if not key:
            text = tr("To add a key for “{0}”, click in the field and press the key.").format(title)
        elif taken:
            text = tr("{0} is used by “{1}”. If you add it here, it is removed there.")
            text = text.format(_native(key), self._titles[holder or ""])
        elif holder == command:
            text = tr("“{0}” already uses this key.").format(title)
        else:
            text = tr("{0} is available.").format(_native(key))
        style.mark(self.note, "warning" if taken else "muted")
        self.note.setText(text)
        self.add.setText(tr("Reassign key") if taken else tr("Add key"))
        self.add.setEnabled(bool(key) and holder != command)
        self.clear.setEnabled(bool(self._keys[command]))
        self.reset.setEnabled(self._keys[command] != self._standard[command])


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
