"""MS-SSIM (Wang et al. 2003) and the diversity of a batch of samples (Odena et al. 2017)."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW = 11
SIGMA = 1.5
K1, K2 = 0.01, 0.03
_PAIRS_AT_ONCE = 128


def ms_ssim(x: Tensor, y: Tensor, *, value_range: float = 255.0) -> Tensor:
    """MS-SSIM of each pair of images.

    On small images the window shrinks to the image, and negative contrast terms, which have no real
    power, count as 0: each is clamped per channel, then the product over scales, then the mean over
    channels.

    Parameters
    ----------
    x, y
        (N, C, H, W), sides of at least 16, values within ``value_range``.

    Returns
    -------
    float32 (N,)
        1 for equal images.
    """
    return _from_moments(_scales(x), _scales(y), value_range)


def diversity(samples: Tensor, *, value_range: float = 255.0) -> float:
    """Mean MS-SSIM over all pairs of different samples; high means that they look alike.

    Equal to (sum of the full similarity matrix - n) / (n^2 - n).

    Parameters
    ----------
    samples
        (n, C, H, W) with n >= 2.
    """
    pairs = torch.tensor(list(combinations(range(len(samples)), 2)))
    scales = _scales(samples)
    total = 0.0
    for chunk in torch.split(pairs, _PAIRS_AT_ONCE):
        left, right = chunk.T.to(samples.device)
        total += float(
            _from_moments(
                [(x[left], mean[left], square[left]) for x, mean, square in scales],
                [(x[right], mean[right], square[right]) for x, mean, square in scales],
                value_range,
            ).sum()
        )
    return total / len(pairs)


_Scale = tuple[Tensor, Tensor, Tensor]


@torch.no_grad()
def _scales(images: Tensor) -> list[_Scale]:
    """Each scale's images, local means and local mean squares; those of a pair come from here."""
    x = images.float()
    if min(x.shape[-2:]) < 2 ** (len(WEIGHTS) - 1):
        raise ValueError(f"MS-SSIM needs images of at least 16 pixels, not {tuple(x.shape[-2:])}.")
    result = []
    for i in range(len(WEIGHTS)):
        if i:
            x = avg_pool2d(x, 2)
        result.append((x, _blurred(x), _blurred(x * x)))
    return result


@torch.no_grad()
def _from_moments(left: list[_Scale], right: list[_Scale], value_range: float) -> Tensor:
    c1, c2 = (K1 * value_range) ** 2, (K2 * value_range) ** 2
    score = torch.ones(())
    for i, ((x, mx, xx), (y, my, yy)) in enumerate(zip(left, right, strict=True)):
        variances = (xx - mx * mx) + (yy - my * my)
        contrast = (2 * (_blurred(x * y) - mx * my) + c2) / (variances + c2)
        if i == len(WEIGHTS) - 1:
            contrast = contrast * (2 * mx * my + c1) / (mx * mx + my * my + c1)
        score = score * contrast.mean(dim=(2, 3)).clamp(min=0) ** WEIGHTS[i]
    return score.mean(dim=1)


def _blurred(x: Tensor) -> Tensor:
    """Local means under a Gaussian window no larger than the image, valid positions only."""
    channels = x.shape[1]
    window = _gaussian(min(WINDOW, x.shape[-2], x.shape[-1]), x.device)
    for shape in ((channels, 1, -1, 1), (channels, 1, 1, -1)):
        x = conv2d(x, window.expand(channels, -1).reshape(shape), groups=channels)
    return x


def _gaussian(size: int, device: torch.device) -> Tensor:
    offsets = torch.arange(size, dtype=torch.float32, device=device) - (size - 1) / 2
    weights = torch.exp(-0.5 * (offsets / SIGMA) ** 2)
    return weights / weights.sum()
