"""The command palette: every command of the window, found by typing a part of its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from app import style
from app.views.controls import plain_label
from app.views.layouts import vbox
from core.base.language import tr

_SIZE = (680, 460)
_LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette. ``place`` is the menu it is also in, ``keys`` as this system writes them."""

    id: str
    title: str
    place: str
    keys: str
    enabled: bool = True


def ranked(query: str, commands: Sequence[Command]) -> list[Command]:
    """The commands that have every word of ``query`` in title or menu, the best first.

    A word at the beginning of the title counts most, then at the beginning of one of its words, then
    anywhere; what cannot be used now comes after what can.
    """
    words = query.casefold().split()
    found = []
    for place, command in enumerate(commands):
        ranks = [_rank(word, command) for word in words]
        if None not in ranks:
            found.append((not command.enabled, sum(rank or 0 for rank in ranks), place, command))
    return [command for *_, command in sorted(found, key=lambda each: each[:3])]


def _rank(word: str, command: Command) -> int | None:
    title = command.title.casefold()
    if title.startswith(word):
        return 0
    if any(part.startswith(word) for part in title.split()):
        return 1
    if word in title:
        return 2
    return 3 if command.place.casefold().startswith(word) else None


class CommandPalette(QDialog):
    """Type, choose with the arrows, run with Return."""

    chosen = Signal(str)
    """A command's id; the palette is closed by then."""

    def __init__(self, commands: Sequence[Command], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Commands"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._commands = tuple(commands)
        self.search = QLineEdit()
        self.search.setObjectName("palette_search")
        self.search.setPlaceholderText(tr("What do you want to do?"))
        self.search.setAccessibleName(tr("Search commands"))
        self.search.installEventFilter(self)
        self.list = self._make_list()
        self.nothing = plain_label(tr("No matching command"), "muted")
        vbox(self.search, (self.list, 1), self.nothing, on=self, margins=style.MARGIN, spacing=style.SPACING)
        self.resize(*_SIZE)
        self.search.textChanged.connect(self._show)
        self.search.returnPressed.connect(self._run)
        self.list.itemActivated.connect(lambda *_: self._run())
        self.list.itemClicked.connect(lambda *_: self._run())
        self._show("")
        self.search.setFocus()

    def _make_list(self) -> QTreeWidget:
        view = QTreeWidget()
        view.setObjectName("palette_list")
        style.mark(view, "commands")
        view.setAccessibleName(tr("Commands"))
        view.setColumnCount(3)
        view.setHeaderHidden(True)
        view.setRootIsDecorated(False)
        view.setUniformRowHeights(True)
        view.setAllColumnsShowFocus(True)
        view.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the arrows reach it from the line above
        view.header().setStretchLastSection(False)
        view.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            view.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        return view

    def _show(self, query: str) -> None:
        self.list.clear()
        for command in ranked(query, self._commands):
            item = QTreeWidgetItem([command.title, command.place, command.keys])
            item.setData(0, Qt.ItemDataRole.UserRole, command.id)
            item.setDisabled(not command.enabled)
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.list.addTopLevelItem(item)
        first = self.list.topLevelItem(0)
        self.list.setVisible(first is not None)
        self.nothing.setVisible(first is None)
        if first is not None:
            self.list.setCurrentItem(first)

    def _run(self) -> None:
        item = self.list.currentItem()
        if item is None or item.isDisabled():
            return
        command = item.data(0, Qt.ItemDataRole.UserRole)
        self.accept()
        self.chosen.emit(command)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and event.key() in _LIST_KEYS
        ):
            self.list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)
