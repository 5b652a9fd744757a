"""Work that is recorded and replayed does what it did before, or goes on unrecorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor

from core.base.config import TrainConfig
from core.base.presets import PRESETS
from core.learn.checkpoint import TrainState, new_state
from core.learn.engine import train
from core.learn.game import Game
from core.learn.objectives import OBJECTIVES
from core.learn.recording import WARM_UP, Function, Recorded, Tensors

T = TypeVar("T")
WINDOWS = PRESETS["scratch"].with_(adversarial=1.0, learning_rate=None, width=8, batch_size=4)
CONFIGS = {
    **{
        name: TrainConfig(objective=name, image_size=32, width=8, batch_size=4, latent_size=8)
        for name in OBJECTIVES
    },
    "windows": WINDOWS,
    "no generator": WINDOWS.with_(adversarial=0.0),
    "projected": PRESETS["generator"].with_(image_size=32, width=8, batch_size=4),
}


class Plays:
    """A recorder without a graphics card: it does the work again, on tensors that it keeps as a card would.

    ``spoils`` is done to what the work changed after each replay, ``refuses`` makes recording fail.
    """

    def __init__(
        self,
        changes: Callable[[], Iterable[Tensor]],
        spoils: Callable[[], None] = lambda: None,
        refuses: bool = False,
    ) -> None:
        self.changes, self.spoils, self.refuses = changes, spoils, refuses
        self.replayed = 0

    def apart(self, work: Callable[[], T]) -> T:
        return work()

    def record(self, work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], None]]:
        if self.refuses:
            raise RuntimeError("operation not permitted when stream is capturing")
        changed = list(self.changes())
        before = [tensor.detach().clone() for tensor in changed]
        results = work()
        with torch.no_grad():
            for tensor, value in zip(changed, before, strict=True):
                tensor.copy_(value)

        def replay() -> None:
            for kept, made in zip(results, work(), strict=True):
                if kept is not None and made is not None:
                    kept.copy_(made)
            self.spoils()
            self.replayed += 1

        return results, replay


class Walk:
    """A weight that each call moves by the mean of its input, and says where it is then."""

    def __init__(self) -> None:
        self.weight = torch.zeros(3)

    def __call__(self, inputs: Tensors) -> Tensors:
        (step, absent) = inputs
        assert step is not None and absent is None
        self.weight += step.mean()
        return self.weight.sum().clone(), None

    def changes(self) -> list[Tensor]:
        return [self.weight]


def _steps(count: int) -> list[Tensor]:
    return list(torch.arange(1.0, count + 1)[:, None].expand(-1, 4).clone())


def test_replays_take_new_inputs_and_leave_old_results_alone() -> None:
    """The sum of 1 to n, three times, is told after each call, however that was made."""
    walk = Walk()
    plays = Plays(walk.changes)
    recorded = Recorded(walk, walk.changes, plays)
    told = [recorded((step, None))[0] for step in _steps(8)]
    expected = [3.0 * n * (n + 1) / 2 for n in range(1, 9)]
    assert [float(value) for value in told if value is not None] == expected
    assert plays.replayed == 8 - WARM_UP


@pytest.mark.parametrize("how", ("refused", "wrong", "wrong results", "not a number"))
def test_what_cannot_be_recorded_rightly_goes_on_unrecorded(how: str) -> None:
    walk = Walk()
    spoils: dict[str, Callable[[], None]] = {
        "wrong": lambda: walk.weight.sub_(1.0),
        "not a number": lambda: walk.weight.mul_(torch.nan).sum(),
        "wrong results": lambda: None,
    }
    plays = Plays(walk.changes, spoils.get(how, lambda: None), refuses=how == "refused")
    if how == "wrong results":
        honest = plays.record
        plays.record = lambda work: ((torch.zeros(()), None), honest(work)[1])  # type: ignore[method-assign]
    recorded = Recorded(walk, walk.changes, plays)
    told = [recorded((step, None))[0] for step in _steps(8)]
    assert float(told[-1]) == 3.0 * 36  # type: ignore[arg-type]
    assert plays.replayed == (0 if how == "refused" else 1)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_recorded_training_is_the_same_to_the_last_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the updates take and change is all that there is: weights, averages, moments, counts of steps."""
    config = CONFIGS[name].with_(steps=WARM_UP + 2, precision="fp32")
    images = np.random.default_rng(0).integers(
        0, 256, (16, config.image_size, config.image_size, 3), np.uint8
    )
    there: list[Plays] = []

    def recorded(game: Game, function: Function) -> Recorded:
        there.append(Plays(game._changes))
        return Recorded(function, game._changes, there[-1])

    states = []
    for is_recorded in (False, True):
        if is_recorded:
            monkeypatch.setattr(Game, "_recorded", recorded)
        states.append(new_state(config))
        list(train(config, images, states[-1]))
    assert any(plays.replayed > 1 for plays in there)
    for ours, theirs in zip(*(_all_of(state) for state in states), strict=True):
        assert torch.equal(ours, theirs)


def _all_of(state: TrainState) -> list[Tensor]:
    parts = [*state.generator.state_dict().values(), *state.discriminator.state_dict().values()]
    for optimizer in (state.g_optimizer, state.d_optimizer):
        for moments in optimizer.state_dict()["state"].values():
            parts += moments.values()
    return parts
