"""Training without labels: the GAN whose discriminator finds the boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal

from app.controllers.run import Preparing, RunController, Saved, run_steps
from app.models.results import Snapshots
from app.models.session import Session
from app.models.training import Kind, Phase, Point, TrainingStatus
from app.worker import Worker
from core.base.config import TrainConfig
from core.base.devices import resolve_device
from core.base.errors import BoxscoutError
from core.base.language import tr
from core.images.pixels import Pixels
from core.learn import checkpoint
from core.learn.batches import BatchSeen, batch_seen, fewest_images
from core.learn.checkpoint import TrainState
from core.learn.engine import Progress, Snapshot, samples_of, snapshot_of
from core.learn.signals import yardstick
from core.learn.snapshots import kept_signals, snapshots_dir
from core.learn.stopping import Estimate
from core.project.fitting import FolderSummary, summarized
from core.project.runs import Run
from core.project.store import ImageRecord, Project
from core.project.workflow import load_pixels, train_and_save, training_run

# Heat maps are shown after these steps too, long before the first snapshot that is kept and measured.
_FIRST_LOOKS = (5, 20, 50, 200, 500)


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
class SavedTraining:
    """A project's training as its checkpoint has it; ``warning`` says why one cannot be used."""

    status: TrainingStatus = field(default_factory=TrainingStatus)
    points: tuple[Point, ...] = ()
    samples: npt.NDArray[np.uint8] | None = None
    snapshots: Snapshots = field(default_factory=Snapshots)
    warning: str = ""

    def show(self, session: Session) -> None:
        """Let the window show it."""
        session.reset_training(self.status, self.points)
        if self.samples is not None:
            session.set_samples(self.samples)
        session.results.set_snapshots(self.snapshots)


class TrainingController(RunController):
    """Starts it and passes each step's report on to the session."""

    kind = Kind.GAN
    _summarizing: Worker | None = None

    prepared = Signal(object)
    """:class:`Prepared`."""
    snapshot = Signal(object)
    """A :class:`~core.learn.engine.Snapshot` while training."""

    @property
    def status(self) -> TrainingStatus:
        return self._session.training

    def _set(self, **fields: Any) -> None:
        self._session.set_training(**fields)

    def start(self, config: TrainConfig, *, resume: bool = False) -> None:
        """Train a new run on all usable images of the project; with ``resume`` go on with the one shown."""
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if self.running or project is None or not records:
            return
        session.change_view(config=config, model=Kind.GAN.value)
        status = TrainingStatus(
            phase=Phase.PREPARING,
            steps=config.steps,
            message=tr("Preparing images…"),
            saved_step=session.training.saved_step if resume else None,
        )
        session.reset_training(status, session.points if resume else ())
        if not resume:
            session.results.set_snapshots(Snapshots())
            session.change_view(at="last")
        saved = session.runs.of(self.kind) if resume else None
        self._begin(lambda worker: _train(worker, project, records, config, saved))

    def summarize(self) -> None:
        """Find out how many images there are and how large; :attr:`TrainingResults.summary` says it."""
        records = tuple(self._session.images.records)
        self._pump.abandon(self._summarizing)
        if not records:
            self._session.results.set_summary(FolderSummary(0))
            return
        self._summarizing = self._pump.run(
            "summary", lambda _: summarized(records), on_done=self._session.results.set_summary
        )

    def look(self, config: TrainConfig) -> None:
        """Show a batch as the discriminator of ``config`` would see it; while training it is shown anyway."""
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if self.running or project is None or project.is_copy or len(records) < fewest_images(config):
            return  # beside a copy there is no place for pixels

        def run(worker: Worker) -> BatchSeen:
            pixels = load_pixels(project, records, size=config.image_size, cancelled=worker.is_stopping)
            return batch_seen(config, pixels.array, step=session.training.step)

        self._pump.run("seen", run, on_done=session.results.set_seen)

    def _on_items(self, items: list[Any]) -> None:
        results = self._session.results
        for item in items:
            if isinstance(item, Run):
                self._session.runs.show(item)
            elif isinstance(item, Prepared):
                self._on_prepared(item)
            elif isinstance(item, Preparing) and self.status.phase is Phase.PREPARING:
                self._show_preparing(item)
            elif isinstance(item, Snapshots):
                results.set_snapshots(item)
        looks = [item for item in items if isinstance(item, Snapshot)]
        if looks:
            self.snapshot.emit(looks[-1])
        seen = [item for item in items if isinstance(item, BatchSeen)]
        if seen:
            results.set_seen(seen[-1])
        reports = [item for item in items if isinstance(item, Progress)]
        if reports:
            self._on_progress(reports)

    def _on_prepared(self, prepared: Prepared) -> None:
        self._session.merge_records(prepared.changed)
        for image_id in prepared.damaged:
            self._session.problems.note(image_id, "", damaged=True)
        self._show_device(prepared.device)
        self.prepared.emit(prepared)

    def _on_progress(self, reports: list[Progress]) -> None:
        """Every number is kept; of pictures and snapshots only the newest is worth the time."""
        session = self._session
        session.add_points(
            [Point(r.step, r.d_loss, r.g_loss, r.ms_ssim, r.background_accuracy) for r in reports]
        )
        samples = [r.samples for r in reports if r.samples is not None]
        if samples:
            session.set_samples(samples[-1])
        snapshots = [r.snapshot for r in reports if r.snapshot is not None]
        if snapshots:
            self.snapshot.emit(snapshots[-1])
        self._show_progress(reports[-1])


