"""One training at a time, in a thread of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from app.models.session import Session
from app.models.training import Phase, Point, TrainingStatus
from app.pump import Pump
from app.worker import Worker
from core import checkpoint
from core.checkpoint import TrainState
from core.config import TrainConfig
from core.engine import Progress, Snapshot, resolve_device, samples_of, snapshot_of
from core.errors import BoxscoutError, Cancelled
from core.images.pixels import Pixels
from core.project.store import ImageRecord, Project
from core.workflow import checkpoint_path, load_pixels, train_and_save


@dataclass(frozen=True, slots=True)
class Preparing:
    """How many images have been decoded."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """The pixels that training sees, and the records they were made of.

    ``rows`` says in which row of the pixels an image is, by its id.
    """

    pixels: Pixels
    records: tuple[ImageRecord, ...]
    rows: Mapping[int, int]
    changed: tuple[ImageRecord, ...]
    damaged: tuple[int, ...]
    device: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a training: its last step, whether it reached its end, and its discriminator."""

    step: int
    complete: bool
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class SavedTraining:
    """A project's training as its checkpoint has it; ``warning`` says why one cannot be used."""

    status: TrainingStatus = field(default_factory=TrainingStatus)
    points: tuple[Point, ...] = ()
    samples: npt.NDArray[np.uint8] | None = None
    warning: str = ""


class TrainingController(QObject):
    """Starts, pauses and stops; passes each step's report on to the session."""

    prepared = Signal(object)
    """:class:`Prepared`."""
    snapshot = Signal(object)
    """A :class:`~core.engine.Snapshot` while training."""
    ended = Signal(object)
    """:class:`Saved`, or None where training failed or was stopped before its first step."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pump = pump
        self._worker: Worker | None = None

    @property
    def running(self) -> bool:
        return self._worker is not None

    def start(self, config: TrainConfig, *, resume: bool = False) -> None:
        """Train on all usable images of the project; with ``resume`` go on from its checkpoint."""
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if self.running or project is None or not records:
            return
        session.change_view(config=config)
        status = TrainingStatus(
            phase=Phase.PREPARING,
            steps=config.steps,
            message=self.tr("Preparing images…"),
            saved_step=session.training.saved_step,
        )
        session.reset_training(status, session.points if resume else ())
        self._worker = self._pump.run(
            "training",
            lambda worker: _train(worker, project, records, config, resume=resume),
            on_items=self._on_items,
            on_done=self._on_done,
            on_failed=self._on_failed,
        )

    def pause(self) -> None:
        if self._worker and self._session.training.phase is Phase.TRAINING:
            self._worker.pause()
            self._session.set_training(phase=Phase.PAUSED, message=self.tr("Paused."), seconds_left=None)

    def unpause(self) -> None:
        if self._worker and self._session.training.phase is Phase.PAUSED:
            self._worker.unpause()
            self._session.set_training(phase=Phase.TRAINING, message="")

    def stop(self) -> None:
        """End after the step in hand and save; :attr:`ended` follows."""
        if self._worker:
            self._worker.stop()
            self._session.set_training(phase=Phase.STOPPING, message=self.tr("Saving…"), seconds_left=None)

    def _on_items(self, items: list[Any]) -> None:
        reports = [item for item in items if isinstance(item, Progress)]
        for item in items:
            if isinstance(item, Prepared):
                self._on_prepared(item)
            elif isinstance(item, Preparing) and self._session.training.phase is Phase.PREPARING:
                share = item.done / max(item.total, 1)
                text = self.tr("Preparing images: {done:,} of {total:,}")
                self._session.set_training(
                    fraction=share, message=text.format(done=item.done, total=item.total)
                )
        if reports:
            self._on_progress(reports)

    def _on_prepared(self, prepared: Prepared) -> None:
        self._session.merge_records(prepared.changed)
        for image_id in prepared.damaged:
            self._session.note_condition(image_id, "", damaged=True)
        if self._session.training.phase is Phase.PREPARING:
            text = self._where(prepared.device)
            self._session.set_training(phase=Phase.TRAINING, fraction=0.0, message=text)
        self.prepared.emit(prepared)

    def _where(self, device: str) -> str:
        if device.startswith("cuda"):
            return self.tr("Training on the graphics card.")
        return self.tr("Training on the processor.")

    def _on_progress(self, reports: list[Progress]) -> None:
        """Every number is kept; of pictures and snapshots only the newest is worth the time."""
        session, last = self._session, reports[-1]
        session.add_points([Point(r.step, r.d_loss, r.g_loss, r.ms_ssim) for r in reports])
        samples = [r.samples for r in reports if r.samples is not None]
        if samples:
            session.set_samples(samples[-1])
        snapshots = [r.snapshot for r in reports if r.snapshot is not None]
        if snapshots:
            self.snapshot.emit(snapshots[-1])
        moving = session.training.phase is Phase.TRAINING
        session.set_training(
            step=last.step,
            steps=last.steps,
            fraction=last.fraction,
            steps_per_s=last.steps_per_s,
            seconds_left=last.seconds_left if moving else None,
        )

    def _on_done(self, saved: Saved) -> None:
        self._worker = None
        if saved.complete:
            phase, text = Phase.FINISHED, self.tr("Finished at step {step:,}.")
        else:
            phase, text = Phase.IDLE, self.tr("Stopped at step {step:,}; it can be resumed.")
        self._session.set_training(
            phase=phase,
            step=saved.step,
            saved_step=saved.step or None,
            message=text.format(step=saved.step),
            seconds_left=None,
            fraction=1.0 if saved.complete else self._session.training.fraction,
        )
        self.ended.emit(saved if saved.step else None)

    def _on_failed(self, error: BaseException) -> None:
        self._worker = None
        stopped = isinstance(error, Cancelled)
        text = self.tr("Stopped.") if stopped else self.tr("Training ended with an error.")
        phase = Phase.IDLE if stopped else Phase.FAILED
        session = self._session
        saved = session.training.saved_step
        if (
            session.project is not None
            and session.training.step
            and checkpoint_path(session.project).exists()
        ):
            saved = session.training.step
        session.set_training(phase=phase, message=text, seconds_left=None, steps_per_s=0.0, saved_step=saved)
        self.ended.emit(None)


def read_checkpoint(project: Project) -> SavedTraining:
    """How a project's training stands, for its opening."""
    path = checkpoint_path(project)
    if not path.exists():
        return SavedTraining()
    try:
        state = checkpoint.load(path)
    except BoxscoutError as error:
        return SavedTraining(warning=str(error))
    complete = _complete(state.config, state)
    status = TrainingStatus(
        phase=Phase.FINISHED if complete else Phase.IDLE,
        step=state.step,
        steps=state.config.steps,
        fraction=1.0 if complete else state.step / state.config.steps,
        saved_step=state.step or None,
    )
    points = tuple(Point(p.step, p.d_loss, p.g_loss, p.ms_ssim) for p in state.history)
    makes_samples = state.step > 0 and state.config.adversarial > 0
    return SavedTraining(status, points, samples_of(state) if makes_samples else None)


