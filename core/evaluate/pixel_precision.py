"""PxAP: how well heat maps separate the object's pixels from the rest, over all thresholds at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.base.errors import FormatError
from core.base.language import tr
from core.images.decoding import decode

BACKGROUND, OBJECT, IGNORED = 0, 1, 255
#: Pixels a side of the grid that every image is compared on: large photos do not outweigh small ones.
SIDE = 224

_BINS = 1000

Masks = Iterable[tuple[npt.NDArray[np.floating], npt.NDArray[np.uint8]]]


def pixel_average_precision(pairs: Masks) -> float:
    """The area under the curve of precision and recall over pixels of all images (Choe et al. 2020, PxAP).

    Each heat map is scaled to 0..1 by its own minimum and maximum; a constant one holds every pixel for
    equally likely.

    Parameters
    ----------
    pairs
        A heat map, float (h, w) of any range, and its mask, uint8 (H, W): ``OBJECT``, ``BACKGROUND``, or
        ``IGNORED``. Both are brought to ``SIDE`` x ``SIDE``, the mask without mixing its values.

    Returns
    -------
    The average precision, 0..1. No threshold is chosen: there is none to choose.

    Raises
    ------
    FormatError
        A heat map holds a value that is not finite, or no mask has an object's pixel.
    """
    objects, rest = np.zeros(_BINS + 1), np.zeros(_BINS + 1)
    for heat_map, mask in pairs:
        level, grid = _levels(heat_map), _on_grid(mask)
        objects += np.bincount(level[grid == OBJECT], minlength=_BINS + 1)
        rest += np.bincount(level[grid == BACKGROUND], minlength=_BINS + 1)
    if not objects.any():
        raise FormatError(tr("No mask has a pixel of an object, so that there is nothing to compare with."))
    # From the hottest level down: what would be called object at each threshold.
    found, wrong = objects[::-1].cumsum(), rest[::-1].cumsum()
    called = found + wrong
    precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
    recall = np.append(0.0, found / found[-1])
    return float((precision * np.diff(recall)).sum())


def read_mask(folder: Path, name: str) -> npt.NDArray[np.uint8] | None:
    """The mask of the image ``name`` as uint8 (H, W) of the three values; None where there is none.

    ``cats/a.jpg`` has its mask in ``folder/cats/a.png``, black where there is no object. Where
    ``folder/cats/a_ignore.png`` is there too, what is not black in it and no object is ignored.

    Raises
    ------
    ImageError
        A mask cannot be read.
    FormatError
        A mask and what is to be ignored differ in size.
    """
    file = (folder / name).with_suffix(".png")
    if not file.is_file():
        return None
    mask = np.where(decode(file).pixels.any(axis=2), OBJECT, BACKGROUND).astype(np.uint8)
    ignore_file = file.with_name(f"{file.stem}_ignore.png")
    if ignore_file.is_file():
        ignore = decode(ignore_file).pixels.any(axis=2)
        if ignore.shape != mask.shape:
            raise FormatError(
                tr("{name} and {other} differ in size.").format(name=ignore_file.name, other=file.name)
            )
        mask[ignore & (mask == BACKGROUND)] = IGNORED
    return mask


def _levels(heat_map: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
    """The heat of each pixel as a level 0.._BINS, (SIDE, SIDE)."""
    heat = np.asarray(heat_map, np.float64)
    if not np.isfinite(heat).all():
        raise FormatError(tr("A heat map holds a value that is not a number."))
    span = heat.max() - heat.min()
    share = (heat - heat.min()) / span if span > 0 else np.ones_like(heat)
    fine = cv2.resize(share, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    levels: npt.NDArray[np.intp] = np.floor(np.clip(fine, 0, 1) * _BINS + 1e-9).astype(np.intp)
    return levels


def _on_grid(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if mask.shape == (SIDE, SIDE):
        return mask
    return cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
