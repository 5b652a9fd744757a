"""Training with class labels, the published baseline: the folders that images lie in name the classes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.controllers.run import Preparing, RunController, Saved
from app.models.results import Folders
from app.models.training import Kind, Phase, TrainingStatus
from app.worker import Worker
from core.base.config import ClassifierConfig
from core.base.devices import resolve_device
from core.base.errors import BoxscoutError, TrainingError
from core.base.language import tr
from core.learn import class_training as classify
from core.learn.class_training import ClassifierPoint, ClassifierProgress, ClassifierState
from core.learn.labels import Labels, labels_of
from core.project.store import ImageRecord, Project
from core.project.workflow import classifier_path, load_pixels, train_classifier_and_save


@dataclass(frozen=True, slots=True)
class Ready:
    """Training begins on ``device``; ``changed`` are the records that decoding told something new of."""

    device: str
    changed: tuple[ImageRecord, ...]


@dataclass(frozen=True, slots=True)
class SavedClasses:
    """A project's training with class labels as its checkpoint has it."""

    status: TrainingStatus = field(default_factory=TrainingStatus)
    points: tuple[ClassifierPoint, ...] = ()
    config: ClassifierConfig | None = None
    warning: str = ""


class ClassTrainingController(RunController):
    """Starts it and passes each step's report on to the results."""

    kind = Kind.CAM

    @property
    def status(self) -> TrainingStatus:
        return self._session.results.labelled

    def _set(self, **fields: Any) -> None:
        self._session.results.set_labelled(**fields)

    def _is_saved(self) -> bool:
        project = self._session.project
        return project is not None and classifier_path(project).exists()

    def start(self, config: ClassifierConfig, *, resume: bool = False) -> None:
        """Train on all images that lie in a class's folder; with ``resume`` go on from the checkpoint."""
        session = self._session
        project, records = session.project, tuple(session.images.records)
        if self.running or project is None or not records:
            return
        results = session.results
        status = TrainingStatus(
            phase=Phase.PREPARING,
            steps=config.steps,
            message=tr("Preparing images…"),
            saved_step=results.labelled.saved_step,
        )
        results.reset_labelled(status, results.labelled_points if resume else ())
        self._begin(lambda worker: _train(worker, project, records, config, resume=resume))

    def count_folders(self) -> None:
        """Find out whether the images' folders name classes; :attr:`TrainingResults.folders` says it."""
        records = tuple(self._session.images.records)

        def run(_: Worker) -> Folders:
            labels = project_labels(records)
            return Folders(classes=len(labels.classes), images=len(labels.by_path), known=True)

        self._pump.run("class-folders", run, on_done=self._session.results.set_folders)

    def _on_items(self, items: list[Any]) -> None:
        reports = [item for item in items if isinstance(item, ClassifierProgress)]
        for item in items:
            if isinstance(item, Preparing) and self.status.phase is Phase.PREPARING:
                self._show_preparing(item)
            elif isinstance(item, Ready):
                self._session.merge_records(item.changed)
                self._show_device(item.device)
        if reports:
            points = [ClassifierPoint(r.step, r.loss, r.accuracy) for r in reports]
            self._session.results.add_labelled_points(points)
            self._show_progress(reports[-1])


def read_classifier(project: Project) -> SavedClasses:
    """How a project's training with class labels stands, for its opening."""
    path = classifier_path(project)
    if not path.exists():
        return SavedClasses()
    try:
        state = classify.load(path)
    except BoxscoutError as error:
        return SavedClasses(warning=str(error))
    complete = _complete(state)
    status = TrainingStatus(
        phase=Phase.FINISHED if complete else Phase.IDLE,
        step=state.step,
        steps=state.config.steps,
        fraction=1.0 if complete else state.step / state.config.steps,
        saved_step=state.step or None,
    )
    return SavedClasses(status, tuple(state.points()), state.config)


def project_labels(records: Sequence[ImageRecord]) -> Labels:
    """The class of each image of a project, from the folders that the person chose."""
    roots = list(dict.fromkeys(record.root for record in records))
    return labels_of([record.path for record in records], roots)


def _complete(state: ClassifierState) -> bool:
    config = state.config
    out_of_time = config.minutes is not None and state.elapsed_s >= 60 * config.minutes
    return state.step >= config.steps or out_of_time


def _begun(
    path: Path, config: ClassifierConfig, classes: Sequence[str], *, resume: bool
) -> tuple[ClassifierConfig, ClassifierState]:
    """The state to train, and its config: what was learned fits only the network it was learned with."""
    if not resume:
        return config, classify.new_state(config, classes)
    state = classify.load(path)
    if set(state.classes) != set(classes):
        raise TrainingError(
            tr("The folders name other classes than those that were trained; start over to train these.")
        )
    kept = ("steps", "minutes", "report_every", "device", "precision")
    return state.config.with_(**{name: getattr(config, name) for name in kept}), state


def _train(
    worker: Worker,
    project: Project,
    records: tuple[ImageRecord, ...],
    config: ClassifierConfig,
    *,
    resume: bool,
) -> Saved:
    """What the training thread does."""
    path = classifier_path(project)
    labels = project_labels(records)
    config, state = _begun(path, config, labels.classes, resume=resume)
    pixels = load_pixels(
        project,
        [record for record in records if record.path in labels.by_path],
        size=config.image_size,
        on_progress=lambda done, total: worker.put(Preparing(done, total)),
        cancelled=worker.is_stopping,
    )
    known = set(records)
    changed = tuple(record for record in project.images() if record not in known)
    worker.put(Ready(str(resolve_device(config.device)), changed))
    rows = labels.rows([file.path for file in pixels.files])
    steps = train_classifier_and_save(config, pixels, rows, path, state)
    try:
        for progress in steps:
            worker.put(progress)
            time.sleep(0)  # the window draws between two steps
            if not worker.wait_while_paused():
                break
    finally:
        steps.close()
    return Saved(state.step, _complete(state))
