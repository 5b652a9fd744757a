"""Losses against torch's own binary cross entropy and the closed form at the optimum."""

from __future__ import annotations

import math

import pytest
import torch
from torch.func import functional_call
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from core.base.config import TrainConfig, limits_of
from core.learn.checkpoint import new_state
from core.learn.objectives import DRAGAN_PENALTY, OBJECTIVES, WGAN_GP_PENALTY, Critic, Objective, Penalty
from core.learn.updates import clip_weights
from core.nets.networks import Discriminator


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


PENALISED = [objective for objective in OBJECTIVES.values() if objective.penalty is not None]


def _rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _penalty(penalty: Penalty | None, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    assert penalty is not None
    return penalty(critic, real, fake, penalty.draw(real.shape, _rng()))


@pytest.mark.parametrize("objective", PENALISED, ids=lambda objective: objective.name)
@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0, 3.0])
def test_penalty_of_a_linear_critic_is_known(objective: Objective, slope: float) -> None:
    """D(x) = a x has the gradient a everywhere, so the penalty is 10 (|a| - 1)^2 wherever it is taken."""
    direction = torch.randn(3, 8, 8, generator=_rng(), dtype=torch.float64)
    direction *= slope / direction.norm()
    real, fake = torch.randn(2, 5, 3, 8, 8, generator=_rng(1), dtype=torch.float64)
    value = _penalty(objective.penalty, lambda x: (x * direction).flatten(1).sum(1), real, fake)
    assert value.item() == pytest.approx(10 * (slope - 1) ** 2)


def test_wgan_gp_looks_between_and_dragan_around_real_images() -> None:
    """D(x) = |x|^2 / 2 has the gradient x, so the penalty tells where it was taken."""

    def critic(x: torch.Tensor) -> torch.Tensor:
        return 0.5 * x.flatten(1).square().sum(1)

    unit = torch.zeros(1, 3, 4, 4, dtype=torch.float64)
    unit[0, 0, 0, 0] = 1.0
    # Between x = 1 and G(z) = 0 every length from 0 to 1 is met: E[10 (e - 1)^2] = 10 / 3.
    real, fake = unit.expand(4000, -1, -1, -1), torch.zeros(4000, 3, 4, 4, dtype=torch.float64)
    assert _penalty(WGAN_GP_PENALTY, critic, real, fake).item() == pytest.approx(10 / 3, rel=0.05)
    # DRAGAN never looks at generated images, and on a batch without spread it looks at x itself.
    even = torch.full((64, 1, 2, 2), 1.5, dtype=torch.float64)
    assert _penalty(DRAGAN_PENALTY, critic, even, fake).item() == pytest.approx(10 * (3.0 - 1) ** 2)
    # Elsewhere its points lie at x + a u std / 2: their mean distance in each value is std / 8.
    spread = torch.randn(4000, 1, 4, 4, generator=_rng(2), dtype=torch.float64)
    seen: list[torch.Tensor] = []

    def watching(x: torch.Tensor) -> torch.Tensor:
        seen.append(x.detach())
        return critic(x)

    _penalty(DRAGAN_PENALTY, watching, spread, spread)
    steps = (seen[0] - spread) / spread.std()
    assert steps.min() >= 0
    assert steps.max() <= 0.5
    assert steps.mean().item() == pytest.approx(0.125, rel=0.03)


@pytest.mark.parametrize("objective", PENALISED, ids=lambda objective: objective.name)
def test_penalties_can_be_minimised(objective: Objective) -> None:
    """The gradient with respect to the critic's weights, against finite differences in float64."""
    network = Discriminator(image_size=32, width=2, per_image_norm=True).double()
    names = [name for name, _ in network.named_parameters()]
    real, fake = torch.randn(2, 3, 3, 32, 32, generator=_rng(), dtype=torch.float64)

    def penalty(*weights: torch.Tensor) -> torch.Tensor:
        values = dict(zip(names, weights, strict=True))
        return _penalty(objective.penalty, lambda x: functional_call(network, values, (x,)), real, fake)

    weights = tuple(
        0.3 * torch.randn(p.shape, generator=_rng(3), dtype=torch.float64) for p in network.parameters()
    )
    assert torch.autograd.gradcheck(penalty, tuple(w.requires_grad_(True) for w in weights), fast_mode=True)


def test_a_penalised_discriminator_does_not_couple_images() -> None:
    for name, objective in OBJECTIVES.items():
        state = new_state(TrainConfig(objective=name, width=8, image_size=32))
        has_batch_norm = any(isinstance(m, torch.nn.BatchNorm2d) for m in state.discriminator.modules())
        assert has_batch_norm == (objective.penalty is None)
        images = torch.randn(6, 3, 32, 32, generator=_rng())
        alone = state.discriminator.train()(images[:1]).item() if objective.penalty else None
        if alone is not None:
            assert state.discriminator(images)[0].item() == pytest.approx(alone, abs=1e-5)


def test_wasserstein_losses_are_differences_of_means() -> None:
    real, fake = torch.tensor([2.0, 4.0]), torch.tensor([1.0, -3.0])
    objective = OBJECTIVES["wgan-gp"]
    assert objective.discriminator_loss(real, fake).item() == pytest.approx(-1.0 - 3.0)
    assert objective.generator_loss(fake).item() == pytest.approx(1.0)


def test_the_hinge_asks_for_a_margin_of_one_and_no_more() -> None:
    objective = OBJECTIVES["hinge"]
    real, fake = torch.tensor([2.0, 0.25]), torch.tensor([-3.0, 0.5])
    assert objective.discriminator_loss(real, fake).item() == pytest.approx((0 + 0.75) / 2 + (0 + 1.5) / 2)
    assert objective.generator_loss(fake).item() == pytest.approx(1.25)


def test_minimax_and_non_saturating_losses_agree_in_sign_only() -> None:
    """Both push the logit up; where the generator is losing, minimax hardly pushes (Goodfellow 2014)."""
    slopes = {}
    for name in ("dcgan", "minimax"):
        logit = torch.tensor([-8.0], requires_grad=True)
        (slope,) = torch.autograd.grad(OBJECTIVES[name].generator_loss(logit), logit)
        slopes[name] = slope.item()
    assert slopes["dcgan"] == pytest.approx(-1 / (1 + math.exp(-8)), abs=1e-6)
    assert slopes["minimax"] == pytest.approx(-1 / (1 + math.exp(8)), abs=1e-6)


def test_clipping_bounds_every_weight() -> None:
    network = Discriminator(image_size=32, width=8)
    clip_weights(network, 0.01)
    assert all(parameter.abs().max() <= 0.01 for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("dcgan", 64, (2e-4, 0.5, 0.999)),
        ("wgan-gp", 64, (1e-4, 0.0, 0.9)),
        ("wgan-gp", 32, (1e-4, 0.5, 0.9)),
        ("hinge", 64, (2e-4, 0.0, 0.99)),
    ],
)
def test_optimizers_are_the_papers(name: str, size: int, expected: tuple[float, float, float]) -> None:
    adam = OBJECTIVES[name].adam(size)
    assert (adam.learning_rate, adam.beta1, adam.beta2) == expected


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
