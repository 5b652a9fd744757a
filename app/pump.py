"""The one timer that carries results from every thread into the window."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.loader import Loader
from app.worker import Done, Failed, Item, Worker
from core.base.errors import Cancelled

INTERVAL_MS = 33
# What one tick may spend on small messages before it lets the window paint.
BUDGET_S = 0.012


@dataclass(slots=True)
class _Job:
    worker: Worker
    on_items: Callable[[list[Any]], None] | None
    on_done: Callable[[Any], None] | None
    on_failed: Callable[[BaseException], None] | None


class Pump(QObject):
    """Starts workers and drains all of them at 30 Hz; it sleeps while there is nothing to wait for."""

    failed = Signal(object, str)
    """An error from any thread: the exception and its traceback."""
    idle = Signal()
    """The last worker has ended."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[_Job] = []
        self._loaders: list[Loader] = []
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self.tick)

    def loader(self, name: str, make: Callable[[Any], Any], **options: Any) -> Loader:
        """A :class:`Loader` whose finds and errors arrive here."""
        self._loaders.append(Loader(name, make, on_error=self.failed.emit, wake=self.wake, **options))
        return self._loaders[-1]

    def run(
        self,
        name: str,
        target: Callable[[Worker], Any],
        *,
        on_items: Callable[[list[Any]], None] | None = None,
        on_done: Callable[[Any], None] | None = None,
        on_failed: Callable[[BaseException], None] | None = None,
    ) -> Worker:
        """Start ``target`` in a thread.

        ``on_items`` gets all values put since the last tick at once. ``on_failed`` is told besides
        the common error handler, also of :class:`~core.base.errors.Cancelled`, which nobody is shown.
        """
        worker = Worker(name, target)
        self._jobs.append(_Job(worker, on_items, on_done, on_failed))
        worker.start()
        self.wake()
        return worker

    def abandon(self, worker: Worker | None) -> None:
        """Stop ``worker`` and drop what it still puts; its errors are shown nevertheless."""
        for job in self._jobs:
            if job.worker is worker:
                job.on_items = job.on_done = job.on_failed = None
                job.worker.stop()

    def finish(self, worker: Worker | None) -> None:
        """Wait for ``worker`` here and deliver what it has put: for what can only come after it."""
        for job in list(self._jobs):
            if job.worker is worker:
                worker.join()
                self._drain(job)
                if not self._jobs:
                    self.idle.emit()

    def wake(self) -> None:
        """Tick again; called when a loader has been given work."""
        if not self._timer.isActive():
            self._timer.start()

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def stop_all(self) -> None:
        for job in self._jobs:
            job.worker.stop()

    def join_all(self) -> None:
        """Stop every worker and wait for it, where no event loop is left to wait in."""
        self.stop_all()
        for job in self._jobs:
            job.worker.join()
        while self._jobs:
            self.tick()
        self._timer.stop()

    def tick(self) -> None:
        deadline = time.perf_counter() + BUDGET_S
        waiting, had_jobs = False, bool(self._jobs)
        for loader in list(self._loaders):
            waiting |= loader.deliver()
        for job in list(self._jobs):
            self._drain(job)
            if time.perf_counter() > deadline:
                break
        if had_jobs and not self._jobs:
            self.idle.emit()
        if not self._jobs and not waiting:
            self._timer.stop()

    def _drain(self, job: _Job) -> None:
        messages = job.worker.drain()
        items = [m.value for m in messages if isinstance(m, Item)]
        if items:
            self._call(job.on_items, items)
        last = messages[-1] if messages else None
        if isinstance(last, Item) or last is None:
            return
        job.worker.join()
        self._jobs.remove(job)
        if isinstance(last, Done):
            self._call(job.on_done, last.result)
        elif isinstance(last, Failed):
            if not isinstance(last.error, Cancelled):
                self.failed.emit(last.error, last.details)
            self._call(job.on_failed, last.error)

    def _call(self, receiver: Callable[[Any], None] | None, value: Any) -> None:
        """An error in the window must not keep the other messages from arriving, the last one above all."""
        if receiver is None:
            return
        try:
            receiver(value)
        except Exception as error:
            self.failed.emit(error, traceback.format_exc())
