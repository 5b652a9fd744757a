"""The class activation map against its two definitions: the logit, and the gradient form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib import colormaps

from core.base.config import TrainConfig
from core.learn.checkpoint import new_state
from core.maps.colouring import COLOUR_MAPS, colour_bar, colourize
from core.maps.heatmap import heat_maps
from core.nets.networks import Discriminator, to_model_range, to_pixels


@pytest.fixture
def discriminator() -> Discriminator:
    network = new_state(TrainConfig(width=8)).discriminator
    for _ in range(3):
        network.train()(torch.randn(16, 3, 64, 64))
    return network.eval()


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)


def test_mean_of_the_map_plus_bias_is_the_logit(discriminator: Discriminator, images: np.ndarray) -> None:
    """Zhou et al. 2016, equation 1: pooling before or after the linear unit is the same."""
    maps = heat_maps(discriminator, images, batch_size=2)
    logits = discriminator(to_model_range(torch.from_numpy(images))).detach().numpy()
    bias = float(discriminator.linear.bias.detach())
    assert maps.shape == (5, 8, 8)
    assert maps.dtype == np.float32
    assert maps.mean(axis=(1, 2)) + bias == pytest.approx(logits, abs=1e-4)


def test_map_equals_the_gradient_form(discriminator: Discriminator, images: np.ndarray) -> None:
    """Grad-CAM's weights (Selvaraju et al. 2017) are the linear unit's, up to the pooled area."""
    features = discriminator.features(to_model_range(torch.from_numpy(images))).detach().requires_grad_(True)
    logits = discriminator.linear(features.mean(dim=(2, 3)))
    (gradient,) = torch.autograd.grad(logits.sum(), features)
    area = features.shape[2] * features.shape[3]
    by_gradient = (gradient * features).sum(dim=1).detach().numpy() * area
    assert heat_maps(discriminator, images) == pytest.approx(by_gradient, abs=1e-4)


def test_maps_do_not_depend_on_the_batch(discriminator: Discriminator, images: np.ndarray) -> None:
    together = heat_maps(discriminator, images)
    alone = np.concatenate([heat_maps(discriminator, image[None]) for image in images])
    assert together == pytest.approx(alone, abs=1e-5)
    assert heat_maps(discriminator, images[:0]).shape[0] == 0


def test_pixels_to_model_range_and_back(images: np.ndarray) -> None:
    values = to_model_range(torch.from_numpy(images))
    assert values.min() >= -1
    assert values.max() <= 1
    assert np.array_equal(to_pixels(values).numpy(), images)


@pytest.mark.parametrize("name", ["viridis", "cividis", "inferno", "magma"])
def test_colours_are_those_of_matplotlib(name: str) -> None:
    theirs = colormaps[name](np.linspace(0, 1, 256))[:, :3] * 255
    assert colour_bar(name).astype(float) == pytest.approx(theirs, abs=3)


@pytest.mark.parametrize("name", COLOUR_MAPS)
def test_coldest_and_hottest_take_the_ends_of_the_bar(name: str) -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 5
    picture = colourize(heat, width=40, height=20, colour_map=name)
    assert picture.shape == (20, 40, 4)
    assert (picture[..., 3] == 255).all()
    assert picture[0, 0, :3].tolist() == colour_bar(name)[255].tolist()
    assert picture[-1, -1, :3].tolist() == colour_bar(name)[0].tolist()


def test_a_constant_map_is_all_cold() -> None:
    picture = colourize(np.full((4, 4), 3.0, np.float32), width=8, height=8)
    assert (picture[..., :3] == colour_bar("viridis")[0]).all()


def test_probabilities_have_the_same_colours_in_every_image() -> None:
    bar = colour_bar("viridis")
    for value in (0.0, 0.2, 0.6, 1.0):
        picture = colourize(np.full((4, 4), value, np.float32), width=8, height=8, absolute=True)
        assert (picture[..., :3] == bar[round(255 * value)]).all()


def test_a_fading_map_is_as_opaque_as_it_is_hot() -> None:
    heat = np.linspace(0, 1, 256, dtype=np.float32)[None]
    picture = colourize(heat, width=256, height=1, absolute=True, fades=True)
    assert picture[0, :, 3].tolist() == list(range(256))
    assert (picture[..., :3] == colourize(heat, width=256, height=1, absolute=True)[..., :3]).all()
