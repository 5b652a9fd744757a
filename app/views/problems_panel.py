"""The panel that says which files could not be used, and why."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QItemSelection, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QStackedLayout, QTreeView, QWidget

from app import style
from app.views.controls import plain_label, push_button
from app.views.layouts import STRETCH, hbox, vbox
from app.views.problems_model import Problem, ProblemsModel
from core.base.language import printable, tr

_FEW = 50
_ROWS = 5  # of text: the heading and a few files


class ProblemsPanel(QWidget):
    """Files by reason; copy them, or show one in its folder."""

    show_in_folder_requested = Signal(object)  # a Path

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = ProblemsModel(self)
        self.tree = self._make_tree()
        tip = tr("Copy the selected files and reasons, or all where none is selected.")
        self.copy_button = push_button(tr("Copy"), self.copy, icon="copy", tip=tip)
        self.folder_button = push_button(tr("Show in folder"), self._show_in_folder, icon="folder")
        self._nothing = plain_label(tr("No problems found."), "muted")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lay_out()
        self.tree.activated.connect(lambda _: self._show_in_folder())
        self.tree.selectionModel().selectionChanged.connect(self._selected)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.tree)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(self.copy)
        self._problems: tuple[Problem, ...] = ()
        self._refresh()

    def sizeHint(self) -> QSize:
        """A few rows: whoever wants to see more of them makes it higher."""
        return QSize(super().sizeHint().width(), self.minimumSizeHint().height())

    def set_problems(self, problems: Iterable[Problem]) -> None:
        problems = tuple(problems)
        if problems == self._problems:
            return
        was_open = {self.model.reason(row) for row in range(self.model.rowCount()) if self._is_open(row)}
        self._problems = problems
        self.model.set_problems(problems)
        self._refresh()
        few = len(problems) <= _FEW  # a handful is read at a glance; thousands are first read as reasons
        for row in range(self.model.rowCount()):
            if few or self.model.reason(row) in was_open:
                self.tree.expand(self.model.index(row, 0))

    def count(self) -> int:
        return self.model.total()

    def copy(self) -> None:
        """Put the selected files (all where none is selected) on the clipboard, one a line."""
        chosen = [index for index in self.tree.selectionModel().selectedIndexes() if index.column() == 0]
        if not chosen:
            chosen = [self.model.index(row, 0) for row in range(self.model.rowCount())]
        lines: dict[str, None] = {}  # a file selected by itself and by its reason comes once
        for index in chosen:
            for problem in self.model.problems_at(index):
                lines[f"{printable(str(problem.path))}\t{problem.reason}"] = None
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _make_tree(self) -> QTreeView:
        tree = QTreeView(self)
        tree.setModel(self.model)
        tree.setUniformRowHeights(True)
        tree.setMinimumHeight(_ROWS * tree.fontMetrics().height())
        tree.setAlternatingRowColors(False)
        tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        tree.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        tree.setAccessibleName(tr("Files that could not be used"))
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        tree.header().setStretchLastSection(False)
        return tree

    def _lay_out(self) -> None:
        self._pages = QStackedLayout()
        self._pages.addWidget(self._nothing)
        self._pages.addWidget(self.tree)
        buttons = vbox(self.folder_button, self.copy_button, STRETCH, spacing=style.SPACING)
        hbox(
            (self._pages, 1),
            buttons,
            on=self,
            margins=(style.SPACING, style.GAP, style.SPACING, style.SPACING),
            spacing=style.SPACING,
        )

    def _refresh(self) -> None:
        count = self.count()
        self._pages.setCurrentIndex(1 if count else 0)
        for row in range(self.model.rowCount()):
            self.tree.setFirstColumnSpanned(row, self.tree.rootIndex(), True)
        self.copy_button.setEnabled(count > 0)
        self._selected()

    def _is_open(self, row: int) -> bool:
        return self.tree.isExpanded(self.model.index(row, 0))

    def _selected(self, *_: QItemSelection) -> None:
        problem = self.model.problem(self.tree.currentIndex())
        self.folder_button.setEnabled(problem is not None and self.tree.selectionModel().hasSelection())

    def _show_in_folder(self) -> None:
        problem = self.model.problem(self.tree.currentIndex())
        if problem is not None:
            self.show_in_folder_requested.emit(problem.path)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.model.recolour()
        super().changeEvent(event)
