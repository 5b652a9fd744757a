"""Adversarial losses, each a pure function of logits. ``D(x)`` is a logit, not a probability.

An :class:`Objective` names the two losses of a game. Losses are means over the batch, scalar float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True, slots=True)
class Objective:
    """``discriminator_loss(real, fake)`` and ``generator_loss(fake)`` take logits of shape (N,)."""

    name: str
    title: str
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]


def cross_entropy_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log s(D(x))] - E[log(1 - s(D(G(z))))], s the sigmoid (Goodfellow et al. 2014, equation 1)."""
    return softplus(-real.float()).mean() + softplus(fake.float()).mean()


def non_saturating_generator_loss(fake: Tensor) -> Tensor:
    """-E[log s(D(G(z)))] (Goodfellow et al. 2014, section 3; Radford et al. 2016)."""
    return softplus(-fake.float()).mean()


OBJECTIVES: Mapping[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("dcgan", "DCGAN", cross_entropy_discriminator_loss, non_saturating_generator_loss),
    )
}
