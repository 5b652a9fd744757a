"""A layered generator: an object over a background, moved about, whose mask teaches where objects lie.

As PerturbGAN does (Bielski and Favaro 2019): one noise gives a background, an object and its mask; the object
is moved and scaled at random before it is laid over the background, so that the picture stays real only where
the mask cuts out a thing. Its mask is then known in every generated picture, and a network of framing's kind
learns from those pictures where the mask lies and how large it is; asked about real photos it is a second
vote. Pictures are 32 px wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.base.config import TrainConfig
from core.base.devices import autocast
from core.base.rng import Purpose, stream
from core.learn.training import Images, batch_rows
from core.learn.updates import frozen, keeping_averages, update
from core.nets.framing import cut, relit
from core.nets.networks import Discriminator, Framing, Generator, initialize, to_model_range

SIDE = Framing.SIDE
MOVED, SCALED = 0.2, 0.2
"""Of the side, and the logarithm, that an object is moved and scaled by, at most."""
AREAS = (0.12, 0.6)
"""Of the picture that masks take on the mean; outside it costs."""
CPU = torch.device("cpu")
BATCH = 64
_ACROSS = (torch.arange(SIDE) + 0.5) / SIDE - 0.5
_INNER = ((0.5 - torch.maximum(_ACROSS.abs()[:, None], _ACROSS.abs())) / 0.125).clamp(max=1)
"""Masks fade towards the border: what lies there, the background has to paint."""


class LayeredGenerator(nn.Module):
    """Noise -> background, object (N, 3, SIDE, SIDE) in -1..1 and mask (N, 1, SIDE, SIDE) in 0..1."""

    def __init__(self, width: int, latent_size: int) -> None:
        super().__init__()
        self.background = Generator(image_size=SIDE, width=width, latent_size=latent_size)
        self.object = Generator(image_size=SIDE, width=width, latent_size=latent_size)
        self.object.layers[-2] = nn.ConvTranspose2d(width, 4, 4, 2, 1)

    def forward(self, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        layer = self.object(noise)
        return self.background(noise), layer[:, :3], (1 + layer[:, 3:]) / 2 * _INNER


def compose(layers: tuple[Tensor, Tensor, Tensor], rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """The object, moved and scaled at random, over its background: the picture and the mask in it."""
    background, thing, mask = (layer.float() for layer in layers)
    x, y, scale = 2 * torch.rand(3, len(mask), generator=rng) - 1
    factor = (SCALED * scale).exp()
    theta = torch.zeros(len(mask), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / factor
    theta[:, 0, 2], theta[:, 1, 2] = 2 * MOVED * x / factor, 2 * MOVED * y / factor
    grid = F.affine_grid(theta, [*mask.shape], align_corners=False)
    moved = F.grid_sample(torch.cat([thing * mask, mask], 1), grid, align_corners=False)
    return moved[:, :3] + (1 - moved[:, 3:]) * background, moved[:, 3:]


def learn_layered(config: TrainConfig, images: Images) -> Mapping[str, nn.Module]:
    """The game, ten times the steps, then the network that tells where masks of generated pictures lie."""
    steps = 10 * config.steps
    rng = stream(config.seed, Purpose.WEIGHTS, 2)
    generator, critic = LayeredGenerator(16, config.latent_size), Discriminator(image_size=SIDE, width=32)
    for network in (generator, critic):
        initialize(network, rng)
        network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    small = F.interpolate(to_model_range(torch.from_numpy(np.array(images))), (SIDE, SIDE), mode="area")
    # As in core.learn.objectives, Radford et al. 2016.
    optimizers = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (generator, critic)]
    for counter in range(steps):
        chance = stream(config.seed, Purpose.NOISE, counter)
        rows = torch.from_numpy(batch_rows(config.seed, len(small), size=BATCH, counter=counter))
        real = torch.where(
            torch.rand(BATCH, 1, 1, 1, generator=chance) < 0.5, small[rows], small[rows].flip(3)
        )
        noise = torch.randn(BATCH, config.latent_size, generator=chance)
        with autocast(config.precision, CPU):
            fake, _ = compose(generator(noise), chance)
            logits = critic(real).float(), critic(fake.detach()).float()
            update(optimizers[1], F.softplus(-logits[0]).mean() + F.softplus(logits[1]).mean())
            layers = generator(noise)
            fake, _ = compose(layers, chance)
            with frozen(critic), keeping_averages(critic):
                update(optimizers[0], F.softplus(-critic(fake).float()).mean() + mask_cost(layers[2].float()))
    return {"last": _told(config, generator, steps), "generator": generator.eval()}


def mask_cost(mask: Tensor) -> Tensor:
    """Of masks that take too little or too much of the picture, or are neither 0 nor 1."""
    area = mask.mean(dim=(1, 2, 3))
    low, high = AREAS
    between = torch.minimum(mask, 1 - mask).mean()
    cost: Tensor = 2 * (F.relu(low - area) + F.relu(area - high)).mean() + 0.2 * between
    return cost


def _told(config: TrainConfig, generator: LayeredGenerator, first: int, steps: int = 2400) -> Framing:
    torch.manual_seed(config.seed)
    network = Framing(32).train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for counter in range(first, first + steps):
        chance = stream(config.seed, Purpose.NOISE, counter)
        with torch.no_grad():
            picture, mask = compose(
                generator(torch.randn(BATCH, config.latent_size, generator=chance)), chance
            )
        light, contrast = torch.rand(2, BATCH, generator=chance)
        with autocast(config.precision, CPU):
            answers = network(relit(picture, light, contrast)).float()
        update(optimizer, F.smooth_l1_loss(answers / 0.1, extents(mask) / 0.1))
        schedule.step()
    return network.eval()  # type: ignore[no-any-return]


def extents(masks: Tensor) -> Tensor:
    """Middle of each mask from the picture's, in shares; logarithms of its width's and height's; (N, 4)."""
    total = masks.sum(dim=(1, 2, 3)).clamp(min=1)
    columns, rows = (masks.sum(dim=(1, axis)) / total[:, None] for axis in (2, 3))
    x, y = (columns * _ACROSS).sum(1), (rows * _ACROSS).sum(1)
    wide, high = ((line * (_ACROSS - mid[:, None]) ** 2).sum(1) for line, mid in ((columns, x), (rows, y)))
    return torch.stack([x, y, *((spread + 1e-4).log() / 2 for spread in (wide, high))], 1)


@torch.no_grad()
def answers_of(network: nn.Module, images: Images) -> np.ndarray:
    """:func:`extents` of what real photos show, the mean over small shifts and mirror images; (N, 4)."""
    photos = to_model_range(torch.from_numpy(np.array(images)))
    whole, total, shifts = torch.ones(len(photos)), 0.0, (-0.06, 0.0, 0.06)
    for x, y, sign in product(shifts, shifts, (1.0, -1.0)):
        crops = cut(photos, x * whole, y * whole, sign * whole, whole)
        total = total + network(crops).float() * torch.tensor([sign, 1, 1, 1]) + torch.tensor([x, y, 0, 0])
    found: np.ndarray = (total / (2 * len(shifts) ** 2)).double().numpy()
    return found
