"""Signals in a training and its checkpoint, and snapshots on disk."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from core.base.config import TrainConfig
from core.base.errors import CheckpointError, TrainingError
from core.images.pixels import Pixels
from core.learn import checkpoint, snapshots
from core.learn.checkpoint import new_state
from core.learn.engine import SAMPLES, fixed_noise, samples_of, snapshot_of, train
from core.learn.msssim import diversity
from core.learn.signals import BATCHES, batched_ms_ssim, measure, noise_batches, yardstick
from core.project.training import train_and_save

SMALL = TrainConfig(
    image_size=32,
    width=8,
    batch_size=8,
    steps=6,
    sample_every=2,
    snapshot_every=2,
    latent_size=16,
    device="cpu",
)
CPU = torch.device("cpu")


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)


def _pixels(images: np.ndarray) -> Pixels:
    return Pixels(
        array=images, files=(), sizes=np.full((len(images), 2), 32), rejected=(), truncated=frozenset()
    )


def test_signals_are_measured_at_each_snapshot(images: np.ndarray) -> None:
    """That they resume to the last bit: test_engine's test of resumption."""
    state = new_state(SMALL)
    reports = list(train(SMALL, images, state))
    assert [signal.step for signal in state.signals] == [2, 4, 6]
    assert [report.signal for report in reports if report.signal] == state.signals


def test_measuring_changes_nothing_of_the_training(images: np.ndarray) -> None:
    often, seldom = new_state(SMALL), new_state(SMALL)
    list(train(SMALL.with_(snapshot_every=1), images, often))
    list(train(SMALL.with_(snapshot_every=1000), images, seldom))
    assert len(often.signals) == 6
    assert len(seldom.signals) == 1
    assert often.signals[-1] == seldom.signals[-1]
    for one, other in ((often.generator, seldom.generator), (often.discriminator, seldom.discriminator)):
        for name, tensor in one.state_dict().items():
            assert torch.equal(tensor, other.state_dict()[name]), name


def test_signals_of_a_generator_that_repeats_itself_and_a_blind_discriminator(images: np.ndarray) -> None:
    state = new_state(SMALL.with_(augmentation=False))
    torch.nn.init.zeros_(state.discriminator.linear.weight)
    fixed = yardstick(state.config, images, CPU)
    same = [np.repeat(images[:1], SAMPLES, axis=0)] * BATCHES
    signal = measure(state, fixed, same)
    assert signal.relative.mean == pytest.approx(1.0, abs=1e-4)
    assert signal.map_difference == 0.0
    assert signal.separation == 0.5
    assert state.discriminator.training


