"""Random crops, mirrors and colours as in GoogLeNet's training (Szegedy et al. 2015, section 6).

All random numbers come from the caller's CPU generator, so that the same step gives the same images
on every device. Where ``images`` are one rank's slice of a batch, ``ranks`` says which, and they become what
they would in the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from kornia.enhance import (
    adjust_brightness,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation,
)
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from core.base.devices import to_device
from core.base.ranks import ALONE, Ranks

AREA = (0.08, 1.0)
ASPECT = (3 / 4, 4 / 3)
BRIGHTNESS = 32 / 255
SATURATION = (0.5, 1.5)
HUE = 0.2 * 2 * math.pi
CONTRAST = (0.5, 1.5)
RELIGHT_CONTRAST = (0.7, 1.3)

TRANSLATION = 1 / 8
"""Of an image's side: how far it is moved along each axis at most."""

SHARE = (0.35, 0.6)
"""Of an image's side: how wide a window is, when windows are learned in place of whole images."""
OFF_CENTRE = 0.15
"""Of an image's side: how far the centre of a middle window may lie from the image's, along each axis."""


HIDDEN = (16 / 224, 32 / 224, 44 / 224, 56 / 224)
"""Of an image's side: how large the patches of one image are, by Hide-and-Seek's mixed sizes."""


def augment(images: Tensor, rng: torch.Generator, ranks: Ranks = ALONE) -> Tensor:
    """Crop, mirror and recolour every image on its own.

    Parameters
    ----------
    images
        float (N, 3, S, S) in -1..1.
    rng
        CPU generator.

    Returns
    -------
    float (N, 3, S, S) in -1..1
    """
    unit = crop_and_mirror(images, rng, ranks).add(1.0).div(2.0).clamp(0.0, 1.0)
    return _to_range(distort_colours(unit, rng, ranks))


def crop_and_mirror(images: Tensor, rng: torch.Generator, ranks: Ranks = ALONE) -> Tensor:
    """A window of 8-100 % of the area and aspect 3/4-4/3, scaled back to full size; half are mirrored."""
    n = len(images)
    area, position_x, position_y, mirror = _uniform(4, n, rng, ranks)
    aspect = _between(math.log(ASPECT[0]), math.log(ASPECT[1]), n, rng, ranks).exp()
    area = AREA[0] + area * (AREA[1] - AREA[0])
    width, height = (area * aspect).sqrt().clamp(max=1.0), (area / aspect).sqrt().clamp(max=1.0)
    # affine_grid measures the image from -1 to 1, so a share of its side is also the window's scale.
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = torch.where(mirror < 0.5, -width, width)
    theta[:, 0, 2] = (2 * position_x - 1) * (1 - width)
    theta[:, 1, 1] = height
    theta[:, 1, 2] = (2 * position_y - 1) * (1 - height)
    grid = affine_grid(to_device(theta, images.device), list(images.shape), align_corners=False)
    return grid_sample(images, grid, padding_mode="reflection", align_corners=False)


class Windows(NamedTuple):
    """A square window for each image, as shares of its side: centres and width, (n,) each."""

    x: Tensor
    y: Tensor
    share: Tensor


def centre_windows(n: int, side: int, rng: torch.Generator, ranks: Ranks = ALONE) -> Windows:
    """Windows around the middle of images of ``side`` pixels; they touch no edge."""
    share, x, y = _uniform(3, n, rng, ranks)
    return Windows(0.5 + OFF_CENTRE * (2 * x - 1), 0.5 + OFF_CENTRE * (2 * y - 1), _share(share))


def border_windows(n: int, side: int, rng: torch.Generator, ranks: Ranks = ALONE) -> Windows:
    """Windows anywhere along one of the four edges of images of ``side`` pixels, each edge equally often.

    They begin half a pixel inside, where interpolation needs nothing from beyond the edge: what stands
    in for it would give a border window away.
    """
    share, along, edge = _uniform(3, n, rng, ranks)
    share = _share(share)
    low, high = share / 2 + 0.5 / side, 1 - share / 2 - 0.5 / side
    along = low + along * (high - low)
    across = torch.where((edge * 4).floor() % 2 == 0, low, high)
    is_vertical = edge < 0.5
    return Windows(torch.where(is_vertical, across, along), torch.where(is_vertical, along, across), share)


def _share(uniform: Tensor) -> Tensor:
    return SHARE[0] + uniform * (SHARE[1] - SHARE[0])


