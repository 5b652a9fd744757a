"""Training with class labels, the published baseline: the folders that images lie in name the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.controllers.run import Preparing, RunController, Saved, run_steps
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
from core.project.runs import Run
from core.project.store import ImageRecord, Project
from core.project.workflow import load_pixels, train_classifier_and_save, training_run


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
            saved_step=results.labelled.saved_step if resume else None,
        )
        results.reset_labelled(status, results.labelled_points if resume else ())
        saved = session.runs.of(self.kind) if resume else None
        self._begin(lambda worker: _train(worker, project, records, config, saved))

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
            if isinstance(item, Run):
                self._session.runs.show(item)
            elif isinstance(item, Preparing) and self.status.phase is Phase.PREPARING:
                self._show_preparing(item)
            elif isinstance(item, Ready):
                self._session.merge_records(item.changed)
                self._show_device(item.device)
        if reports:
            points = [ClassifierPoint(r.step, r.loss, r.accuracy) for r in reports]
            self._session.results.add_labelled_points(points)
            self._show_progress(reports[-1])


def read_classifier(run: Run | None) -> SavedClasses:
    """How the training of a run with class labels stands."""
    if run is None or not run.is_saved:
        return SavedClasses()
    try:
        state = classify.load(run.file)
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
    saved: Run | None, config: ClassifierConfig, classes: Sequence[str]
) -> tuple[ClassifierConfig, ClassifierState]:
    """The state to train, and its config: what was learned fits only the network it was learned with."""
    if saved is None:
        return config, classify.new_state(config, classes)
    state = classify.load(saved.file)
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
    saved: Run | None,
) -> Saved:
    """What the training thread does."""
    labels = project_labels(records)
    config, state = _begun(saved, config, labels.classes)
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
    with training_run(project, Kind.CAM.value, saved) as run:
        worker.put(run)
        steps = train_classifier_and_save(config, pixels, rows, run.file, state)
        for _ in run_steps(worker, project, run, steps):
            pass
    return Saved(state.step, _complete(state))
