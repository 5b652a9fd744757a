"""Training without labels: the GAN whose discriminator finds the boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from PySide6.QtCore import Signal

from app.controllers.job import Job
from app.controllers.run import Preparing, RunController, SavedTraining
from app.controllers.sources import Newest
from app.models.results import Snapshots
from app.models.training import Kind, Phase, Point, TrainingStatus
from core.base.config import TrainConfig
from core.base.language import tr
from core.images.pixels import Pixels
from core.learn.reports import BatchSeen, Progress
from core.project.fitting import FolderSummary, summarized
from core.project.runs import Run
from core.project.store import ImageRecord
from core.setup import bootstrap


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


class TrainingController(RunController):
    """Starts it and passes each step's report on to the session."""

    kind = Kind.GAN

    prepared = Signal(object)
    """:class:`Prepared`."""
    source = Signal(object)
    """The :class:`~app.controllers.sources.Source` by the newest discriminator while training."""

    def start(self, config: TrainConfig, *, resume: bool = False) -> None:
        """Train a new run on all usable images of the project; with ``resume`` go on with the one shown."""
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if self.running or project is None or not records:
            return
        session.results.set_kind(self.kind)
        session.change_view(config=config, model=Kind.GAN.value)
        if session.runs.current is None:
            session.follow_rule(Kind.GAN.value)
        status = TrainingStatus(
            phase=Phase.PREPARING,
            steps=config.steps,
            message=tr("Preparing images…"),
            saved_step=self.status.saved_step if resume else None,
        )
        self._learning.reset(status, self._learning.points if resume else ())
        if not resume:
            session.results.set_snapshots(Snapshots())
            session.change_view(at="last")
        saved = session.runs.of(self.kind) if resume else None
        self._begin(lambda worker: gan_jobs().train(worker, project, records, config, saved))

    @cached_property
    def _summarizing(self) -> Job:
        return self._job("summary")

    def summarize(self) -> None:
        """Find out how many images there are and how large; :attr:`TrainingResults.summary` says it."""
        records, results = tuple(self._session.images.records), self._session.results
        self._summarizing.abandon()
        if records:
            self._summarizing.start(lambda _: summarized(records), on_done=results.set_summary)
        else:
            results.set_summary(FolderSummary(0))

    def look(self, config: TrainConfig) -> None:
        """Show a batch as the discriminator of ``config`` would see it; while training it is shown anyway."""
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if self.running or project is None or project.is_copy or not records:
            return  # beside a copy there is no place for pixels
        step = session.training.step
        self._pump.run(
            "seen",
            lambda worker: gan_jobs().seen(worker, project, records, config, step),
            on_done=session.results.set_seen,
        )

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
        looks = [item.source for item in items if isinstance(item, Newest)]
        if looks:
            self.source.emit(looks[-1])
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
        """Every number is kept; of pictures only the newest is worth the time."""
        session = self._session
        self._learning.add(
            [Point(r.step, r.d_loss, r.g_loss, r.ms_ssim, r.background_accuracy) for r in reports]
        )
        samples = [r.samples for r in reports if r.samples is not None]
        if samples:
            session.set_samples(samples[-1])
        self._show_progress(reports[-1])


def read_checkpoint(run: Run | None) -> SavedTraining:
    """In a thread: how the training of a run stands."""
    return SavedTraining() if run is None or not run.is_saved else gan_jobs().read_checkpoint(run)


def gan_jobs() -> ModuleType:
    """What trains GANs. torch is loaded here: in the thread of the job that needs it, not with the window."""
    bootstrap.load("torch")
    from app.controllers import gan_jobs as jobs

    return jobs
