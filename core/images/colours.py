"""Any Pillow mode to plain RGB, as a person would expect to see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

# Shares of the pixels that become black and white where values have no agreed range.
LOW_PERCENT, HIGH_PERCENT = 0.5, 99.5
_SAMPLE = 1 << 20  # percentiles of a huge image are taken from about this many of its pixels
_PIECE = 1 << 22  # values that are spread at a time, so that a large image needs no copy of floats
_UNBOUNDED = {"I", "F", "I;16", "I;16B", "I;16L", "I;16N"}


def to_rgb(image: Image.Image) -> Image.Image:
    """``image`` (loaded, any mode) as mode RGB; transparent parts lie on white.

    16-bit, 32-bit and float images are scaled by percentiles, because a plain convert turns them
    white or black. Embedded colour profiles are not applied.
    """
    if image.mode in _UNBOUNDED:
        return _stretched(image).convert("RGB")
    if image.mode == "LAB":
        return _lab_to_rgb(image)
    if image.mode in ("RGBa", "La"):  # premultiplied alpha has one way out
        image = image.convert("RGBA" if image.mode == "RGBa" else "LA")
    if image.mode in ("RGBA", "LA", "PA") or image.info.get("transparency") is not None:
        return _on_white(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def stretch(values: npt.NDArray[Any], ignore: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.uint8]:
    """``values`` (H,W) or (H,W,C), any numeric dtype, as uint8: percentiles 0.5 and 99.5 become 0 and 255.

    All channels alike. Where those two coincide the extremes are taken; a constant image becomes mid-grey.
    NaN becomes 0. Pixels where ``ignore`` (H,W) is true are not counted.
    """
    ends = _ends(values, ignore)
    if ends is None:
        return np.full(values.shape, 128, np.uint8)
    low, high = ends
    result = np.empty(values.shape, np.uint8)
    rows = max(1, _PIECE * len(values) // max(1, values.size))
    for start in range(0, len(values), rows):
        data = _as_floats(values[start : start + rows])
        data = np.nan_to_num(data, nan=low, posinf=high, neginf=low)
        # Clip first: the span of float64 extremes may overflow, a clipped value never does.
        scaled = (np.clip(data, low, high) / 2 - low / 2) / (high / 2 - low / 2)
        result[start : start + rows] = np.rint(scaled * 255)
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """An image's numbers as its file has them.

    ``values`` (H,W,C), any numeric dtype: grey, red green blue, or the inks cyan, magenta, yellow, black, of
    which ``inks_of`` is the most. ``cover`` (H,W), float32 in 0..1, says how much of the image is there;
    ``is_premultiplied`` that the values are less by as much.
    """

    values: npt.NDArray[Any]
    cover: npt.NDArray[np.float32] | None = None
    is_premultiplied: bool = False
    inks_of: float | None = None


def rgb_of(samples: Samples) -> Image.Image:
    """The image of ``samples`` as mode RGB, on white.

    Grey values and colours of more than 8 bits are scaled by percentiles (:func:`stretch`), those of 8 bits
    stay as they are; inks have an agreed range.
    """
    values, cover = samples.values, samples.cover
    if samples.is_premultiplied and cover is not None:
        some = np.maximum(cover, 1e-6)[..., None]
        shares = np.where(cover[..., None] > 0, _as_floats(values) / some, 0)
        values = np.clip(np.rint(shares), 0, 255).astype(np.uint8) if values.dtype == np.uint8 else shares
    if samples.inks_of is not None:
        paper = 1 - np.clip(_as_floats(values) / samples.inks_of, 0, 1)  # what each ink leaves white
        pixels = np.rint(255 * paper[..., :3] * paper[..., 3:]).astype(np.uint8)
    else:
        hidden = None if cover is None else cover == 0
        pixels = values if values.dtype == np.uint8 else stretch(values, hidden)
        pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3)) if pixels.shape[2] == 1 else pixels
    if cover is not None:
        part = cover[..., None]
        pixels = np.rint(pixels * part + 255 * (1 - part)).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels))


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Grey values as finely as the file has them: uint16 (H,W). ``black`` and ``white`` are the levels that
    :func:`stretch` makes 0 and 255; there are darker and brighter ones."""

    values: npt.NDArray[np.uint16]
    black: float
    white: float


def grey_values(image: Image.Image) -> npt.NDArray[Any] | None:
    """The grey values (H,W) of a loaded image that has more than 8 bits of them; None of all others."""
    if image.mode not in _UNBOUNDED or isinstance(image.info.get("transparency"), int):
        return None
    return np.asarray(image)


def levels_of(given: npt.NDArray[Any]) -> Levels | None:
    """The levels of grey values (H,W); None for a flat image."""
    ends = _ends(given, None)
    if ends is None:
        return None
    low, high = ends
    span = high - low
    if not np.isfinite(3 * span):
        return None
    # Integers of 16 bits stay what they are; of others, what lies far beyond both ends is not kept apart.
    is_short = given.dtype.kind in "ui" and given.min() >= 0 and given.max() <= 65535
    if is_short:
        return Levels(given.astype(np.uint16), low, high)
    first, last = low - span, high + span
    scale = 65535.0 / (last - first)
    data = np.nan_to_num(_as_floats(given), nan=low, posinf=last, neginf=first)
    values = np.clip((data - first) * scale, 0, 65535)
    return Levels(np.rint(values).astype(np.uint16), (low - first) * scale, (high - first) * scale)


def reduced(levels: Levels, width: int, height: int) -> Levels:
    """``levels`` of a smaller copy of the image, each the mean of those it stands for."""
    if levels.values.shape == (height, width):
        return levels
    values = cv2.resize(levels.values, (width, height), interpolation=cv2.INTER_AREA)
    return replace(levels, values=np.asarray(values, np.uint16))


def _ends(values: npt.NDArray[Any], ignore: npt.NDArray[np.bool_] | None) -> tuple[float, float] | None:
    """Which of ``values`` (H,W) or (H,W,C) become black and white; None where all are one."""
    pixels = values.reshape(values.shape[0] * values.shape[1], -1)
    pixels = pixels if ignore is None else pixels[~ignore.ravel()]
    counted = _as_floats(pixels[:: max(1, pixels.size // _SAMPLE)])
    counted = counted[np.isfinite(counted)]
    if counted.size == 0:
        return None
    low, high = (float(v) for v in np.percentile(counted, (LOW_PERCENT, HIGH_PERCENT)))
    if high <= low:
        low, high = float(counted.min()), float(counted.max())
    return (low, high) if high > low else None


def _as_floats(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Of as many bits as keep 16-bit numbers apart, or all."""
    return values.astype(np.float64 if values.dtype.itemsize > 2 else np.float32)


def _stretched(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return Image.fromarray(stretch(values))
    hidden = values == transparent
    grey = stretch(values, hidden)
    grey[hidden] = 255
    return Image.fromarray(grey)


def _on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    white = Image.new("RGB", image.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, _lab_transform())
    assert converted is not None  # only an in-place transform returns None
    return converted
