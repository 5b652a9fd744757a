"""What the measurements of the window are made with: figures, paints, ticks and waiting."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

TICK_MS = 10


@dataclass(frozen=True)
class Figure:
    """One measured figure and what it should stay below."""

    name: str
    value: float
    unit: str
    aim: float | None
    cpu_s: float | None = None


class Paints(QObject):
    """Counts the paint events of one widget."""

    def __init__(self, watched: QObject) -> None:
        super().__init__()
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        self.count += event.type() == QEvent.Type.Paint
        return False


class Ticks:
    """The gaps between the beats of a timer on the event loop, in seconds."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(TICK_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now

    def stop(self) -> list[float]:
        self._timer.stop()
        return self.gaps


def line(figure: Figure) -> str:
    aim = "" if figure.aim is None else f"   (aim: {figure.aim:g} {figure.unit} or less)"
    cpu = "" if figure.cpu_s is None else f"   [{figure.cpu_s:.1f} s of processors]"
    return f"{figure.name:<56}{figure.value:>10.1f} {figure.unit}{cpu}{aim}"


def wait(condition: Callable[[], bool], seconds: float) -> None:
    limit = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > limit:
            raise TimeoutError("The window did not get there in time.")
        QApplication.processEvents()
        time.sleep(0.0002)


def settle(seconds: float) -> None:
    until = time.perf_counter() + seconds
    wait(lambda: time.perf_counter() >= until, seconds + 60)


def beside_window() -> float:
    """Seconds of processors that this process has taken outside the window's thread, which only waits."""
    return time.process_time() - time.thread_time()


def peak_memory() -> int:
    """The most memory this process has held, in bytes."""
    import resource

    peak: int = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
