"""What both kinds of training have in common: start, pause, stop, and how they end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from app.controllers.job import Controller
from app.controllers.sources import Newest, Source
from app.models.results import Snapshots
from app.models.session import Session
from app.models.training import Kind, Learning, Phase, TrainingStatus
from app.pump import Pump
from app.worker import Worker
from core.base.errors import Cancelled
from core.base.language import tr
from core.learn.reports import ClassifierProgress, Progress
from core.project.runs import Run
from core.project.search import note_training
from core.project.store import ImageRecord, Project

ItemT = TypeVar("ItemT")
ReportT = TypeVar("ReportT", Progress, ClassifierProgress)


@dataclass(frozen=True, slots=True)
class Preparing:
    """How many images have been decoded."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a training: its last step, whether it reached its end, and what makes heat maps by it.

    ``source`` is None where that is to be read from what was saved.
    """

    step: int
    complete: bool
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class SavedTraining:
    """A training as it was saved; ``warning`` says why it cannot be used."""

    status: TrainingStatus = field(default_factory=TrainingStatus)
    points: tuple[Any, ...] = ()
    samples: npt.NDArray[np.uint8] | None = None
    snapshots: Snapshots = field(default_factory=Snapshots)
    warning: str = ""

    @classmethod
    def at(cls, step: int, steps: int, *, complete: bool, message: str = "", **others: Any) -> SavedTraining:
        """One that was saved after ``step`` of ``steps``, and that has come to its end or not."""
        status = TrainingStatus(
            phase=Phase.FINISHED if complete else Phase.IDLE,
            step=step,
            steps=steps,
            fraction=1.0 if complete else step / steps,
            message=message,
            saved_step=step or None,
        )
        return cls(status, **others)

    def show(self, session: Session, kind: Kind) -> None:
        session.learning_of(kind).reset(self.status, self.points)
        if kind is not Kind.CAM:
            if self.samples is not None:
                session.set_samples(self.samples)
            session.results.set_snapshots(self.snapshots)


def changed_records(project: Project, before: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Those of which a job has found something out since ``before``."""
    known = set(before)
    return [record for record in project.images() if record not in known]


def last_of(items: list[Any], kind: type[ItemT]) -> ItemT | None:
    """The newest of this kind, which is all that counts of some."""
    return next((item for item in reversed(items) if isinstance(item, kind)), None)


def run_steps(
    worker: Worker, project: Project, run: Run, steps: Generator[ReportT, None, None]
) -> Iterator[ReportT]:
    """Put each report of a training and pass it on; paused and stopped as the person wishes."""
    last = None
    try:
        for progress in steps:
            last = progress
            worker.put(progress)
            yield progress
            # The window draws between two steps; on the GPU steps are so fast that it would starve.
            time.sleep(0)
            if not worker.wait_while_paused():
                break
    finally:
        steps.close()
        if last is not None:
            note_training(project, run, complete=last.fraction >= 1.0)


