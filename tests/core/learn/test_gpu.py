"""What a graphics card does as the CPU does. Skipped where there is none; run it first on a new one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.base.config import TrainConfig
from core.base.devices import resolve_device
from core.base.presets import PRESETS
from core.learn import checkpoint
from core.learn.batches import updates_of
from core.learn.checkpoint import TrainState, new_state
from core.learn.engine import snapshot_of, train
from core.learn.objectives import OBJECTIVES
from core.learn.recording import Recorded, Tensors, cuda_graph
from core.learn.training import Pool
from core.maps.heatmap import AVERAGED, heat_maps
from core.nets.features import load_features

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")

PLAIN = TrainConfig(
    image_size=32, width=8, batch_size=8, steps=6, sample_every=2, snapshot_every=3, latent_size=16
)
GAMES = [PLAIN.with_(objective=name) for name in OBJECTIVES]
WINDOWS = PRESETS["scratch"].with_(
    adversarial=1.0,
    learning_rate=None,
    image_size=64,
    width=8,
    batch_size=8,
    steps=6,
    sample_every=2,
    snapshot_every=3,
)


PROJECTED = PRESETS["generator"].with_(width=8, steps=6, sample_every=2, snapshot_every=3)


CONFIGS = [*GAMES, WINDOWS, WINDOWS.with_(adversarial=0.0), PROJECTED]
NAMES = [
    f"{config.objective}-{config.crop_size}-{config.adversarial}-{config.projected}" for config in CONFIGS
]


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 64, 64, 3), np.uint8)


@pytest.mark.parametrize(
    "config",
    [*GAMES, WINDOWS, PROJECTED],
    ids=lambda config: f"{config.objective}-{config.crop_size}-{config.projected}",
)
def test_the_first_losses_are_those_of_the_cpu(images: np.ndarray, config: TrainConfig) -> None:
    """Weights, batches, noise and windows are drawn on the CPU, so that only rounding differs."""
    pixels = images[:, :: 64 // config.image_size, :: 64 // config.image_size]
    config = config.with_(precision="fp32")
    cpu, gpu = (next(train(config.with_(device=name), pixels)) for name in ("cpu", "cuda"))
    assert gpu.d_loss == pytest.approx(cpu.d_loss, rel=1e-2, abs=1e-3)
    assert gpu.g_loss == pytest.approx(cpu.g_loss, rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("precision", ("fp32", "bf16"))
@pytest.mark.parametrize(
    "config",
    [*GAMES, WINDOWS, PROJECTED],
    ids=lambda config: f"{config.objective}-{config.crop_size}-{config.projected}",
)
def test_a_training_ends_with_samples_and_goes_on_elsewhere(
    images: np.ndarray, config: TrainConfig, precision: str, tmp_path: Path
) -> None:
    pixels = images[:, :: 64 // config.image_size, :: 64 // config.image_size]
    config = config.with_(device="cuda", precision=precision)
    state = new_state(config)
    reports = list(train(config, pixels, state))
    last = reports[-1]
    assert [report.step for report in reports] == list(range(1, 7))
    assert np.isfinite([last.d_loss, last.g_loss, last.ms_ssim]).all()
    assert last.samples is not None and last.samples.std() > 0
    assert last.snapshot is not None
    assert {p.device.type for p in last.snapshot.discriminator.parameters()} == {"cpu"}
    checkpoint.save(tmp_path / "a.pt", state)
    again = checkpoint.load(tmp_path / "a.pt")
    more = list(train(config.with_(device="cpu", precision="fp32", steps=8), pixels, again))
    assert [report.step for report in more] == [7, 8] and np.isfinite(more[-1].d_loss)


class Refusing:
    """A recorder that records nothing."""

    def apart(self, work: Callable[[], Tensors]) -> Tensors:
        return work()

    def record(self, work: Callable[[], Tensors]) -> tuple[Tensors, Callable[[], None]]:
        raise RuntimeError("not recorded")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Recorded]:
    """All that is recorded during a test."""
    there: list[Recorded] = []

    def noted(*parts: Any) -> Recorded:
        there.append(Recorded(*parts))
        return there[-1]

    monkeypatch.setattr("core.learn.game.Recorded", noted)
    return there


@pytest.mark.parametrize("precision", ("fp32", "bf16"))
@pytest.mark.parametrize("config", CONFIGS, ids=NAMES)
def test_recorded_steps_do_what_single_kernels_do(
    images: np.ndarray,
    config: TrainConfig,
    precision: str,
    recorded: list[Recorded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kernels sum in any order, so that two trainings drift apart: by less than a third of their way."""
    pixels = images[:, :: 64 // config.image_size, :: 64 // config.image_size]
    config = config.with_(device="cuda", precision=precision, steps=10)
    start, ends = _weights(new_state(config)), []
    for recorder in (cuda_graph, lambda _device: Refusing()):
        monkeypatch.setattr("core.learn.game.cuda_graph", recorder)
        state = new_state(config)
        list(train(config, pixels, state))
        ends.append(_weights(state))
    used = 1 if updates_of(config) == 1 else 2
    assert sum(part._replay is not None for part in recorded) == used
    way, apart = (ends[1] - start).abs().sum(), (ends[0] - ends[1]).abs().sum()
    assert apart < way / 3


@pytest.mark.parametrize("config", CONFIGS, ids=NAMES)
def test_recorded_steps_wait_for_nothing(images: np.ndarray, config: TrainConfig) -> None:
    """Torch itself refuses whatever waits for the card. Losses are waited for at step 10 again."""
    pixels = images[:, :: 64 // config.image_size, :: 64 // config.image_size]
    steps = train(config.with_(device="cuda", steps=20, sample_every=20, snapshot_every=20), pixels)
    list(islice(steps, 5))
    torch.cuda.set_sync_debug_mode("error")
    try:
        list(islice(steps, 4))
    finally:
        torch.cuda.set_sync_debug_mode("default")


def _weights(state: TrainState) -> torch.Tensor:
    return torch.cat([p.detach().cpu().flatten() for p in state.discriminator.parameters()])


def test_heat_maps_are_those_of_the_cpu(images: np.ndarray) -> None:
    network = snapshot_of(new_state(WINDOWS)).discriminator
    ours = heat_maps(network, images, options=AVERAGED)
    theirs = heat_maps(network.cuda(), images, options=AVERAGED)
    assert np.allclose(ours, theirs, atol=1e-2 * np.abs(ours).max())


def test_a_card_holds_the_images(images: np.ndarray) -> None:
    gpu = resolve_device("cuda")
    before = torch.cuda.memory_allocated(gpu)
    pool = Pool(images, gpu)
    assert torch.cuda.memory_allocated(gpu) - before >= images.nbytes
    rows = np.array([3, 1, 3])
    assert np.array_equal(pool.rows(rows).cpu().numpy(), images[rows])


def test_frozen_features_are_those_of_the_cpu(images: np.ndarray) -> None:
    batch = np.ascontiguousarray(images[:4].transpose(0, 3, 1, 2), np.float32) / 255
    cpu, gpu = (load_features(device=name, threads=1) for name in ("cpu", "cuda"))
    assert gpu.version.startswith("torch") and ", cuda," in gpu.version
    for ours, theirs in zip(gpu.maps(batch), cpu.maps(batch), strict=True):
        assert np.abs(ours - theirs).max() < 1e-4 * np.sqrt((theirs**2).mean())
