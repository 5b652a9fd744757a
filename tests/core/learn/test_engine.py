"""Training: the two updates against a plain re-statement, and exact resumption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.base.config import TrainConfig
from core.base.devices import resolve_device
from core.base.errors import BoxscoutError, CheckpointError, TrainingError
from core.learn import checkpoint
from core.learn.checkpoint import TrainState, new_state
from core.learn.engine import snapshot_of, train
from core.learn.objectives import OBJECTIVES
from core.learn.reports import Progress
from core.learn.training import MIN_IMAGES, epoch_order
from core.learn.updates import keeping_averages
from core.nets.networks import Discriminator, Generator

SMALL = TrainConfig(
    image_size=32,
    width=8,
    batch_size=8,
    steps=6,
    sample_every=2,
    snapshot_every=3,
    latent_size=16,
    device="cpu",
)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)


def _weights(state: TrainState) -> dict[str, torch.Tensor]:
    tensors = {f"g.{k}": v for k, v in state.generator.state_dict().items()}
    tensors |= {f"d.{k}": v for k, v in state.discriminator.state_dict().items()}
    for name, optimizer in (("go", state.g_optimizer), ("do", state.d_optimizer)):
        for i, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{i}.{k}": v for k, v in moments.items()}
    return {name: tensor.clone() for name, tensor in tensors.items()}


def _assert_same(a: TrainState, b: TrainState) -> None:
    ours, theirs = _weights(a), _weights(b)
    assert ours.keys() == theirs.keys()
    different = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert not different
    assert a.step == b.step
    assert a.history == b.history
    assert a.signals == b.signals


@pytest.mark.parametrize(
    ("objective", "precision"), [("dcgan", "bf16"), *((name, "fp32") for name in OBJECTIVES)]
)
def test_resume_from_a_checkpoint_is_bit_for_bit(
    images: np.ndarray, tmp_path: Path, objective: str, precision: str
) -> None:
    config = SMALL.with_(steps=4, objective=objective, precision=precision)
    whole, first = new_state(config), new_state(config)
    unbroken = list(train(config, images, whole))
    begun = list(islice(train(config, images, first), 3))  # after a point and a snapshot
    checkpoint.save(tmp_path / "a.pt", first)
    torch.rand(7)  # what others draw from the global generator must not matter
    resumed_state = checkpoint.load(tmp_path / "a.pt")
    resumed = list(train(config, images, resumed_state))
    _assert_same(whole, resumed_state)
    assert [(p.d_loss, p.g_loss) for p in unbroken] == [(p.d_loss, p.g_loss) for p in begun + resumed]
    assert np.array_equal(unbroken[-1].samples, resumed[-1].samples)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_kill_and_resume_ends_like_an_unbroken_training(images: np.ndarray, tmp_path: Path) -> None:
    """A process is killed in the middle of a step; what it saved last goes on to the same end."""
    np.save(tmp_path / "images.npy", images)
    script = textwrap.dedent(f"""
        import numpy as np
        from core.learn import checkpoint
        from core.learn.checkpoint import new_state
        from core.learn.engine import train
        from tests.core.learn.test_engine import SMALL
        state = new_state(SMALL)
        for progress in train(SMALL, np.load({str(tmp_path / "images.npy")!r}), state):
            if progress.step == 4:
                print("ready", flush=True)
                while True:
                    pass
            checkpoint.save(__import__("pathlib").Path({str(tmp_path / "a.pt")!r}), state)
    """)
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3],
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )  # fmt: skip
    assert child.stdout is not None
    with child.stdout:
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGKILL)
        child.wait()
    killed = checkpoint.load(tmp_path / "a.pt")
    assert killed.step == 3
    list(train(SMALL, images, killed))
    whole = new_state(SMALL)
    list(train(SMALL, images, whole))
    _assert_same(whole, killed)


def test_steps_equal_the_textbook_updates(images: np.ndarray) -> None:
    """One step of ours against DCGAN written out plainly with binary cross entropy and Adam."""
    config = SMALL.with_(precision="fp32", augmentation=False, steps=1)
    ours, plain = new_state(config), new_state(config)
    progress = next(train(config, images, ours))

    from core.base.rng import Purpose, stream

    bce = torch.nn.functional.binary_cross_entropy_with_logits
    rows = epoch_order(config.seed, len(images), first=0, count=8)
    real = torch.from_numpy(images[rows]).permute(0, 3, 1, 2).float() / 127.5 - 1
    noise = torch.randn(8, config.latent_size, generator=stream(config.seed, Purpose.NOISE, 0))
    g, d = plain.generator.train(), plain.discriminator.train()
    fake = g(noise)
    d_loss = bce(d(real), torch.ones(8)) + bce(d(fake.detach()), torch.zeros(8))
    plain.d_optimizer.zero_grad()
    d_loss.backward()
    plain.d_optimizer.step()
    g_loss = bce(d(fake), torch.ones(8))
    plain.g_optimizer.zero_grad()
    g_loss.backward()
    plain.g_optimizer.step()

    assert (progress.d_loss, progress.g_loss) == pytest.approx((d_loss.item(), g_loss.item()), abs=1e-5)
    for name, optimizer in (("generator", "g_optimizer"), ("discriminator", "d_optimizer")):
        theirs = dict(getattr(plain, name).named_parameters())
        for key, parameter in getattr(ours, name).named_parameters():
            # Adam's first step is the gradient's sign, nearly: where that is next to nothing, rounding
            # alone moves a weight, so gradients are compared closely and weights to a tenth of a step.
            ours_g = getattr(ours, optimizer).state[parameter]["exp_avg"]
            theirs_g = getattr(plain, optimizer).state[theirs[key]]["exp_avg"]
            assert torch.allclose(ours_g, theirs_g, rtol=1e-3, atol=1e-7), f"{name}.{key}"
            assert torch.allclose(parameter, theirs[key], atol=2e-5), f"{name}.{key}"


def test_heat_maps_are_read_with_the_averages_of_real_images(images: np.ndarray) -> None:
    discriminator = new_state(SMALL).discriminator.train()
    before = {k: v.clone() for k, v in discriminator.state_dict().items() if "running" in k}
    with keeping_averages(discriminator):
        discriminator(torch.randn(8, 3, 32, 32))
    after = discriminator.state_dict()
    assert before
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    discriminator(torch.randn(8, 3, 32, 32))
    assert any(not torch.equal(value, discriminator.state_dict()[key]) for key, value in before.items())


def test_progress_reports_what_and_when_it_should(images: np.ndarray) -> None:
    reports: list[Progress] = list(train(SMALL, images))
    assert [p.step for p in reports] == [1, 2, 3, 4, 5, 6]
    assert [p.step for p in reports if p.samples is not None] == [2, 4, 6]
    assert [p.step for p in reports if p.snapshot is not None] == [3, 6]
    last = reports[-1]
    assert last.fraction == 1.0
    assert last.samples is not None
    assert last.samples.shape == (64, 32, 32, 3)
    assert last.samples.dtype == np.uint8
    assert last.ms_ssim is not None
    assert 0 <= last.ms_ssim <= 1


def test_a_snapshot_does_not_change_while_training_goes_on(images: np.ndarray) -> None:
    state = new_state(SMALL)
    training = train(SMALL, images, state)
    next(training)
    snapshot = snapshot_of(state)
    frozen = {k: v.clone() for k, v in snapshot.discriminator.state_dict().items()}
    list(training)
    assert all(torch.equal(v, snapshot.discriminator.state_dict()[k]) for k, v in frozen.items())
    assert not snapshot.discriminator.training


def test_minutes_end_a_training_before_its_steps(images: np.ndarray) -> None:
    reports = list(train(SMALL.with_(steps=100_000, minutes=0.02), images))
    assert 1 <= len(reports) < 100_000
    assert reports[-1].fraction == 1.0
    assert reports[-1].snapshot is not None


def test_training_learns_to_tell_real_from_generated(images: np.ndarray) -> None:
    config = SMALL.with_(steps=40, augmentation=False, learning_rate=2e-3)
    losses = [p.d_loss for p in train(config, np.full_like(images, 255))]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


@given(st.integers(1, 50), st.integers(0, 500), st.integers(1, 64))
def test_every_epoch_shows_every_image_once(images: int, first: int, count: int) -> None:
    whole = epoch_order(7, images, first=0, count=first + count)
    assert np.array_equal(whole[first:], epoch_order(7, images, first=first, count=count))
    for epoch in range((first + count) // images):
        assert sorted(whole[epoch * images : (epoch + 1) * images]) == list(range(images))


@pytest.mark.parametrize("count", [0, 1, MIN_IMAGES - 1])
def test_too_few_images_are_refused_in_a_sentence(images: np.ndarray, count: int) -> None:
    with pytest.raises(TrainingError, match="at least 8 usable images"):
        next(train(SMALL, images[:count]))


def test_wrong_sizes_and_devices_are_refused(images: np.ndarray) -> None:
    with pytest.raises(TrainingError, match="size"):
        next(train(SMALL.with_(image_size=64), images))
    if not torch.cuda.is_available():
        with pytest.raises(TrainingError, match="CUDA"):
            resolve_device("cuda")


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("fine", [False, True])
def test_network_shapes(size: int, fine: bool) -> None:
    discriminator = Discriminator(image_size=size, width=8, fine_heat_map=fine).eval()
    generator = Generator(image_size=size, width=8, latent_size=16)
    images = generator(torch.randn(4, 16))
    assert images.shape == (4, 3, size, size)
    assert discriminator(images).shape == (4,)
    assert discriminator.class_activation(images).shape == (4, 8 if fine else 4, 8 if fine else 4)


def test_checkpoints_that_are_not_ours_are_refused(images: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with pytest.raises(CheckpointError, match="no training"):
        checkpoint.load(path)
    state = new_state(SMALL)
    checkpoint.save(path, state)
    content = path.read_bytes()
    for cut in (0, 1, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        with pytest.raises(CheckpointError):
            checkpoint.load(path)
    path.write_bytes(b"not a checkpoint at all" * 100)
    with pytest.raises(CheckpointError, match="not a Boxscout checkpoint"):
        checkpoint.load(path)
    for stranger in ({"weights": torch.zeros(3)}, [1, 2], {"format": checkpoint.FORMAT, "version": 99}):
        torch.save(stranger, path)
        with pytest.raises(CheckpointError):
            checkpoint.load(path)


def test_a_checkpoint_whose_parts_do_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, new_state(SMALL))
    good = torch.load(path, weights_only=True)
    other = new_state(SMALL.with_(width=16))
    for broken in (
        {**good, "config": {**good["config"], "width": 16}},
        {**good, "config": {**good["config"], "width": "wide"}},
        {**good, "config": {**good["config"], "unknown": 1}},
        {**good, "discriminator": other.discriminator.state_dict()},
        {**good, "d_optimizer": {}},
        {key: value for key, value in good.items() if key != "step"},
        {**good, "history": [{"nonsense": 1}]},
    ):
        torch.save(broken, path)
        with pytest.raises(CheckpointError):
            checkpoint.load(path)


def test_code_hidden_in_a_checkpoint_is_never_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "exploded",))

    torch.save({"format": checkpoint.FORMAT, "bomb": Bomb()}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError):
        checkpoint.load(tmp_path / "a.pt")
    assert not (tmp_path / "exploded").exists()


def test_a_failed_save_keeps_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, new_state(SMALL))
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CheckpointError, match="could not be saved"):
        checkpoint.save(path, new_state(SMALL.with_(seed=1)))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("field", "value"),
    [("batch_size", 1), ("steps", 0), ("image_size", 65), ("objective", "nothing"), ("beta1", 1.5)],
)
def test_settings_outside_their_range_are_named(field: str, value: object) -> None:
    with pytest.raises(BoxscoutError, match="must"):
        TrainConfig(**{field: value})
    with pytest.raises(BoxscoutError, match=r"between 1 and 2,000,000, not 3,000,001\.$"):
        TrainConfig(steps=3_000_001)


def test_config_survives_its_dictionary() -> None:
    assert TrainConfig.from_dict(SMALL.to_dict()) == SMALL
    with pytest.raises(BoxscoutError, match="another version"):
        TrainConfig.from_dict({**SMALL.to_dict(), "surprise": 1})
