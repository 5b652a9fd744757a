"""A frozen network's maps as cells: what a linear unit reads, one row of numbers for each place."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from core.nets.features import Features, Maps

Array = npt.NDArray[np.float32]

_LEAST_LENGTH = 1e-6  # of a descriptor: one of nothing but zeros stays so


def maps_at(maps: Maps, features: Features, strides: Sequence[int]) -> Maps:
    """Those of ``maps``, which ``features`` gave, that have one of these ``strides``, in their order."""
    return tuple(maps[features.strides.index(stride)] for stride in strides)


def normalised(maps: Array) -> Array:
    """float32 (n, C, h, w), each descriptor brought to length 1."""
    lengths = np.sqrt((maps * maps).sum(axis=1, keepdims=True))
    result: Array = maps / np.maximum(lengths, _LEAST_LENGTH)
    return result


def resized(maps: Array, height: int, width: int) -> Array:
    """float32 (n, h, w) -> (n, ``height``, ``width``), bilinearly, both covering the whole image."""
    if maps.shape[1:] == (height, width):
        return maps
    fine = [cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in maps]
    return np.stack(fine).astype(np.float32, copy=False)


def cells(maps: Maps, *, normalise: bool, grid: int = 0) -> Array:
    """The descriptors of several strides side by side, on the grid of one of them.

    Parameters
    ----------
    maps
        For each stride float32 (n, C, h, w), the finest first.
    normalise
        Whether each stride's descriptors are first brought to length 1.
    grid
        Which of the strides, by its place, has the cells.

    Returns
    -------
    float32 (n, h, w, sum of all C)
    """
    height, width = maps[grid].shape[2:]
    parts = []
    for one in maps:
        own = normalised(one) if normalise else one
        fine = resized(own.reshape(-1, *own.shape[2:]), height, width)
        parts.append(fine.reshape(*own.shape[:2], height, width).transpose(0, 2, 3, 1))
    return np.concatenate(parts, axis=3)
