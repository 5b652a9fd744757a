"""Generator and discriminator of the DCGAN family (Radford et al. 2016), with GAP and one linear unit.

Images are RGB in -1..1, (N, 3, S, S), S a power of two from 32. Each stage halves the side down to 4.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def to_model_range(images: Tensor) -> Tensor:
    """uint8 (N, S, S, 3) in 0..255 -> float32 (N, 3, S, S) in -1..1, channels last in memory."""
    return images.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


def to_pixels(images: Tensor) -> Tensor:
    """float (N, 3, S, S) in -1..1 -> uint8 (N, S, S, 3) in 0..255."""
    levels = images.float().add(1.0).mul(127.5).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def stage_channels(image_size: int, width: int) -> list[int]:
    """Channels after each halving from ``image_size`` to 4 px, doubling from ``width`` up to 8 x it."""
    stages = int(math.log2(image_size)) - 2
    return [width * min(2**i, 8) for i in range(stages)]


Unit = Literal["real", "background"]


class Logits(NamedTuple):
    """Of "real" rather than generated, and of object rather than background where that is learned; (N,)."""

    real: Tensor
    background: Tensor | None


def stages(*, image_size: int, width: int, fine: bool, per_image_norm: bool = False) -> nn.Sequential:
    """The discriminator's convolutions; ``fine`` and the norm are as for :class:`Discriminator`."""
    channels = stage_channels(image_size, width)
    layers: list[nn.Module] = []
    before = 3
    for i, after in enumerate(channels):
        keeps_side = fine and i == len(channels) - 1
        kernel, stride = (3, 1) if keeps_side else (4, 2)
        # A norm everywhere but at the input (Radford et al. 2016, section 3).
        layers.append(nn.Conv2d(before, after, kernel, stride, 1, bias=i == 0))
        if i > 0:
            # One group, not LayerNorm([C, H, W]): a gain per place could make all heat maps alike.
            layers.append(nn.GroupNorm(1, after) if per_image_norm else nn.BatchNorm2d(after))
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        before = after
    return nn.Sequential(*layers)


class Framing(nn.Module):
    """Part of a photo -> where in it that lies and how much of it that is (:mod:`core.nets.framing`).

    Parameters
    ----------
    width
        Channels of the first stage.
    """

    SIDE = 32
    """Of what it sees, in pixels."""
    _CELLS, _NARROW = 64, 16

    def __init__(self, width: int) -> None:
        super().__init__()
        self.features = stages(image_size=self.SIDE, width=width, fine=True)
        self.narrow = nn.Conv2d(stage_channels(self.SIDE, width)[-1], self._NARROW, 1)
        self.answers = nn.Linear(self.hidden, 4)

    @property
    def hidden(self) -> int:
        """How many values the answers are made from."""
        return self._NARROW * self._CELLS

    def forward(self, crops: Tensor, kept: Tensor | None = None) -> Tensor:
        """(N, 4) of float crops (N, 3, SIDE, SIDE) in -1..1; ``kept``, (N, hidden), weighs what they see."""
        seen = F.leaky_relu(self.narrow(self.features(crops)).flatten(1), 0.2)
        answers: Tensor = self.answers(seen if kept is None else seen * kept)
        return answers


