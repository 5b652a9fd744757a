"""What the discriminator sees of the images at each update: whole images, or windows of them.

Everything follows from the config, the images and the update's number, so that a batch can be made again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from core.base.config import TrainConfig
from core.base.ranks import ALONE, Ranks
from core.base.rng import Purpose, stream
from core.learn.objectives import OBJECTIVES
from core.learn.reports import BatchSeen
from core.learn.training import MIN_IMAGES, Images, Pool, batch_rows, check_images
from core.nets.augment import (
    Windows,
    augment,
    border_windows,
    centre_windows,
    crop,
    draw_variation,
    mirror_and_relight,
    vary,
)
from core.nets.networks import to_model_range, to_pixels


@dataclass(frozen=True, slots=True)
class Batch:
    """float (n, 3, S, S) in -1..1 each; with background on, ``background`` are border windows."""

    real: Tensor
    background: Tensor | None


def updates_of(config: TrainConfig) -> int:
    """Discriminator updates in each step: the objective's, and one where there is no generator."""
    return OBJECTIVES[config.objective].discriminator_steps if config.adversarial else 1


def fewest_images(config: TrainConfig) -> int:
    """How many images a training needs: windows are many of one image, a generator wants variety."""
    return MIN_IMAGES if config.adversarial else 1


def batch_at(config: TrainConfig, pool: Pool, counter: int, ranks: Ranks = ALONE) -> Batch:
    """The batch of the discriminator's ``counter``-th update in the training, or a rank's slice of it."""
    rows = batch_rows(config.seed, len(pool), size=config.batch_size, counter=counter)
    images = to_model_range(pool.rows(ranks.own(rows)))
    varied = stream(config.seed, Purpose.AUGMENTATION, counter) if config.augmentation else None
    return presented(config, images, stream(config.seed, Purpose.CROPS, counter), varied, ranks)


def presented(
    config: TrainConfig,
    images: Tensor,
    placing: torch.Generator,
    varied: torch.Generator | None,
    ranks: Ranks = ALONE,
) -> Batch:
    """Whole images, or a window from the middle of each and, with background on, one from its border.

    Both kinds of windows are drawn, scaled, mirrored and lit in the same way, so that only what they show
    tells them apart.

    Parameters
    ----------
    images
        float (n, 3, S, S) in -1..1.
    placing, varied
        CPU generators of the windows, and of what varies images or windows; None leaves these as they are.
    ranks
        Which slice of the batch ``images`` are.
    """
    if config.projected:
        if varied is not None:
            images = vary(images, draw_variation(len(images), varied, ranks))
        return Batch(images, None)
    if config.crop_size is None:
        return Batch(images if varied is None else augment(images, varied, ranks), None)
    n, side = len(images), images.shape[-1]
    windows: list[Windows] = [centre_windows(n, side, placing, ranks)]
    if config.background:
        windows.append(border_windows(n, side, placing, ranks))
    crops = torch.cat([crop(images, window, config.crop_size) for window in windows])
    if varied is not None:
        crops = mirror_and_relight(crops, varied, ranks, kinds=len(windows))
    parts = torch.split(crops, n)
    return Batch(parts[0], parts[1] if config.background else None)


def batch_seen(config: TrainConfig, images: Images, *, step: int, count: int = 16) -> BatchSeen:
    """What the discriminator sees first in the step that follows ``step``.

    Parameters
    ----------
    images
        uint8 (N, S, S, 3) with S = ``config.image_size``, as for :func:`core.learn.engine.train`.
    count
        How many of the batch are wanted; at most ``config.batch_size`` are there.

    Raises
    ------
    TrainingError
        Too few images, or of another size.
    """
    check_images(images, image_size=config.image_size, fewest=fewest_images(config))
    batch = batch_at(config, Pool(images, torch.device("cpu")), step * updates_of(config))
    background = None if batch.background is None else to_pixels(batch.background[:count]).numpy()
    return BatchSeen(to_pixels(batch.real[:count]).numpy(), background)
