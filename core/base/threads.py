"""How many of the processor's threads computing may take, also before what computes is loaded."""

from __future__ import annotations

import os
import sys

_wanted = 0


def default_threads() -> int:
    """For the window, all but one: that is left to whoever watches."""
    return max(1, (os.cpu_count() or 2) - 1)


def set_threads(count: int) -> None:
    """Let computing take ``count`` threads, 0 for :func:`default_threads`; torch once it is loaded."""
    global _wanted
    _wanted = count or default_threads()
    apply_to_torch()


def threads_wanted() -> int:
    """What :func:`set_threads` said; all where nobody did, as in a command, which nobody watches."""
    return _wanted or os.cpu_count() or 1


def apply_to_torch() -> None:
    """Tell torch, where it is loaded and somebody has said how many."""
    set_number = getattr(sys.modules.get("torch"), "set_num_threads", None)
    if _wanted and set_number is not None:
        set_number(_wanted)
