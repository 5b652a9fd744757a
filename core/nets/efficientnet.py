"""EfficientNet-Lite0 in torch, for use only: never trained here. Parameters have their file's names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import hardtanh, pad

from core.nets.lite0 import BLOCKS, EPSILON, MEAN, STD, STEM, TAPS, Array, Block, padding


class SameConv(nn.Conv2d):
    """A convolution without bias, padded as in TensorFlow: with a stride more after than before."""

    def __init__(self, before: int, after: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__(before, after, kernel, stride, groups=groups, bias=False)
        self.zeros = padding(kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad(x, self.zeros * 2) if any(self.zeros) else x)


class MBConv(nn.Module):
    """One :class:`core.nets.lite0.Block`."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        hidden = block.hidden
        self.expands, self.adds_input = block.expansion != 1, block.adds_input
        if self.expands:
            self._expand_conv = SameConv(block.inputs, hidden)
            self._bn0 = nn.BatchNorm2d(hidden, EPSILON)
        self._depthwise_conv = SameConv(hidden, hidden, block.kernel, block.stride, groups=hidden)
        self._bn1 = nn.BatchNorm2d(hidden, EPSILON)
        self._project_conv = SameConv(hidden, block.outputs)
        self._bn2 = nn.BatchNorm2d(block.outputs, EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        hidden = _relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        hidden = _relu6(self._bn1(self._depthwise_conv(hidden)))
        change: Tensor = self._bn2(self._project_conv(hidden))
        return x + change if self.adds_input else change


class EfficientNetLite0(nn.Module):
    """The trunk, without head and classes.

    Parameters
    ----------
    weights
        Name -> array as in the package's file; entries of the head are passed over.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, weights: Mapping[str, Array]) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, STEM, 3, 2)
        self._bn0 = nn.BatchNorm2d(STEM, EPSILON)
        self._blocks = nn.ModuleList(MBConv(block) for block in BLOCKS)
        own = self.state_dict()
        self.load_state_dict({name: torch.from_numpy(np.array(weights[name])) for name in own})
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """float (N, 3, H, W), RGB in 0..1, H and W multiples of 32 -> one (N, C, H / s, W / s) for each of
        :data:`core.nets.lite0.TAPS`, without a last activation."""
        x = _relu6(self._bn0(self._conv_stem((images - self.mean) / self.std)))
        maps = []
        for i, block in enumerate(self._blocks):
            x = block(x)
            if i in TAPS.values():
                maps.append(x)
        return tuple(maps)


def _relu6(x: Tensor) -> Tensor:
    return hardtanh(x, 0.0, 6.0, inplace=True)
