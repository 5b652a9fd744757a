"""A project belongs to one window or one writing command at a time: a lock file beside it says so.

The lock is the system's own: it ends with the program that holds it, however that ends.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from core.base.errors import ProjectError
from core.base.language import tr
from core.base.lock import try_lock

WINDOW, COMMAND = "window", "command"
# A window that has just closed the project may still be saving it.
_TRIES, _PAUSE_SECONDS = 15, 0.1


class Claim:
    """A project taken, until :meth:`release` or the end of this program."""

    def __init__(self, lock: Path, descriptor: int | None) -> None:
        self._lock, self._descriptor = lock, descriptor

    def release(self) -> None:
        """Let others have the project; twice does no harm."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        # While it is ours: who opens the file from now on makes a new one. Windows removes no open file.
        with suppress(OSError):
            self._lock.unlink()
        os.close(descriptor)
        if sys.platform == "win32":
            with suppress(OSError):
                self._lock.unlink()

    def __enter__(self) -> Claim:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.release()


def claim(path: Path, holder: str) -> Claim:
    """Take the project at ``path`` for this ``holder``, :data:`WINDOW` or :data:`COMMAND`.

    Where no lock file can be made, opening the project says what is wrong with its folder.

    Raises
    ------
    ProjectError
        Another window or command has it.
    """
    lock = path.with_name(f"{path.name}.lock")
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError:
            return Claim(lock, None)
        if try_lock(descriptor) and _is_still(lock, descriptor):
            # At an offset: Windows lets nobody read the byte that is locked.
            with suppress(OSError):  # a full disk has no room to say who; the lock holds all the same
                os.ftruncate(descriptor, 0)
                os.lseek(descriptor, 1, os.SEEK_SET)
                os.write(descriptor, holder.encode())
            return Claim(lock, descriptor)
        os.close(descriptor)
    if _holder(lock) == COMMAND:
        raise ProjectError(
            tr("A command is still working on “{name}”. Wait until it has finished.").format(name=path.name)
        )
    raise ProjectError(
        tr("“{name}” is open in another window. Continue there or close it first.").format(name=path.name)
    )


def _is_still(lock: Path, descriptor: int) -> bool:
    """Whether the file taken is the one that others would find: its holder may have removed it just now."""
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    except OSError:
        return False


def _holder(lock: Path) -> str:
    try:
        return lock.read_bytes().strip(b"\0").decode("ascii", "replace")
    except OSError:
        return ""
