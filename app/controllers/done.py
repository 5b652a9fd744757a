"""An edit in the list of what can be taken back."""

from __future__ import annotations

from PySide6.QtGui import QUndoCommand

from core.project.edits import Edit


class Done(QUndoCommand):
    """An edit that has been made. Undo and redo do nothing by themselves: the list only remembers."""

    def __init__(self, edit: Edit, text: str, gesture: int) -> None:
        super().__init__(text)
        self.edit = edit
        self._gesture = gesture

    def id(self) -> int:
        return 1  # QUndoStack asks mergeWith of commands with the same id only

    def mergeWith(self, other: QUndoCommand) -> bool:
        assert isinstance(other, Done)
        joined = other.edit.joined_to(self.edit) if other._gesture == self._gesture else None
        if joined is None:
            return False
        self.edit = joined
        return True
