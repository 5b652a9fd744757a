"""Pre-activation ResNet-34 for small images (He et al. 2016b), with GAP and one linear unit per class."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

BLOCKS = (3, 4, 6, 3)
STRIDES = (1, 2, 2, 1)


class Block(nn.Module):
    """Twice norm, ReLU and 3 x 3 convolution, added to the input.

    In the first block of a group both paths begin behind the first norm and ReLU (He et al. 2016b,
    appendix, and their code); where the shape changes, the shortcut is a 1 x 1 convolution.
    """

    def __init__(self, before: int, after: int, stride: int, *, first: bool) -> None:
        super().__init__()
        self.first, self.stride = first, stride
        self.norm1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        same = before == after and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(before, after, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active = relu(self.norm1(x))
        change: Tensor = self.conv2(relu(self.norm2(self.conv1(active))))
        source = active if self.first else x
        # The stride is taken here: oneDNN's 1 x 1 convolution with a stride and few channels writes past its
        # memory, which crashes, hangs or gives wrong gradients (uxlfoundation/oneDNN issue 6035).
        kept: Tensor = self.shortcut(source[:, :, :: self.stride, :: self.stride])
        return kept + change


class PreActResNet34(nn.Module):
    """Image -> one logit per class; each is the mean of that class's activation map plus a bias.

    Made for 64 px: the stem is one 3 x 3 convolution without stride or pooling and the last group keeps
    its resolution, so that maps have a quarter of the image's side (16 x 16).

    Parameters
    ----------
    classes
        How many there are.
    width
        Channels of the first group, 64 in the publication; the groups have 1, 2, 4 and 8 times as many.
    """

    def __init__(self, *, classes: int, width: int = 64) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        blocks: list[nn.Module] = []
        before = width
        for group, (count, stride) in enumerate(zip(BLOCKS, STRIDES, strict=True)):
            after = width * 2**group
            for i in range(count):
                blocks.append(Block(before, after, stride if i == 0 else 1, first=i == 0))
                before = after
        self.blocks = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm2d(before)
        self.linear = nn.Linear(before, classes)

    def features(self, images: Tensor) -> Tensor:
        """float (N, 3, S, S) in -1..1 -> the last activations, (N, 8 width, S / 4, S / 4)."""
        return relu(self.norm(self.blocks(self.stem(images))))

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (N, classes), of float images (N, 3, S, S) in -1..1."""
        logits: Tensor = self.linear(self.features(images).mean(dim=(2, 3)))
        return logits

    def class_activation(self, images: Tensor, classes: Tensor | None = None) -> Tensor:
        """Sum over channels of weight x activation, without the bias.

        Parameters
        ----------
        images
            float (N, 3, S, S) in -1..1.
        classes
            int64 (N,): the class whose map is wanted, image by image; where it is below 0, and with None
            everywhere, the predicted one.

        Returns
        -------
        float (N, S / 4, S / 4)
        """
        features = self.features(images)
        if classes is None or bool((classes < 0).any()):
            predicted = self.linear(features.mean(dim=(2, 3))).argmax(dim=1)
            classes = predicted if classes is None else torch.where(classes < 0, predicted, classes)
        return torch.einsum("nchw,nc->nhw", features, self.linear.weight[classes].to(features.dtype))


def initialize(network: PreActResNet34, rng: torch.Generator) -> None:
    """Convolutions N(0, 2 / outgoing connections) (He et al. 2015), the linear unit uniform; biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=rng)
        elif isinstance(module, nn.Linear):
            bound = 1 / math.sqrt(module.in_features)
            nn.init.uniform_(module.weight, -bound, bound, generator=rng)
            nn.init.zeros_(module.bias)
