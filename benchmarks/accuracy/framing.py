"""Which part of its photo is a crop? A network that can tell knows how people frame their objects.

People point the camera at things and step close enough. A crop in which the object lies too far right was
cut too far left; one in which it is large is a small part of the photo. So a network that learns, from crops
of unlabelled photos, where in the photo they lie and how much of its width and height they take, can be asked
the other way round about a whole photo: where its object lies and how large it is beside what is usual.

Tried by ``search.py``; ``ceiling.py`` teaches the same network true boxes.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from core.config import TrainConfig
from core.networks import Discriminator, to_model_range
from core.rng import Purpose, stream
from core.training import Images, autocast, batch_rows
from core.updates import update

CPU = torch.device("cpu")
SHARES = (0.55, 0.9)
"""Of a photo's side that a crop takes, before each side is made up to a quarter longer or shorter."""
USUAL = 0.7
SPREAD = 0.1  # of answers, about: brings the loss near 1


class Framing(nn.Module):
    """Crops (N, 3, 32, 32) -> where they lie, x and y from the middle in shares of the photo, and the natural
    logarithms of their width and height, less that of ``USUAL``: (N, 4)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.features = Discriminator(image_size=32, width=width, fine_heat_map=True).features
        self.narrow = nn.Conv2d(4 * width, 16, 1)
        self.head = nn.Sequential(nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(16 * 64, 4))

    def forward(self, crops: Tensor) -> Tensor:
        answers: Tensor = self.head(self.narrow(self.features(crops)).flatten(1))
        return answers


def learn_framing(config: TrainConfig, images: Images) -> dict[str, nn.Module]:
    """Trained on two crops' worth of ``config.batch_size`` a step."""
    torch.manual_seed(config.seed)
    network = Framing(config.width).train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    n = 2 * config.batch_size
    for counter in range(config.steps):
        batch = to_model_range(
            torch.from_numpy(images[batch_rows(config.seed, len(images), size=n, counter=counter)])
        )
        x, y, share, aspect, mirror = torch.rand(5, n, generator=stream(config.seed, Purpose.CROPS, counter))
        share = (math.log(SHARES[0]) + share * math.log(SHARES[1] / SHARES[0])).exp()
        aspect = ((aspect - 0.5) * 0.5).exp()
        wide, high = (share * aspect).clamp(max=0.97), (share / aspect).clamp(max=0.97)
        x, y = (x - 0.5) * (1 - wide), (y - 0.5) * (1 - high)
        batch = torch.where((mirror < 0.5)[:, None, None, None], batch.flip(3), batch)
        crops = relit(cut(batch, x, y, wide, high), stream(config.seed, Purpose.AUGMENTATION, counter))
        true = torch.stack([x, y, (wide / USUAL).log(), (high / USUAL).log()], 1)
        with autocast(config.precision, CPU):
            guess = network(crops)
        update(optimizer, F.smooth_l1_loss(guess.float() / SPREAD, true / SPREAD))
        schedule.step()
    return {"last": network.eval()}


def cut(images: Tensor, x: Tensor, y: Tensor, wide: Tensor, high: Tensor) -> Tensor:
    """Crops around (x, y) from the middle, all in shares of the side, scaled to (N, 3, 32, 32)."""
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, 0, 2], theta[:, 1, 2] = wide, high, 2 * x, 2 * y
    grid = affine_grid(theta, [len(images), 3, 32, 32], align_corners=False)
    crops = grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return crops.contiguous(memory_format=torch.channels_last)


def relit(crops: Tensor, rng: torch.Generator) -> Tensor:
    """Light alone: a mirror after the cut would turn the answer round."""
    light, contrast = torch.rand(2, len(crops), 1, 1, 1, generator=rng)
    mean = crops.mean(dim=(1, 2, 3), keepdim=True)
    return ((crops - mean) * (0.7 + 0.6 * contrast) + mean + 0.5 * (light - 0.5)).clamp(-1, 1)


@torch.no_grad()
def framed(network: nn.Module, images: Images) -> np.ndarray:
    """Where objects lie from the middle, in shares of the photo, and the logarithms of how much wider and
    higher they are than is usual among ``images``: (N, 4).

    The mean answer, turned round, to crops of ``USUAL`` size from all over a photo and its mirror image. It
    is as far from 0 as the network dares.
    """
    steps = [(i / 4 - 0.5) * (1 - USUAL) for i in range(5)]
    results = []
    for start in range(0, len(images), 64):
        batch = to_model_range(torch.from_numpy(np.array(images[start : start + 64])))
        total, one = torch.zeros(len(batch), 4), torch.ones(len(batch))
        for x in steps:
            for y in steps:
                crops = cut(batch, x * one, y * one, USUAL * one, USUAL * one)
                for sign in (1.0, -1.0):
                    with autocast("auto", CPU):
                        guess = network(crops.flip(3) if sign < 0 else crops).float()
                    total -= guess * torch.tensor([sign, 1, 1, 1])
        results.append((total / (2 * len(steps) ** 2)).numpy())
    answers = np.concatenate(results)
    answers[:, 2:] -= answers[:, 2:].mean(axis=0)
    return answers
