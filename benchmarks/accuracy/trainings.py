"""How the ideas that ``search.py`` tries are trained: networks by name, from a config and images alone.

Nothing here sees a label.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from readings import Networks, fitted
from torch import Tensor, nn

from core.base.config import TrainConfig
from core.base.devices import autocast, resolve_device
from core.base.rng import Purpose, stream
from core.learn.batches import Batch, batch_at
from core.learn.checkpoint import TrainState, new_state
from core.learn.engine import snapshot_of, train
from core.learn.objectives import background_loss
from core.learn.training import Images, Pool, batch_rows
from core.learn.updates import frozen, judge, keeping_averages, update
from core.maps.heatmap import GUIDED, heat_maps
from core.nets import augment
from core.nets.augment import Windows, border_windows, centre_windows, crop, mirror_and_relight
from core.nets.networks import Discriminator, Generator, initialize, to_model_range

Loss = Callable[[TrainState, Batch, int], Tensor]


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


def side_unit(state: TrainState, outputs: int) -> nn.Linear:
    """A further linear layer on the pooled features, learned with them."""
    unit = nn.Linear(state.discriminator.linear.in_features, outputs)
    nn.init.normal_(unit.weight, 0, 0.02, generator=stream(state.config.seed, Purpose.WEIGHTS, 1))
    nn.init.zeros_(unit.bias)
    state.d_optimizer.add_param_group({"params": unit.parameters()})
    return unit


def learn_rotations(config: TrainConfig, images: Images) -> Networks:
    """Half of the middle windows once more, each turned by one of four quarters, which a third unit tells."""
    state = new_state(config)
    turns = side_unit(state, 4)

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


def played(state: TrainState, n: int, counter: int) -> Tensor:
    """The generator's update against the first unit, and the windows, (n, 3, s, s), that it made for it."""
    noise = torch.randn(
        n, state.config.latent_size, generator=stream(state.config.seed, Purpose.NOISE, counter)
    )
    fake: Tensor = state.generator(noise)
    with frozen(state.discriminator), keeping_averages(state.discriminator):
        update(state.g_optimizer, F.softplus(-state.discriminator(fake).float()).mean())
    return fake.detach()


def generated_loss(sign: float, imitate: str, weight: float = 0.5, game: float = 0.2) -> Loss:
    """A generator that imitates middle or border windows; what it makes counts as object (1) or not (-1).

    It plays against the first unit at weight ``game``, and the second learns its windows at ``weight``.
    """

    def loss(state: TrainState, batch: Batch, counter: int) -> Tensor:
        assert batch.background is not None
        n = len(batch.real)
        fake = played(state, n, counter).to(batch.real.dtype)
        logits = state.discriminator.logits(torch.cat([batch.real, batch.background, fake]))
        assert logits.background is not None
        middle, border, made = torch.split(logits.background.float(), n)
        real = logits.real.float()
        shown = real[:n] if imitate == "middle" else real[n : 2 * n]
        play = F.softplus(-shown).mean() + F.softplus(real[2 * n :]).mean()
        return background_loss(middle, border) + game * play + weight * F.softplus(-sign * made).mean()

    return loss


def pretrained_loss(game_steps: int) -> Loss:
    """DCGAN's game alone on middle windows for so many steps, then the default's loss alone."""

    def loss(state: TrainState, batch: Batch, counter: int) -> Tensor:
        if counter >= game_steps:
            return plain_loss(state, batch, counter)
        fake = played(state, len(batch.real), counter).to(batch.real.dtype)
        real, made = (state.discriminator(windows).float() for windows in (batch.real, fake))
        return F.softplus(-real).mean() + F.softplus(made).mean()

    return loss


def learn_generated(sign: float, imitate: str) -> Callable[[TrainConfig, Images], Networks]:
    def run(config: TrainConfig, images: Images) -> Networks:
        return learn(config, images, loss=generated_loss(sign, imitate), state=with_generator(config))

    return run


def learn_pretrained(config: TrainConfig, images: Images) -> Networks:
    """As many steps of the game as of the default after it."""
    both = config.with_(steps=2 * config.steps)
    return learn(both, images, loss=pretrained_loss(config.steps), state=with_generator(both))


