"""Adversarial losses, each a pure function of logits, and the penalties that go with some of them.

``D(x)`` is the discriminator's logit, not a probability; s is the sigmoid. Losses are means over the
batch: scalar, in the logits' own float type. An :class:`Objective` names everything that one game needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from core.base.ranks import ALONE, Ranks
from core.learn.together import spread_of_all

Critic = Callable[[Tensor], Tensor]
Draws = tuple[Tensor, ...]

PENALTY_WEIGHT = 10.0


@dataclass(frozen=True, slots=True)
class AdamSettings:
    """Adam's step size and momenta."""

    learning_rate: float
    beta1: float
    beta2: float


@dataclass(frozen=True, slots=True)
class Penalty:
    """10 x :func:`slope_penalty` at points that the two kinds choose in their own way.

    Attributes
    ----------
    draw
        Shape of a batch, (n, 3, S, S), and a CPU generator -> the random numbers of one penalty.
    points
        Real and generated images, (n, 3, S, S) each, those numbers, and which slice of the batch all these
        are -> where slopes are measured.
    """

    draw: Callable[[Sequence[int], torch.Generator], Draws]
    points: Callable[[Tensor, Tensor, Draws, Ranks], Tensor]

    def __call__(
        self, critic: Critic, real: Tensor, fake: Tensor, drawn: Draws, ranks: Ranks = ALONE
    ) -> Tensor:
        return PENALTY_WEIGHT * slope_penalty(critic, self.points(real, fake, drawn, ranks))


@dataclass(frozen=True, slots=True)
class Objective:
    """One game.

    Attributes
    ----------
    discriminator_loss, generator_loss
        Take the logits of real and generated images, (N,) or (N, heads), and of generated ones alone.
    adam
        The reference's optimizer at an image size in pixels.
    penalty
        None where there is none. A penalised discriminator must not couple the images of a batch, so it
        has no batch norm.
    discriminator_steps
        Discriminator updates for each generator update.
    weight_limit
        Weights are clipped to +- this after each discriminator update; None where they are free.
    """

    name: str
    title: str
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]
    adam: Callable[[int], AdamSettings]
    penalty: Penalty | None = None
    discriminator_steps: int = 1
    weight_limit: float | None = None


def cross_entropy_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log s(D(x))] - E[log(1 - s(D(G(z))))] (Goodfellow et al. 2014, equation 1)."""
    return softplus(-real).mean() + softplus(fake).mean()


def background_loss(centre: Tensor, border: Tensor) -> Tensor:
    """-E[log s(B(centre))] - E[log(1 - s(B(border)))] of the second unit B, whatever the game: no paper's.

    The same cross entropy as between real and generated images, of windows from the middle of images
    against windows from their borders.
    """
    return cross_entropy_discriminator_loss(centre, border)


def non_saturating_generator_loss(fake: Tensor) -> Tensor:
    """-E[log s(D(G(z)))] (Goodfellow et al. 2014, section 3; Radford et al. 2016)."""
    return softplus(-fake).mean()


def minimax_generator_loss(fake: Tensor) -> Tensor:
    """E[log(1 - s(D(G(z))))] (Goodfellow et al. 2014, equation 1); flat where the generator is losing."""
    return -softplus(fake).mean()


def wasserstein_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """E[D(G(z))] - E[D(x)] (Arjovsky et al. 2017, equation 3)."""
    return fake.mean() - real.mean()


def wasserstein_generator_loss(fake: Tensor) -> Tensor:
    """-E[D(G(z))] (Arjovsky et al. 2017, equation 3)."""
    return -fake.mean()


def hinge_discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))] (Lim and Ye 2017, equation 13)."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def slope_penalty(critic: Critic, points: Tensor) -> Tensor:
    """E[(||grad D(x)||_2 - 1)^2] at ``points`` (N, ...), the norm taken over each whole image.

    The gradient is that of the logit. It stays part of the graph, so that the penalty can be minimised.
    """
    points = points.detach().requires_grad_(True)
    (slopes,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    excess: Tensor = slopes.flatten(1).norm(dim=1) - 1
    return (excess**2).mean()


def between_images(real: Tensor, fake: Tensor, drawn: Draws, _ranks: Ranks = ALONE) -> Tensor:
    """Points between real and generated images (Gulrajani et al. 2017, algorithm 1).

    x_hat = e x + (1 - e) G(z) with e ~ U(0, 1) for each image.
    """
    (share,) = drawn
    return share * real + (1 - share) * fake


def around_real_images(real: Tensor, fake: Tensor, drawn: Draws, ranks: Ranks = ALONE) -> Tensor:
    """Points around real images (Kodali et al. 2017, equation 3; Fedus et al. 2018).

    x_p = x + 0.5 std(batch) U[0, 1) for each value, x_hat = x + a (x_p - x) with a ~ U(0, 1) for each
    image; ``std`` is one number, over the whole batch. ``fake`` is not used.
    """
    noise, share = drawn
    return real + share * 0.5 * spread_of_all(real, ranks) * noise


def _one_for_each_image(shape: Sequence[int], rng: torch.Generator) -> Draws:
    return (torch.rand(shape[0], *[1] * (len(shape) - 1), generator=rng),)


def _one_for_each_value_and_image(shape: Sequence[int], rng: torch.Generator) -> Draws:
    return (torch.rand(*shape, generator=rng), *_one_for_each_image(shape, rng))


WGAN_GP_PENALTY = Penalty(_one_for_each_image, between_images)
DRAGAN_PENALTY = Penalty(_one_for_each_value_and_image, around_real_images)


def _radford(_image_size: int) -> AdamSettings:
    return AdamSettings(2e-4, 0.5, 0.999)


def _gulrajani(image_size: int) -> AdamSettings:
    return AdamSettings(1e-4, 0.0 if image_size >= 64 else 0.5, 0.9)


def _arjovsky(_image_size: int) -> AdamSettings:
    """RMSProp's 5e-5 as Adam without first momentum, so that one optimizer serves every objective."""
    return AdamSettings(5e-5, 0.0, 0.99)


def _sauer(_image_size: int) -> AdamSettings:
    return AdamSettings(2e-4, 0.0, 0.99)


OBJECTIVES: Mapping[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective(
            "dcgan", "DCGAN", cross_entropy_discriminator_loss, non_saturating_generator_loss, _radford
        ),
        Objective(
            "wgan-gp",
            "WGAN-GP",
            wasserstein_discriminator_loss,
            wasserstein_generator_loss,
            _gulrajani,
            penalty=WGAN_GP_PENALTY,
            discriminator_steps=5,
        ),
        Objective(
            "dragan",
            "DRAGAN",
            cross_entropy_discriminator_loss,
            non_saturating_generator_loss,
            _radford,
            penalty=DRAGAN_PENALTY,
        ),
        Objective(
            "minimax", "Minimax GAN", cross_entropy_discriminator_loss, minimax_generator_loss, _radford
        ),
        Objective(
            "wgan",
            "WGAN (clipped)",
            wasserstein_discriminator_loss,
            wasserstein_generator_loss,
            _arjovsky,
            discriminator_steps=5,
            weight_limit=0.01,
        ),
        # What the generator minimises is the same as with Wasserstein (Lim and Ye 2017, equation 14).
        Objective("hinge", "Hinge GAN", hinge_discriminator_loss, wasserstein_generator_loss, _sauer),
    )
}
