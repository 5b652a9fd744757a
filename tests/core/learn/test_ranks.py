"""Training in several processes: two of half a batch against one of the whole, on the processor."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import ranks_worker
import torch
from ranks_worker import RESUMED, TRAININGS, go_on, images_of, tensors_of, trained

from core.base.errors import TrainingError
from core.base.ranks import ALONE, Ranks, ranks_from_environment
from core.learn import checkpoint
from core.learn.checkpoint import new_state
from core.learn.engine import train
from core.learn.together import backend_for, device_name

Tensors = dict[str, torch.Tensor]
TORCHRUN = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes have done all that ranks_worker.py does."""
    folder = tmp_path_factory.mktemp("ranks")
    begun = new_state(RESUMED)
    next(train(RESUMED, images_of(RESUMED), begun))
    checkpoint.save(folder / "one.pt", begun)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, str(Path(ranks_worker.__file__)), str(folder)]
    root = str(Path(__file__).parents[3])
    workers = [
        subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **TORCHRUN, "RANK": rank, "LOCAL_RANK": rank, "MASTER_PORT": port,
                 "PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    try:
        errors = [worker.communicate(timeout=300)[1] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(errors)
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> list[dict[str, Any]]:
    """What each of the two processes came to."""
    return [torch.load(folder / f"rank-{rank}.pt", weights_only=False) for rank in range(2)]


def _distance(some: Tensors, others: Tensors, part: str = "") -> float:
    """Between all weights and averages, or all tensors of a ``part``."""
    names = [name for name in some if (name.startswith(part) if part else _is_learned(name))]
    assert names
    return sum(float((some[name].double() - others[name].double()).square().sum()) for name in names) ** 0.5


def _is_learned(name: str) -> bool:
    return not name.startswith("moment of ") and not name.endswith("num_batches_tracked")


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_of_half_a_batch_equal_one(results: list[dict[str, Any]], name: str) -> None:
    """Losses, first gradients and weights, up to the order in which float32 sums.

    The bounds lie between two measured distances, in shares of the gradients' length and of the way that
    weights went. One process whose batches are in reverse order: losses 1e-4, gradients 4e-4, weights 1e-4 at
    most. Two processes without common statistics: 2e-4, 2e-2 and 2e-2 at least ("generator": weights 2e-3).
    Clipped WGAN is apart: its critic's gains of 0.01 leave gradients of rounding. In reverse order these
    differ by 0.6, losses by 6e-7, weights by 4e-4; without common statistics losses by 7e-6, weights by 1e-3.
    """
    one, two = trained(TRAININGS[name]), results[0][name]
    clipped = name == "wgan"
    bound = 2e-6 if clipped else 1e-4
    assert torch.tensor(two["losses"]) == pytest.approx(torch.tensor(one["losses"]), rel=bound, abs=bound)
    for part in ("discriminator",) if name == "scratch" else ("generator", "discriminator"):
        nothing = {key: torch.zeros(()) for key in one["first"]}
        moments = f"moment of {part}"
        size = _distance(one["first"], nothing, moments)
        assert clipped or _distance(one["first"], two["first"], moments) < 5e-3 * size
    way = _distance(one["end"], one["start"])
    near = 7e-4 if name in ("wgan", "generator") else 5e-3
    assert _distance(one["end"], two["end"]) < near * way
    tracked = [key for key in one["end"] if key.endswith("num_batches_tracked")]
    assert all(torch.equal(one["end"][key], two["end"][key]) for key in tracked)


@pytest.mark.parametrize("name", TRAININGS)
def test_processes_stay_alike(results: list[dict[str, Any]], name: str) -> None:
    first, second = (result[name] for result in results)
    assert first["losses"] == second["losses"]
    assert first["end"].keys() == second["end"].keys()
    assert all(torch.equal(value, second["end"][key]) for key, value in first["end"].items())


def test_one_process_makes_samples(results: list[dict[str, Any]]) -> None:
    assert [result["resumed"]["ms_ssim"] is not None for result in results] == [True, False]


def test_derivatives_of_what_is_exchanged(results: list[dict[str, Any]]) -> None:
    right = {"sum": True, "batch norm": True, "spread": True}
    assert [result["derivatives"] for result in results] == [right, right]


def test_two_processes_resume_bit_for_bit(results: list[dict[str, Any]]) -> None:
    for result in results:
        whole, halves = result["resumed"]["whole"], result["resumed"]["halves"]
        assert all(torch.equal(value, halves[name]) for name, value in whole.items())


def test_a_training_goes_from_one_process_to_two_and_back(folder: Path) -> None:
    start = new_state(RESUMED)
    before = tensors_of(start)
    list(train(RESUMED, images_of(RESUMED), start))
    back = go_on(folder / "three.pt", steps=1)
    assert back.step == start.step == RESUMED.steps
    assert [point.step for point in back.history] == [point.step for point in start.history]
    ended, whole = tensors_of(back), tensors_of(start)
    assert _distance(ended, whole) < 1e-2 * _distance(whole, before)


def test_what_one_process_asks_stops_all_after_the_same_step(
    folder: Path, results: list[dict[str, Any]]
) -> None:
    last = results[0]["stopped"]
    assert 2 <= last < 100_000
    saved = checkpoint.load(folder / "run" / "checkpoint.pt")
    assert saved.step == last


def test_what_torchrun_says() -> None:
    assert ranks_from_environment({}) == ALONE
    assert ranks_from_environment({**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1"}) == ALONE
    assert ranks_from_environment({**TORCHRUN, "RANK": "5", "WORLD_SIZE": "8"}) == Ranks(5, 8, 1)


@pytest.mark.parametrize(
    "wrong", [{"RANK": "2"}, {"RANK": "-1"}, {"WORLD_SIZE": "many"}, {"LOCAL_RANK": "2"}], ids=str
)
def test_variables_that_are_not_torchruns_are_told(wrong: dict[str, str]) -> None:
    with pytest.raises(TrainingError, match="start with torchrun, or unset both"):
        ranks_from_environment({**TORCHRUN, **wrong})
    del wrong
    with pytest.raises(TrainingError, match="start with torchrun, or unset both"):
        ranks_from_environment({"RANK": "1", "WORLD_SIZE": "2"})


def test_slices_make_up_the_whole() -> None:
    values = torch.arange(24).reshape(12, 2)
    ranks = [Ranks(rank, 3) for rank in range(3)]
    assert torch.equal(torch.cat([one.own(values) for one in ranks]), values)
    parts = [one.own_columns(values.T, kinds=2).unflatten(1, (2, -1)) for one in ranks]
    assert torch.equal(torch.cat(parts, 2).flatten(1), values.T)


def test_a_batch_without_equal_slices_is_refused() -> None:
    Ranks(0, 4).check_batch(8)
    with pytest.raises(TrainingError, match="A batch of 10 cannot be split evenly among 4 processes"):
        Ranks(0, 4).check_batch(10)


def test_each_process_takes_its_own_card() -> None:
    second = Ranks(5, 8, 1)
    assert device_name("auto", second, cards=4) == device_name("cuda", second, cards=4) == "cuda:1"
    assert device_name("auto", second, cards=0) == "auto"
    assert device_name("cpu", second, cards=4) == "cpu"
    assert device_name("cuda:3", ALONE, cards=4) == "cuda:3"
    with pytest.raises(TrainingError, match="cannot share the device 'cuda:0'"):
        device_name("cuda:0", second, cards=4)
    with pytest.raises(TrainingError, match="has 1 graphics cards"):
        device_name("auto", second, cards=1)
    assert backend_for(cards=False) == "gloo"
    assert backend_for(cards=True) == "cpu:gloo,cuda:nccl"
