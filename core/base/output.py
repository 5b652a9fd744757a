"""Standard output that cannot take what is written: a full disk, or a reader that has seen enough."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from core.base.atomic import os_reason


def lost_output(error: OSError) -> str:
    """What to say of a write to standard output that failed; empty where its reader has seen enough.

    From now on standard output goes nowhere: what is left in its buffer would fail once more at the very
    end, with a trace.
    """
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    if error.errno == errno.EPIPE:  # such as ``| head``
        return ""
    return f"The output could not be written: {os_reason(error)}."
