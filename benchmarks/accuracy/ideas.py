"""The ideas that ``search.py`` tries: how each is trained, and how boxes come of what was trained.

A training gives networks by name, from a config and images alone; several ideas may read the same training.
Nothing here sees a label.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import augment
from core.augment import border_windows, centre_windows, crop, mirror_and_relight
from core.batches import Batch, batch_at
from core.boxes import drawn_out, find_box, scaled_map, spread_box
from core.checkpoint import TrainState, new_state
from core.config import TrainConfig
from core.contrast import contrast_maps, guided, outline_ratios
from core.engine import snapshot_of, train
from core.framing import framings
from core.geometry import Box
from core.heatmap import AVERAGED, GUIDED, heat_maps
from core.networks import Discriminator, Generator, to_model_range
from core.objectives import background_loss
from core.prior import Prior, PriorTally
from core.rng import Purpose, stream
from core.training import Images, Pool, autocast, batch_rows, resolve_device
from core.updates import frozen, judge, keeping_averages, update

Networks = Mapping[str, nn.Module]
Found = list[Box]  # in cells of the 64 x 64 grid, image by image
Loss = Callable[[TrainState, Batch, int], Tensor]


@dataclass(frozen=True)
class Training:
    """``run`` with the default config under ``changes`` gives networks in evaluation mode, by name."""

    run: Callable[[TrainConfig, Images], Networks]
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Idea:
    """``boxes`` of images from the networks of ``trainings``, by training and then by seed."""

    hope: str
    trainings: tuple[str, ...]
    boxes: Callable[[Mapping[str, list[Networks]], Images], Found]
    seeds: int = 1
    """Trainings of so many seeds, from the run's own on, are read together."""
    against: str = "default"


# --- trainings ------------------------------------------------------------------------------------------


def learn(
    config: TrainConfig,
    images: Images,
    *,
    batch: Callable[[TrainConfig, Pool, int], Batch] = batch_at,
    loss: Loss | None = None,
    state: TrainState | None = None,
) -> Networks:
    """The product's training without a generator, with another batch or loss; also its weights averaged."""
    state = new_state(config) if state is None else state
    pool = Pool(images, resolve_device("cpu"))
    network = state.discriminator.train()
    averaged = copy.deepcopy(network)
    for counter in range(config.steps):
        with autocast(config.precision, pool.device):
            value = (loss or plain_loss)(state, batch(config, pool, counter), counter)
        update(state.d_optimizer, value)
        _average_in(averaged, network)
    state.step = config.steps
    return {"last": snapshot_of(state).discriminator, "averaged": averaged.eval().requires_grad_(False)}


@torch.no_grad()
def _average_in(averaged: nn.Module, network: nn.Module, keep: float = 0.98) -> None:
    """Over the last 50 steps or so, running statistics too."""
    for mean, value in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - keep)


def plain_loss(state: TrainState, batch: Batch, counter: int) -> Tensor:
    judged = judge(state.discriminator, batch, None)
    assert judged.centre is not None and judged.border is not None
    return background_loss(judged.centre, judged.border)


def learn_framing(config: TrainConfig, images: Images) -> Networks:
    """The product's own training, framing included; it leaves the rest of the network as it is without."""
    state = new_state(config)
    for _ in train(config, images, state):
        pass
    return {"last": snapshot_of(state).discriminator}


def learn_wide_windows(config: TrainConfig, images: Images) -> Networks:
    with _share(0.25, 0.75):
        return learn(config, images)


@contextmanager
def _share(low: float, high: float) -> Iterator[None]:
    before = augment.SHARE
    augment.SHARE = (low, high)
    try:
        yield
    finally:
        augment.SHARE = before


def hard_batch(config: TrainConfig, pool: Pool, counter: int, choices: int = 4) -> Batch:
    """Of several border windows the one whose mean colour is nearest that of the middle window."""
    rows = batch_rows(config.seed, len(pool), size=config.batch_size, counter=counter)
    images = to_model_range(pool.rows(rows))
    n, side = len(images), images.shape[-1]
    placing = stream(config.seed, Purpose.CROPS, counter)
    assert config.crop_size is not None
    middle = crop(images, centre_windows(n, side, placing), config.crop_size)
    borders = torch.stack(
        [crop(images, border_windows(n, side, placing), config.crop_size) for _ in range(choices)]
    )
    away = (borders.mean(dim=(3, 4)) - middle.mean(dim=(2, 3))).norm(dim=2)
    nearest = borders[away.argmin(dim=0), torch.arange(n)]
    both = mirror_and_relight(
        torch.cat([middle, nearest]), stream(config.seed, Purpose.AUGMENTATION, counter)
    )
    return Batch(both[:n], both[n:].contiguous(memory_format=torch.channels_last))


