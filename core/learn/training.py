"""What every training shares of its images: how many they must be, their order, and where they lie."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.base.devices import free_bytes, to_device
from core.base.errors import TrainingError
from core.base.language import tr, trn
from core.base.rng import Purpose, stream

MIN_IMAGES = 8
"""Of whole images; windows need fewer: :func:`core.learn.batches.fewest_images`."""

_ROOM = 0.5
"""The share of a graphics card's free memory that images may take; networks and batches want the rest."""

Images = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]


def check_images(images: Images, *, image_size: int, fewest: int = MIN_IMAGES) -> None:
    """TrainingError unless ``images`` are ``fewest`` or more uint8 (N, ``image_size``, ``image_size``, 3)."""
    if len(images) < fewest:
        found = trn("{count} image", "{count} images", len(images))
        raise TrainingError(
            tr("Training needs at least {least} usable images, and there are {found}.").format(
                least=fewest, found=found
            )
        )
    if images.shape[1:] != (image_size, image_size, 3) or images.dtype != np.uint8:
        raise TrainingError(
            tr("The images do not have the training's size of {image_size} pixels.").format(
                image_size=image_size
            )
        )


@lru_cache(maxsize=4)
def _epoch(seed: int, images: int, epoch: int) -> Tensor:
    """The order of one epoch, kept since each of its batches asks for it."""
    return torch.randperm(images, generator=stream(seed, Purpose.ORDER, epoch))


def epoch_order(seed: int, images: int, *, first: int, count: int) -> Rows:
    """Rows ``first`` to ``first + count`` of an endless series of shuffled epochs over ``images`` rows."""
    epochs = range(first // images, (first + count - 1) // images + 1)
    skip = first - epochs[0] * images
    order: Rows = torch.cat([_epoch(seed, images, epoch) for epoch in epochs])[skip : skip + count].numpy()
    return order


def batch_rows(seed: int, images: int, *, size: int, counter: int) -> Rows:
    """The rows of the ``counter``-th batch of ``size``."""
    return epoch_order(seed, images, first=counter * size, count=size)


class Pool:
    """All images of a training, from which batches are picked on its device.

    A graphics card with room for them holds them all from the start: a step then copies only row numbers.

    Parameters
    ----------
    images
        uint8 (N, S, S, 3); may be a memory map.
    """

    def __init__(self, images: Images, device: torch.device) -> None:
        self.device = device
        resident = images.nbytes <= _ROOM * free_bytes(device)
        self._images = torch.tensor(images, device=device) if resident else images

    def __len__(self) -> int:
        return len(self._images)

    def rows(self, rows: Rows) -> Tensor:
        """uint8 (n, S, S, 3) on the device."""
        if isinstance(self._images, Tensor):
            return self._images[to_device(torch.from_numpy(rows), self.device)]
        return to_device(torch.from_numpy(self._images[rows]), self.device)
