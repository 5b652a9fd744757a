"""What threads do that train with class labels. Importing this loads torch."""

from __future__ import annotations

from collections.abc import Sequence

from app.controllers.class_training import Ready, project_labels
from app.controllers.run import Preparing, Saved, SavedTraining, changed_records, run_steps
from app.models.training import Kind
from app.worker import Worker
from core.base.config import ClassifierConfig
from core.base.devices import resolve_device
from core.base.errors import BoxscoutError, TrainingError
from core.base.language import tr
from core.learn import class_training as classify
from core.learn.class_training import ClassifierState
from core.learn.lesson import is_spent
from core.project.runs import Run
from core.project.store import ImageRecord, Project
from core.project.training import train_classifier_and_save
from core.project.workflow import load_pixels, training_run


def read_classifier(run: Run) -> SavedTraining:
    try:
        state = classify.load(run.file)
    except BoxscoutError as error:
        return SavedTraining(warning=str(error))
    complete = is_spent(state.config, state)
    points = tuple(state.points())
    return SavedTraining.at(state.step, state.config.steps, complete=complete, points=points)


def _begun(
    saved: Run | None, config: ClassifierConfig, classes: Sequence[str]
) -> tuple[ClassifierConfig, ClassifierState]:
    """The state to train, and its config: what was learned fits only the network it was learned with."""
    if saved is None:
        return config, classify.new_state(config, classes)
    state = classify.load(saved.file)
    if set(state.classes) != set(classes):
        raise TrainingError(
            tr("The class folders differ from those of this training. Start a new run to train them.")
        )
    return state.config.resumed_by(config), state


def train(
    worker: Worker,
    project: Project,
    records: tuple[ImageRecord, ...],
    config: ClassifierConfig,
    saved: Run | None,
) -> Saved:
    labels = project_labels(records)
    config, state = _begun(saved, config, labels.classes)
    pixels = load_pixels(
        project,
        [record for record in records if record.path in labels.by_path],
        size=config.image_size,
        on_progress=lambda done, total: worker.put(Preparing(done, total)),
        cancelled=worker.is_stopping,
    )
    worker.put(changed_records(project, records))
    worker.put(Ready(str(resolve_device(config.device))))
    rows = labels.rows([file.path for file in pixels.files])
    with training_run(project, Kind.CAM.value, saved) as run:
        worker.put(run)
        steps = train_classifier_and_save(config, pixels, rows, run.file, state)
        for _ in run_steps(worker, project, run, steps):
            pass
    return Saved(state.step, is_spent(config, state))