def saved_snapshot(path: Path) -> Snapshot:
    """The discriminator of a checkpoint; CheckpointError where there is none."""
    return snapshot_of(checkpoint.load(path))


def _prepared(project: Project, records: tuple[ImageRecord, ...], pixels: Pixels, device: str) -> Prepared:
    """All that the window wants to know of the pixels, looked up here and not in its thread."""
    known = set(records)
    changed = tuple(record for record in project.images() if record not in known)
    ids = {record.path: record.id for record in records}
    rows = {ids[file.path]: row for row, file in enumerate(pixels.files)}
    damaged = tuple(image_id for image_id, row in rows.items() if row in pixels.truncated)
    return Prepared(pixels, records, rows, changed, damaged, device)


def _complete(config: TrainConfig, state: TrainState) -> bool:
    out_of_time = config.minutes is not None and state.elapsed_s >= 60 * config.minutes
    return state.step >= config.steps or out_of_time


def _train(
    worker: Worker, project: Project, records: tuple[ImageRecord, ...], config: TrainConfig, *, resume: bool
) -> Saved:
    """What the training thread does."""
    device = str(resolve_device(config.device))
    path = checkpoint_path(project)
    state = checkpoint.load(path) if resume else checkpoint.new_state(config)
    if resume:
        # What was learned fits only the networks it was learned with; the budget may be another.
        kept = ("steps", "minutes", "sample_every", "snapshot_every", "device", "precision")
        config = state.config.with_(**{name: getattr(config, name) for name in kept})
    pixels = load_pixels(
        project,
        records,
        size=config.image_size,
        on_progress=lambda done, total: worker.put(Preparing(done, total)),
        cancelled=worker.is_stopping,
    )
    worker.put(_prepared(project, records, pixels, device))
    steps = train_and_save(config, pixels, path, state)
    try:
        for progress in steps:
            worker.put(progress)
            # The window draws between two steps; on the GPU steps are so fast that it would starve.
            time.sleep(0)
            if not worker.wait_while_paused():
                break
    finally:
        steps.close()  # type: ignore[attr-defined]
    return Saved(state.step, _complete(config, state), snapshot_of(state))
