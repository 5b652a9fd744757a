"""Losses against torch's own binary cross entropy and the closed form at the optimum."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from core.config import limits_of
from core.objectives import OBJECTIVES


def test_dcgan_is_binary_cross_entropy() -> None:
    objective = OBJECTIVES["dcgan"]
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 32, generator=rng) * 3
    ones, zeros = torch.ones(32), torch.zeros(32)
    assert torch.allclose(objective.discriminator_loss(real, fake), bce(real, ones) + bce(fake, zeros))
    assert torch.allclose(objective.generator_loss(fake), bce(fake, ones))


def test_an_undecided_discriminator_pays_two_log_two() -> None:
    """Goodfellow et al. 2014, theorem 1: the value at D = 1/2 is -log 4."""
    undecided = torch.zeros(4)
    loss = OBJECTIVES["dcgan"].discriminator_loss(undecided, undecided)
    assert float(loss) == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_losses_are_smooth_and_finite_for_extreme_logits(name: str) -> None:
    objective = OBJECTIVES[name]
    extreme = torch.tensor([-1e4, -50.0, 50.0, 1e4])
    assert torch.isfinite(objective.discriminator_loss(extreme, extreme))
    logits = torch.randn(5, dtype=torch.float32, requires_grad=True)
    objective.generator_loss(logits).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_every_objective_can_be_chosen() -> None:
    assert set(limits_of("objective").choices) == set(OBJECTIVES)
