"""The settings of a training for one folder, from how many images there are and how large they are.

The numbers were measured on folders drawn from sets with true boxes: docs/decisions/0011-sizes.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, NamedTuple

from core.base.annotations import Status
from core.base.config import TrainConfig
from core.base.errors import ImageError
from core.base.language import number, tr, trn
from core.base.sampling import evenly
from core.images.decoding import image_size
from core.project.rows import ImageRecord

ASKED = 200
"""Images whose size is looked up at most, evenly from all: the median of so many is that of the folder."""
_READERS = 4
_NEAR = 1.25
"""Up to this ratio of the largest width to the smallest, and of heights, one size is about that of all."""

Sizes = Literal["alike", "near", "mixed"]


@dataclass(frozen=True, slots=True)
class FolderSummary:
    """How many usable images a folder has, and how large the one of median area is, in pixels as displayed.

    ``width`` and ``height`` are 0 where there is none. ``sizes`` says how far they speak for the others.
    """

    images: int
    width: int = 0
    height: int = 0
    sizes: Sizes = "alike"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A config for one folder, and one sentence that says what it is and why."""

    config: TrainConfig
    sentence: str


class _Schedule(NamedTuple):
    """For folders of up to so many ``images``."""

    images: float
    steps: int
    batch: int


# The first whose number of images is not exceeded counts.
_SCHEDULES = (_Schedule(100, 300, 64), _Schedule(math.inf, 600, 64))


def _schedule(folder: FolderSummary) -> _Schedule:
    return next(schedule for schedule in _SCHEDULES if folder.images <= schedule.images)


def fitted_to(preset: TrainConfig, folder: FolderSummary) -> Fitted:
    """``preset`` with the steps and the batch that a folder of this size wants.

    Everything else of ``preset`` stays. Whatever its own size, an image is learned at the preset's: a window
    of it is scaled to ``crop_size`` all the same.
    """
    if not folder.images:
        return Fitted(preset, "")
    schedule = _schedule(folder)
    config = preset.with_(steps=schedule.steps, batch_size=schedule.batch)
    return Fitted(config, sentence(config, folder))


def sentence(config: TrainConfig, folder: FolderSummary) -> str:
    """What ``config`` does with a folder, for the user; empty if there is no usable image.

    A size that all images have is told, one that all are near is told as such, any other not at all.
    """
    if not folder.images:
        return ""
    text = {
        "alike": tr("{images} of {width} × {height} pixels. {steps} training steps."),
        "near": tr("{images} of about {width} × {height} pixels. {steps} training steps."),
        "mixed": tr("{images} of different sizes. {steps} training steps."),
    }[folder.sizes]
    return text.format(
        images=trn("{count} image", "{count} images", folder.images),
        width=folder.width,
        height=folder.height,
        steps=number(config.steps, ","),
    )


def summarized(records: Sequence[ImageRecord]) -> FolderSummary:
    """The summary of a project's images. Sizes not yet known are read from at most ``ASKED`` files' headers.

    Files that turn out to be unreadable are not counted; they are marked once their pixels are asked for.
    """
    usable = [record for record in records if record.status is not Status.FAILED]
    places = evenly(len(usable), ASKED)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="headers") as pool:
        asked = list(pool.map(_size, (usable[i] for i in places.tolist())))
    sizes = sorted((size for size in asked if size is not None), key=lambda size: size[0] * size[1])
    count = len(usable) - (len(asked) - len(sizes))
    return FolderSummary(count, *sizes[len(sizes) // 2], _alike(sizes)) if sizes else FolderSummary(0)


def _alike(sizes: Sequence[tuple[int, int]]) -> Sizes:
    ratio = max(max(side) / min(side) for side in zip(*sizes, strict=True))
    return "alike" if ratio == 1 else "near" if ratio <= _NEAR else "mixed"


def _size(record: ImageRecord) -> tuple[int, int] | None:
    if record.width and record.height:
        return record.width, record.height
    try:
        return image_size(record.path)
    except ImageError:
        return None
