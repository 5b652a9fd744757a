"""Trainings that are saved as they go, so that what was interrupted resumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

from core.base.config import ClassifierConfig, TrainConfig
from core.base.errors import TrainingError
from core.images.pixels import Pixels
from core.learn import checkpoint
from core.learn import class_training as classify
from core.learn.checkpoint import TrainState
from core.learn.class_training import ClassifierState, train_classifier
from core.learn.engine import train
from core.learn.lesson import Counted
from core.learn.reports import ClassifierProgress, Progress
from core.learn.snapshots import keeping_snapshots, snapshots_dir
from core.learn.training import Rows

SAVE_EVERY_S = 60.0

ReportT = TypeVar("ReportT")


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
