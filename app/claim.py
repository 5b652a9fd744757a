"""A project belongs to one window at a time: a lock file beside it says so."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import QLockFile

from core.errors import ProjectError
from core.language import tr

# A window that has just closed the project may still be saving it.
_TRIES, _PAUSE_SECONDS = 15, 0.1


def claim(path: Path) -> QLockFile:
    """Take the project at ``path`` for this window, until the lock is released or this program ends.

    The lock of a program that was killed counts for nothing. Where no lock file can be made, opening the
    project says what is wrong with its folder.

    Raises
    ------
    ProjectError
        Another window has it.
    """
    lock = QLockFile(str(path.with_name(f"{path.name}.lock")))
    lock.setStaleLockTime(0)  # only a dead owner makes a lock stale, never its age
    for _ in range(_TRIES):
        if lock.tryLock(0) or lock.error() != QLockFile.LockError.LockFailedError:
            return lock
        time.sleep(_PAUSE_SECONDS)
    text = tr("“{name}” is open in another window; go on there, or close it first.")
    raise ProjectError(text.format(name=path.name))
