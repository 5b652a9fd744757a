"""What controllers share: the session, the pump, and jobs of which one at a time is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from app.models.session import Session
from app.models.training import Activity
from app.pump import Pump
from app.worker import Worker
from core.base.errors import ProjectError


class Job:
    """Work in a thread of its own, which the status bar may tell of; a new start gives the former up."""

    def __init__(self, session: Session, pump: Pump, name: str) -> None:
        self._session, self._pump, self.name = session, pump, name
        self._worker: Worker | None = None

    @property
    def running(self) -> bool:
        return self._worker is not None

    def start(
        self,
        target: Callable[[Worker], Any],
        *,
        text: str = "",
        can_stop: bool = True,
        on_items: Callable[[list[Any]], None] | None = None,
        on_done: Callable[[Any], object] | None = None,
        on_failed: Callable[[BaseException], object] | None = None,
    ) -> None:
        """Run ``target``; with ``text`` the status bar says so until the end, which comes before the answer.

        ``on_items`` gets what the target has put, ``on_done`` what it returns, ``on_failed`` what it raises.
        """

        def ended(answer: Callable[[Any], object] | None, value: Any) -> None:
            self._end()
            if answer is not None:
                answer(value)

        self._pump.abandon(self._worker)
        self._worker = self._pump.run(
            self.name,
            target,
            on_items=on_items,
            on_done=lambda result: ended(on_done, result),
            on_failed=lambda error: ended(on_failed, error),
        )
        if text:  # who hears of it sees that it is running
            self.tell(text, can_stop=can_stop)

    def tell(self, text: str, done: int = 0, total: int = 0, *, can_stop: bool = True) -> None:
        """Say in the status bar what is under way, and how far."""
        self._session.set_activity(self.name, Activity(text=text, done=done, total=total, can_stop=can_stop))

    def stop(self) -> None:
        """Ask the target to end; it still answers."""
        if self._worker is not None:
            self._worker.stop()

    def finish(self) -> None:
        """Wait here for its answer."""
        self._pump.finish(self._worker)

    def abandon(self) -> None:
        """Stop, and hear nothing more of it."""
        self._pump.abandon(self._worker)
        self._end()

    def _end(self) -> None:
        self._worker = None
        if self.name in self._session.activities:
            self._session.set_activity(self.name, None)


class Controller(QObject):
    """Turns what a person wants into calls of the core."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._pump = session, pump
        self._jobs: list[Job] = []

    def _job(self, name: str) -> Job:
        """A job that ends with the project."""
        self._jobs.append(Job(self._session, self._pump, name))
        return self._jobs[-1]

    def abandon(self) -> None:
        for job in self._jobs:
            job.abandon()

    def _told(self) -> _Told:
        return _Told(self._session)


class _Told:
    """``with`` it: where the project cannot be read or written, the person is told, and the rest left out."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        is_told = isinstance(error, ProjectError)
        if is_told:
            self._session.error.emit(error, "")
        return is_told
