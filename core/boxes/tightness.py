"""A threshold as a person moves it: from tighter over the automatic one to looser."""

from __future__ import annotations

from core.boxes.rules import MAX_THRESHOLD


def position_of(threshold: float, *, automatic: float) -> float:
    """Where a threshold lies between the tightest box, -1, and the loosest, 1; 0 is the automatic one.

    With 0 as the automatic one nothing is looser.
    """
    if threshold >= automatic:
        room = MAX_THRESHOLD - automatic
        return -min((threshold - automatic) / room, 1.0) if room > 0 else 0.0
    return min((automatic - threshold) / automatic, 1.0)


def threshold_at(position: float, *, automatic: float) -> float:
    """The threshold, 0..``MAX_THRESHOLD``, at a position of :func:`position_of`."""
    position = min(max(position, -1.0), 1.0)
    room = automatic if position > 0 else MAX_THRESHOLD - automatic
    return automatic - position * room
