"""Files that could not be used, by reason, as a tree of two levels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon

from app import style
from core.base.language import number, printable, tr

Index = QModelIndex | QPersistentModelIndex
_GROUP = 0  # the internal id of a reason; a file's is its group's row + 1


@dataclass(frozen=True, slots=True)
class Problem:
    """A file and what is wrong with it; a ``warning`` was used all the same (such as a truncated one)."""

    path: Path
    reason: str
    warning: bool = False


@dataclass(slots=True)
class _Group:
    reason: str
    warning: bool
    problems: list[Problem] = field(default_factory=list)


class ProblemsModel(QAbstractItemModel):
    """Reasons, and below each its files. Texts are made only for the rows in sight."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._groups: list[_Group] = []
        self._icons: dict[bool, QIcon] = {}

    def set_problems(self, problems: Iterable[Problem]) -> None:
        """Show these and no others: files that could not be used first, then warnings."""
        self.beginResetModel()
        groups: dict[tuple[str, bool], _Group] = {}
        for problem in sorted(problems, key=lambda one: one.warning):
            group = groups.setdefault(
                (problem.reason, problem.warning), _Group(problem.reason, problem.warning)
            )
            group.problems.append(problem)
        self._groups = list(groups.values())
        self.endResetModel()

    def total(self) -> int:
        return sum(len(group.problems) for group in self._groups)

    def reason(self, row: int) -> str:
        return self._groups[row].reason

    def problem(self, index: Index) -> Problem | None:
        """The file at ``index``; None for a reason."""
        if not index.isValid() or index.internalId() == _GROUP:
            return None
        return self._groups[index.internalId() - 1].problems[index.row()]

    def problems_at(self, index: Index) -> list[Problem]:
        """The file at ``index``, or all files of the reason there."""
        one = self.problem(index)
        if one is not None:
            return [one]
        return list(self._groups[index.row()].problems) if index.isValid() else []

    def recolour(self) -> None:
        self._icons.clear()

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        parent = parent or QModelIndex()
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else _GROUP)

    def parent(self, index: Index | None = None) -> Any:
        if index is None:
            return super().parent()
        if not index.isValid() or index.internalId() == _GROUP:
            return QModelIndex()
        return self.createIndex(index.internalId() - 1, 0, _GROUP)

    def rowCount(self, parent: Index | None = None) -> int:
        if parent is None or not parent.isValid():
            return len(self._groups)
        is_group = parent.internalId() == _GROUP and parent.column() == 0
        return len(self._groups[parent.row()].problems) if is_group else 0

    def columnCount(self, parent: Index | None = None) -> int:
        return 2

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (tr("File"), tr("Folder"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        problem = self.problem(index)
        if problem is None:
            return self._group_data(index, role) if index.isValid() else None
        if role == Qt.ItemDataRole.DisplayRole:
            return printable(problem.path.name if index.column() == 0 else str(problem.path.parent))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{printable(problem.path.name)}: {problem.reason}"
        return None

    def _group_data(self, index: Index, role: int) -> Any:
        group = self._groups[index.row()]
        if index.column() != 0:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{group.reason}  ({number(len(group.problems), ',')})"
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icon(group.warning)
        return None

    def _icon(self, warning: bool) -> QIcon:
        if warning not in self._icons:
            c = style.colours()
            self._icons[warning] = style.icon(*(("warning", c.warning) if warning else ("error", c.error)))
        return self._icons[warning]
