"""A Python thread, a stop event and a queue. No widget and no Qt.

A ``QThread`` that is collected, or alive at exit, aborts the process; a Python thread does not. The
window pulls what a worker has put, so that a fast worker cannot flood the event loop.
"""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.base.errors import Cancelled, ProjectError


@dataclass(frozen=True, slots=True)
class Item:
    """Something the target has put on the way."""

    value: Any


@dataclass(frozen=True, slots=True)
class Done:
    """The target has returned."""

    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The target has raised; ``details`` is the traceback as text."""

    error: BaseException
    details: str


Message = Item | Done | Failed
_MOST = 10_000  # messages at once: a worker that floods must not hold the window


class Worker:
    """Runs ``target(worker)`` in a thread of its own.

    The target calls :meth:`put` for results on the way, looks at :attr:`stopping` between two pieces
    of work, and calls :meth:`wait_while_paused` where it can pause. Exactly one :class:`Done` or
    :class:`Failed` is the last message; nothing a target raises is lost.
    """

    def __init__(self, name: str, target: Callable[[Worker], Any]) -> None:
        self.name = name
        self._target = target
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        # Not a daemon: leaving while a checkpoint is being written would lose it.
        self._thread = threading.Thread(target=self._run, name=f"boxscout-{name}")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the target to end; it also ends a pause."""
        self._stop.set()
        self._go.set()

    def pause(self) -> None:
        if not self._stop.is_set():
            self._go.clear()

    def unpause(self) -> None:
        self._go.set()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread; True when it has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def is_stopping(self) -> bool:
        """:attr:`stopping` as a callable, for ``cancelled=``."""
        return self._stop.is_set()

    def put(self, value: Any) -> None:
        """Called by the target: hand ``value`` to the window."""
        self._messages.put(Item(value))

    def wait_while_paused(self) -> bool:
        """Called by the target: block while paused; False when it should end."""
        self._go.wait()
        return not self._stop.is_set()

    def drain(self) -> list[Message]:
        """Called by the window: what was put since the last call, not without end, without waiting."""
        return [self._messages.get() for _ in range(min(self._messages.qsize(), _MOST))]

    def _run(self) -> None:
        try:
            result = self._target(self)
        except BaseException as error:
            # Also RuntimeError (CUDA out of memory), MemoryError and SystemExit: the person must see it.
            self._messages.put(Failed(error, traceback.format_exc()))
        else:
            self._messages.put(Done(result))


@contextmanager
def no_error_once_stopped(worker: Worker) -> Iterator[None]:
    """For a target that reads a project: closed meanwhile, it fails, and nobody waits for an answer."""
    try:
        yield
    except ProjectError as error:
        if worker.stopping:
            raise Cancelled from error
        raise
