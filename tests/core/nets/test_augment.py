"""Crops and colours against ranges, closed forms and another implementation."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch

from core.base.rng import Purpose, stream
from core.nets import augment as module
from core.nets.augment import augment, crop_and_mirror, distort_colours, hide_patches


def _rng(counter: int = 0) -> torch.Generator:
    return stream(5, Purpose.AUGMENTATION, counter)


def _coordinates(n: int, side: int = 64) -> torch.Tensor:
    """Images whose first two channels hold each pixel's own x and y in -1..1."""
    axis = (torch.arange(side) + 0.5) / side * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y, torch.zeros_like(x)]).expand(n, -1, -1, -1).contiguous()


def test_windows_have_the_published_area_aspect_and_mirrors() -> None:
    crops = crop_and_mirror(_coordinates(4000), _rng())
    dx = (crops[:, 0, 32, 40] - crops[:, 0, 32, 24]) / 16
    dy = (crops[:, 1, 40, 32] - crops[:, 1, 24, 32]) / 16
    width, height = dx.abs() * 32, dy.abs() * 32
    area, aspect = width * height, width / height
    whole = (width > 0.999) | (height > 0.999)
    assert area.min() == pytest.approx(0.08, abs=0.01)
    assert area.max() == pytest.approx(1.0, abs=0.02)
    assert 0.74 < aspect[~whole].min() < 0.80
    assert 1.27 < aspect[~whole].max() < 1.35
    assert float((dx < 0).float().mean()) == pytest.approx(0.5, abs=0.03)
    assert (dy > 0).all()
    # No window leaves the image, so nothing is ever reflected: coordinates stay monotone.
    steps = crops[:, 0, 32].diff(dim=1).sign()
    assert ((steps == 1).all(dim=1) | (steps == -1).all(dim=1)).float().mean() > 0.99


def test_hue_saturation_brightness_contrast_stay_in_their_ranges() -> None:
    colour = torch.tensor([0.6, 0.4, 0.3]).view(1, 3, 1, 1).expand(2000, 3, 4, 4).contiguous()
    out = distort_colours(colour, _rng())[:, :, 0, 0].numpy()
    hsv = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in out])
    h0, s0, _ = colorsys.rgb_to_hsv(0.6, 0.4, 0.3)
    turn = np.abs((hsv[:, 0] - h0 + 0.5) % 1 - 0.5)
    assert 0.18 < turn.max() <= 0.2 + 1e-3
    assert hsv[:, 1].min() < 0.65 * s0
    assert hsv[:, 1].max() > 1.35 * s0


def test_brightness_alone_moves_an_even_grey() -> None:
    """Without colour or contrast there is nothing else to change: 32/255 up or down at most."""
    grey = torch.full((2000, 3, 4, 4), 0.5)
    shift = (distort_colours(grey, _rng()) - 0.5).flatten(1)
    assert shift.std(dim=1).max() < 1e-5
    assert shift.max() == pytest.approx(module.BRIGHTNESS, abs=2e-3)
    assert shift.min() == pytest.approx(-module.BRIGHTNESS, abs=2e-3)
    assert float(shift.mean()) == pytest.approx(0, abs=5e-3)


def test_contrast_keeps_the_mean_and_scales_the_spread() -> None:
    half = torch.full((2000, 3, 4, 4), 0.4)
    half[..., 2:] = 0.6
    out = distort_colours(half, _rng())
    gain = (out[:, 0, 0, 3] - out[:, 0, 0, 0]) / 0.2
    assert gain.min() == pytest.approx(module.CONTRAST[0], abs=0.01)
    assert gain.max() == pytest.approx(module.CONTRAST[1], abs=0.01)


def test_same_stream_same_images_other_stream_other_images() -> None:
    images = torch.rand(6, 3, 64, 64, generator=_rng(1)) * 2 - 1
    first, again, other = (augment(images, _rng(counter)) for counter in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_output_keeps_shape_and_range_and_the_input_is_untouched() -> None:
    images = torch.rand(6, 3, 32, 32, generator=_rng(1)) * 2 - 1
    before = images.clone()
    out = augment(images, _rng())
    assert out.shape == images.shape
    assert out.min() >= -1
    assert out.max() <= 1
    assert torch.equal(images, before)


def test_streams_of_different_purposes_differ() -> None:
    draws = {
        tuple(torch.rand(3, generator=stream(seed, purpose, counter)).tolist())
        for seed in (0, 1)
        for purpose in Purpose
        for counter in (0, 1)
    }
    assert len(draws) == 2 * len(Purpose) * 2


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_patches_of_the_published_sizes_are_hidden_as_often_as_asked(share: float) -> None:
    images = torch.arange(3 * 112 * 112, dtype=torch.float32).reshape(1, 3, 112, 112).repeat(400, 1, 1, 1)
    filling = torch.tensor([-1.0, -2.0, -3.0])
    found = hide_patches(images, _rng(), share=share, filling=filling)
    hidden = (found != images).all(dim=1)
    assert torch.equal(found.permute(0, 2, 3, 1)[hidden], filling.expand(int(hidden.sum()), 3))
    assert torch.equal(found.permute(0, 2, 3, 1)[~hidden], images.permute(0, 2, 3, 1)[~hidden])
    # An image's patches are drawn together, so the share of one image scatters by patches, not by pixels.
    assert float(hidden.float().mean()) == pytest.approx(
        share, abs=4 * (share * (1 - share) / 16 / 400) ** 0.5
    )
    sizes = set()
    for one in hidden.int():
        edges = (one[:, 1:] != one[:, :-1]).any(dim=0).nonzero().flatten() + 1
        sizes.add(int(np.gcd.reduce(edges.numpy())))
    assert {8, 16, 22, 28} <= sizes, "16, 32, 44 and 56 of 224 pixels"


def test_nothing_is_hidden_at_no_share() -> None:
    images = torch.rand(3, 3, 64, 64)
    assert torch.equal(hide_patches(images, _rng(), share=0.0, filling=torch.zeros(3)), images)
