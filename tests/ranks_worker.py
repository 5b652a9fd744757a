"""What each process of tests/core/learn/test_ranks.py does; it is started with torchrun's variables set."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch

from core.base.config import TrainConfig
from core.base.ranks import ALONE, Ranks, ranks_from_environment
from core.cli.console import Bar
from core.cli.gan_commands import follow
from core.images.pixels import Pixels
from core.learn import checkpoint
from core.learn.checkpoint import TrainState, new_state
from core.learn.engine import train
from core.learn.together import Company, batch_norm_of_all, joined, spread_of_all, sum_of_all
from core.project.training import train_and_save, train_beside

SMALL = TrainConfig(
    image_size=32, width=8, batch_size=8, steps=100, sample_every=100, snapshot_every=100, latent_size=16,
    device="cpu", precision="fp32",
)  # fmt: skip
_WINDOWS = SMALL.with_(image_size=64, crop_size=32, background=1.0)
TRAININGS = {
    "paper": SMALL.with_(fine_heat_map=False),
    "norm per image": SMALL.with_(norm="image"),
    "wgan-gp": SMALL.with_(objective="wgan-gp"),
    "dragan": SMALL.with_(objective="dragan"),
    "wgan": SMALL.with_(objective="wgan"),
    "scratch": _WINDOWS.with_(framing=2, adversarial=0.0, learning_rate=1e-3),
    "windows of both": _WINDOWS,
    "generator": SMALL.with_(objective="hinge", projected=True, background=1.0, batch_size=4),
}
STEPS = 3
RESUMED = SMALL.with_(steps=4, sample_every=2)
STOPPED = SMALL.with_(steps=100_000)


def images_of(config: TrainConfig) -> np.ndarray:
    side = config.image_size
    return np.random.default_rng(0).integers(0, 256, (20, side, side, 3), np.uint8)


def tensors_of(state: TrainState) -> dict[str, torch.Tensor]:
    """Copies of weights and buffers; first moments, by ``moment of`` their weights."""
    found = {}
    for part in ("generator", "discriminator"):
        network, optimizer = getattr(state, part), getattr(state, f"{part[0]}_optimizer")
        found |= {f"{part}.{name}": value for name, value in network.state_dict().items()}
        for name, weight in network.named_parameters():
            if weight in optimizer.state:
                found[f"moment of {part}.{name}"] = optimizer.state[weight]["exp_avg"]
    return {name: value.detach().clone() for name, value in found.items()}


def trained(config: TrainConfig, ranks: Ranks = ALONE) -> dict[str, Any]:
    """A training's losses, and its tensors before, after the first step and at the end."""
    state = new_state(config)
    result: dict[str, Any] = {"start": tensors_of(state)}
    reports = []
    for report in islice(train(config, images_of(config), state, ranks), STEPS):
        reports.append(report)
        if report.step == 1:
            result["first"] = tensors_of(state)
    return result | {
        "losses": [(one.d_loss, one.g_loss or 0.0, one.background_loss or 0.0) for one in reports],
        "end": tensors_of(state),
    }


def go_on(path: Path, ranks: Ranks = ALONE, *, steps: int) -> TrainState:
    """The training saved at ``path`` after so many ``steps`` more."""
    state = checkpoint.load(path)
    list(islice(train(RESUMED, images_of(RESUMED), state, ranks), steps))
    return state


def resumed(folder: Path, ranks: Ranks) -> dict[str, Any]:
    """Two steps after the one in ``folder``; the same in halves, from a file of ours."""
    whole = go_on(folder / "one.pt", ranks, steps=2)
    half = go_on(folder / "one.pt", ranks, steps=1)
    if ranks.writes:
        checkpoint.save(folder / "half.pt", half)
        checkpoint.save(folder / "three.pt", whole)
    sum_of_all(torch.zeros(1))  # the file is there
    return {
        "whole": tensors_of(whole),
        "halves": tensors_of(go_on(folder / "half.pt", ranks, steps=1)),
        "ms_ssim": whole.history[-1].ms_ssim,
    }


class _Noting(Bar):
    """A bar that makes a file at the second step."""

    def __init__(self, file: Path) -> None:
        super().__init__(None, None)
        self._file = file

    def update(self, fraction: float, detail: str = "") -> None:
        if detail.startswith("step 2/"):
            self._file.touch()


def stopped(folder: Path, company: Company) -> int | None:
    """A long training whose second process asks to stop; the last step of the first one."""
    asked = folder / "asked"
    if not company.ranks.writes:
        return train_beside(company, asked.exists)
    np.save(folder / "images.npy", images_of(STOPPED))
    array = np.load(folder / "images.npy", mmap_mode="r")
    pixels = Pixels(
        array=array, sizes=np.zeros((20, 2), np.int32), files=(), rejected=(), truncated=frozenset()
    )
    (folder / "run").mkdir()
    training = train_and_save(STOPPED, pixels, folder / "run" / "checkpoint.pt", None, company)
    last = follow(training, _Noting(asked), Event(), company)
    assert last is not None
    return last.step


def derivatives_hold(ranks: Ranks) -> dict[str, bool]:
    """First and second derivatives, against differences: the sum, batch norm and the spread of all."""
    norm = torch.nn.BatchNorm2d(1).double()
    torch.nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(1))

    def normalized(x: torch.Tensor) -> torch.Tensor:
        with batch_norm_of_all([norm], ranks):
            return sum_of_all(norm(x) ** 3)

    def spread(x: torch.Tensor) -> torch.Tensor:
        return sum_of_all(x[0] * spread_of_all(x, ranks))

    def cubed(x: torch.Tensor) -> torch.Tensor:
        return sum_of_all(x**3) ** 2

    functions = {"sum": cubed, "batch norm": normalized, "spread": spread}
    return {name: _holds(function, ranks) for name, function in functions.items()}


def _holds(function: Callable[[torch.Tensor], torch.Tensor], ranks: Ranks) -> bool:
    """Of ``function`` as one of the inputs of all ranks, which all ranks vary alike."""
    torch.manual_seed(0)  # what the checks draw is to be the same on each
    inputs = torch.randn(ranks.size, 2, 1, 1, 2, dtype=torch.float64, requires_grad=True)

    def of_all(values: torch.Tensor) -> torch.Tensor:
        # The mean of ranks' gradients, as in a training: forwards this is what comes in.
        return function((sum_of_all(values) / ranks.size)[ranks.rank])

    first = torch.autograd.gradcheck(of_all, (inputs,), raise_exception=False)
    return first and torch.autograd.gradgradcheck(of_all, (inputs,), raise_exception=False)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with joined(ranks_from_environment()) as company:
        ranks = company.ranks
        results: dict[str, Any] = {name: trained(config, ranks) for name, config in TRAININGS.items()}
        results["derivatives"] = derivatives_hold(ranks)
        results["resumed"] = resumed(folder, ranks)
        results["stopped"] = stopped(folder, company)
    torch.save(results, folder / f"rank-{ranks.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
