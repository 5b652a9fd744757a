"""What the command ``train-cam`` does: the baseline that learns from class labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from core.base.errors import TrainingError
from core.base.presets import CLASSIFIER_PRESETS, DEFAULT_CLASSIFIER_PRESET
from core.cli import left_out
from core.cli.console import Bar
from core.cli.gan_commands import follow, outcome, start_or_resume
from core.cli.job import chosen_paths
from core.cli.projects import project_to_train
from core.learn import class_training as classify
from core.learn.labels import labels_of
from core.project.runs import newest_to_resume
from core.project.search import note_training
from core.project.training import train_classifier_and_save
from core.project.workflow import add_folders, load_pixels, training_run


def run_train_cam(
    folders: Sequence[Path],
    project_path: Path,
    preset: str | None,
    changes: Mapping[str, Any],
    *,
    resume: bool,
    restart: bool,
    bar: Bar,
    stop: Event,
    set_name: str | None = None,
) -> dict[str, Any]:
    """Train a classifier into the project, beside its GAN; the folders name the classes.

    As :func:`core.cli.job.run_train` in everything else.
    """
    paths = chosen_paths(folders, set_name, "train")
    with project_to_train(project_path) as project:
        saved = newest_to_resume(project, "cam", preset if resume else None)
        config, state = start_or_resume(
            saved, CLASSIFIER_PRESETS, classify.load, preset, changes,
            default=DEFAULT_CLASSIFIER_PRESET, resume=resume, restart=restart,
        )  # fmt: skip
        records = add_folders(project, paths)
        named = labels_of([record.path for record in records], paths)
        classes = named.classes
        going_on, state = saved if state else None, state or classify.new_state(config, classes)
        _check_classes(state.classes, classes)
        bar.part("Reading images", 0.05)
        labelled = [record for record in records if record.path in named.by_path]
        pixels = load_pixels(
            project, labelled, size=config.image_size, on_progress=bar.count, cancelled=stop.is_set
        )
        labels = named.rows([file.path for file in pixels.files])
        bar.part("Training", 0.95)
        start = state.step
        with training_run(project, "cam", going_on, preset=preset or "") as run:
            last = follow(train_classifier_and_save(config, pixels, labels, run.file, state), bar, stop)
            if last is not None:
                note_training(project, run, complete=last.fraction >= 1.0)
        unusable = left_out.not_used(project, paths, pixels.rejected)
    point = state.history[-1] if state.history else None  # means over many batches say more than the last
    images, others = len(pixels.files), len(records) - len(labelled)
    result = outcome(last, start, f"{images} images of {len(classes)} classes")
    if others:
        result["text"] += f" Images left out, because they lie in no class's folder: {others}."
    return {
        **left_out.told(result, unusable),
        "images": images,
        "classes": list(classes),
        "other_images": others,
        "loss": point.loss if point else None,
        "accuracy": point.accuracy if point else None,
        "run": run.id,
        "checkpoint": str(run.file),
        "config": config.to_dict(),
    }


def _check_classes(trained: Sequence[str], found: Sequence[str]) -> None:
    """A resumed training goes on with the classes that its outputs stand for."""
    if set(trained) != set(found):
        odd = sorted(set(trained) ^ set(found))[0]
        where = "was trained and is not here" if odd in trained else "is here and was not trained"
        raise TrainingError(
            f"The class '{odd}' {where}: choose the folders of the training, or add --restart."
        )
