"""Training a projected discriminator: resumption, what is updated, and what teaches the unit "object"."""

from __future__ import annotations

import copy
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from core.base.config import TrainConfig
from core.base.errors import BoxscoutError, CheckpointError
from core.base.presets import PRESETS
from core.learn import checkpoint, snapshots
from core.learn.batches import batch_at, batch_seen
from core.learn.checkpoint import TrainState, new_state
from core.learn.engine import snapshot_of, train
from core.learn.projected_game import ProjectedGame
from core.learn.reports import Progress
from core.learn.teacher import find_direction, object_loss
from core.learn.training import Pool
from core.nets.augment import draw_variation, vary
from core.nets.features import load_features
from core.nets.networks import Discriminator, to_model_range
from core.nets.projected import SIDE, ProjectedDiscriminator

SMALL = PRESETS["generator"].with_(
    image_size=32, width=8, batch_size=4, steps=4, sample_every=2, snapshot_every=2, latent_size=16,
    device="cpu", precision="fp32",
)  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Bright discs, somewhere near the middle of dark noise."""
    rng = np.random.default_rng(0)
    made = rng.integers(0, 60, (12, 32, 32, 3), np.uint8)
    down, across = np.mgrid[:32, :32]
    for one in made:
        x, y = rng.integers(12, 20, 2)
        one[(across - x) ** 2 + (down - y) ** 2 < 36] = (230, 200, 60)
    return made


@pytest.fixture(scope="module")
def trained(images: np.ndarray) -> tuple[TrainState, list[Progress]]:
    """A training to its end, and what it told; to be looked at only."""
    state = new_state(SMALL)
    return state, list(train(SMALL, images, state))


def _all(state: TrainState) -> dict[str, torch.Tensor]:
    tensors = {f"g.{k}": v for k, v in state.generator.state_dict().items()}
    tensors |= {f"d.{k}": v for k, v in state.discriminator.state_dict().items()}
    for name, optimizer in (("go", state.g_optimizer), ("do", state.d_optimizer)):
        for i, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"{name}.{i}.{k}": v for k, v in moments.items()}
    return {name: tensor.clone() for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    "changes", [{}, {"precision": "bf16", "augmentation": False}, {"adversarial": 0.0}, {"background": 0.0}]
)
def test_resume_from_a_checkpoint_is_bit_for_bit(
    images: np.ndarray, tmp_path: Path, changes: dict[str, object]
) -> None:
    config = SMALL.with_(steps=3, **changes)
    whole, first = new_state(config), new_state(config)
    unbroken = list(train(config, images, whole))
    begun = list(islice(train(config, images, first), 1))  # before its first point and snapshot
    checkpoint.save(tmp_path / "a.pt", first)
    torch.rand(7)  # what others draw from the global generator must not matter
    resumed_state = checkpoint.load(tmp_path / "a.pt")
    resumed = list(train(config, images, resumed_state))
    ours, theirs = _all(whole), _all(resumed_state)
    assert ours.keys() == theirs.keys()
    assert not [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert whole.history == resumed_state.history
    told = [[(p.d_loss, p.g_loss, p.background_loss) for p in part] for part in (unbroken, begun + resumed)]
    assert told[0] == told[1]
    assert (unbroken[-1].samples is None) == (resumed[-1].samples is None) == (config.adversarial == 0)
    if config.adversarial:
        assert np.array_equal(unbroken[-1].samples, resumed[-1].samples)


def test_a_resumed_training_keeps_its_folders_direction(images: np.ndarray, tmp_path: Path) -> None:
    """Other images may have come since; what "object" means does not turn round in the middle."""
    state = new_state(SMALL)
    next(train(SMALL, images, state))
    checkpoint.save(tmp_path / "a.pt", state)
    resumed = checkpoint.load(tmp_path / "a.pt")
    kept = state.discriminator.direction.clone()
    next(train(SMALL, 255 - images[::-1], resumed))
    assert kept.any() and torch.equal(resumed.discriminator.direction, kept)


def test_what_is_reported(trained: tuple[TrainState, list[Progress]]) -> None:
    _, reports = trained
    assert [p.step for p in reports if p.samples is not None] == [2, 4]
    assert reports[-1].samples.shape == (64, 32, 32, 3)
    assert 0 <= reports[-1].ms_ssim <= 1
    signal = reports[-1].signal
    assert signal.background and 0 <= signal.separation <= 1 and signal.ms_ssim is not None
    assert all(0 <= p.background_accuracy <= 1 and np.isfinite(p.g_loss) for p in reports)


def test_each_update_moves_its_own_network_alone(images: np.ndarray) -> None:
    state = new_state(SMALL)
    game = ProjectedGame(SMALL, state, Pool(images, CPU))
    before = _all(state)
    game.update(0, generator=False)
    moved = {
        name[:2] for name, value in _all(state).items() if name in before and not value.equal(before[name])
    }
    assert moved == {"d."}
    frozen = [name for name in before if "mixing" in name]
    before = _all(state)
    game.update(1, generator=True)
    after = _all(state)
    assert any(not after[name].equal(before[name]) for name in before if name.startswith("g."))
    assert frozen and all(after[name].equal(before[name]) for name in frozen)
    assert all(weight.requires_grad for weight in state.discriminator.parameters())


def test_the_losses_are_those_written_out(images: np.ndarray) -> None:
    """Hinge over all heads, and cross entropy of cells with the teacher's sign, weighed by its size."""
    state = new_state(SMALL)
    pool = Pool(images, CPU)
    game = ProjectedGame(SMALL, state, pool)
    copied = copy.deepcopy(state.discriminator)
    _, noise, drawn = game.inputs(0)
    with torch.no_grad():
        fake = vary(state.generator(noise), drawn)
        seen = copied.see(batch_at(SMALL, pool, 0).real)
        real = copied.answer(seen.mixed)
        generated = copied.answer(copied.see(fake).mixed).real
    hinge = (1 - real.real).clamp(min=0).mean() + (1 + generated).clamp(min=0).mean()
    taught = torch.nn.functional.interpolate(
        copied.taught(seen.deepest)[:, None], size=real.object.shape[1:], mode="bilinear"
    )[:, 0]
    said = torch.sigmoid(real.object)
    each = -torch.where(taught > 0, said, 1 - said).log()
    weighed = (each * taught.abs()).sum() / taught.abs().sum()
    losses = game.update(0, generator=False)
    assert float(losses.background) == pytest.approx(float(weighed), rel=1e-4)
    assert float(losses.discriminator) == pytest.approx(float(hinge + weighed), rel=1e-4)