def learn_hard(config: TrainConfig, images: Images) -> Networks:
    return learn(config, images, batch=hard_batch)


def learn_rotations(config: TrainConfig, images: Images) -> Networks:
    """Half of the middle windows once more, each turned by one of four quarters, which a third unit tells."""
    state = new_state(config)
    turns = nn.Linear(state.discriminator.linear.in_features, 4)
    nn.init.normal_(turns.weight, 0, 0.02, generator=stream(config.seed, Purpose.WEIGHTS, 1))
    state.d_optimizer.add_param_group({"params": turns.parameters()})

    def loss(state: TrainState, batch: Batch, counter: int) -> Tensor:
        assert batch.background is not None and state.discriminator.background is not None
        n, quarter = len(batch.real), len(batch.real) // 8
        turned = [batch.real[k * quarter : (k + 1) * quarter].rot90(k, (2, 3)) for k in range(4)]
        pooled = state.discriminator.features(torch.cat([batch.real, batch.background, *turned]))
        pooled = pooled.mean(dim=(2, 3)).float()
        logits = state.discriminator.background(pooled[: 2 * n]).squeeze(1)
        which = torch.arange(4).repeat_interleave(quarter)
        side = F.cross_entropy(turns(pooled[2 * n :]).float(), which)
        return background_loss(logits[:n].float(), logits[n:].float()) + 0.3 * side

    return learn(config, images, loss=loss, state=state)


def generated_loss(sign: float, imitate: str, weight: float = 0.5, game: float = 0.2) -> Loss:
    """A generator that imitates middle or border windows; what it makes counts as object (1) or not (-1).

    It plays against the first unit at weight ``game``, and the second learns its windows at ``weight``.
    """

    def loss(state: TrainState, batch: Batch, counter: int) -> Tensor:
        assert batch.background is not None
        n = len(batch.real)
        noise = torch.randn(
            n, state.config.latent_size, generator=stream(state.config.seed, Purpose.NOISE, counter)
        )
        fake = state.generator(noise)
        with frozen(state.discriminator), keeping_averages(state.discriminator):
            update(state.g_optimizer, F.softplus(-state.discriminator(fake).float()).mean())
        fake = fake.detach().to(batch.real.dtype)
        logits = state.discriminator.logits(torch.cat([batch.real, batch.background, fake]))
        assert logits.background is not None
        middle, border, made = torch.split(logits.background.float(), n)
        real = logits.real.float()
        shown = real[:n] if imitate == "middle" else real[n : 2 * n]
        play = F.softplus(-shown).mean() + F.softplus(real[2 * n :]).mean()
        return background_loss(middle, border) + game * play + weight * F.softplus(-sign * made).mean()

    return loss


