"""The main job on a project, one function for each step; the window and the commands both call these."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from core.base.config import ClassifierConfig, TrainConfig
from core.base.errors import ImageError, ProjectError, TrainingError
from core.base.language import mark, tr
from core.images.pixels import Pixels, prepare_pixels
from core.images.scan import ImageFolder, scan_folder
from core.learn import checkpoint
from core.learn import class_training as classify
from core.learn.checkpoint import TrainState
from core.learn.class_training import ClassifierProgress, ClassifierState, train_classifier
from core.learn.engine import Progress, train
from core.learn.snapshots import keeping_snapshots, snapshots_dir
from core.learn.training import Counted, Rows
from core.project.localize import OnProgress, localize_images
from core.project.runs import Run, begin_run, forget_if_empty, newest_run
from core.project.store import ImageRecord, Project

__all__ = [
    "OnProgress",
    "add_folders",
    "checkpoint_path",
    "classifier_path",
    "load_pixels",
    "localize_images",
    "saved_run",
    "train_and_save",
    "train_classifier_and_save",
    "training_run",
]

SAVE_EVERY_S = 60.0
COMMANDS = {"gan": ("", "train"), "cam": (mark(" with class labels"), "train-cam")}
"""How a kind of training is told from others, and the command that does it."""

ReportT = TypeVar("ReportT")


def checkpoint_path(project: Project) -> Path:
    """Where the newest training of the project is kept."""
    return saved_run(project, "gan").file


def classifier_path(project: Project) -> Path:
    """Where the newest training of the project with class labels is kept."""
    return saved_run(project, "cam").file


def saved_run(project: Project, kind: str) -> Run:
    """The newest run of this ``kind``; ProjectError where there is none."""
    run = newest_run(project, kind)
    if run is None:
        named, command = COMMANDS[kind]
        raise ProjectError(
            tr("{path} holds no training{kind} yet; run '{command}' first.").format(
                path=project.path, kind=tr(named) if named else "", command=command
            )
        )
    return run


@contextmanager
def training_run(project: Project, kind: str, saved: Run | None = None, *, preset: str = "") -> Iterator[Run]:
    """The run to train: the ``saved`` one, or a new one beside all others.

    Where the body ends before anything of a new one was saved, there was none.
    """
    if saved is not None:
        yield saved
        return
    run = begin_run(project, kind, preset=preset)
    try:
        yield run
    finally:
        forget_if_empty(project, run)


def add_folders(project: Project, paths: Sequence[Path]) -> list[ImageRecord]:
    """Scan ``paths`` into the project and return the records of what they hold.

    Raises
    ------
    ImageError
        A path does not exist, or there is no image file under any of them.
    """
    found: ImageFolder = scan_folder(paths)
    project.add_rejected(found.rejected)
    if not found.images:
        where = ", ".join(str(path) for path in paths)
        raise ImageError(tr("There is no image in {where}.").format(where=where))
    project.add_images(found.images)
    wanted = {file.path for file in found.images}
    return [record for record in project.images() if record.path in wanted]


def load_pixels(
    project: Project,
    records: Sequence[ImageRecord],
    *,
    size: int,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Pixels:
    """The pixels of ``records`` at the model's size; what cannot be used is marked in the project.

    Raises
    ------
    ImageError
        No image can be used.
    Cancelled
        ``cancelled()`` became true.
    """
    pixels = prepare_pixels(
        [record.file for record in records],
        size=size,
        cache_dir=project.data_dir,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    ids = {record.path: record.id for record in records}
    sizes = zip(pixels.files, pixels.sizes.tolist(), strict=True)
    project.set_sizes({ids[file.path]: (width, height) for file, (width, height) in sizes})
    project.set_failed({ids[file.path]: file.reason for file in pixels.rejected})
    return pixels


def train_and_save(
    config: TrainConfig, pixels: Pixels, path: Path, state: TrainState | None = None
) -> Generator[Progress, None, None]:
    """:func:`core.learn.engine.train`, saved to ``path`` every minute and whenever it ends, however it ends.

    Its snapshots are kept beside ``path``. Close the iterator between two steps to stop; what is saved
    then resumes exactly.
    """
    state = state if state is not None else checkpoint.new_state(config)
    training = keeping_snapshots(train(config, pixels.array, state), state, snapshots_dir(path))
    return _saving(training, state, lambda: checkpoint.save(path, state))


def train_classifier_and_save(
    config: ClassifierConfig, pixels: Pixels, labels: Rows, path: Path, state: ClassifierState
) -> Generator[ClassifierProgress, None, None]:
    """:func:`core.learn.class_training.train_classifier`, saved as :func:`train_and_save` does."""
    training = train_classifier(config, pixels.array, labels, state)
    return _saving(training, state, lambda: classify.save(path, state))


def _saving(
    training: Iterator[ReportT], state: Counted, save: Callable[[], None]
) -> Generator[ReportT, None, None]:
    saved_at = time.monotonic()
    saved_step = state.step  # a run that made no step leaves the former checkpoint alone
    try:
        for progress in training:
            yield progress
            if time.monotonic() - saved_at > SAVE_EVERY_S:
                save()
                saved_at, saved_step = time.monotonic(), state.step
    except TrainingError:
        saved_step = state.step  # what broke down is not worth keeping: the last save is
        raise
    finally:
        if state.step != saved_step:
            save()