def read_checkpoint(run: Run | None) -> SavedTraining:
    """How the training of a run stands."""
    if run is None or not run.is_saved:
        return SavedTraining()
    try:
        state = checkpoint.load(run.file)
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
    points = tuple(
        Point(p.step, p.d_loss, p.g_loss, p.ms_ssim, p.background_accuracy) for p in state.points()
    )
    makes_samples = state.step > 0 and state.config.adversarial > 0
    samples = samples_of(state) if makes_samples else None
    return SavedTraining(status, points, samples, _snapshots(state, run.file))


def _snapshots(state: TrainState, path: Path) -> Snapshots:
    """The snapshots of ``state`` that are kept beside its checkpoint."""
    measured = state.signals[-1] if state.signals else None
    real = Estimate(measured.real_ms_ssim, measured.real_ms_ssim_error) if measured else None
    both = state.config.background > 0 and state.config.adversarial > 0
    return Snapshots(signals=tuple(kept_signals(state, snapshots_dir(path))), real=real, both_units=both)


def _prepared(project: Project, records: tuple[ImageRecord, ...], pixels: Pixels, device: str) -> Prepared:
    """All that the window wants to know of the pixels, looked up here and not in its thread."""
    known = set(records)
    changed = tuple(record for record in project.images() if record not in known)
    ids = {record.path: record.id for record in records}
    rows = {ids[file.path]: row for row, file in enumerate(pixels.files)}
    damaged = tuple(image_id for image_id, row in rows.items() if row in pixels.truncated)
    return Prepared(pixels, records, rows, changed, damaged, device)


def _put_real_images(worker: Worker, config: TrainConfig, pixels: Pixels, state: TrainState) -> None:
    """What can be shown before the first snapshot, which may be minutes away."""
    worker.put(batch_seen(config, pixels.array, step=state.step))
    if not state.signals:
        real = yardstick(config, pixels.array, resolve_device(config.device)).real_ms_ssim
        worker.put(Snapshots(real=real))


def _complete(config: TrainConfig, state: TrainState) -> bool:
    out_of_time = config.minutes is not None and state.elapsed_s >= 60 * config.minutes
    return state.step >= config.steps or out_of_time


def _begun(config: TrainConfig, saved: Run | None) -> tuple[TrainConfig, TrainState]:
    """The state to train, and its config: what was learned fits only the networks it was learned with."""
    if saved is None:
        return config, checkpoint.new_state(config)
    state = checkpoint.load(saved.file)
    kept = ("steps", "minutes", "sample_every", "snapshot_every", "device", "precision")
    return state.config.with_(**{name: getattr(config, name) for name in kept}), state


def _train(
    worker: Worker,
    project: Project,
    records: tuple[ImageRecord, ...],
    config: TrainConfig,
    saved: Run | None,
) -> Saved:
    """What the training thread does."""
    device = str(resolve_device(config.device))
    config, state = _begun(config, saved)
    pixels = load_pixels(
        project,
        records,
        size=config.image_size,
        on_progress=lambda done, total: worker.put(Preparing(done, total)),
        cancelled=worker.is_stopping,
    )
    worker.put(_prepared(project, records, pixels, device))
    if len(pixels.files) >= fewest_images(config):
        _put_real_images(worker, config, pixels, state)
    with training_run(project, Kind.GAN.value, saved) as run:
        worker.put(run)
        for progress in run_steps(worker, project, run, train_and_save(config, pixels, run.file, state)):
            if state.step in _FIRST_LOOKS and progress.snapshot is None:
                worker.put(snapshot_of(state))
            if progress.samples is not None:
                worker.put(batch_seen(config, pixels.array, step=state.step))
            if progress.signal is not None:
                worker.put(_snapshots(state, run.file))
    return Saved(state.step, _complete(config, state), snapshot_of(state))
