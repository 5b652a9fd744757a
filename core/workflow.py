"""The main job on a project, one function for each step; the window and the commands both call these."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from core import checkpoint
from core.annotations import Status
from core.boxes import find_box
from core.checkpoint import TrainState
from core.config import TrainConfig
from core.engine import Progress, train
from core.errors import Cancelled, ImageError
from core.heatmap import heat_maps
from core.images import ImageFolder, scan_folder
from core.networks import Discriminator
from core.pixels import Pixels, prepare_pixels
from core.project import ImageRecord, Project

SAVE_EVERY_S = 60.0
BATCH = 64

OnProgress = Callable[[int, int], None]


def checkpoint_path(project: Project) -> Path:
    """Where the project's training is kept."""
    return project.data_dir / "checkpoint.pt"


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
    recovered = {record.id for record in records if record.status is Status.FAILED}
    usable = {ids[file.path] for file in pixels.files}
    project.set_status(recovered & usable, Status.UNSEEN)
    return pixels


def train_and_save(
    config: TrainConfig, pixels: Pixels, path: Path, state: TrainState | None = None
) -> Generator[Progress, None, None]:
    """:func:`core.engine.train`, saved to ``path`` every minute and whenever it ends, however it ends.

    Close the iterator between two steps to stop; what is saved then resumes exactly.
    """
    state = state if state is not None else checkpoint.new_state(config)
    saved_at = time.monotonic()
    saved_step = state.step  # a run that made no step leaves the former checkpoint alone
    try:
        for progress in train(config, pixels.array, state):
            yield progress
            if time.monotonic() - saved_at > SAVE_EVERY_S:
                checkpoint.save(path, state)
                saved_at, saved_step = time.monotonic(), state.step
    finally:
        if state.step != saved_step:
            checkpoint.save(path, state)


def localize_images(
    project: Project,
    records: Sequence[ImageRecord],
    pixels: Pixels,
    discriminator: Discriminator,
    *,
    step: int,
    rule: str,
    threshold: float | None,
    thresholds: Mapping[int, float] = MappingProxyType({}),
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[int, int]:
    """Heat maps and automatic boxes of ``records`` into the project, durable batch by batch.

    Parameters
    ----------
    step
        The training step of ``discriminator``.
    rule, threshold
        As in :func:`core.boxes.find_box`; ``thresholds`` holds those of single images, by image id.

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
        maps = heat_maps(discriminator, pixels.array[rows], batch_size=BATCH)
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
