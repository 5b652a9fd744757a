"""How files that are dropped on the window are taken."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QDropEvent


def take_as_copy(event: QDropEvent) -> None:
    """Accept files as a copy, never as a move: the source of a move may delete what was dropped."""
    has_files = any(url.isLocalFile() for url in event.mimeData().urls())
    if has_files and event.possibleActions() & Qt.DropAction.CopyAction:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
    else:
        event.ignore()
