"""Trainings that are saved as they go, so that what was interrupted resumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from core.base.atomic import os_errors
from core.base.config import ClassifierConfig, TrainConfig
from core.base.errors import BoxscoutError, TrainingError
from core.base.language import tr
from core.images.pixels import Pixels
from core.learn import checkpoint
from core.learn import class_training as classify
from core.learn.checkpoint import TrainState
from core.learn.class_training import ClassifierState, train_classifier
from core.learn.engine import train
from core.learn.lesson import Counted
from core.learn.reports import ClassifierProgress, Progress
from core.learn.snapshots import keeping_snapshots, snapshots_dir
from core.learn.together import BY_ITSELF, Company
from core.learn.training import Rows

SAVE_EVERY_S = 60.0

ReportT = TypeVar("ReportT")


def train_and_save(
    config: TrainConfig,
    pixels: Pixels,
    path: Path,
    state: TrainState | None = None,
    company: Company = BY_ITSELF,
) -> Generator[Progress, None, None]:
    """:func:`core.learn.engine.train`, saved to ``path`` every minute and whenever it ends, however it ends.

    Its snapshots are kept beside ``path``. Close the iterator between two steps to stop; what is saved
    then resumes exactly. Where ``company`` is of several processes, the others :func:`train_beside`.
    """
    goes_on = state is not None
    state = state if state is not None else checkpoint.new_state(config)
    if not company.ranks.alone:
        assert isinstance(pixels.array, np.memmap), "prepared images lie in a file"
        company.tell(
            {
                "config": config.to_dict(),
                "images": str(pixels.array.filename),
                "checkpoint": str(path) if goes_on else None,
            }
        )
    training = train(config, pixels.array, state, company.ranks)
    training = keeping_snapshots(training, state, snapshots_dir(path))
    return _saving(training, state, lambda: checkpoint.save(path, state))


def train_beside(company: Company, cancelled: Callable[[], bool]) -> None:
    """Take this process's part in what rank 0 does by :func:`train_and_save`, and write nothing.

    Raises
    ------
    TrainingError
        This process cannot do its part; the sentence begins with its number.
    Cancelled
        Before the first step.
    """
    work = company.told(cancelled)
    try:
        config, saved = TrainConfig.from_dict(work["config"]), work["checkpoint"]
        with os_errors(
            TrainingError,
            "{path} cannot be read: {reason}; all processes need the project's folder.",
            path=work["images"],
        ):
            images = np.load(work["images"], mmap_mode="r", allow_pickle=False)
        state = checkpoint.new_state(config) if saved is None else checkpoint.load(Path(saved))
        for _ in train(config, images, state, company.ranks):
            if company.any_asks(cancelled()):
                break
    except BoxscoutError as error:
        text = tr("Process {rank}: {reason}")
        raise TrainingError(text.format(rank=company.ranks.rank, reason=error)) from error


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