class Judge(nn.Module):
    """What every discriminator is asked: images -> logits of its units, and their maps.

    ``per_image_norm``: each image is judged alone, whatever else is in its batch. ``background`` is the unit
    that tells object from background; None, as ``framing``, where that is not learned.
    """

    per_image_norm: bool
    background: nn.Linear | None
    framing: Framing | None

    @property
    def unit(self) -> Unit:
        """Whose class activation map shows the object: the background unit's where there is one."""
        return "real" if self.background is None else "background"

    def logits(self, images: Tensor) -> Logits:
        """Both units' logits of float images (N, 3, S, S) in -1..1."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """Logits of "real", (N,), of float images (N, 3, S, S) in -1..1."""
        return self.logits(images).real

    def class_activation(self, images: Tensor, unit: Unit | None = None) -> Tensor:
        """Sum over channels of weight x activation: (N, h, w), without the bias.

        ``unit`` None is :attr:`unit`. ValueError for the background of a network that has no such unit.
        """
        raise NotImplementedError


class Discriminator(Judge):
    """Strided convolutions, global average pooling and one linear unit: image -> logit of "real".

    Because only pooling and a linear unit follow the last features, the logit is the mean of the
    class activation map plus the unit's bias. A second unit on the same features can tell object from
    background. All layers slide, so a trained network reads larger images too.

    Parameters
    ----------
    image_size, width
        Side of the images in pixels, and channels of the first stage.
    fine_heat_map
        The last stage keeps its resolution, so that heat maps are 8 x 8 instead of 4 x 4.
    per_image_norm
        Normalise each image on its own, with one gain per channel, in place of batch norm; what a
        gradient penalty needs (Gulrajani et al. 2017, section 4).
    background
        Have the second unit.
    framing
        Have a :class:`Framing` of its own beside all that; it has a training of its own, too.
    """

    def __init__(
        self,
        *,
        image_size: int,
        width: int,
        fine_heat_map: bool = False,
        per_image_norm: bool = False,
        background: bool = False,
        framing: bool = False,
    ) -> None:
        super().__init__()
        self.per_image_norm = per_image_norm
        self.features = stages(
            image_size=image_size, width=width, fine=fine_heat_map, per_image_norm=per_image_norm
        )
        channels = stage_channels(image_size, width)[-1]
        self.linear = nn.Linear(channels, 1)
        self.background = nn.Linear(channels, 1) if background else None
        self.framing = Framing(width) if framing else None

    def logits(self, images: Tensor) -> Logits:
        features = self.features(images)
        # Not features.mean(): its gradient is one value expanded, which the step before takes slowly.
        pooled = F.avg_pool2d(features, features.shape[2:]).flatten(1)
        background = None if self.background is None else self.background(pooled).squeeze(1)
        return Logits(self.linear(pooled).squeeze(1), background)

    def class_activation(self, images: Tensor, unit: Unit | None = None) -> Tensor:
        chosen = self.linear if (unit or self.unit) == "real" else self.background
        if chosen is None:
            raise ValueError("This network has not learned any background.")
        features = self.features(images)
        return torch.einsum("nchw,c->nhw", features, chosen.weight[0].to(features.dtype))


class Generator(nn.Module):
    """Noise (N, latent_size) -> images (N, 3, S, S) in -1..1 through transposed convolutions.

    Batch norm always uses the batch at hand: samples are only ever made in batches, and running
    averages would lag behind the weights.
    """

    def __init__(self, *, image_size: int, width: int, latent_size: int) -> None:
        super().__init__()
        channels = stage_channels(image_size, width)[::-1]
        layers: list[nn.Module] = [nn.ConvTranspose2d(latent_size, channels[0], 4, 1, 0, bias=False)]
        for before, after in zip(channels, [*channels[1:], 0], strict=True):
            layers += [nn.BatchNorm2d(before, track_running_stats=False), nn.ReLU(inplace=True)]
            layers.append(nn.ConvTranspose2d(before, after or 3, 4, 2, 1, bias=not after))
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, noise: Tensor) -> Tensor:
        images: Tensor = self.layers(noise[:, :, None, None])
        return images


def initialize(network: nn.Module, rng: torch.Generator) -> None:
    """Convolutions and linear units N(0, .02), norm gains N(1, .02), biases 0 (Radford et al.)."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.normal_(module.weight, 1.0, 0.02, generator=rng)
            nn.init.zeros_(module.bias)


def initialize_framing(network: Framing, rng: torch.Generator) -> None:
    """Convolutions and the linear layer as in He et al. 2015 for a slope of sqrt(5), torch's own default."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
