"""The discriminator of a Projected GAN (Sauer et al. 2021), put to use for localization.

A frozen network of ImageNet looks at images at three strides; frozen random convolutions mix its channels and
its scales; one small head a scale ends in global average pooling and a linear unit "real". A second linear
unit on the same features is for "object". Only pooling stands between features and units, so that each unit
has a class activation map.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.base.rng import Purpose, stream
from core.nets.efficientnet import EfficientNetLite0
from core.nets.lite0 import CHANNELS, TAPS, read_weights
from core.nets.networks import Judge, Logits, Unit

SIDE = 192
"""Pixels to which the side of an image is brought: less costs place, more costs much time."""
MIXED = (64, 128, 256)
"""Channels of each scale once mixed, fine scales first."""
_RMS = (9.0, 4.5, 1.6)  # of the trunk's maps, about: heads see all scales alike
_STRIDES = tuple(TAPS)


class Seen(NamedTuple):
    """Frozen features of images: ``mixed`` for each scale, (N, C, h, w); ``deepest``, (N, 320, h, w)."""

    mixed: tuple[Tensor, ...]
    deepest: Tensor


class Answers(NamedTuple):
    """Each head's logit of "real", (N, heads), and the logits of "object" in each cell, (N, h, w)."""

    real: Tensor
    object: Tensor | None


@cache
def trunk_on(device: torch.device) -> EfficientNetLite0:
    """The frozen network on ``device``: one for all, since nothing ever changes it.

    Raises
    ------
    FeaturesError
        Its weights are missing, damaged or other ones.
    """
    trunk = EfficientNetLite0(read_weights()).eval().requires_grad_(False).to(device)
    return trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


class Mixing(nn.Module):
    """Random convolutions that are never learned: each channel sees all, and each scale all deeper ones.

    Cross-channel mixing is one 1 x 1 convolution a scale. Cross-scale mixing goes from the deepest scale to
    the finest: 3 x 3, narrowed by 1 x 1, twice as large, added to the next (Sauer et al. 2021, section 3.2).
    Every one keeps the variance of what it gets.

    Parameters
    ----------
    seed
        The same seed draws the same convolutions.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = stream(seed, Purpose.MIXING)
        for i, (before, after) in enumerate(zip(CHANNELS, MIXED, strict=True)):
            self.register_buffer(f"channels{i}", _drawn(after, before, 1, rng))
            self.register_buffer(f"scale{i}", _drawn(after, after, 3, rng))
            if i:
                self.register_buffer(f"finer{i}", _drawn(MIXED[i - 1], after, 1, rng))

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The trunk's maps, fine scales first -> (N, C, h, w) of :data:`MIXED` channels each."""
        mixed: list[Tensor] = []
        for i in reversed(range(len(maps))):
            x = F.conv2d(maps[i] / _RMS[i], self.get_buffer(f"channels{i}"))
            if mixed:
                deeper = F.conv2d(mixed[-1], self.get_buffer(f"finer{i + 1}"))
                x = (x + _resized(deeper, x)) / math.sqrt(2)
            mixed.append(F.conv2d(x, self.get_buffer(f"scale{i}"), padding=1))
        return tuple(reversed(mixed))


class SpectralConv(nn.Conv2d):
    """3 x 3 with its largest singular value brought to 1 (Miyato et al. 2018, algorithm 1)."""

    u: Tensor

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3, padding=1)
        self.register_buffer("u", _even(after))

    def forward(self, x: Tensor) -> Tensor:
        weight = _normalized(self.weight, self.u, moves=self.training)
        return F.conv2d(x, weight, self.bias, padding=self.padding)


class SpectralUnit(nn.Linear):
    """One linear unit whose weights have length 1."""

    def __init__(self, before: int) -> None:
        super().__init__(before, 1)

    @property
    def used(self) -> Tensor:
        """The weights as they are used, (before,)."""
        return F.normalize(self.weight[0].float(), dim=0)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = F.linear(x, self.used[None].to(x.dtype), self.bias.to(x.dtype))
        return logits.squeeze(1)


