"""Timers of the window's thread."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


def one_shot(owner: QObject, milliseconds: int, then: Callable[[], object]) -> QTimer:
    """A timer that fires once after each ``start``; a start before that begins its time anew."""
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(then)
    return timer
