"""Averaged heat maps against the plain ones, against symmetry, and against maps whose place is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.base.errors import BoxscoutError
from core.maps.heatmap import AVERAGED, PLAIN, HeatMapOptions, cell_and_reach, heat_maps
from core.nets.networks import Discriminator, initialize

ONCE = HeatMapOptions(mirror=False, shifts=(0.0,), padding="reflect")
SIZES = [(32, False), (32, True), (64, True), (128, False)]


def _discriminator(image_size: int = 32, *, fine: bool = True, per_image_norm: bool = False) -> Discriminator:
    network = Discriminator(image_size=image_size, width=8, fine_heat_map=fine, per_image_norm=per_image_norm)
    initialize(network, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layer in network.features:
            if isinstance(layer, nn.Conv2d):
                layer.weight.mul_(5)  # so that what is far away shows in float32 too
    return network.eval()


class _Brightness(Discriminator):
    """A network whose map is known: each cell is its own pixels' mean, and the zeros around count as grey."""

    def __init__(self, cell: int) -> None:
        nn.Module.__init__(self)
        self.features = nn.Sequential(nn.Conv2d(3, 1, cell, cell, 0, bias=False))
        nn.init.constant_(self.features[0].weight, 1 / (3 * cell * cell))

    def class_activation(self, images: Tensor) -> Tensor:
        return self.features(images)[:, 0]


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)


def test_one_look_without_padding_is_the_published_map_to_the_last_bit(images: np.ndarray) -> None:
    network = _discriminator()
    plain = heat_maps(network, images)
    with torch.no_grad():
        x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
        direct = network.class_activation(x.to(memory_format=torch.channels_last))
    assert np.array_equal(plain, direct.numpy())
    trivial = HeatMapOptions(scales=(1.0,), mirror=False, shifts=(0.0,), padding="zero")
    assert trivial == PLAIN
    assert np.array_equal(heat_maps(network, images, options=trivial), plain)


@pytest.mark.parametrize("per_image_norm", [False, True])
@pytest.mark.parametrize(
    "options", [AVERAGED, HeatMapOptions(scales=(0.5, 1.0, 1.5)), HeatMapOptions(padding="zero")]
)
def test_the_map_of_the_mirrored_image_is_the_mirrored_map(
    images: np.ndarray, options: HeatMapOptions, per_image_norm: bool
) -> None:
    network = _discriminator(per_image_norm=per_image_norm)
    maps = heat_maps(network, images, options=options)
    mirrored = heat_maps(network, images[:, :, ::-1], options=options)
    assert np.array_equal(mirrored, maps[:, :, ::-1])
    once = heat_maps(network, images, options=ONCE)
    assert not np.allclose(heat_maps(network, images[:, :, ::-1], options=ONCE), once[:, :, ::-1], atol=1e-4)


