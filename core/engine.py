"""``train()``: a generator that makes one step each time it is asked for the next ``Progress``."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from core.batches import batch_at
from core.checkpoint import HistoryPoint, TrainState, new_state
from core.config import TrainConfig
from core.errors import TrainingError
from core.msssim import diversity
from core.networks import Discriminator, to_pixels
from core.objectives import OBJECTIVES
from core.rng import Purpose, stream
from core.signals import Yardstick, measure, noise_batches, yardstick
from core.stopping import Signal
from core.training import (
    Budget,
    Images,
    Pool,
    autocast,
    check_images,
    move_optimizer,
    resolve_device,
)

SAMPLES = 64


@dataclass(frozen=True)
class Snapshot:
    """A discriminator at one step: a copy on the CPU in evaluation mode, safe in any thread."""

    step: int
    discriminator: Discriminator
    image_size: int


@dataclass(frozen=True)
class Progress:
    """One step's report. Arrays and networks are copies on the CPU.

    ``samples`` is uint8 (64, S, S, 3) from fixed noise, ``ms_ssim`` their diversity; both are there
    every ``sample_every`` steps and at the last, ``snapshot`` and its ``signal`` every
    ``snapshot_every`` and at the last.
    """

    step: int
    steps: int
    d_loss: float
    g_loss: float
    fraction: float
    elapsed_s: float
    steps_per_s: float
    seconds_left: float | None
    samples: Images | None = None
    ms_ssim: float | None = None
    snapshot: Snapshot | None = None
    signal: Signal | None = None


def train(config: TrainConfig, images: Images, state: TrainState | None = None) -> Iterator[Progress]:
    """Train until ``config.steps`` or ``config.minutes``, one step for each ``next``.

    ``state`` is changed in place, so the caller can save it between any two steps; a training resumed
    from it goes on with the same numbers, on the CPU bit for bit.

    Parameters
    ----------
    config
        What to train. With a ``state``, only its budget and intervals may differ from the state's.
    images
        uint8 (N, S, S, 3) with S = ``config.image_size``; may be a memory map.
    state
        Where to go on; None starts anew.

    Raises
    ------
    TrainingError
        Fewer than ``MIN_IMAGES`` images, sizes that do not fit, no such device, losses that are not finite.
    """
    check_images(images, image_size=config.image_size)
    trainer = _Trainer(config, images, state if state is not None else new_state(config))
    while not trainer.done:
        yield trainer.step()


class _Trainer:
    """One training bound to its device: the two updates, and what is reported of them."""

    def __init__(self, config: TrainConfig, images: Images, state: TrainState) -> None:
        self.config, self.images, self.state = config, images, state
        self.device = resolve_device(config.device)
        self.objective = OBJECTIVES[config.objective]
        state.config = config
        _move(state, self.device)
        self.fixed_noise = fixed_noise(config).to(self.device)
        self.budget = Budget(config, state)
        self.done = self.budget.spent

    def step(self) -> Progress:
        self.budget.begin()
        step = self.state.step
        updates = self.objective.discriminator_steps
        for counter in range(step * updates, (step + 1) * updates):
            is_last = counter + 1 == (step + 1) * updates
            fake = self.generated(counter, with_graph=is_last)
            d_loss = self.d_step(counter, fake.detach())
        g_loss = self.g_step(fake)
        losses = float(d_loss), float(g_loss)
        if not np.isfinite(losses).all():
            raise TrainingError(f"Training broke down at step {step + 1}: a loss is no longer a number.")
        self.state.step = step + 1
        self.budget.count()
        self.done = self.budget.spent
        return self._progress(*losses)

    def generated(self, counter: int, *, with_graph: bool) -> Tensor:
        """The generated images of the ``counter``-th discriminator update.

        The last ones before the generator's update serve for both, as in Radford's own code.
        """
        noise = torch.randn(
            self.config.batch_size,
            self.config.latent_size,
            generator=stream(self.config.seed, Purpose.NOISE, counter),
        ).to(self.device)
        with self._autocast(), torch.set_grad_enabled(with_graph):
            images: Tensor = self.state.generator(noise)
        return images

    def d_step(self, counter: int, fake: Tensor) -> Tensor:
        """The ``counter``-th update of the discriminator in the whole training."""
        state, objective = self.state, self.objective
        real = self._real_batch(counter)
        with self._autocast():
            real_logits = state.discriminator(real)
            # Heat maps are read from real images, so only those set the running averages.
            with keeping_averages(state.discriminator):
                fake_logits = state.discriminator(fake)
        loss = objective.discriminator_loss(real_logits.float(), fake_logits.float())
        if objective.penalty is not None:
            rng = stream(self.config.seed, Purpose.PENALTY, counter)
            loss = loss + objective.penalty(self._logits, real, fake.float(), rng)
        _update(state.d_optimizer, loss)
        if objective.weight_limit is not None:
            clip_weights(state.discriminator, objective.weight_limit)
        return loss.detach()

    def g_step(self, fake: Tensor) -> Tensor:
        """One update of the generator that made ``fake``, whose graph is still there."""
        state = self.state
        with self._autocast(), keeping_averages(state.discriminator), frozen(state.discriminator):
            loss = self.objective.generator_loss(state.discriminator(fake).float())
            _update(state.g_optimizer, loss)
        return loss.detach()

    def _logits(self, images: Tensor) -> Tensor:
        with self._autocast():
            logits: Tensor = self.state.discriminator(images)
        return logits.float()

    def _real_batch(self, counter: int) -> Tensor:
        return batch_at(self.config, Pool(self.images, self.device), counter).real

    @cached_property
    def _yardstick(self) -> Yardstick:
        return yardstick(self.config, self.images, self.device)

    def _measured(self) -> Signal:
        noises = noise_batches(self.config, self.fixed_noise)
        return measure(self.state, self._yardstick, [samples_of(self.state, noise) for noise in noises])

    def _autocast(self) -> AbstractContextManager[object]:
        return autocast(self.config.precision, self.device)

    def _progress(self, d_loss: float, g_loss: float) -> Progress:
        state, config = self.state, self.config
        state.losses_since.append((d_loss, g_loss))
        samples = ms_ssim = snapshot = signal = None
        if self.done or state.step % config.sample_every == 0:
            samples = samples_of(state, self.fixed_noise)
            ms_ssim = diversity(torch.from_numpy(samples).permute(0, 3, 1, 2).to(self.device))
            d_mean, g_mean = np.mean(state.losses_since, axis=0).tolist()
            state.history.append(HistoryPoint(state.step, d_mean, g_mean, ms_ssim))
            state.losses_since.clear()
        if self.done or state.step % config.snapshot_every == 0:
            snapshot, signal = snapshot_of(state), self._measured()
            state.signals.append(signal)
        self.budget.count()
        return Progress(
            step=state.step, steps=config.steps, d_loss=d_loss, g_loss=g_loss,
            fraction=self.budget.fraction, elapsed_s=state.elapsed_s, steps_per_s=self.budget.steps_per_s,
            seconds_left=self.budget.seconds_left, samples=samples, ms_ssim=ms_ssim, snapshot=snapshot,
            signal=signal,
        )  # fmt: skip


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


@contextmanager
def keeping_averages(network: nn.Module) -> Iterator[None]:
    """Batch norm computes with the batch as ever, but leaves its running averages alone."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """No gradients for the network's own weights, which the generator's update does not need."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


@torch.no_grad()
def clip_weights(network: nn.Module, limit: float) -> None:
    """Every weight into -limit..limit (Arjovsky et al. 2017, algorithm 1)."""
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _move(state: TrainState, device: torch.device) -> None:
    state.generator.to(device).train()
    state.discriminator.to(device).train()
    for optimizer in (state.g_optimizer, state.d_optimizer):
        move_optimizer(optimizer)
