"""The two updates of a Projected GAN (Sauer et al. 2021), whose object unit the folder teaches.

Frozen features of generated images are computed once for both updates: heads change, features do not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.base.config import TrainConfig
from core.base.ranks import ALONE, Ranks
from core.base.rng import Purpose, stream
from core.learn.batches import batch_at
from core.learn.checkpoint import TrainState
from core.learn.game import Game, to_device_if_any
from core.learn.losses import StepLosses
from core.learn.recording import Tensors
from core.learn.teacher import find_direction, object_loss
from core.learn.training import Pool
from core.learn.updates import frozen, update
from core.nets.augment import draw_variation, vary
from core.nets.projected import ProjectedDiscriminator, Seen


class ProjectedGame(Game):
    """The updates of a projected discriminator and of the generator that it judges.

    Raises
    ------
    FeaturesError
        The weights of the frozen network are not there.
    """

    def __init__(self, config: TrainConfig, state: TrainState, pool: Pool, ranks: Ranks = ALONE) -> None:
        super().__init__(config, state, pool, ranks)
        assert isinstance(state.discriminator, ProjectedDiscriminator), "what the config asks for"
        self._network = state.discriminator
        if config.background:
            find_direction(self._network, pool)

    def inputs(self, counter: int) -> Tensors:
        """Real images, varied; where there is a generator, its noise and how its images are varied."""
        config, device = self._config, self._pool.device
        noise = drawn = None
        if config.adversarial:
            noise = self._noise(counter)
            if config.augmentation:
                rng = stream(config.seed, Purpose.VARIATION, counter)
                drawn = draw_variation(len(noise), rng, self._ranks)
        real = batch_at(config, self._pool, counter, self._ranks).real
        return real, to_device_if_any(device, noise), to_device_if_any(device, drawn)

    def _discriminator_update(self, inputs: Tensors) -> Tensors:
        with torch.no_grad():
            fake = self._generated_features(inputs)
        return self._update_heads(inputs, fake)

    def _both_updates(self, inputs: Tensors) -> Tensors:
        fake = self._generated_features(inputs)
        assert fake is not None, "both are updated only where there is a generator"
        losses = self._update_heads(inputs, fake)
        with self._autocast(), frozen(self._network):
            loss = self._objective.generator_loss(self._network.answer(fake.mixed).real)
        update(self._state.g_optimizer, loss, self._ranks)
        return losses._replace(generator=loss.detach())

    def _generated_features(self, inputs: Tensors) -> Seen | None:
        _, noise, drawn = inputs
        if noise is None:
            return None
        with self._autocast():
            images: Tensor = self._state.generator(noise)
            return self._network.see(images if drawn is None else vary(images, drawn))

    def _update_heads(self, inputs: Tensors, fake: Seen | None) -> StepLosses:
        config, network = self._config, self._network
        real = inputs[0]
        assert real is not None
        with self._autocast():
            with torch.no_grad():
                seen = network.see(real)
            judged = network.answer(seen.mixed)
            loss = torch.zeros((), device=self._pool.device)
            if fake is not None:
                generated = network.answer(tuple(one.detach() for one in fake.mixed)).real
                loss = loss + config.adversarial * self._objective.discriminator_loss(judged.real, generated)
        taught = right = None
        if judged.object is not None:
            taught, right = object_loss(judged.object, network.taught(seen.deepest), self._ranks)
            loss = loss + config.background * taught
        update(self._state.d_optimizer, loss, self._ranks)
        return StepLosses(loss, None, taught, right).detached()
