"""The system's own lock on an open file: it ends with the program that holds it, however that ends.

Standard library alone: the first start takes one before anything is installed.
"""

from __future__ import annotations

import sys


def try_lock(descriptor: int, *, wait: bool = False) -> bool:
    """Lock the file, waiting for whoever has it if asked to; False if another has it still.

    A file system without locks counts as free: to lock everybody out for good is worse than two at once.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        return sys.platform != "win32" and not isinstance(error, BlockingIOError)
    return True
