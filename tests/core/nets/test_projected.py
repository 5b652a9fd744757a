"""The projected discriminator: what is frozen, what is learned, and that its maps are those of its logits."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.base.errors import FeaturesError
from core.base.rng import Purpose, stream
from core.maps.heatmap import HeatMapOptions, heat_maps
from core.nets import projected
from core.nets.features import load_features
from core.nets.lite0 import CHANNELS
from core.nets.networks import initialize
from core.nets.projected import (
    MIXED,
    SIDE,
    Mixing,
    ProjectedDiscriminator,
    SpectralConv,
    SpectralUnit,
    trunk_on,
)


def _network(seed: int = 0, *, background: bool = True, image_size: int = 32) -> ProjectedDiscriminator:
    network = ProjectedDiscriminator(image_size=image_size, width=8, seed=seed, background=background)
    initialize(network, stream(seed, Purpose.WEIGHTS))
    return network


def _images(n: int = 2, side: int = 32) -> Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_it_sees_what_the_features_are() -> None:
    """The same maps as the features for use, whichever runtime computes these, of the enlarged images."""
    images = _images()
    large = torch.nn.functional.interpolate((images + 1) / 2, size=(SIDE, SIDE), mode="bilinear")
    maps = load_features(device="cpu", threads=1).maps(large.numpy())
    seen = _network().see(images)
    assert np.allclose(seen.deepest, maps[-1], atol=1e-2)
    assert [tuple(one.shape) for one in seen.mixed] == [
        (2, channels, SIDE // stride, SIDE // stride)
        for channels, stride in zip(MIXED, (8, 16, 32), strict=True)
    ]


def test_mixing_is_frozen_and_follows_from_its_seed() -> None:
    first, again, other = (Mixing(seed).state_dict() for seed in (3, 3, 4))
    assert not list(Mixing(3).parameters())
    assert first.keys() == again.keys() and len(first) == 8
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_mixing_goes_across_channels_and_from_deep_to_fine() -> None:
    maps = [
        torch.zeros(1, channels, side, side) for channels, side in zip(CHANNELS, (24, 12, 6), strict=True)
    ]
    mixing = Mixing(0)

    def reached(scale: int) -> list[Tensor]:
        changed = [one.clone() for one in maps]
        changed[scale][0, 0] = 1.0  # one channel
        return list(mixing(tuple(changed)))

    assert [bool(one.any()) for one in reached(0)] == [True, False, False]
    assert [bool(one.any()) for one in reached(1)] == [True, True, False]
    assert [bool(one.any()) for one in reached(2)] == [True, True, True]
    for scale in range(3):
        # Away from the zeros around, every channel gets some of that one.
        assert (reached(scale)[scale][0, :, 2:-2, 2:-2].abs().amax((1, 2)) > 0).all()


def test_mixing_keeps_the_variance() -> None:
    rng = torch.Generator().manual_seed(0)
    maps = [
        rms * torch.randn(8, channels, side, side, generator=rng)
        for rms, channels, side in zip(projected._RMS, CHANNELS, (24, 12, 6), strict=True)
    ]
    for one, inside in zip(Mixing(0)(tuple(maps)), (slice(2, -2), slice(2, -2), slice(1, -1)), strict=True):
        assert 0.6 < float(one[:, :, inside, inside].std()) < 1.5


def test_gradients_reach_the_images_and_the_heads_but_nothing_frozen() -> None:
    network, images = _network(), _images().requires_grad_()
    trunk = trunk_on(torch.device("cpu"))
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    network.train()
    answers = network.answer(network.see(images).mixed)
    (answers.real.sum() + answers.object.square().sum()).backward()
    assert images.grad is not None and (images.grad.abs().amax((1, 2, 3)) > 0).all()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())
    assert not trunk.training and all(weight.grad is None for weight in trunk.parameters())
    assert all(torch.equal(before[name], value) for name, value in trunk.state_dict().items())


def test_the_gradient_of_the_images_is_that_of_the_answer() -> None:
    """Against a difference: what the frozen network computes in place must not spoil what flows back."""
    network, images = _network(background=False).eval(), _images(1).requires_grad_()
    (slope,) = torch.autograd.grad(network(images).sum(), images)
    step = 3e-3 * slope / slope.norm() * images[0].numel() ** 0.5 / 10
    with torch.no_grad():
        risen = network(images + step) - network(images - step)
    assert float(risen) == pytest.approx(2 * float((slope * step).sum()), rel=0.1)


@pytest.mark.parametrize("background", [False, True])
def test_the_mean_of_a_map_and_the_biases_are_the_logit(background: bool) -> None:
    network, images = _network(background=background).eval(), _images()
    with torch.no_grad():
        for head in network.heads:
            head.real.bias.fill_(0.3)
        logits = network.logits(images)
        maps = network.class_activation(images, "real")
        assert maps.shape == (2, SIDE // 8, SIDE // 8)
        assert torch.allclose(maps.mean((1, 2)) + 0.9, logits.real, atol=1e-5)
        assert network.answer(network.see(images).mixed).real.shape == (2, len(MIXED))
        if network.background is None:
            assert network.unit == "real" and logits.background is None
            with pytest.raises(ValueError, match="background"):
                network.class_activation(images, "background")
        else:
            assert network.unit == "background"
            bias = float(network.background.bias)
            means = network.class_activation(images).mean((1, 2)) + bias
            assert torch.allclose(means, logits.background, atol=1e-5)


def test_a_convolution_comes_to_have_the_largest_singular_value_of_1() -> None:
    conv = SpectralConv(6, 5)
    initialize(conv, stream(0, Purpose.WEIGHTS))
    x = torch.randn(1, 6, 8, 8)
    for _ in range(200):
        conv(x)
    largest = float(torch.linalg.matrix_norm(conv.weight.detach().flatten(1), ord=2))
    expected = torch.nn.functional.conv2d(x, conv.weight / largest, conv.bias, padding=1)
    assert torch.allclose(conv.train(False)(x), expected, atol=1e-4)


def test_looking_moves_no_singular_vector() -> None:
    network = _network().eval()
    before = copy.deepcopy(network.state_dict())
    network(_images())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    network.train()(_images())
    assert any(not torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_unit_has_weights_of_length_1() -> None:
    unit = SpectralUnit(7)
    x = torch.randn(3, 7)
    expected = x @ unit.weight[0] / unit.weight.norm() + unit.bias
    assert torch.allclose(unit(x), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(32, 32), (48, 32), (33, 47)])
def test_images_of_other_sizes_have_maps_all_over(shape: tuple[int, int]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (1, *shape, 3), np.uint8)
    for options in (HeatMapOptions(), HeatMapOptions(mirror=False, shifts=(0.0, 0.5), unit="real")):
        maps = heat_maps(_network().eval(), images, options=options)
        assert np.isfinite(maps).all() and maps.std() > 0
        assert maps.shape[1] / maps.shape[2] == pytest.approx(shape[0] / shape[1], rel=0.05)


def test_a_mirrored_image_has_the_mirrored_map() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    network = _network().eval()
    there, back = (heat_maps(network, one, options=HeatMapOptions()) for one in (images, images[:, :, ::-1]))
    assert np.allclose(there, back[:, :, ::-1], atol=1e-5)


def test_the_frozen_network_is_saved_nowhere_and_shared_by_all() -> None:
    network = _network()
    names = set(network.state_dict())
    assert not any("block" in name or "stem" in name for name in names)
    assert trunk_on(torch.device("cpu")) is trunk_on(torch.device("cpu"))
    assert copy.deepcopy(network).see(_images()).deepest.equal(network.see(_images()).deepest)


def test_missing_weights_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXSCOUT_WEIGHTS", str(tmp_path / "nowhere.pth"))
    trunk_on.cache_clear()
    with pytest.raises(FeaturesError, match=r"nowhere\.pth"):
        _network()(_images())
