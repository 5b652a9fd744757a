"""The main job on a project, one function for each step; the window and the commands both call these."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from core import checkpoint
from core.boxes import find_box
from core.checkpoint import TrainState
from core.classifier import training as classify
from core.classifier.network import PreActResNet34
from core.classifier.training import ClassifierProgress, ClassifierState, train_classifier
from core.config import ClassifierConfig, TrainConfig
from core.engine import Progress, train
from core.errors import Cancelled, ImageError, TrainingError
from core.heatmap import heat_maps
from core.images.pixels import Pixels, prepare_pixels
from core.images.scan import ImageFolder, scan_folder
from core.networks import Discriminator
from core.project.store import ImageRecord, Project
from core.snapshots import keeping_snapshots, snapshots_dir
from core.training import Counted, Rows

SAVE_EVERY_S = 60.0
BATCH = 64

OnProgress = Callable[[int, int], None]
ReportT = TypeVar("ReportT")


def checkpoint_path(project: Project) -> Path:
    """Where the project's training is kept."""
    return project.data_dir / "checkpoint.pt"


def classifier_path(project: Project) -> Path:
    """Where the project's training with class labels is kept."""
    return project.data_dir / "classifier.pt"


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
        raise ImageError(f"There is no image in {where}.")
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
    """:func:`core.engine.train`, saved to ``path`` every minute and whenever it ends, however it ends.

    Its snapshots are kept beside ``path``. Close the iterator between two steps to stop; what is saved
    then resumes exactly.
    """
    state = state if state is not None else checkpoint.new_state(config)
    training = keeping_snapshots(train(config, pixels.array, state), state, snapshots_dir(path))
    return _saving(training, state, lambda: checkpoint.save(path, state))


def train_classifier_and_save(
    config: ClassifierConfig, pixels: Pixels, labels: Rows, path: Path, state: ClassifierState
) -> Generator[ClassifierProgress, None, None]:
    """:func:`core.classifier.training.train_classifier`, saved as :func:`train_and_save` does."""
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


def localize_images(
    project: Project,
    records: Sequence[ImageRecord],
    pixels: Pixels,
    network: Discriminator | PreActResNet34,
    *,
    step: int,
    rule: str,
    threshold: float | None,
    thresholds: Mapping[int, float] = MappingProxyType({}),
    classes: Mapping[int, int] | None = None,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[int, int]:
    """Heat maps and automatic boxes of ``records`` into the project, durable batch by batch.

    Parameters
    ----------
    step
        The training step of ``network``.
    rule, threshold
        As in :func:`core.boxes.find_box`; ``thresholds`` holds those of single images, by image id.
    classes
        For a classifier: whose heat map each image gets, by image id; the predicted class's for images
        that are not in it, and for all with None.

    Returns
    -------
    tuple
        How many images got a box, and how many were left alone because a person had edited them.
    """
    ids = {record.path: record.id for record in records}
    rows_of_files = [ids[file.path] for file in pixels.files]
    kept = 0
    for start in range(0, len(rows_of_files), BATCH):
        if cancelled is not None and cancelled():
            raise Cancelled("Localization was stopped.")
        rows = slice(start, start + BATCH)
        batch_ids = rows_of_files[rows]
        wanted = None if classes is None else np.array([classes.get(i, -1) for i in batch_ids], np.int64)
        maps = heat_maps(network, pixels.array[rows], batch_size=BATCH, classes=wanted)
        boxes = {
            image_id: [
                find_box(
                    heat,
                    width=width,
                    height=height,
                    rule=rule,
                    threshold=thresholds.get(image_id, threshold),
                )
            ]
            for image_id, heat, (width, height) in zip(
                batch_ids, maps, pixels.sizes[rows].tolist(), strict=True
            )
        }
        project.set_heat_maps(dict(zip(batch_ids, maps, strict=True)), step=step)
        kept += project.set_auto_boxes(boxes)
        if on_progress is not None:
            on_progress(start + len(batch_ids), len(rows_of_files))
    return len(rows_of_files) - kept, kept
