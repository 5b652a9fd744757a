"""Training with class labels, the published baseline: the folders that images lie in name the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from app.controllers.run import RunController, SavedTraining, last_of
from app.models.results import Folders
from app.models.training import Kind
from app.worker import Worker
from core.base.config import ClassifierConfig
from core.base.language import tr
from core.learn.labels import Labels, labels_of
from core.learn.reports import ClassifierPoint, ClassifierProgress
from core.project.runs import Run
from core.project.store import ImageRecord
from core.setup import bootstrap


@dataclass(frozen=True, slots=True)
class Ready:
    """Training begins on ``device``."""

    device: str


class ClassTrainingController(RunController):
    """Starts it and passes each step's report on to the results."""

    kind = Kind.CAM

    def start(self, config: ClassifierConfig, *, resume: bool = False) -> None:
        """Train on all images that lie in a class's folder; with ``resume`` go on from the checkpoint."""
        given = self._given()
        if given is not None:
            saved = self._prepare(config.steps, tr("Preparing images…"), resume=resume)
            self._begin(lambda worker: class_jobs().train(worker, *given, config, saved))

    def count_folders(self) -> None:
        """Find out whether the images' folders name classes; :attr:`TrainingResults.folders` says it."""
        records = tuple(self._session.images.records)

        def run(_: Worker) -> Folders:
            labels = project_labels(records)
            return Folders(classes=len(labels.classes), images=len(labels.by_path), known=True)

        self._pump.run("class-folders", run, on_done=self._session.results.set_folders)

    def _on_items(self, items: list[Any]) -> None:
        super()._on_items(items)
        if (ready := last_of(items, Ready)) is not None:
            self._show_device(ready.device)
        if reports := [item for item in items if isinstance(item, ClassifierProgress)]:
            self._learning.add([ClassifierPoint(r.step, r.loss, r.accuracy) for r in reports])
            self._show_progress(reports[-1])


def project_labels(records: Sequence[ImageRecord]) -> Labels:
    """The class of each image of a project, from the folders that the person chose."""
    roots = list(dict.fromkeys(record.root for record in records))
    return labels_of([record.path for record in records], roots)


def read_classifier(run: Run | None) -> SavedTraining:
    """In a thread: how the training of a run with class labels stands."""
    return SavedTraining() if run is None or not run.is_saved else class_jobs().read_classifier(run)


def class_jobs() -> ModuleType:
    """What trains classifiers; torch is loaded here, in the thread of the job that needs it."""
    bootstrap.load("torch")
    from app.controllers import class_jobs as jobs

    return jobs