def learn_generated(sign: float, imitate: str) -> Callable[[TrainConfig, Images], Networks]:
    def run(config: TrainConfig, images: Images) -> Networks:
        state = new_state(config)
        state.generator = Generator(image_size=config.input_size, width=16, latent_size=config.latent_size)
        state.g_optimizer = torch.optim.Adam(state.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
        return learn(config, images, loss=generated_loss(sign, imitate), state=state)

    return run


# --- boxes ----------------------------------------------------------------------------------------------


def default_boxes(nets: Mapping[str, list[Networks]], images: Images, which: str = "last") -> Found:
    (networks,) = next(iter(nets.values()))
    network = networks[which]
    assert isinstance(network, Discriminator)
    return fitted(heat_maps(network, images, options=GUIDED), images)


def fitted(maps: np.ndarray, images: Images) -> Found:
    prior = _prior(maps, images)
    return [find_box(heat, width=64, height=64, prior=prior).box for heat in maps]


def _prior(maps: np.ndarray, images: Images) -> Prior | None:
    tally = PriorTally()
    for heat, ratio in zip(maps, outline_ratios(images), strict=True):
        tally.add(heat, ratio)
    return tally.prior()


def centred_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return [Box(6.4, 6.4, 57.6, 57.6)] * len(images)


def contrast_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return fitted(contrast_maps(images), images)


def averaged_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return default_boxes(nets, images, "averaged")


def ensemble_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return fitted(guided(together(nets, images), contrast_maps(images)), images)


def together(nets: Mapping[str, list[Networks]], images: Images) -> np.ndarray:
    """The mean of the maps of several networks, each scaled to 0..1 on the reading grid."""
    total = np.zeros((len(images), 64, 64), np.float32)
    for networks in (one for several in nets.values() for one in several):
        network = networks["last"]
        assert isinstance(network, Discriminator)
        total += np.stack([scaled_map(heat) for heat in heat_maps(network, images, options=AVERAGED)])
    return total


def mean_map_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    """Moments under the mean of all maps in place of the Gaussian, drawn out as ``fitted`` does."""
    (networks,) = next(iter(nets.values()))
    network = networks["last"]
    assert isinstance(network, Discriminator)
    maps = heat_maps(network, images, options=GUIDED)
    factor = drawn_out(_prior(maps, images))
    scaled = np.stack([scaled_map(heat) for heat in maps])
    mean = scaled.mean(axis=0)
    stretch = math.log(factor)
    return [_adjusted(spread_box(heat * mean), 0, 0, -stretch, stretch) for heat in scaled]


def framing_boxes(nets: Mapping[str, list[Networks]], images: Images, *, sized: bool = True) -> Found:
    """The default's boxes, moved and scaled by what framing answers, as it is: no constant is chosen."""
    network = nets["framing"][0]["last"]
    assert isinstance(network, Discriminator)
    answers = framings(network, images)
    assert answers is not None
    answers[:, 2:] = answers[:, 2:] - answers[:, 2:].mean(axis=0) if sized else 0
    first = default_boxes(nets, images)
    return [_adjusted(box, *answer) for box, answer in zip(first, answers.tolist(), strict=True)]


def _adjusted(box: Box, x: float, y: float, wider: float, higher: float) -> Box:
    middle_x, middle_y = (box.x0 + box.x1) / 2 + 64 * x, (box.y0 + box.y1) / 2 + 64 * y
    half_x, half_y = (box.x1 - box.x0) / 2 * np.exp(wider), (box.y1 - box.y0) / 2 * np.exp(higher)
    return Box(middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y).clamped(64, 64)


def framing_moved_boxes(nets: Mapping[str, list[Networks]], images: Images) -> Found:
    return framing_boxes(nets, images, sized=False)


TRAININGS: Mapping[str, Training] = {
    "default": Training(learn),
    "image-norm": Training(learn, {"norm": "image"}),
    "width-16": Training(learn, {"width": 16}),
    "width-64": Training(learn, {"width": 64}),
    "wide-windows": Training(learn_wide_windows),
    "hard-negatives": Training(learn_hard),
    "rotations": Training(learn_rotations),
    "framing": Training(learn_framing, {"framing": 4}),
    "generated-objects": Training(learn_generated(1, "middle")),
    "generated-negatives": Training(learn_generated(-1, "middle")),
    "generated-background": Training(learn_generated(-1, "border")),
}

IDEAS: Mapping[str, Idea] = {
    "centred-80": Idea("no picture at all: a centred box", (), centred_boxes),
    "contrast": Idea("no network: contrast alone", (), contrast_boxes),
    "default": Idea("the product without framing", ("default",), default_boxes),
    "averaged-weights": Idea("weights averaged over the last steps", ("default",), averaged_boxes),
    "ensemble": Idea("the maps of two trainings averaged", ("default",), ensemble_boxes, seeds=2),
    "mean-map": Idea("the set's mean map in place of the Gaussian", ("default",), mean_map_boxes),
    "image-norm": Idea("each image normalised on its own", ("image-norm",), default_boxes),
    "width-16": Idea("half the channels", ("width-16",), default_boxes),
    "width-64": Idea("twice the channels", ("width-64",), default_boxes),
    "wide-windows": Idea("windows of 25 to 75 % of the side", ("wide-windows",), default_boxes),
    "hard-negatives": Idea("border windows coloured like the middle", ("hard-negatives",), default_boxes),
    "rotations": Idea("a unit that tells quarter turns", ("rotations",), default_boxes),
    "framing": Idea("moved and scaled by how photos are framed", ("framing",), framing_boxes),
    "framing-moved": Idea("moved by it only", ("framing",), framing_moved_boxes),
    "generated-objects": Idea("generated windows as objects", ("generated-objects",), default_boxes),
    "generated-negatives": Idea("generated windows as background", ("generated-negatives",), default_boxes),
    "generated-background": Idea(
        "a generator of border windows as background", ("generated-background",), default_boxes
    ),
}