def test_ms_ssim_over_batches_agrees_with_all_pairs() -> None:
    rng = torch.Generator().manual_seed(0)
    coarse = torch.rand(8 * 64, 3, 4, 4, generator=rng)
    images = (torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bilinear") * 255).to(torch.uint8)
    batches = images.permute(0, 2, 3, 1).numpy().reshape(8, 64, 32, 32, 3)
    ours = batched_ms_ssim(list(batches), CPU)
    all_pairs = [diversity(torch.from_numpy(batch).permute(0, 3, 1, 2)) for batch in batches]
    assert 0 < ours.error < 0.05
    assert abs(ours.mean - np.mean(all_pairs)) < 4 * ours.error


def test_noise_batches_begin_with_the_fixed_noise_and_are_all_different() -> None:
    noises = noise_batches(SMALL, fixed_noise(SMALL))
    assert len(noises) == BATCHES
    assert torch.equal(noises[0], fixed_noise(SMALL))
    assert len({float(noise.sum()) for noise in noises}) == BATCHES


@pytest.mark.parametrize("count", [8, 20, 300])
def test_the_yardstick_is_a_function_of_config_and_images(count: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (count, 32, 32, 3), np.uint8)
    one, again = yardstick(SMALL, images, CPU), yardstick(SMALL, images, CPU)
    assert np.array_equal(one.real, again.real)
    assert one.real_ms_ssim == again.real_ms_ssim
    assert len(one.real) == min(64, count)
    assert 0 <= one.real_ms_ssim.mean < 0.5


def test_a_checkpoint_from_before_there_were_signals_loads_and_goes_on(
    images: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "a.pt"
    state = new_state(SMALL)
    list(islice(train(SMALL, images, state), 4))
    checkpoint.save(path, state)
    content = torch.load(path, weights_only=True)
    del content["signals"]
    torch.save(content, path)
    old = checkpoint.load(path)
    assert old.signals == []
    list(train(SMALL, images, old))
    assert [signal.step for signal in old.signals] == [6]
    torch.save({**content, "signals": [{"nonsense": 1}]}, path)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize("objective", ["dcgan", "wgan-gp"])
def test_a_snapshot_comes_back_as_it_was(tmp_path: Path, objective: str) -> None:
    config = SMALL.with_(objective=objective)
    before = snapshot_of(new_state(config))
    snapshots.keep(tmp_path / "s", before, config)
    after = snapshots.load(tmp_path / "s", 0)
    assert (after.step, after.image_size) == (0, 32)
    assert not after.discriminator.training
    for name, tensor in before.discriminator.state_dict().items():
        assert torch.equal(tensor, after.discriminator.state_dict()[name])


def test_damaged_and_missing_snapshots_are_told_in_one_sentence(tmp_path: Path) -> None:
    snapshots.keep(tmp_path, snapshot_of(new_state(SMALL)), SMALL)
    path = snapshots.snapshot_file(tmp_path, 0)
    content = path.read_bytes()
    for cut in (0, 1, len(content) // 2):
        path.write_bytes(content[:cut])
        with pytest.raises(CheckpointError, match=r"^step-00000000\.pt .*\.$"):
            snapshots.load(tmp_path, 0)
    checkpoint.save(path, new_state(SMALL))
    with pytest.raises(CheckpointError, match="not a Boxscout"):
        snapshots.load(tmp_path, 0)
    with pytest.raises(CheckpointError, match="No snapshot of step 7 is kept; the steps that are: 0"):
        snapshots.load(tmp_path, 7)
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    with pytest.raises(CheckpointError, match="cannot be saved"):
        snapshots.keep(blocked, snapshot_of(new_state(SMALL)), SMALL)


def test_snapshots_on_disk_are_bounded_and_keep_both_ends(
    images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "MAX_KEPT", 4)
    config, path = SMALL.with_(steps=9, snapshot_every=1), tmp_path / "checkpoint.pt"
    list(train_and_save(config, _pixels(images), path))
    folder = snapshots.snapshots_dir(path)
    kept = snapshots.kept_steps(folder)
    assert len(kept) == 4
    assert (kept[0], kept[-1]) == (1, 9)
    signals = snapshots.kept_signals(checkpoint.load(path), folder)
    assert tuple(signal.step for signal in signals) == kept


def test_a_restarted_training_drops_the_snapshots_of_the_former(images: np.ndarray, tmp_path: Path) -> None:
    path, pixels = tmp_path / "checkpoint.pt", _pixels(images)
    folder = snapshots.snapshots_dir(path)
    list(train_and_save(SMALL, pixels, path))
    assert snapshots.kept_steps(folder) == (2, 4, 6)
    train_and_save(SMALL.with_(seed=1), pixels, path).close()
    assert snapshots.kept_steps(folder) == (2, 4, 6)  # no step was made
    list(train_and_save(SMALL.with_(seed=1, steps=3, snapshot_every=3), pixels, path))
    assert snapshots.kept_steps(folder) == (3,)
    state = checkpoint.load(path)
    list(train_and_save(state.config.with_(steps=6), pixels, path, state))
    assert snapshots.kept_steps(folder) == (3, 6)


def test_a_snapshot_is_chosen_by_name(images: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    list(train_and_save(SMALL, _pixels(images), path))
    assert snapshots.chosen_snapshot(path, "last")[0].step == 6
    assert snapshots.chosen_snapshot(path, "4")[0].step == 4
    proposed, reason = snapshots.chosen_snapshot(path, "proposed")
    assert proposed.step in (2, 4, 6)
    assert reason
    with pytest.raises(CheckpointError, match="2, 4, 6"):
        snapshots.chosen_snapshot(path, "5")
    for file in snapshots.snapshots_dir(path).iterdir():
        file.unlink()
    assert snapshots.chosen_snapshot(path, "6")[0].step == 6  # the checkpoint itself
    with pytest.raises(TrainingError, match="no measured snapshot"):
        snapshots.chosen_snapshot(path, "proposed")


def test_samples_of_the_first_batch_are_the_grid_that_is_shown(images: np.ndarray) -> None:
    state = new_state(SMALL)
    report = list(train(SMALL, images, state))[-1]
    assert np.array_equal(report.samples, samples_of(state, noise_batches(SMALL, fixed_noise(SMALL))[0]))
