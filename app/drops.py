"""How files that are dropped on the window are taken."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDropEvent


def take_as_copy(event: QDropEvent) -> None:
    """Accept files as a copy, never as a move: the source of a move may delete what was dropped."""
    has_files = any(url.isLocalFile() for url in event.mimeData().urls())
    if has_files and event.possibleActions() & Qt.DropAction.CopyAction:
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
    else:
        event.ignore()


def local_paths(dropped: QMimeData) -> list[Path]:
    """The files and folders of this computer among what was dropped."""
    return [Path(_without_localhost(url).toLocalFile()) for url in dropped.urls() if url.isLocalFile()]


def _without_localhost(url: QUrl) -> QUrl:
    """``file://localhost/photos`` is ``file:///photos`` (RFC 8089), which Qt takes for another computer's."""
    if url.host().lower() == "localhost":
        url = QUrl(url)
        url.setHost("")
    return url
