"""Learning from frozen features: the default, a minute long, without torch."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal

from app.controllers.run import RunController, Saved, SavedTraining, changed_records, last_of
from app.controllers.sources import Newest, UnitSource
from app.controllers.training import read_checkpoint
from app.models.results import Snapshots
from app.models.training import Kind, Phase
from app.worker import Worker
from core.base.config import FeaturesConfig
from core.base.errors import BoxscoutError, Cancelled
from core.base.language import tr, trn
from core.learn.frozen import Learned
from core.nets.features import Features
from core.project.learning import KIND, features_of, learn_and_save, saved_unit
from core.project.runs import Run
from core.project.search import note_training
from core.project.store import ImageRecord, Project
from core.project.workflow import training_run


@dataclass(frozen=True, slots=True)
class Ready:
    """The features are loaded; ``note`` is one sentence where they are not computed as usual."""

    note: str


class LearningController(RunController):
    """Starts it, and passes on how far it is and what it sees by now."""

    kind = Kind.FEATURES

    begun = Signal()

    def start(self, config: FeaturesConfig) -> None:
        """Learn from a sample of all usable images of the project, in a new run."""
        session, given = self._session, self._given()
        if given is None:
            return
        session.results.set_kind(self.kind)
        session.change_view(config=config, model=self.kind.value, at="last")
        if session.runs.current is None:
            session.follow_rule(self.kind.value)
        self._prepare(len(given[1]), tr("Loading the features…"))
        session.results.set_snapshots(Snapshots())
        self.begun.emit()
        self._begin(lambda worker: _learn(worker, *given, config))

    def stop(self) -> None:
        """End at once; nothing is kept."""
        super().stop()
        if self.running:
            self._learning.set(message=tr("Stopping…"))

    def _on_items(self, items: list[Any]) -> None:
        super()._on_items(items)
        ready, report = last_of(items, Ready), last_of(items, Learned)
        if ready is not None and self.status.phase is Phase.PREPARING:
            text = tr("Looking for what your images have in common…")
            self._learning.set(phase=Phase.TRAINING, message=" ".join(filter(None, (text, ready.note))))
        if report is not None:
            self._show(report)

    def _show(self, report: Learned) -> None:
        moving = self.status.phase is Phase.TRAINING
        self._learning.set(
            step=report.done,
            steps=report.images,
            fraction=report.fraction,
            seconds_left=report.seconds_left if moving else None,
        )

    def _ended_text(self, saved: Saved) -> str:
        return learned_text(saved.step)


def learned_text(images: int) -> str:
    """One sentence about a learning that has come to its end."""
    return trn("Learned from {count} image.", "Learned from {count} images.", images)


def read_training(run: Run | None) -> SavedTraining:
    """In a thread: how a run without labels of the person's stands."""
    if run is None or run.kind != KIND or not run.is_saved:
        return read_checkpoint(run)
    try:
        unit = saved_unit(run)
    except BoxscoutError as error:
        return SavedTraining(warning=str(error))
    images = unit.images
    return SavedTraining.at(images, images, complete=True, message=learned_text(images))


def _learn(
    worker: Worker, project: Project, records: tuple[ImageRecord, ...], config: FeaturesConfig
) -> Saved:
    features = features_of(config)
    worker.put(Ready(features.note))
    with training_run(project, KIND, preset=KIND) as run:
        worker.put(run)
        source, last = _follow(worker, project, records, config, features, run)
        note_training(project, run, complete=True)
    worker.put(changed_records(project, records))
    return Saved(last.done, True, source)


def _follow(
    worker: Worker,
    project: Project,
    records: tuple[ImageRecord, ...],
    config: FeaturesConfig,
    features: Features,
    run: Run,
) -> tuple[UnitSource, Learned]:
    """Learn to the end, and report."""
    source, looks = None, 0
    steps = learn_and_save(project, records, config, features, run, cancelled=worker.is_stopping)
    with closing(steps):
        for report in steps:
            worker.put(report)
            if report.localizer is not None:
                # Two looks are told apart by their number alone; the last one has that of its maps on disk.
                looks -= 1
                step = report.localizer.images if report.complete else looks
                source = UnitSource(report.localizer, features, step)
                worker.put(Newest(source))
            if not report.complete and not worker.wait_while_paused():
                raise Cancelled
    assert source is not None, "the last report has what was learned"
    return source, report