class RunController(Controller):
    """One training at a time, in a thread of its own."""

    kind: Kind

    source = Signal(object)
    """The :class:`~app.controllers.sources.Source` by what is known so far."""
    ended = Signal(object)
    """:class:`Saved`, or None where training failed or was stopped before its first step."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self._worker: Worker | None = None

    @property
    def running(self) -> bool:
        return self._worker is not None

    @property
    def _learning(self) -> Learning:
        return self._session.learning_of(self.kind)

    @property
    def status(self) -> TrainingStatus:
        return self._learning.status

    def _given(self) -> tuple[Project, tuple[ImageRecord, ...]] | None:
        """What can be learned from now; None where there is nothing, or a training is under way."""
        project, records = self._session.project, tuple(self._session.images.records)
        return None if self.running or project is None or not records else (project, records)

    def _on_items(self, items: list[Any]) -> None:
        for item in items:
            if isinstance(item, Run):
                self._session.runs.show(item)
            elif isinstance(item, list):
                self._session.merge_records(item)
            elif isinstance(item, Preparing) and self.status.phase is Phase.PREPARING:
                self._show_preparing(item)
        newest = last_of(items, Newest)
        if newest is not None:
            self.source.emit(newest.source)

    def pause(self) -> None:
        if self._worker and self.status.phase is Phase.TRAINING:
            self._worker.pause()
            self._learning.set(phase=Phase.PAUSED, message=tr("Paused."), seconds_left=None)

    def unpause(self) -> None:
        if self._worker and self.status.phase is Phase.PAUSED:
            self._worker.unpause()
            self._learning.set(phase=Phase.TRAINING, message="")

    def pause_or_go_on(self) -> None:
        if self.status.phase is Phase.PAUSED:
            self.unpause()
        else:
            self.pause()

    def stop(self) -> None:
        """End after the step in hand and save; :attr:`ended` follows."""
        if self._worker:
            self._worker.stop()
            self._learning.set(phase=Phase.STOPPING, message=tr("Saving…"), seconds_left=None)

    def _prepare(self, steps: int, text: str, *, resume: bool = False) -> Run | None:
        """Show that a training of so many ``steps`` begins; the run that it goes on with, if it does."""
        saved_step = self.status.saved_step if resume else None
        status = TrainingStatus(phase=Phase.PREPARING, steps=steps, message=text, saved_step=saved_step)
        self._learning.reset(status, self._learning.points if resume else ())
        self._session.results.set_outcome(None)
        return self._session.runs.of(self.kind) if resume else None

    def _begin(self, target: Callable[[Worker], Saved]) -> None:
        self._session.results.set_kind(self.kind)
        self._worker = self._pump.run(
            f"training-{self.kind.value}",
            target,
            on_items=self._on_items,
            on_done=self._on_done,
            on_failed=self._on_failed,
        )

    def _show_preparing(self, report: Preparing) -> None:
        self._learning.set(
            fraction=report.done / max(report.total, 1),
            message=tr("Preparing images: {done:,} of {total:,}").format(
                done=report.done, total=report.total
            ),
        )

    def _show_device(self, device: str) -> None:
        if self.status.phase is Phase.PREPARING:
            on_card = device.startswith("cuda")
            card, processor = tr("Training on the graphics card."), tr("Training on the processor.")
            self._learning.set(phase=Phase.TRAINING, fraction=0.0, message=card if on_card else processor)

    def _show_progress(self, report: Any) -> None:
        moving = self.status.phase is Phase.TRAINING
        self._learning.set(
            step=report.step,
            steps=report.steps,
            fraction=report.fraction,
            steps_per_s=report.steps_per_s,
            seconds_left=report.seconds_left if moving else None,
        )

    def _on_done(self, saved: Saved) -> None:
        self._worker = None
        self._learning.set(
            phase=Phase.FINISHED if saved.complete else Phase.IDLE,
            step=saved.step,
            saved_step=saved.step or None,
            message=self._ended_text(saved),
            seconds_left=None,
            fraction=1.0 if saved.complete else self.status.fraction,
        )
        self.ended.emit(saved if saved.step else None)

    def _ended_text(self, saved: Saved) -> str:
        """One sentence that says what a training has come to."""
        if saved.complete:
            return tr("Finished at step {step:,}.").format(step=saved.step)
        return tr("Stopped at step {step:,}; it can be resumed.").format(step=saved.step)

    def _on_failed(self, error: BaseException) -> None:
        self._worker = None
        stopped = isinstance(error, Cancelled)
        text = tr("Stopped.") if stopped else tr("Training ended with an error.")
        phase, saved = Phase.IDLE if stopped else Phase.FAILED, self.status.saved_step
        run = self._session.runs.of(self.kind)
        if self._session.project is not None and self.status.step and run is not None and run.is_saved:
            saved = self.status.step
        self._learning.set(phase=phase, message=text, seconds_left=None, steps_per_s=0.0, saved_step=saved)
        self.ended.emit(None)
