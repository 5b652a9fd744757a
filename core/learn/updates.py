"""What the two updates of a step are made of: who is judged in whose company, and how weights move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from core.base.ranks import ALONE, Ranks
from core.learn.batches import Batch
from core.learn.together import mean_gradients
from core.nets.networks import Discriminator, Judge


class Judged(NamedTuple):
    """Logits, (n,) each: "real" of real and generated images, "object" of middle and border windows."""

    real: Tensor
    fake: Tensor | None
    centre: Tensor | None
    border: Tensor | None


def judge(network: Judge, batch: Batch, fake: Tensor | None) -> Judged:
    """Logits as the discriminator's update needs them; they are float whatever was computed in.

    As published, real and generated images go through the network apart, each under its own statistics,
    and only real ones set the running averages, which heat maps are read with. Where background is
    learned, all go together: apart, batch norm would take away the very difference in mean between
    middle and border.
    """
    if batch.background is None:
        real = network(batch.real).float()
        if fake is None:
            return Judged(real, None, None, None)
        with keeping_averages(network):
            return Judged(real, network(fake).float(), None, None)
    n = len(batch.real)
    logits = network.logits(_together(batch, fake))
    assert logits.background is not None, "a network that learns background has the unit for it"
    real, _, *generated = torch.split(logits.real.float(), n)
    centre, border, *_ = torch.split(logits.background.float(), n)
    return Judged(real, generated[0] if generated else None, centre, border)


def judge_generated(network: Judge, batch: Batch, fake: Tensor) -> Tensor:
    """Logits of "real" of generated images alone, (n,) float, in the same company as in :func:`judge`."""
    with keeping_averages(network):
        if batch.background is None or network.per_image_norm:
            return network(fake).float()  # type: ignore[no-any-return]
        return network(_together(batch, fake))[-len(fake) :].float()  # type: ignore[no-any-return]


def _together(batch: Batch, fake: Tensor | None) -> Tensor:
    assert batch.background is not None
    parts = [batch.real, batch.background]
    return torch.cat(parts if fake is None else [*parts, fake.to(batch.real.dtype)])


def accuracy(centre: Tensor, border: Tensor) -> Tensor:
    """The share, 0..1, of both kinds of windows whose logit has the right sign."""
    return ((centre > 0).float().mean() + (border < 0).float().mean()) / 2


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
def clip_weights(critic: Judge, limit: float) -> None:
    """Every weight of the critic into -limit..limit (Arjovsky et al. 2017, algorithm 1)."""
    assert isinstance(critic, Discriminator), "no other is played by an objective that clips"
    for part in (critic.features, critic.linear):
        for parameter in part.parameters():
            parameter.clamp_(-limit, limit)


def update(optimizer: torch.optim.Optimizer, loss: Tensor, ranks: Ranks = ALONE) -> None:
    """One step of ``optimizer`` down the gradient of ``loss``, of its mean over all ``ranks``."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    mean_gradients((weight for group in optimizer.param_groups for weight in group["params"]), ranks)
    optimizer.step()