def crop(images: Tensor, windows: Windows, size: int) -> Tensor:
    """A window of each of float (N, 3, S, S) images, scaled to (N, 3, ``size``, ``size``)."""
    theta = torch.zeros(len(images), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = windows.share
    theta[:, 0, 2], theta[:, 1, 2] = 2 * windows.x - 1, 2 * windows.y - 1
    shape = [len(images), images.shape[1], size, size]
    grid = affine_grid(to_device(theta, images.device), shape, align_corners=False)
    crops = grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return crops.contiguous(memory_format=torch.channels_last)


def mirror_and_relight(
    images: Tensor, rng: torch.Generator, ranks: Ranks = ALONE, *, kinds: int = 1
) -> Tensor:
    """Mirror half of float (N, 3, S, S) images in -1..1, and vary the brightness and contrast of each.

    ``images`` may be of several ``kinds``, equally many of each, one after the other.

    Hue and saturation stay: colour tells background from object, and turning it cost a tenth of what maps
    know of place (docs/decisions/0009-contrast.md).
    """
    n = len(images)
    mirror, brightness, contrast = _uniform(3, n, rng, ranks, kinds=kinds)
    brightness = BRIGHTNESS * (2 * brightness - 1)
    contrast = RELIGHT_CONTRAST[0] + contrast * (RELIGHT_CONTRAST[1] - RELIGHT_CONTRAST[0])
    mirror, brightness, contrast = to_device(torch.stack([mirror, brightness, contrast]), images.device)
    images = torch.where((mirror < 0.5)[:, None, None, None], images.flip(3), images)
    unit = images.add(1.0).div(2.0).clamp(0.0, 1.0)
    unit = adjust_contrast_with_mean_subtraction(adjust_brightness(unit, brightness), contrast)
    return _to_range(unit)


def _to_range(unit: Tensor) -> Tensor:
    return unit.mul(2.0).sub(1.0).contiguous(memory_format=torch.channels_last)


def draw_variation(n: int, rng: torch.Generator, ranks: Ranks = ALONE) -> Tensor:
    """What :func:`vary` does to each of ``n`` images: uniform in 0..1, (6, n), on the CPU."""
    return _uniform(6, n, rng, ranks)


def _uniform(rows: int, n: int, rng: torch.Generator, ranks: Ranks, *, kinds: int = 1) -> Tensor:
    """Uniform in 0..1, (``rows``, n): the columns of this rank's images."""
    return ranks.own_columns(torch.rand(rows, n * ranks.size, generator=rng), kinds=kinds)


def _between(low: float, high: float, n: int, rng: torch.Generator, ranks: Ranks) -> Tensor:
    """Uniform between both, (n,): those of this rank's images."""
    return ranks.own(torch.empty(n * ranks.size).uniform_(low, high, generator=rng))


def vary(images: Tensor, drawn: Tensor) -> Tensor:
    """Mirror, move and recolour real and generated images alike, so that the generator learns none of it.

    Differentiable (Zhao et al. 2020: "color" and "translation"; no part is cut out, which would hide
    objects). What comes in at an edge is the image's own reflection.

    Parameters
    ----------
    images
        float (N, 3, S, S) in -1..1.
    drawn
        From :func:`draw_variation`.

    Returns
    -------
    float (N, 3, S, S), beyond -1..1 where colours are.
    """
    n, side = len(images), images.shape[-1]
    mirror, x, y, brightness, saturation, contrast = to_device(drawn, images.device)[..., None, None, None]
    theta = torch.zeros(n, 2, 3, device=images.device)
    theta[:, 0, 0], theta[:, 1, 1] = torch.where(mirror < 0.5, -1.0, 1.0).flatten(), 1.0
    for axis, place in enumerate((x, y)):
        # Whole pixels: a part of one would blur, and a blur tells real from generated.
        theta[:, axis, 2] = ((TRANSLATION * side * (2 * place - 1)).round() * 2 / side).flatten()
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    moved = grid_sample(images.float(), grid, padding_mode="reflection", align_corners=False)
    lit = moved + brightness - 0.5
    grey = lit.mean(1, keepdim=True)
    vivid = grey + (lit - grey) * 2 * saturation
    mean = vivid.mean((1, 2, 3), keepdim=True)
    contrasted: Tensor = mean + (vivid - mean) * (0.5 + contrast)
    return contrasted


def distort_colours(images: Tensor, rng: torch.Generator, ranks: Ranks = ALONE) -> Tensor:
    """Brightness, saturation, hue and contrast of float (N, 3, S, S) images in 0..1, in random order."""
    ranges = (-BRIGHTNESS, BRIGHTNESS), SATURATION, (-HUE, HUE), CONTRAST
    drawn = [_between(low, high, len(images), rng, ranks) for low, high in ranges]
    brightness, saturation, hue, contrast = to_device(torch.stack(drawn), images.device)
    distortions: list[Callable[[Tensor], Tensor]] = [
        lambda x: adjust_brightness(x, brightness),
        lambda x: adjust_saturation(x, saturation),
        lambda x: adjust_hue(x, hue),
        lambda x: adjust_contrast_with_mean_subtraction(x, contrast),
    ]
    for i in torch.randperm(len(distortions), generator=rng).tolist():
        images = distortions[i](images)
    return images


def hide_patches(images: Tensor, rng: torch.Generator, *, share: float, filling: Tensor) -> Tensor:
    """Hide patches of every image on its own (Singh and Lee 2017, "Hide-and-Seek").

    Each image draws one of the sizes :data:`HIDDEN`, is laid out in patches of it, and each patch is hidden
    with the probability ``share``. What is hidden takes the colour of the data's mean, so that what the first
    layer sees is distributed as in whole images (section 3.2).

    Parameters
    ----------
    images
        float (N, 3, S, S).
    rng
        CPU generator.
    filling
        float (3,), the mean colour of the data, in the range of ``images``.
    """
    n, side = len(images), images.shape[-1]
    sizes = [max(1, round(size * side)) for size in HIDDEN]
    chosen = torch.randint(len(sizes), (n,), generator=rng)
    drawn = torch.rand(len(sizes), n, side, side, generator=rng)
    hidden = torch.zeros(n, 1, side, side, dtype=torch.bool)
    for number, size in enumerate(sizes):
        count = -(-side // size)
        patches = drawn[number, :, :count, :count] < share
        pixels = patches.repeat_interleave(size, 1).repeat_interleave(size, 2)[:, :side, :side]
        hidden[:, 0] |= pixels & (chosen == number)[:, None, None]
    return torch.where(to_device(hidden, images.device), filling.to(images)[None, :, None, None], images)