def test_the_direction_is_that_of_numpy_and_points_at_what_all_share(images: np.ndarray) -> None:
    state = new_state(SMALL)
    network = state.discriminator
    assert isinstance(network, ProjectedDiscriminator)
    find_direction(network, Pool(images, CPU))
    small = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    large = torch.nn.functional.interpolate(small, size=(SIDE, SIDE), mode="bilinear").numpy()
    maps = load_features(device="cpu", threads=1).maps(large)[-1][:, :, 1:-1, 1:-1]  # without border cells
    flat = maps.transpose(0, 2, 3, 1).reshape(-1, maps.shape[1]).astype(np.float64)
    _, vectors = np.linalg.eigh(np.cov(flat.T))
    assert abs(float(network.direction.double().numpy() @ vectors[:, -1])) == pytest.approx(1, abs=1e-3)
    with torch.no_grad():
        shares = network.taught(network.see(to_model_range(torch.from_numpy(images))).deepest)
    assert shares[:, 2:4, 2:4].mean() > 0 > shares[:, [0, -1]].mean()


def test_images_that_are_all_alike_teach_nothing_and_break_nothing() -> None:
    reports = list(train(SMALL.with_(steps=2), np.full((8, 32, 32, 3), 90, np.uint8)))
    assert all(np.isfinite([p.d_loss, p.g_loss, p.background_loss]).all() for p in reports)


