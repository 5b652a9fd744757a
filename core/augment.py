"""Random crops, mirrors and colours as in GoogLeNet's training (Szegedy et al. 2015, section 6).

All random numbers come from the caller's CPU generator, so that the same step gives the same images
on every device.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from kornia.enhance import (
    adjust_brightness,
    adjust_contrast_with_mean_subtraction,
    adjust_hue,
    adjust_saturation,
)
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

AREA = (0.08, 1.0)
ASPECT = (3 / 4, 4 / 3)
BRIGHTNESS = 32 / 255
SATURATION = (0.5, 1.5)
HUE = 0.2 * 2 * math.pi
CONTRAST = (0.5, 1.5)


def augment(images: Tensor, rng: torch.Generator) -> Tensor:
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
    unit = distort_colours(crop_and_mirror(images, rng).add(1.0).div(2.0).clamp(0.0, 1.0), rng)
    return unit.mul(2.0).sub(1.0).contiguous(memory_format=torch.channels_last)


def crop_and_mirror(images: Tensor, rng: torch.Generator) -> Tensor:
    """A window of 8-100 % of the area and aspect 3/4-4/3, scaled back to full size; half are mirrored."""
    n = len(images)
    area, position_x, position_y, mirror = torch.rand(4, n, generator=rng)
    aspect = torch.empty(n).uniform_(math.log(ASPECT[0]), math.log(ASPECT[1]), generator=rng).exp()
    area = AREA[0] + area * (AREA[1] - AREA[0])
    width, height = (area * aspect).sqrt().clamp(max=1.0), (area / aspect).sqrt().clamp(max=1.0)
    # affine_grid measures the image from -1 to 1, so a share of its side is also the window's scale.
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0] = torch.where(mirror < 0.5, -width, width)
    theta[:, 0, 2] = (2 * position_x - 1) * (1 - width)
    theta[:, 1, 1] = height
    theta[:, 1, 2] = (2 * position_y - 1) * (1 - height)
    grid = affine_grid(theta, list(images.shape), align_corners=False).to(images.device)
    return grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def distort_colours(images: Tensor, rng: torch.Generator) -> Tensor:
    """Brightness, saturation, hue and contrast of float (N, 3, S, S) images in 0..1, in random order."""
    n = len(images)

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(n).uniform_(low, high, generator=rng).to(images.device)

    brightness, saturation = uniform(-BRIGHTNESS, BRIGHTNESS), uniform(*SATURATION)
    hue, contrast = uniform(-HUE, HUE), uniform(*CONTRAST)
    distortions: list[Callable[[Tensor], Tensor]] = [
        lambda x: adjust_brightness(x, brightness),
        lambda x: adjust_saturation(x, saturation),
        lambda x: adjust_hue(x, hue),
        lambda x: adjust_contrast_with_mean_subtraction(x, contrast),
    ]
    for i in torch.randperm(len(distortions), generator=rng).tolist():
        images = distortions[i](images)
    return images
