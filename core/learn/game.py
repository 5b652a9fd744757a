"""The two updates of a training as functions of tensors alone, so that a graphics card can replay them.

All that is drawn, read or decided happens in :meth:`Game.inputs`, on the CPU; what follows asks nothing of
the device that computes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from core.base.config import TrainConfig
from core.base.devices import autocast, to_device
from core.base.ranks import ALONE, Ranks
from core.base.rng import Purpose, stream
from core.learn.batches import Batch, batch_at
from core.learn.checkpoint import TrainState
from core.learn.losses import StepLosses
from core.learn.objectives import OBJECTIVES, Draws, background_loss
from core.learn.recording import Function, Recorded, Tensors, cuda_graph
from core.learn.training import Pool
from core.learn.updates import accuracy, clip_weights, frozen, judge, judge_generated, update


class Game:
    """The updates of ``state``'s discriminator and generator on the device of ``pool``.

    On a graphics card both are recorded (:mod:`core.learn.recording`), unless several ``ranks`` exchange
    within them what no recording was tried with.
    """

    def __init__(self, config: TrainConfig, state: TrainState, pool: Pool, ranks: Ranks = ALONE) -> None:
        self._config, self._state, self._pool, self._ranks = config, state, pool, ranks
        self._objective = OBJECTIVES[config.objective]
        self._alone = self._recorded(self._discriminator_update)
        self._both = self._recorded(self._both_updates)

    def update(self, counter: int, *, generator: bool) -> StepLosses:
        """The ``counter``-th update of the discriminator in the whole training.

        Then, if ``generator``, one of the generator, on the images of that very update, as in Radford's own
        code.
        """
        play = self._both if generator and self._config.adversarial else self._alone
        return StepLosses(*play(self.inputs(counter)))  # type: ignore[arg-type]

    def inputs(self, counter: int) -> Tensors:
        """What the ``counter``-th update is made from: real images, border windows, noise, penalty's draws.

        Each is None where this training has no such thing.
        """
        config, device, penalty, ranks = self._config, self._pool.device, self._objective.penalty, self._ranks
        batch = batch_at(config, self._pool, counter, ranks)
        noise, drawn = None, Draws()
        if config.adversarial:
            noise = self._noise(counter)
            if penalty is not None:
                shape = config.batch_size, *batch.real.shape[1:]
                whole = penalty.draw(shape, stream(config.seed, Purpose.PENALTY, counter))
                drawn = tuple(ranks.own(values) for values in whole)
        return batch.real, batch.background, *(to_device_if_any(device, values) for values in (noise, *drawn))

    def _noise(self, counter: int) -> Tensor:
        rng = stream(self._config.seed, Purpose.NOISE, counter)
        return self._ranks.own(torch.randn(self._config.batch_size, self._config.latent_size, generator=rng))

    def _discriminator_update(self, inputs: Tensors) -> Tensors:
        batch, noise, drawn = _sorted(inputs)
        return self._update_discriminator(batch, self._generated(noise, with_graph=False), drawn)

    def _both_updates(self, inputs: Tensors) -> Tensors:
        batch, noise, drawn = _sorted(inputs)
        fake = self._generated(noise, with_graph=True)
        losses = self._update_discriminator(batch, fake, drawn)
        assert fake is not None, "both are updated only where there is a generator"
        return losses._replace(generator=self._update_generator(batch, fake))

    def _generated(self, noise: Tensor | None, *, with_graph: bool) -> Tensor | None:
        if noise is None:
            return None
        with self._autocast(), torch.set_grad_enabled(with_graph):
            images: Tensor = self._state.generator(noise)
        return images

    def _update_discriminator(self, batch: Batch, fake: Tensor | None, drawn: Draws) -> StepLosses:
        config, state, objective = self._config, self._state, self._objective
        with self._autocast():
            judged = judge(state.discriminator, batch, None if fake is None else fake.detach())
        loss = torch.zeros((), device=self._pool.device)
        background = correct = None
        if fake is not None and judged.fake is not None:
            game = objective.discriminator_loss(judged.real, judged.fake)
            if objective.penalty is not None:
                fakes = fake.detach().float()
                game = game + objective.penalty(self._logits, batch.real, fakes, drawn, self._ranks)
            loss = loss + config.adversarial * game
        if judged.centre is not None and judged.border is not None:
            background = background_loss(judged.centre, judged.border)
            correct = accuracy(judged.centre, judged.border)
            loss = loss + config.background * background
        update(state.d_optimizer, loss, self._ranks)
        if objective.weight_limit is not None:
            clip_weights(state.discriminator, objective.weight_limit)
        return StepLosses(loss, None, background, correct).detached()

    def _update_generator(self, batch: Batch, fake: Tensor) -> Tensor:
        """One update of the generator that made ``fake``, whose graph is still there."""
        state = self._state
        with self._autocast(), frozen(state.discriminator):
            loss = self._objective.generator_loss(judge_generated(state.discriminator, batch, fake))
            update(state.g_optimizer, loss, self._ranks)
        return loss.detach()

    def _logits(self, images: Tensor) -> Tensor:
        with self._autocast():
            logits: Tensor = self._state.discriminator(images)
        return logits.float()

    def _autocast(self) -> AbstractContextManager[object]:
        return autocast(self._config.precision, self._pool.device)

    def _recorded(self, function: Function) -> Function:
        device = self._pool.device
        if device.type != "cuda" or not self._ranks.alone:
            return function
        return Recorded(function, self._changes, cuda_graph(device))

    def _changes(self) -> Iterator[Tensor]:
        state = self._state
        for network in (state.generator, state.discriminator):
            yield from (*network.parameters(), *network.buffers())
        for optimizer in (state.g_optimizer, state.d_optimizer):
            for moments in optimizer.state.values():
                yield from moments.values()


def to_device_if_any(device: torch.device, values: Tensor | None) -> Tensor | None:
    return None if values is None else to_device(values, device)


def _sorted(inputs: Tensors) -> tuple[Batch, Tensor | None, Draws]:
    real, background, noise, *drawn = inputs
    assert real is not None
    return Batch(real, background), noise, tuple(values for values in drawn if values is not None)