def with_generator(config: TrainConfig) -> TrainState:
    state = new_state(config)
    state.generator = Generator(image_size=config.input_size, width=16, latent_size=config.latent_size)
    state.g_optimizer = torch.optim.Adam(state.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    return state


def learn_deeper(config: TrainConfig, images: Images) -> Networks:
    """A further convolution of 3 x 3 at the end of each stage: a field of view of 38 pixels, not of 18."""
    state = new_state(config)
    layers: list[nn.Module] = []
    for layer in state.discriminator.features:
        layers.append(layer)
        if isinstance(layer, nn.Conv2d):
            channels = layer.out_channels
        if isinstance(layer, nn.LeakyReLU):
            further = nn.Sequential(
                nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.LeakyReLU(0.2),
            )
            initialize(further, stream(config.seed, Purpose.WEIGHTS, len(layers)))
            state.d_optimizer.add_param_group({"params": further.parameters()})
            layers.append(further)
    state.discriminator.features = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return learn(config, images, state=state)


def learn_iterated(config: TrainConfig, images: Images) -> Networks:
    """The default, then once more from the beginning around the boxes that it finds.

    Windows lie around the middle of an image's box in place of its own, and of several border windows the
    one that shows least of the box is background.
    """
    first = learn(config, images)["last"]
    assert isinstance(first, Discriminator)
    found = fitted(heat_maps(first, images, options=GUIDED), images)
    boxes = torch.tensor([(box.x0, box.y0, box.x1, box.y1) for box in found]) / 64
    return learn(config, images, batch=_around(boxes.float()))


def _around(boxes: Tensor, choices: int = 4) -> Callable[[TrainConfig, Pool, int], Batch]:
    """Batches of windows around ``boxes``, (images, 4), x0, y0, x1, y1 in shares of the sides."""

    def batch(config: TrainConfig, pool: Pool, counter: int) -> Batch:
        assert config.crop_size is not None
        rows = batch_rows(config.seed, len(pool), size=config.batch_size, counter=counter)
        images, at = to_model_range(pool.rows(rows)), boxes[torch.from_numpy(rows)]
        n, side = len(images), images.shape[-1]
        placing = stream(config.seed, Purpose.CROPS, counter)
        middle = _moved(centre_windows(n, side, placing), at, side)
        borders = [border_windows(n, side, placing) for _ in range(choices)]
        least = torch.stack([_shown(at, window) for window in borders]).argmin(dim=0)
        chosen = Windows(
            *(torch.stack(parts)[least, torch.arange(n)] for parts in zip(*borders, strict=True))
        )
        both = torch.cat([crop(images, window, config.crop_size) for window in (middle, chosen)])
        both = mirror_and_relight(both, stream(config.seed, Purpose.AUGMENTATION, counter))
        return Batch(both[:n], both[n:].contiguous(memory_format=torch.channels_last))

    return batch


def _moved(windows: Windows, boxes: Tensor, side: int) -> Windows:
    """Windows as far from the middle of a box as they were from the image's, still inside the image."""
    inside = windows.share / 2 + 0.5 / side
    x, y = (
        windows.x - 0.5 + (boxes[:, 0] + boxes[:, 2]) / 2,
        windows.y - 0.5 + (boxes[:, 1] + boxes[:, 3]) / 2,
    )
    return Windows(*(value.clamp(min=inside, max=1 - inside) for value in (x, y)), windows.share)


def _shown(boxes: Tensor, windows: Windows) -> Tensor:
    """The share of a window that its box takes, (n,)."""
    half, covered = windows.share / 2, torch.ones(len(boxes))
    for k, middle in enumerate((windows.x, windows.y)):
        shown = torch.minimum(boxes[:, k + 2], middle + half) - torch.maximum(boxes[:, k], middle - half)
        covered = covered * shown.clamp(min=0) / windows.share
    return covered


def learn_contrastive(config: TrainConfig, images: Images) -> Networks:
    """A side loss as SimCLR's (Chen et al. 2020): two middle windows of an image are alike, of others not."""
    state = new_state(config)
    said = side_unit(state, 64)

    def twice(config: TrainConfig, pool: Pool, counter: int) -> Batch:
        assert config.crop_size is not None
        batch = batch_at(config, pool, counter)
        rows = batch_rows(config.seed, len(pool), size=config.batch_size, counter=counter)
        placing = stream(config.seed, Purpose.CROPS, counter + config.steps)
        windows = centre_windows(len(rows), pool.rows(rows).shape[1], placing)
        second = crop(to_model_range(pool.rows(rows)), windows, config.crop_size)
        second = mirror_and_relight(second, stream(config.seed, Purpose.AUGMENTATION, counter + config.steps))
        return Batch(torch.cat([batch.real, second]), batch.background)

    def loss(state: TrainState, batch: Batch, counter: int) -> Tensor:
        assert batch.background is not None and state.discriminator.background is not None
        n = len(batch.background)
        pooled = (
            state.discriminator.features(torch.cat([batch.real, batch.background])).mean(dim=(2, 3)).float()
        )
        object_ = state.discriminator.background(pooled).squeeze(1).float()
        unit = F.normalize(said(pooled[: 2 * n]).float(), dim=1)
        like = unit[:n] @ unit[n:].T / 0.2
        side = F.cross_entropy(like, torch.arange(n)) + F.cross_entropy(like.T, torch.arange(n))
        return background_loss(object_[:n], object_[2 * n :]) + 0.15 * side

    return learn(config, images, batch=twice, loss=loss, state=state)


def learn_pasted(sign: float) -> Callable[[TrainConfig, Images], Networks]:
    """Generated windows pasted with a soft edge: objects on border windows (1) or background on middle ones.

    The generator imitates middle windows for the first and border windows for the second: an object with a
    known place, and a photo whose object is painted over.
    """

    def loss(state: TrainState, batch: Batch, counter: int) -> Tensor:
        assert batch.background is not None
        n = len(batch.real)
        fake = played(state, n, counter).to(batch.real.dtype)
        under = batch.background if sign > 0 else batch.real
        pasted = under + _disk(under.shape[-1]) * (fake - under)
        logits = state.discriminator.logits(torch.cat([batch.real, batch.background, pasted, fake]))
        assert logits.background is not None
        middle, border, made = torch.split(logits.background.float()[: 3 * n], n)
        real = logits.real.float()
        shown = real[:n] if sign > 0 else real[n : 2 * n]
        play = F.softplus(-shown).mean() + F.softplus(real[3 * n :]).mean()
        return background_loss(middle, border) + 0.2 * play + 0.5 * F.softplus(-sign * made).mean()

    return lambda config, images: learn(config, images, loss=loss, state=with_generator(config))


def _disk(side: int) -> Tensor:
    """1 in the middle, fading to 0 from .3 to .45 of the side away from it; (side, side)."""
    across = (torch.arange(side) + 0.5) / side - 0.5
    return ((0.45 - (across[:, None] ** 2 + across**2).sqrt()) / 0.15).clamp(0, 1)
