"""Which part of its photo is a crop? A network that can tell knows how people frame their objects.

People aim at things and step close enough. A crop whose object lies too far right was cut too far left; one
in which it is large is a small part of the photo. So a network that has learned, from crops of unlabelled
photos, where in the photo they lie and how much of it they take can be asked the other way round about a
whole photo: where its object lies, and how large it is beside what is usual. Ours, no paper's:
docs/decisions/0012-search.md.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, smooth_l1_loss

from core.base.devices import to_device
from core.base.ranks import ALONE, Ranks
from core.nets.augment import BRIGHTNESS, RELIGHT_CONTRAST
from core.nets.networks import Discriminator, Framing, Judge, to_model_range
from core.nets.resnet import PreActResNet34

Framings = npt.NDArray[np.float64]
Network = Judge | PreActResNet34

LEARNING_RATE, WEIGHT_DECAY = 1e-3, 1e-2
SHARES = (0.55, 0.9)
"""Of a photo's side that a crop takes, before it is made up to a quarter wider or higher."""
USUAL = 0.7
"""The share that crops of a whole photo take when it is asked about."""
_WIDEST = 0.97
_DROPPED = 0.3
_SPREAD = 0.1  # of answers, about: brings the loss near 1
_PLACES = 3
"""Along each axis, where a photo is asked about."""


def framing_loss(network: Framing, photos: Tensor, rng: torch.Generator, ranks: Ranks = ALONE) -> Tensor:
    """How wrong the network is about a random crop of each photo: smooth L1, scalar.

    Parameters
    ----------
    network
        In training mode.
    photos
        float (N, 3, S, S) in -1..1.
    rng
        CPU generator of the crops, their light and what is left out of the last layer.
    ranks
        Which slice of the batch ``photos`` are.
    """
    n = len(photos)
    whole = n * ranks.size
    x, y, share, aspect, mirror, light, contrast = ranks.own_columns(torch.rand(7, whole, generator=rng))
    kept = ranks.own(torch.rand(whole, network.hidden, generator=rng))
    kept = (kept >= _DROPPED).float() / (1 - _DROPPED)
    share = (math.log(SHARES[0]) + share * math.log(SHARES[1] / SHARES[0])).exp()
    aspect = ((aspect - 0.5) / 2).exp()
    wide, high = (share * aspect).clamp(max=_WIDEST), (share / aspect).clamp(max=_WIDEST)
    x, y = (x - 0.5) * (1 - wide), (y - 0.5) * (1 - high)
    # Mirrored before it is cut: afterwards it would turn the answer round.
    crops = relit(cut(photos, x, y, torch.where(mirror < 0.5, -wide, wide), high), light, contrast)
    true = torch.stack([torch.where(mirror < 0.5, -x, x), y, (wide / USUAL).log(), (high / USUAL).log()], 1)
    answers = network(crops, to_device(kept, photos.device)).float()
    return smooth_l1_loss(answers / _SPREAD, to_device(true, photos.device) / _SPREAD)


def learning_rate(fraction: float) -> float:
    """Half a cosine, from ``LEARNING_RATE`` at the beginning of a training to 0 at its end."""
    return LEARNING_RATE * (1 + math.cos(math.pi * min(max(fraction, 0.0), 1.0))) / 2


@torch.no_grad()
def framings(network: Network, images: npt.NDArray[np.uint8]) -> Framings | None:
    """Where objects lie and how large they are, by how the photos are framed.

    The mean answer, turned round, to crops of ``USUAL`` size from all over a photo and its mirror image.

    Parameters
    ----------
    network
        In evaluation mode; it runs where its parameters are.
    images
        uint8 (N, S, S, 3), whole photos as training saw them.

    Returns
    -------
    float64 (N, 4)
        The object's middle from the photo's, x and y in shares of its sides; the natural logarithms of the
        object's width and height in a unit that only the mean over a folder makes one of
        (``Prior.usual_width`` and ``usual_height``). None where the network has not learned framing.
    """
    if not isinstance(network, Discriminator) or (framing := network.framing) is None:
        return None
    places = [(i / (_PLACES - 1) - 0.5) * (1 - USUAL) for i in range(_PLACES)]
    photos = to_model_range(torch.from_numpy(np.array(images)).to(network.linear.weight.device))
    side, total = torch.full((len(photos),), USUAL), torch.zeros(len(photos), 4)
    for x, y, sign in product(places, places, (1.0, -1.0)):
        middle = torch.full_like(side, x), torch.full_like(side, y)
        answers = framing(cut(photos, *middle, sign * side, side)).float().cpu()
        total -= answers * torch.tensor([sign, 1.0, 1.0, 1.0])
    return (total / (2 * len(places) ** 2)).double().numpy()


def cut(photos: Tensor, x: Tensor, y: Tensor, wide: Tensor, high: Tensor) -> Tensor:
    """Crops around (x, y) from the middle, in shares of the side, scaled; mirrored where ``wide`` < 0."""
    theta = torch.zeros(len(photos), 2, 3)
    theta[:, 0, 0], theta[:, 1, 1], theta[:, 0, 2], theta[:, 1, 2] = wide, high, 2 * x, 2 * y
    shape = [len(photos), photos.shape[1], Framing.SIDE, Framing.SIDE]
    grid = affine_grid(to_device(theta, photos.device), shape, align_corners=False)
    crops = grid_sample(photos, grid, padding_mode="reflection", align_corners=False)
    return crops.contiguous(memory_format=torch.channels_last)


def relit(crops: Tensor, light: Tensor, contrast: Tensor) -> Tensor:
    """Light alone varied: ``light`` and ``contrast``, (N,) each, are uniform in 0..1."""
    low, high = RELIGHT_CONTRAST
    both = torch.stack([2 * BRIGHTNESS * (2 * light - 1), low + (high - low) * contrast])
    brightness, factor = to_device(both, crops.device)[:, :, None, None, None]
    mean = crops.mean(dim=(1, 2, 3), keepdim=True)
    relit: Tensor = ((crops - mean) * factor + mean + brightness).clamp(-1, 1)
    return relit
