"""Measuring the signals of :mod:`core.learn.stopping` while a training goes on."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.base.config import TrainConfig
from core.base.devices import autocast
from core.base.rng import Purpose, stream
from core.learn.batches import presented
from core.learn.checkpoint import TrainState
from core.learn.msssim import ms_ssim
from core.learn.stopping import Estimate, Signal, estimate, map_difference, separation
from core.learn.training import Images
from core.learn.updates import judge
from core.maps.heatmap import heat_maps
from core.nets.networks import Judge, to_model_range, to_pixels

BATCHES = 4
BATCH = 64
# Each image with its next two in the ring: an unbiased share of all pairs, at a tenth of their time.
_NEIGHBOURS = 2


@dataclass(frozen=True)
class Yardstick:
    """What all measurements of one training have in common; a function of its config and images alone.

    ``real`` is uint8 (n, S, S, 3) with n up to 64, whole images, never augmented. ``real_ms_ssim`` is of
    what a generator has to make: of windows where these are learned.
    """

    real: Images
    real_ms_ssim: Estimate


def yardstick(config: TrainConfig, images: Images, device: torch.device) -> Yardstick:
    """Draw the fixed real images and measure the real images' own MS-SSIM.

    Parameters
    ----------
    images
        uint8 (N, S, S, 3). Fewer than 8, as windows are cut from, are taken again and again.
    """
    order = torch.randperm(len(images), generator=stream(config.seed, Purpose.SIGNALS)).numpy()
    size = max(min(BATCH, len(images) // BATCHES), 2)
    drawn = np.resize(order, max(len(order), size * BATCHES))
    batches = [np.array(images[drawn[i * size : (i + 1) * size]]) for i in range(BATCHES)]
    if config.crop_size is not None:
        batches = [_windows(config, batch, i) for i, batch in enumerate(batches)]
    return Yardstick(np.array(images[order[:BATCH]]), batched_ms_ssim(batches, device))


def _windows(config: TrainConfig, images: Images, batch: int) -> Images:
    placing = stream(config.seed, Purpose.CROPS, batch)
    return to_pixels(presented(config, to_model_range(torch.from_numpy(images)), placing, None).real).numpy()


def noise_batches(config: TrainConfig, fixed_noise: Tensor) -> list[Tensor]:
    """The training's fixed noise and as much again for each further batch, on its device."""
    more = [
        torch.randn(fixed_noise.shape, generator=stream(config.seed, Purpose.SIGNALS, i))
        for i in range(1, BATCHES)
    ]
    return [fixed_noise, *(noise.to(fixed_noise.device) for noise in more)]


def batched_ms_ssim(batches: Sequence[Images], device: torch.device) -> Estimate:
    """MS-SSIM between images of a batch, as in :func:`core.learn.msssim.diversity`, over several batches.

    Parameters
    ----------
    batches
        uint8 (n, S, S, 3) each, n >= 2.
    """
    return estimate([_mean_ms_ssim(torch.from_numpy(batch).to(device)) for batch in batches])


def _mean_ms_ssim(batch: Tensor) -> float:
    x = batch.permute(0, 3, 1, 2)
    shifts = range(1, min(_NEIGHBOURS, len(x) - 1) + 1)
    return float(torch.cat([ms_ssim(x, x.roll(shift, 0)) for shift in shifts]).mean())


@torch.no_grad()
def measure(state: TrainState, fixed: Yardstick, samples: Sequence[Images]) -> Signal:
    """The signals of ``state`` as it is now; nothing in it changes.

    Parameters
    ----------
    samples
        A batch for each of :func:`noise_batches`, uint8 (n, S, S, 3); none without a generator.
    """
    device = next(state.discriminator.parameters()).device
    network = copy.deepcopy(state.discriminator).eval()
    maps = heat_maps(network, fixed.real)
    diversity = batched_ms_ssim(samples, device) if samples else None
    return Signal(
        step=state.step,
        ms_ssim=diversity.mean if diversity else None,
        ms_ssim_error=diversity.error if diversity else None,
        real_ms_ssim=fixed.real_ms_ssim.mean,
        real_ms_ssim_error=fixed.real_ms_ssim.error,
        map_difference=map_difference(maps),
        separation=_separation(network.train(), state.config, fixed.real, samples[0]) if samples else None,
        background=network.unit == "background",
    )


def _separation(network: Judge, config: TrainConfig, real: Images, samples: Images) -> float:
    """As the game is played: the same company in batch norm, real images varied as in training."""
    device = next(network.parameters()).device
    # A projected game varies generated images too, so that these are to be like real ones as they are.
    varies = config.augmentation and not config.projected
    varied = stream(config.seed, Purpose.SIGNALS, BATCHES) if varies else None
    images = to_model_range(torch.from_numpy(real).to(device))
    batch = presented(config, images, stream(config.seed, Purpose.CROPS, BATCHES), varied)
    generated = to_model_range(torch.from_numpy(samples[: len(real)]).to(device))
    with autocast(config.precision, device):
        judged = judge(network, batch, generated)
    assert judged.fake is not None
    return separation(judged.real.cpu().numpy(), judged.fake.cpu().numpy())
