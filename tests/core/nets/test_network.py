"""The pre-activation ResNet-34 by its published numbers, and its heat maps by their definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from core.base.rng import Purpose, stream
from core.maps.heatmap import heat_maps
from core.nets.networks import to_model_range
from core.nets.resnet import BLOCKS, STRIDES, Block, PreActResNet34, initialize

# Published for the ImageNet network with norms behind the convolutions (torchvision's table of weights).
RESNET34_PARAMETERS = 21_797_672


def _network(classes: int = 3, width: int = 8) -> PreActResNet34:
    network = PreActResNet34(classes=classes, width=width)
    initialize(network, stream(1, Purpose.WEIGHTS))
    return network


def test_the_parameters_are_those_of_resnet_34() -> None:
    """The published count, less what the small stem saves and what norms move when they come first."""
    classes = 200
    stem = 3 * 3 * 3 * 64 - 7 * 7 * 3 * 64
    linear = (512 + 1) * (classes - 1000)
    # A gain and a bias per channel. Before: behind the stem and the three 1 x 1 shortcuts. Now: a group's
    # first norm has the channels of the group before, and one follows the last block.
    norms = 2 * (512 - 64 - (128 + 256 + 512) - (64 + 128 + 256))
    count = sum(parameter.numel() for parameter in PreActResNet34(classes=classes).parameters())
    assert count == RESNET34_PARAMETERS + stem + linear + norms


def test_there_are_34_layers_with_weights() -> None:
    network = _network()
    weighted = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    on_the_path = [m for m in weighted if not (isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1))]
    assert len(on_the_path) == 34
    assert len(weighted) - len(on_the_path) == 3
    assert (sum(BLOCKS), STRIDES) == (16, (1, 2, 2, 1))


@pytest.mark.parametrize(("size", "side"), [(32, 8), (64, 16), (128, 32)])
def test_maps_have_a_quarter_of_the_side(size: int, side: int) -> None:
    network = _network().eval()
    images = torch.randn(2, 3, size, size)
    with torch.no_grad():
        assert network.features(images).shape == (2, 64, side, side)
        assert network(images).shape == (2, 3)
        assert network.class_activation(images).shape == (2, side, side)
        sides = []
        x = network.stem(images)
        for block in network.blocks:
            x = block(x)
            sides.append(x.shape[-1])
    assert sides == [size] * 3 + [size // 2] * 4 + [size // 4] * 9


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("before", "after", "stride"), [(8, 16, 2), (8, 16, 1), (8, 8, 1)])
def test_a_block_equals_its_formula(before: int, after: int, stride: int, first: bool) -> None:
    """Outputs and gradients against the published block in float64, with the stride in the convolution."""
    block = Block(before, after, stride, first=first)
    x = torch.randn(4, before, 16, 16).contiguous(memory_format=torch.channels_last)
    seen = torch.randn(4, after, 16 // stride, 16 // stride)
    block(x).backward(seen)
    ours = [p.grad.double() for p in block.parameters()]
    gradients = dict(zip([name for name, _ in block.named_parameters()], ours, strict=True))
    out = block(x).detach().double()

    p = {name: value.detach().double().requires_grad_() for name, value in block.named_parameters()}
    x = x.double()

    def active(y: torch.Tensor, name: str) -> torch.Tensor:
        y = nn.functional.batch_norm(
            y, None, None, p[f"{name}.weight"], p[f"{name}.bias"], training=True, eps=1e-5
        )
        return y.clamp(min=0)

    conv = nn.functional.conv2d
    a = active(x, "norm1")
    change = conv(active(conv(a, p["conv1.weight"], None, stride, 1), "norm2"), p["conv2.weight"], None, 1, 1)
    kept = a if first else x
    if "shortcut.weight" in p:
        kept = conv(kept, p["shortcut.weight"], None, stride)
    expected = kept + change
    expected.backward(seen.double())
    assert torch.allclose(out, expected, atol=1e-4)
    for name, gradient in gradients.items():
        assert torch.allclose(gradient, p[name].grad, rtol=1e-3, atol=1e-2), name


def test_the_mean_of_a_map_and_the_bias_is_the_logit() -> None:
    network = _network(classes=5).eval()
    with torch.no_grad():
        network.linear.bias.copy_(torch.randn(5))
        images = torch.randn(4, 3, 64, 64)
        logits = network(images)
        for name in range(5):
            maps = network.class_activation(images, torch.full((4,), name))
            assert torch.allclose(
                maps.mean(dim=(1, 2)) + network.linear.bias[name], logits[:, name], atol=1e-4
            )


def test_a_map_is_the_gradient_times_the_activation() -> None:
    """With GAP and a linear unit Grad-CAM's weights are the unit's own (Selvaraju et al. 2017)."""
    network = _network(classes=3).double().eval()
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    features = network.features(images).detach().requires_grad_(True)
    logits = network.linear(features.mean(dim=(2, 3)))
    (slopes,) = torch.autograd.grad(logits[0, 2] + logits[1, 0], features)
    expected = (slopes * features).sum(dim=1) * features[0, 0].numel()
    ours = network.class_activation(images, torch.tensor([2, 0]))
    assert torch.allclose(ours, expected)


def test_heat_maps_are_of_the_class_asked_for_or_of_the_likeliest() -> None:
    network = _network(classes=4).eval()
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    with torch.no_grad():
        batch = to_model_range(torch.from_numpy(images))
        likeliest = network(batch).argmax(dim=1).numpy()
        wanted = np.array([0, 1, 2, 3, 0])
        expected = np.stack([
            network.class_activation(batch[i : i + 1], torch.tensor([name]))[0].numpy()
            for i, name in enumerate(wanted)
        ])  # fmt: skip
    own = heat_maps(network, images, batch_size=2, classes=wanted)
    assert own == pytest.approx(expected, abs=1e-3)
    predicted = heat_maps(network, images, batch_size=2)
    assert predicted == pytest.approx(heat_maps(network, images, classes=likeliest), abs=1e-3)
    assert not np.allclose(own, heat_maps(network, images, classes=(wanted + 1) % 4))
    mixed = heat_maps(network, images, batch_size=2, classes=np.array([0, -1, 2, -1, 0]))
    assert mixed[[0, 2, 4]] == pytest.approx(own[[0, 2, 4]], abs=1e-3)
    assert mixed[[1, 3]] == pytest.approx(predicted[[1, 3]], abs=1e-3)


def test_weights_are_drawn_as_published() -> None:
    network = _network(width=32)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            outgoing = module.out_channels * module.kernel_size[0] ** 2
            assert module.weight.std().item() == pytest.approx((2 / outgoing) ** 0.5, rel=0.15)
    again = _network(width=32)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))