def test_the_object_unit_learns_what_it_is_taught(images: np.ndarray) -> None:
    config = SMALL.with_(
        steps=40, adversarial=0.0, learning_rate=5e-3, width=16, sample_every=40, snapshot_every=100
    )
    reports = list(train(config, images))
    assert reports[-1].g_loss is None and reports[-1].samples is None
    losses = [p.background_loss for p in reports]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_cells_without_a_teacher_cost_nothing() -> None:
    cells = torch.randn(2, 6, 6, requires_grad=True)
    loss, right = object_loss(cells, torch.zeros(2, 3, 3))
    assert float(loss.detach()) == 0 and 0 <= float(right) <= 1


def test_varied_images_are_mirrored_and_moved_by_whole_pixels(images: np.ndarray) -> None:
    photos = to_model_range(torch.from_numpy(images[:2]))
    plain = torch.full((6, 2), 0.5)  # no move, no change of colour
    plain[0] = torch.tensor([0.9, 0.1])
    varied = vary(photos, plain)
    assert torch.allclose(varied[0], photos[0], atol=1e-4)
    assert torch.allclose(varied[1], photos[1].flip(2), atol=1e-4)
    plain[0], plain[1], plain[2] = 0.9, 1.0, 0.5
    assert torch.allclose(vary(photos, plain)[..., :-4], photos[..., 4:], atol=1e-4)


def test_varying_lets_gradients_through() -> None:
    rng = torch.Generator().manual_seed(0)
    photos = torch.rand(3, 3, 8, 8, generator=rng, dtype=torch.float32).requires_grad_()
    vary(photos, draw_variation(3, rng)).square().sum().backward()
    assert photos.grad is not None and (photos.grad != 0).float().mean() > 0.8


def test_the_batch_that_is_shown_is_what_the_heads_see(images: np.ndarray) -> None:
    seen = batch_seen(SMALL, images, step=1)
    assert seen.real.shape == (4, 32, 32, 3) and seen.background is None
    expected = batch_at(SMALL, Pool(images, CPU), 1).real.add(1).mul(127.5).round().clamp(0, 255)
    assert np.array_equal(seen.real, expected.permute(0, 2, 3, 1).to(torch.uint8).numpy())


def test_snapshots_hold_what_maps_are_made_with(
    images: np.ndarray, trained: tuple[TrainState, list[Progress]], tmp_path: Path
) -> None:
    state, _ = trained
    snapshots.keep(tmp_path, snapshot_of(state), SMALL)
    loaded = snapshots.load(tmp_path, 4).discriminator
    photos = to_model_range(torch.from_numpy(images))
    assert loaded.class_activation(photos).equal(snapshot_of(state).discriminator.class_activation(photos))
    assert snapshots.snapshot_file(tmp_path, 4).stat().st_size < 6_000_000  # not the frozen network


def test_a_checkpoint_from_before_has_the_networks_of_then(tmp_path: Path) -> None:
    """The preset "generator" of earlier versions learned windows, and its config knew no such field."""
    config = TrainConfig(crop_size=32, background=1.0, framing=4, width=8, steps=2)
    checkpoint.save(tmp_path / "a.pt", new_state(config))
    content = torch.load(tmp_path / "a.pt", weights_only=True)
    del content["config"]["projected"]
    torch.save(content, tmp_path / "a.pt")
    state = checkpoint.load(tmp_path / "a.pt")
    assert state.config == config and isinstance(state.discriminator, Discriminator)


def test_heads_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "a.pt", new_state(SMALL))
    content = torch.load(tmp_path / "a.pt", weights_only=True)
    del content["discriminator"]["mixing.scale0"]
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"crop_size": 32}, "no crop size"),
        ({"framing": 4}, "0 for Framing"),
        ({"objective": "wgan-gp"}, "hinge, dcgan or minimax"),
        ({"objective": "wgan"}, "hinge, dcgan or minimax"),
        ({"projected": False}, "crop size"),
    ],
)
def test_settings_that_do_not_go_together_are_named(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(BoxscoutError, match=reason):
        SMALL.with_(**changes)
