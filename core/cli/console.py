"""What a long command shows: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from core.base.language import printable
from core.base.pace import Pace
from core.base.ranks import ranks_from_environment

PLAIN_EVERY_S = 10.0
# A speed of fewer seconds is not worth telling.
_WORTH_S = 3.0

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """Lines of plain text; names of files are never read as markup, nor by the terminal as commands."""
    console.print(Text("\n".join(map(printable, text.split("\n")))))


def complain(sentence: str) -> None:
    """One line on the error stream, as :func:`say` has it."""
    errors.print(Text(printable(sentence)))


def duration(seconds: float) -> str:
    """A time in the unit that a person would use."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


class Bar:
    """The progress of one command through its parts, each with a title and a share of the whole."""

    def __init__(self, bar: Progress | None, task: TaskID | None) -> None:
        self._bar, self._task = bar, task
        self._base, self._share, self._scale = 0.0, 0.0, 1.0
        self._title = ""
        self._printed_at = 0.0
        self._pace = Pace()

    def part(self, title: str, share: float) -> None:
        """Begin the next part, which is ``share`` (0..1) of the section, or of the whole outside one."""
        self._base += self._share
        self._title, self._share = title, share * self._scale
        self._pace.forget()
        self._printed_at = 0.0
        self.update(0.0)

    @contextmanager
    def section(self, share: float) -> Iterator[None]:
        """Parts begun in here share out only ``share`` of the whole."""
        before, self._scale = self._scale, self._scale * share
        try:
            yield
        finally:
            self._scale = before

    def update(self, fraction: float, detail: str = "") -> None:
        """Show that ``fraction`` (0..1) of the current part is done."""
        whole = min(self._base + self._share * fraction, 1.0)
        left = self._left(whole)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=whole, title=self._title, detail=detail, left=left)
        elif time.monotonic() - self._printed_at >= PLAIN_EVERY_S or fraction >= 1.0:
            self._printed_at = time.monotonic()
            line = "  ".join(filter(None, [f"{self._title} {fraction:4.0%}", detail, left]))
            complain(line)

    def note(self, line: str) -> None:
        """Print a line above the bar."""
        complain(line)

    def count(self, done: int, total: int) -> None:
        """:meth:`update` for a part that counts things."""
        self.update(done / max(total, 1), f"{done}/{total}")

    def _left(self, whole: float) -> str:
        """The time left, once it is worth a number: other parts may go ten times as fast as this one."""
        pace = self._pace
        pace.note(time.monotonic(), whole)
        rest_of_part = self._base + self._share - whole
        if pace.seconds < _WORTH_S or pace.speed <= 0 or not (1 - whole) / 2 < rest_of_part:
            return ""
        return f"about {duration((1 - whole) / pace.speed)} left"


@contextmanager
def progress_bar() -> Iterator[Bar]:
    """A :class:`Bar` on the standard error stream, so that it never mixes with what a program reads."""
    if not (errors.is_terminal and ranks_from_environment().writes):
        yield Bar(None, None)
        return
    columns = (
        TextColumn("{task.fields[title]}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}", markup=False),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Progress(*columns, console=errors) as bar:
        yield Bar(bar, bar.add_task("", total=1.0, title="", detail="", left=""))


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, so that work ends between two steps; again ends it at once.

    Not under torchrun: it passes on each signal, which a terminal sends to every process already, and ends by
    itself what does not stop.
    """
    stop, ranks = threading.Event(), ranks_from_environment()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            if ranks.alone:
                raise KeyboardInterrupt
            return
        stop.set()
        if ranks.writes:
            print("\nStopping after this step…", file=sys.stderr, flush=True)  # noqa: T201

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
