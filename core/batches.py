"""The images that a discriminator is given, as it is given them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from core.config import TrainConfig
from core.networks import to_pixels
from core.rng import Purpose, stream
from core.training import Images, batch_rows, image_batch


@dataclass(frozen=True)
class BatchSeen:
    """The first images of a batch: uint8 (n, S, S, 3) each; ``background`` None where a training has none."""

    real: Images
    background: Images | None = None


def batch_seen(config: TrainConfig, images: Images, *, step: int, count: int = 16) -> BatchSeen:
    """The first ``count`` real images of the first update of ``step``, with their augmentation.

    Parameters
    ----------
    images
        uint8 (N, S, S, 3).
    """
    rows = batch_rows(config.seed, len(images), size=config.batch_size, counter=step)
    rng = stream(config.seed, Purpose.AUGMENTATION, step) if config.augmentation else None
    batch = image_batch(images, rows[:count], torch.device("cpu"), rng)
    return BatchSeen(to_pixels(batch).numpy())
