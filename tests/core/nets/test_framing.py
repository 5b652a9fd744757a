"""Framing: what it learns, that it resumes exactly, and that it leaves the discriminator alone."""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.base.config import TrainConfig
from core.base.errors import CheckpointError
from core.base.presets import PRESETS
from core.learn import checkpoint
from core.learn.checkpoint import TrainState, new_state
from core.learn.engine import snapshot_of, train
from core.maps.heatmap import cell_and_reach
from core.nets.framing import LEARNING_RATE, framings, learning_rate
from core.nets.networks import Discriminator
from core.nets.resnet import PreActResNet34

SMALL = PRESETS["scratch"].with_(
    width=8, batch_size=8, steps=6, sample_every=2, snapshot_every=3, framing=2, device="cpu"
)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (20, 64, 64, 3), np.uint8)


def trained(config: TrainConfig, images: np.ndarray) -> TrainState:
    state = new_state(config)
    for _ in train(config, images, state):
        pass
    return state


def discs(count: int, *, spread: float, sizes: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Photos of a bright disc before noise, (n, 64, 64, 3), and x, y, log radius of each disc in shares."""
    rng = np.random.default_rng(1)
    places = rng.uniform(-spread, spread, (count, 2))
    radii = np.exp(rng.uniform(*np.log(sizes), count))
    rows, columns = (np.indices((64, 64)) + 0.5) / 64 - 0.5
    away = np.hypot(columns - places[:, 0, None, None], rows - places[:, 1, None, None])
    photos = rng.integers(0, 60, (count, 64, 64, 3)) + 180 * (away < radii[:, None, None])[..., None]
    return photos.astype(np.uint8), np.column_stack([places, np.log(radii)])


def test_it_tells_where_an_object_lies_and_how_large_it_is_from_photos_that_centre_theirs() -> None:
    photos, _ = discs(200, spread=0.03, sizes=(0.22, 0.28))
    config = SMALL.with_(steps=60, batch_size=16, framing=8, precision="fp32", seed=3)
    network = snapshot_of(trained(config, photos)).discriminator
    asked, true = discs(60, spread=0.15, sizes=(0.17, 0.35))
    found = framings(network, asked)
    assert found is not None and found.shape == (60, 4) and found.dtype == np.float64
    for answer, wanted in zip(found.T, (true[:, 0], true[:, 1], true[:, 2], true[:, 2]), strict=True):
        assert np.corrcoef(answer, wanted)[0, 1] > 0.7


def test_a_mirrored_photo_has_the_mirrored_answer(images: np.ndarray) -> None:
    network = snapshot_of(trained(SMALL, images)).discriminator
    there, mirrored = framings(network, images), framings(network, images[:, :, ::-1])
    assert there is not None and mirrored is not None
    assert np.abs(there).max() > 1e-3
    assert np.allclose(mirrored, there * [-1, 1, 1, 1], atol=1e-5)


def test_networks_that_learn_none_have_no_answer(images: np.ndarray) -> None:
    assert framings(Discriminator(image_size=32, width=8).eval(), images) is None
    assert framings(PreActResNet34(classes=2, width=4).eval(), images) is None


def test_resume_is_bit_for_bit(images: np.ndarray, tmp_path: Path) -> None:
    whole, first = trained(SMALL, images), new_state(SMALL)
    list(islice(train(SMALL, images, first), 3))
    checkpoint.save(tmp_path / "a.pt", first)
    torch.rand(7)  # what others draw from the global generator must not matter
    resumed = checkpoint.load(tmp_path / "a.pt")
    list(train(SMALL, images, resumed))
    ours, theirs = whole.discriminator.state_dict(), resumed.discriminator.state_dict()
    assert any(name.startswith("framing.") for name in ours)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert whole.f_optimizer is not None and resumed.f_optimizer is not None
    moments, others = (s.f_optimizer.state_dict()["state"] for s in (whole, resumed))  # type: ignore[union-attr]
    assert all(torch.equal(moments[i][k], others[i][k]) for i in moments for k in moments[i])


def test_it_leaves_the_discriminator_as_it_is_without(images: np.ndarray) -> None:
    with_it, without = trained(SMALL, images), trained(SMALL.with_(framing=0), images)
    ours, plain = with_it.discriminator.state_dict(), without.discriminator.state_dict()
    assert all(torch.equal(ours[name], plain[name]) for name in plain)
    assert cell_and_reach(with_it.discriminator) == cell_and_reach(without.discriminator)
    assert without.f_optimizer is None


def test_its_rate_falls_along_half_a_cosine() -> None:
    rates = [learning_rate(fraction) / LEARNING_RATE for fraction in (0, 0.25, 0.5, 1, 2)]
    assert rates == pytest.approx([1, 0.5 + 0.5**1.5, 0.5, 0, 0])


def test_a_checkpoint_that_lacks_its_optimizer_is_damaged(images: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, trained(SMALL, images))
    content = torch.load(path, weights_only=True)
    torch.save({**content, "f_optimizer": None}, path)
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(path)


class _ThinksItsMiddle(nn.Module):
    """Knows where a bright spot is in a crop, and takes it for the middle of a photo, of usual size."""

    def forward(self, crops: Tensor) -> Tensor:
        light = (crops + 1).mean(dim=1)
        places = (torch.arange(crops.shape[-1]) + 0.5) / crops.shape[-1] - 0.5
        x = (light.sum(dim=1) * places).sum(dim=1) / light.sum(dim=(1, 2))
        y = (light.sum(dim=2) * places).sum(dim=1) / light.sum(dim=(1, 2))
        size = light.mean(dim=(1, 2)).log() / 2  # of the spot's side, in shares of the crop
        return torch.stack([-0.7 * x, -0.7 * y, -size, -size], dim=1)


def test_answers_about_crops_become_place_and_size_in_the_photo() -> None:
    network = Discriminator(image_size=32, width=8)
    network.framing = _ThinksItsMiddle()
    photos = np.zeros((2, 64, 64, 3), np.uint8)
    photos[0, 22:30, 36:44] = 255  # middle 8 px right of and 6 px above the photo's
    photos[1, 26:42, 20:36] = 255  # twice as wide and high, 4 px to the left, 2 px below
    answers = framings(network, photos)
    assert answers is not None
    assert answers[:, :2] * 64 == pytest.approx(np.array([[8.0, -6.0], [-4.0, 2.0]]), abs=0.5)
    assert answers[1, 2:] - answers[0, 2:] == pytest.approx(math.log(2), abs=0.1)