class Head(nn.Module):
    """The discriminator of one scale: two convolutions, GAP and the unit "real"."""

    def __init__(self, before: int, hidden: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            SpectralConv(before, hidden),
            nn.LeakyReLU(0.2, inplace=True),
            SpectralConv(hidden, hidden),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.real = SpectralUnit(hidden)


class ProjectedDiscriminator(Judge):
    """Frozen features, frozen mixing, a head for each scale: image -> logit of "real", the sum of all heads'.

    What is saved of it are heads, mixing and what teaches the object unit: the trunk is the same for all.

    Parameters
    ----------
    image_size
        Side, in pixels, of what it learns from; images of any size are enlarged as these are to :data:`SIDE`.
    width
        Half the channels within a head.
    seed
        Of the mixing.
    background
        Have the unit "object", too.
    """

    mean: Tensor
    direction: Tensor

    def __init__(self, *, image_size: int, width: int, seed: int, background: bool) -> None:
        super().__init__()
        self.per_image_norm = True
        self.framing = None
        self.image_size = image_size
        self.mixing = Mixing(seed)
        self.heads = nn.ModuleList(Head(channels, 2 * width) for channels in MIXED)
        self.background = nn.Linear(2 * width * len(MIXED), 1) if background else None
        # What teaches "object": the folder's mean descriptor and first direction; 0 until they are known.
        self.register_buffer("mean", torch.zeros(CHANNELS[-1]))
        self.register_buffer("direction", torch.zeros(CHANNELS[-1]))

    @property
    def cell(self) -> int:
        """The side of a map's cell in pixels of an image, rounded down."""
        return max(1, _STRIDES[0] * self.image_size // SIDE)

    def see(self, images: Tensor) -> Seen:
        """What no training changes, of float images (N, 3, H, W) in -1..1; gradients reach the images."""
        step, zoom = _STRIDES[-1], SIDE / self.image_size
        sides = [max(step, round(side * zoom / step) * step) for side in images.shape[2:]]
        large = F.interpolate(images.float(), size=sides, mode="bilinear", align_corners=False)
        maps = trunk_on(images.device)(large.add(1.0).div(2.0))
        return Seen(self.mixing(maps), maps[-1])

    def answer(self, mixed: tuple[Tensor, ...]) -> Answers:
        """What heads and units say to mixed features."""
        features = self._features(mixed)
        real = [head.real(_pooled(x)) for head, x in zip(self._heads, features, strict=True)]
        if self.background is None:
            return Answers(torch.stack(real, 1).float(), None)
        cells = _activation(features, self.background.weight[0].chunk(len(features)))
        return Answers(torch.stack(real, 1).float(), cells + self.background.bias)

    def taught(self, deepest: Tensor) -> Tensor:
        """How much each cell is what the folder shares, (N, h, w) float: above 0 where it is."""
        return torch.einsum("nchw,c->nhw", deepest.float() - self.mean[:, None, None], self.direction)

    def logits(self, images: Tensor) -> Logits:
        real, cells = self.answer(self.see(images).mixed)
        return Logits(real.sum(1), None if cells is None else cells.mean((1, 2)))

    def class_activation(self, images: Tensor, unit: Unit | None = None) -> Tensor:
        features = self._features(self.see(images).mixed)
        if (unit or self.unit) == "real":
            return _activation(features, tuple(head.real.used for head in self._heads))
        if self.background is None:
            raise ValueError("This network has not learned any background.")
        return _activation(features, self.background.weight[0].chunk(len(features)))

    @property
    def _heads(self) -> list[Head]:
        return [cast(Head, head) for head in self.heads]

    def _features(self, mixed: tuple[Tensor, ...]) -> list[Tensor]:
        return [head.features(x) for head, x in zip(self._heads, mixed, strict=True)]


def _activation(features: list[Tensor], weights: tuple[Tensor, ...]) -> Tensor:
    """The sum of all scales' maps on the finest grid, (N, h, w) float; enlarging leaves each one's mean."""
    maps = [
        torch.einsum("nchw,c->nhw", x.float(), w.float())[:, None]
        for x, w in zip(features, weights, strict=True)
    ]
    return torch.stack([_resized(one, maps[0]) for one in maps]).sum(0)[:, 0]


def _pooled(features: Tensor) -> Tensor:
    return F.avg_pool2d(features, features.shape[2:]).flatten(1)


def _resized(maps: Tensor, like: Tensor) -> Tensor:
    if maps.shape[2:] == like.shape[2:]:
        return maps
    return F.interpolate(maps, size=like.shape[2:], mode="bilinear", align_corners=False)


def _drawn(after: int, before: int, kernel: int, rng: torch.Generator) -> Tensor:
    weights = torch.randn(after, before, kernel, kernel, generator=rng)
    return weights / math.sqrt(before * kernel * kernel)


def _even(n: int) -> Tensor:
    return torch.full((n,), 1 / math.sqrt(n))


def _normalized(weight: Tensor, u: Tensor, *, moves: bool) -> Tensor:
    """``weight`` over its largest singular value, found by one more step from ``u``, kept where it moves."""
    matrix = weight.flatten(1)
    # Sums of products, not matrix products: these would be of bf16 where networks compute in it.
    with torch.no_grad():
        v = F.normalize((matrix * u[:, None]).sum(0), dim=0)
        left = F.normalize((matrix * v).sum(1), dim=0)
        if moves:
            u.copy_(left)
    return weight / (left[:, None] * matrix * v).sum()
