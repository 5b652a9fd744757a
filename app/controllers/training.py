"""Training without labels: the GAN whose discriminator finds the boxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from PySide6.QtCore import Signal

from app.controllers.job import Job
from app.controllers.run import RunController, SavedTraining, last_of
from app.models.results import Snapshots
from app.models.training import Kind, Point
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

    def start(self, config: TrainConfig, *, resume: bool = False) -> None:
        """Train a new run on all usable images of the project; with ``resume`` go on with the one shown."""
        session, given = self._session, self._given()
        if given is None:
            return
        session.results.set_kind(self.kind)
        session.change_view(config=config, model=Kind.GAN.value)
        if session.runs.current is None:
            session.follow_rule(Kind.GAN.value)
        saved = self._prepare(config.steps, tr("Preparing images…"), resume=resume)
        if not resume:
            session.results.set_snapshots(Snapshots())
            session.change_view(at="last")
        self._begin(lambda worker: gan_jobs().train(worker, *given, config, saved))

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
        results, step, given = self._session.results, self.status.step, self._given()
        if given is not None and not given[0].is_copy:  # beside a copy there is no place for pixels
            self._pump.run(
                "seen", lambda worker: gan_jobs().seen(worker, *given, config, step), on_done=results.set_seen
            )

    def _on_items(self, items: list[Any]) -> None:
        if (prepared := last_of(items, Prepared)) is not None:
            self._on_prepared(prepared)  # first: what is learned is shown by its pixels
        super()._on_items(items)
        results = self._session.results
        if (snapshots := last_of(items, Snapshots)) is not None:
            results.set_snapshots(snapshots)
        if (seen := last_of(items, BatchSeen)) is not None:
            results.set_seen(seen)
        if reports := [item for item in items if isinstance(item, Progress)]:
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
