"""The lesson of the GANs: ``train()`` makes one step each time it is asked for the next ``Progress``."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cached_property, partial

import torch
from torch import Tensor

from core.base.config import TrainConfig
from core.base.devices import autocast, move_optimizer, resolve_device
from core.base.ranks import ALONE, Ranks
from core.base.rng import Purpose, stream
from core.learn.batches import fewest_images, updates_of
from core.learn.checkpoint import HistoryPoint, TrainState, new_state
from core.learn.game import Game
from core.learn.lesson import Budget, run
from core.learn.msssim import diversity
from core.learn.projected_game import ProjectedGame
from core.learn.reports import Progress, Snapshot
from core.learn.signals import Yardstick, measure, noise_batches, yardstick
from core.learn.stopping import Signal
from core.learn.together import (
    batch_norm_of_all,
    device_name,
    first_decides,
    mean_of_all,
    start_alike,
)
from core.learn.training import Images, Pool, batch_rows, check_images
from core.learn.updates import update
from core.nets.framing import framing_loss, learning_rate
from core.nets.networks import to_model_range, to_pixels

SAMPLES = 64
SETTLE_EVERY = 10
"""Steps between two looks at the losses on a GPU, where a look makes it wait; the CPU looks each time."""


def train(
    config: TrainConfig, images: Images, state: TrainState | None = None, ranks: Ranks = ALONE
) -> Iterator[Progress]:
    """Train until ``config.steps`` or ``config.minutes``, one step for each ``next``.

    ``state`` is changed in place, so the caller can save it between any two steps; a training resumed
    from it goes on with the same numbers, on the CPU bit for bit.

    Parameters
    ----------
    config
        What to train. With a ``state``, only what is resumable may differ from the state's.
    images
        uint8 (N, S, S, 3) with S = ``config.image_size``; may be a memory map.
    state
        Where to go on; None starts anew.
    ranks
        Which of several processes this is, all of which train the same; each gives the same losses, and only
        the one that writes gives samples, their MS-SSIM, snapshots and signals.

    Raises
    ------
    TrainingError
        A batch that the ranks cannot share evenly, or another of them that has ended. Fewer images than
        :func:`fewest_images`, sizes that do not fit, no such device, losses that are not finite.
    """
    check_images(images, image_size=config.image_size, fewest=fewest_images(config))
    ranks.check_batch(config.batch_size)
    lesson = _Adversarial(config, images, state if state is not None else new_state(config), ranks)
    yield from run(lesson, partial(first_decides, ranks=ranks))


class _Adversarial:
    """One training bound to its device: its steps, and what is reported of them."""

    def __init__(self, config: TrainConfig, images: Images, state: TrainState, ranks: Ranks) -> None:
        self.config, self.images, self.state, self.ranks = config, images, state, ranks
        self.device = resolve_device(device_name(config.device, ranks, cards=torch.cuda.device_count()))
        state.config = config
        _move(state, self.device)
        self.pool = Pool(images, self.device)
        self.game = (ProjectedGame if config.projected else Game)(config, state, self.pool, ranks)
        self._networks = state.generator, state.discriminator
        start_alike(self._networks, ranks)
        self._settle_every = 1 if self.device.type == "cpu" else SETTLE_EVERY
        self.fixed_noise = fixed_noise(config).to(self.device)

    def step(self, budget: Budget) -> None:
        step, updates = self.state.step, updates_of(self.config)
        with batch_norm_of_all(self._networks, self.ranks):
            for i in range(updates):
                losses = self.game.update(step * updates + i, generator=i + 1 == updates)
            self.f_steps(step)
        self.state.step = step + 1
        self.state.losses.add(self.state.step, losses.changed(partial(mean_of_all, ranks=self.ranks)))

    def f_steps(self, step: int) -> None:
        """The updates of the framing, if there is one, that belong to ``step``."""
        framing, optimizer, config = self.state.discriminator.framing, self.state.f_optimizer, self.config
        if framing is None or optimizer is None:
            return
        for counter in range(step * config.framing, (step + 1) * config.framing):
            optimizer.param_groups[0]["lr"] = learning_rate(counter / (config.steps * config.framing))
            rows = batch_rows(config.seed, len(self.pool), size=2 * config.batch_size, counter=counter)
            photos = to_model_range(self.pool.rows(self.ranks.own(rows)))
            rng = stream(config.seed, Purpose.FRAMING, counter)
            with autocast(config.precision, self.device):
                loss = framing_loss(framing, photos, rng, self.ranks)
            update(optimizer, loss, self.ranks)

    @cached_property
    def _yardstick(self) -> Yardstick:
        return yardstick(self.config, self.images, self.device)

    def _measured(self) -> Signal:
        noises = noise_batches(self.config, self.fixed_noise) if self.config.adversarial else []
        return measure(self.state, self._yardstick, [samples_of(self.state, noise) for noise in noises])

    def report(self, budget: Budget, *, last: bool) -> Progress:
        state, config = self.state, self.config
        samples = ms_ssim = snapshot = signal = None
        shows = last or state.step % config.sample_every == 0
        if shows or state.losses.newest is None or state.step % self._settle_every == 0:
            state.losses.settle()
        if shows:
            if config.adversarial and self.ranks.writes:
                samples = samples_of(state, self.fixed_noise)
                ms_ssim = diversity(torch.from_numpy(samples).permute(0, 3, 1, 2).to(self.device))
            state.history.append(_history_point(state, ms_ssim))
        if self.ranks.writes and (last or state.step % config.snapshot_every == 0):
            snapshot, signal = snapshot_of(state), self._measured()
            state.signals.append(signal)
        budget.count()
        newest = state.losses.newest
        assert newest is not None, "the first step's losses are waited for"
        return Progress(
            **budget.standing(), d_loss=newest.discriminator, g_loss=newest.generator, samples=samples,
            ms_ssim=ms_ssim, snapshot=snapshot, signal=signal, background_loss=newest.background,
            background_accuracy=newest.background_accuracy,
        )  # fmt: skip


def _history_point(state: TrainState, ms_ssim: float | None) -> HistoryPoint:
    mean = state.losses.take_mean()
    return HistoryPoint(
        step=state.step,
        d_loss=mean.discriminator,
        g_loss=mean.generator,
        ms_ssim=ms_ssim,
        background_loss=mean.background,
        background_accuracy=mean.background_accuracy,
    )


@torch.no_grad()
def samples_of(state: TrainState, noise: Tensor | None = None) -> Images:
    """The generator's samples from the training's fixed noise: uint8 (64, S, S, 3)."""
    device = next(state.generator.parameters()).device
    if noise is None:
        noise = fixed_noise(state.config).to(device)
    with autocast(state.config.precision, device):
        return to_pixels(state.generator(noise)).cpu().numpy()


def fixed_noise(config: TrainConfig) -> Tensor:
    """The noise of every sample grid of one training, so that the grids show the same places evolve."""
    rng = stream(config.seed, Purpose.SAMPLES)
    return torch.randn(SAMPLES, config.latent_size, generator=rng)


def snapshot_of(state: TrainState) -> Snapshot:
    """A copy of the discriminator as it is now."""
    network = copy.deepcopy(state.discriminator).cpu().eval()
    return Snapshot(state.step, network.requires_grad_(False), state.config.image_size)


def _move(state: TrainState, device: torch.device) -> None:
    state.generator.to(device).train()
    state.discriminator.to(device).train()
    for optimizer in (state.g_optimizer, state.d_optimizer, state.f_optimizer):
        if optimizer is not None:
            move_optimizer(optimizer)
