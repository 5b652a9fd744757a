"""A heat map as a picture."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

_CV_MAPS: Mapping[str, int] = {
    # Each rises evenly in lightness, so that it reads the same to colour-blind eyes and in print.
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
}
COLOUR_MAPS: tuple[str, ...] = (*_CV_MAPS, "grey")


def colourize(
    heat_map: npt.NDArray[np.float32],
    *,
    width: int,
    height: int,
    colour_map: str = "viridis",
    absolute: bool = False,
    fades: bool = False,
) -> npt.NDArray[np.uint8]:
    """A heat map as an RGBA picture, coldest to hottest over the whole colour map.

    With ``absolute`` it is a map of probabilities, and a colour is the same one in every image. It is opaque,
    or with ``fades`` as opaque in each place as that is hot: nothing where it is coldest.

    Returns
    -------
    uint8 (height, width, 4)
    """
    heat = np.asarray(heat_map, np.float32)
    low, high = (0.0, 1.0) if absolute else (float(heat.min()), float(heat.max()))
    level = (heat - low) / (high - low) if high > low else np.zeros_like(heat)
    fine = cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR)
    index = np.clip(fine * 255 + 0.5, 0, 255).astype(np.uint8)
    picture = np.full((height, width, 4), 255, np.uint8)
    picture[..., :3] = colour_bar(colour_map)[index]
    if fades:
        picture[..., 3] = index
    return picture


def colour_bar(colour_map: str) -> npt.NDArray[np.uint8]:
    """The 256 colours of a map, coldest first: uint8 (256, 3) RGB."""
    steps = np.arange(256, dtype=np.uint8)[:, None]
    if colour_map == "grey":
        return np.repeat(steps, 3, axis=1)
    bgr = cv2.applyColorMap(steps, _CV_MAPS[colour_map])[:, 0]
    return np.ascontiguousarray(bgr[:, ::-1])