def test_maps_do_not_depend_on_the_batch(images: np.ndarray) -> None:
    network = _discriminator()
    together = heat_maps(network, images, options=AVERAGED)
    alone = heat_maps(network, images, options=AVERAGED, batch_size=1)
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize(("image_size", "fine"), SIZES)
def test_the_networks_zeros_do_not_reach_what_is_kept(image_size: int, fine: bool) -> None:
    """Cells as far from the border as the reach do not change with what lies beyond it; nearer ones do."""
    network = _discriminator(image_size, fine=fine)
    cell, reach = cell_and_reach(network)
    side = 2 * image_size
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    wide = -(-reach // cell) * cell
    with torch.no_grad():
        zeros = network.class_activation(x)[0].double()
        surrounded = network.class_activation(nn.functional.pad(x, [wide] * 4, mode="reflect"))[0].double()
    assert zeros.shape[-1] == side // cell
    inner = surrounded[wide // cell : -wide // cell, wide // cell : -wide // cell]
    difference = (zeros - inner).abs()
    kept = -(-reach // cell)
    assert difference[kept:-kept, kept:-kept].max() < 1e-4 * difference.max()
    assert difference[kept - 1, kept:-kept].max() > 1e-4 * difference.max()


def test_reflection_is_that_of_torch_and_stays_reflection_beyond_the_image(images: np.ndarray) -> None:
    network = _discriminator(128, fine=False)
    _, reach = cell_and_reach(network)
    assert reach == 31
    by_hand = np.pad(images, ((0, 0), (32, 32), (32, 32), (0, 0)), mode="reflect")
    padded = heat_maps(network, by_hand)[:, 1:-1, 1:-1]
    assert heat_maps(network, images, options=ONCE) == pytest.approx(padded, abs=1e-4)
    # Wider than the image itself: numpy goes on reflecting, and so do we.
    small = images[:, :20, :20]
    by_hand = np.pad(small, ((0, 0), (32, 44), (32, 44), (0, 0)), mode="reflect")
    whole = heat_maps(network, by_hand)
    assert heat_maps(network, small, options=ONCE).shape == (3, 1, 1)
    # The one cell's middle lies 10 px into the image: a share of (42 / 32 - 0.5) of the way to the second.
    share = 42 / 32 - 0.5
    rows = whole[:, 0] * (1 - share) + whole[:, 1] * share
    middle = rows[:, 0] * (1 - share) + rows[:, 1] * share
    assert heat_maps(network, small, options=ONCE)[:, 0, 0] == pytest.approx(middle, abs=1e-4)


@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_heat_stays_where_it_is_at_every_scale_and_shift(scale: float, shift: float) -> None:
    ramp = np.linspace(20, 235, 96)[None, :, None] + np.zeros((48, 1, 3))
    image = np.round(ramp).astype(np.uint8)[None]
    options = HeatMapOptions(scales=(scale,), shifts=(shift,), mirror=False)
    heat = heat_maps(_Brightness(8), image, options=options)[0]
    columns = round(96 * scale / 8)
    assert heat.shape == (round(48 * scale / 8), columns)
    inner = slice(1, columns - 1)  # at the border the reflection flattens a ramp
    middles = (np.arange(columns) + 0.5) / columns * 96
    expected = (20 + (235 - 20) * (middles - 0.5) / 95) / 127.5 - 1
    assert heat[:, inner] == pytest.approx(np.tile(expected[inner], (len(heat), 1)), abs=0.02)


def test_a_photo_in_its_own_proportions_gets_a_map_of_them() -> None:
    photo = np.random.default_rng(2).integers(0, 256, (1, 200, 300, 3), np.uint8)
    assert heat_maps(_discriminator(), photo, options=AVERAGED).shape == (
        1,
        43,
        64,
    )  # 50 x 75 cells, at most 64
    assert heat_maps(_discriminator(), photo[:, :100, :60], options=AVERAGED).shape == (1, 25, 15)


def test_the_average_is_that_of_its_looks(images: np.ndarray) -> None:
    network = _discriminator()
    each = [
        heat_maps(network, images, options=HeatMapOptions(scales=(scale,), shifts=(shift,), mirror=False))
        for scale in (1.0,)
        for shift in (0.0, 0.5)
    ]
    both = heat_maps(network, images, options=HeatMapOptions(mirror=False, shifts=(0.0, 0.5)))
    assert both == pytest.approx(sum(each) / 2, abs=1e-5)


def test_the_map_is_the_gradient_form_on_any_size() -> None:
    """Grad-CAM (Selvaraju et al. 2017) of GAP and one linear unit is the map over the number of its cells."""
    network = _discriminator(per_image_norm=True)
    x = torch.rand(2, 3, 72, 120, generator=torch.Generator().manual_seed(3)) * 2 - 1
    features = network.features(x).detach().requires_grad_(True)
    # The map's mean is the logit without the bias, so that this is the gradient of the logit.
    unit = network.class_activation(x).detach()
    logit = network.linear(features.mean(dim=(2, 3))).sum()
    (gradient,) = torch.autograd.grad(logit, features)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    grad_cam = (weights * features).sum(dim=1).detach()
    cells = features.shape[2] * features.shape[3]
    assert (features.shape[2], features.shape[3]) == (18, 30)
    assert (grad_cam * cells).numpy() == pytest.approx(unit.numpy(), abs=1e-5)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"scales": ()}, "at least one"),
        ({"scales": (0.0,)}, "between 0.1 and 8"),
        ({"shifts": (1.0,)}, "below 1"),
        ({"shifts": ()}, "at least one"),
        ({"padding": "edge"}, "reflect, zero"),
        ({"long_side": 8}, "between 32 and 1024"),
    ],
)
def test_options_out_of_range_are_refused(wrong: dict, says: str) -> None:
    with pytest.raises(BoxscoutError, match=says):
        HeatMapOptions(**wrong)
