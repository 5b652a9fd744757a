"""Files that stand where a checkpoint should: each is refused in one sentence, whatever is in it."""

from __future__ import annotations

import copy
import math
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.base.config import ClassifierConfig, TrainConfig
from core.base.errors import CheckpointError
from core.learn import checkpoint, snapshots
from core.learn import class_training as classify
from core.learn.checkpoint import new_state
from core.learn.engine import snapshot_of, train

SMALL = TrainConfig(
    image_size=32, width=8, batch_size=8, steps=4, sample_every=2, snapshot_every=2, latent_size=16,
    device="cpu",
)  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of three steps, with a history, signals and losses since."""
    path = tmp_path_factory.mktemp("saved") / "a.pt"
    state = new_state(SMALL)
    training = train(SMALL, np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8), state)
    for _ in range(3):
        next(training)
    training.close()
    checkpoint.save(path, state)
    assert checkpoint.load(path).signals
    return path


def _refused(path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"^[^\n]*\.$"):
        checkpoint.load(path)


def test_every_changed_byte_of_the_weights_is_noticed(saved: Path, tmp_path: Path) -> None:
    """A disk that loses a bit leaves a file that is whole by its looks, and other weights in it."""
    good = saved.read_bytes()
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(saved) as archive:
        largest = max(archive.infolist(), key=lambda one: one.file_size)
    for place in np.linspace(largest.header_offset + 200, largest.header_offset + largest.file_size, 20):
        path.write_bytes(good)
        with path.open("r+b") as file:
            file.seek(int(place))
            file.write(bytes([good[int(place)] ^ 1]))
        _refused(path)


def test_what_unpacks_to_more_than_its_file_is_not_unpacked(saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(saved) as good, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        for one in good.infolist():
            bomb.writestr(one.filename, good.read(one))
        bomb.writestr("archive/data/999", bytes(50_000_000))
    assert path.stat().st_size < 40_000_000
    _refused(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes among files on Windows")
def test_a_pipe_or_a_folder_in_its_place_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "folder.pt").mkdir()
    _refused(tmp_path / "pipe.pt")
    _refused(tmp_path / "folder.pt")


_STEPS = (-1, 2**63, 10**30, math.inf, math.nan, "60", None, [], True, 1.5)
_PLAIN = (*(("step", value) for value in _STEPS), *(("elapsed_s", value) for value in (math.inf, "x", None)))
_FIRST = (
    *((("history", 0, "d_loss"), value) for value in (math.nan, 10**400, "x", None)),
    *((("signals", 0, "map_difference"), value) for value in (math.nan, "x", None)),
    *((("losses_since", 0), value) for value in (("x",), (math.inf,))),
    *((("config", name), value) for name, value in (("steps", "4"), ("steps", True), ("seed", "\x1b[31m"))),
    *((("config", name), value) for name, value in (("augmentation", "x"), ("sample_every", 1.5))),
)


@pytest.mark.parametrize(("keys", "value"), [*(((key,), value) for key, value in _PLAIN), *_FIRST])
def test_values_of_another_kind_are_refused(
    saved: Path, tmp_path: Path, keys: tuple[Any, ...], value: object
) -> None:
    content = torch.load(saved, weights_only=True)
    at = content
    for key in keys[:-1]:
        at = at[key]
    assert at[keys[-1]] != value
    at[keys[-1]] = value
    torch.save(content, tmp_path / "a.pt")
    _refused(tmp_path / "a.pt")


def _one(moments: dict[str, Any]) -> dict[str, Tensor]:
    first: dict[str, Tensor] = next(iter(moments["state"].values()))
    return first


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: next(iter(content["discriminator"].values())).fill_(math.nan),
        lambda content: next(iter(content["generator"].values())).fill_(math.inf),
        lambda content: _one(content["d_optimizer"]).update(exp_avg=torch.zeros(3)),
        lambda content: _one(content["g_optimizer"]).pop("exp_avg_sq"),
        lambda content: _one(content["g_optimizer"]).update(step="x"),
    ],
)
def test_weights_and_moments_that_no_step_can_go_on_from_are_refused(
    saved: Path, tmp_path: Path, spoil: Callable[[dict[str, Any]], object]
) -> None:
    content = torch.load(saved, weights_only=True)
    spoil(content)
    torch.save(content, tmp_path / "a.pt")
    _refused(tmp_path / "a.pt")


def test_what_an_optimizer_is_set_to_follows_from_the_config(saved: Path, tmp_path: Path) -> None:
    content = torch.load(saved, weights_only=True)
    whole = copy.deepcopy(content)
    content["d_optimizer"]["param_groups"][0].update(lr="x", betas=5)
    torch.save(content, tmp_path / "a.pt")
    state = checkpoint.load(tmp_path / "a.pt")
    assert state.d_optimizer.param_groups[0]["lr"] == whole["d_optimizer"]["param_groups"][0]["lr"]
    assert state.d_optimizer.state_dict()["state"].keys() == whole["d_optimizer"]["state"].keys()


def test_snapshots_and_trainings_with_class_labels_are_looked_at_alike(tmp_path: Path) -> None:
    snapshots.keep(tmp_path, snapshot_of(new_state(SMALL)), SMALL)
    path = snapshots.snapshot_file(tmp_path, 0)
    content = torch.load(path, weights_only=True)
    for change in ({"step": math.inf}, {"step": -1}, {"config": {**content["config"], "seed": "x"}}):
        torch.save({**content, **change}, path)
        with pytest.raises(CheckpointError, match="damaged"):
            snapshots.load(tmp_path, 0)
    path = tmp_path / "classifier.pt"
    classify.save(path, classify.new_state(ClassifierConfig(image_size=32, width=4), ["a", "b"]))
    content = torch.load(path, weights_only=True)
    for change in ({"step": math.inf}, {"step": -1}, {"since": [(math.nan, 1.0)]}, {"elapsed_s": "x"}):
        torch.save({**content, **change}, path)
        with pytest.raises(CheckpointError, match="damaged"):
            classify.load(path)
