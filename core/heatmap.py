"""Network + images -> heat maps, and a heat map as a picture."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt
import torch

from core.classifier.network import PreActResNet34
from core.networks import Discriminator, to_model_range

_CV_MAPS: Mapping[str, int] = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "turbo": cv2.COLORMAP_TURBO,
}
COLOUR_MAPS: tuple[str, ...] = tuple(_CV_MAPS)


@torch.no_grad()
def heat_maps(
    network: Discriminator | PreActResNet34,
    images: npt.NDArray[np.uint8],
    *,
    batch_size: int = 64,
    classes: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.float32]:
    """The class activation map of every image (Zhou et al. 2016, equation 2).

    It is that for "real" with a discriminator, that of a class with a classifier.

    Parameters
    ----------
    network
        In evaluation mode; it runs where its parameters are.
    images
        uint8 (N, S, S, 3).
    batch_size
        Images at once; bounds the memory, not the result.
    classes
        int64 (N,), for a classifier only: whose map is wanted for each image; below 0, or None for all,
        is the predicted one's.

    Returns
    -------
    float32 (N, h, w)
        Unnormalised: their mean plus the linear unit's bias is the logit.
    """
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(images), batch_size):
        rows = slice(start, start + batch_size)
        batch = to_model_range(torch.from_numpy(np.array(images[rows])).to(device))
        if isinstance(network, PreActResNet34) and classes is not None:
            maps = network.class_activation(batch, torch.from_numpy(classes[rows]).to(device))
        else:
            maps = network.class_activation(batch)
        parts.append(maps.float().cpu().numpy())
    return np.concatenate(parts) if parts else np.zeros((0, 1, 1), np.float32)


def colourize(
    heat_map: npt.NDArray[np.float32], *, width: int, height: int, colour_map: str = "viridis"
) -> npt.NDArray[np.uint8]:
    """A heat map as an opaque RGBA picture, coldest to hottest over the whole colour map.

    Returns
    -------
    uint8 (height, width, 4)
    """
    heat = np.asarray(heat_map, np.float32)
    span = float(heat.max() - heat.min())
    level = (heat - heat.min()) / span if span > 0 else np.zeros_like(heat)
    fine = cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR)
    index = np.clip(fine * 255 + 0.5, 0, 255).astype(np.uint8)
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = colour_bar(colour_map)[index]
    return picture


def colour_bar(colour_map: str) -> npt.NDArray[np.uint8]:
    """The 256 colours of a map, coldest first: uint8 (256, 3) RGB."""
    steps = np.arange(256, dtype=np.uint8)[:, None]
    bgr = cv2.applyColorMap(steps, _CV_MAPS[colour_map])[:, 0]
    return np.ascontiguousarray(bgr[:, ::-1])
