"""When the garbage collector looks at all there is: never by itself, but where a project was closed.

Each look at a million objects held every thread for a quarter of a second, and reading the boxes of 100,000
images made it look a dozen times. What the program makes and drops in cycles is small and young, and young
objects are looked at as ever; trainings leave no cycle behind.
"""

from __future__ import annotations

import gc

_NEVER = 2**31 - 1


def leave_what_stays_to_itself() -> None:
    """Called once, when the program is built: from now on only young objects are looked at."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


def look_at_all() -> None:
    """A project was closed: there is little to look at, and nobody waits.

    In the window's thread: what is found may be Qt's.
    """
    if gc.get_threshold()[2] == _NEVER:
        gc.collect()
