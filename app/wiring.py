"""Small helpers for signals and timers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, SignalInstance


def one_shot(owner: QObject, milliseconds: int, then: Callable[[], object]) -> QTimer:
    """A timer that fires once after each ``start``; a start before that begins its time anew."""
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(then)
    return timer


def follow(slot: Callable[..., object], *signals: SignalInstance) -> None:
    """Call ``slot`` after each of ``signals``."""
    for signal in signals:
        signal.connect(slot)
