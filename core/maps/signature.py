"""A few numbers that tell an image's object and surroundings from those of others in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from core.maps.cells import normalised, resized
from core.nets.features import Maps

Array = npt.NDArray[np.float32]
Signatures = npt.NDArray[np.float16]

LENGTH = 64
"""Numbers of one image. So few directions, drawn by chance, keep distances to about a tenth (Johnson and
Lindenstrauss 1984)."""
_LEAST = 1e-12


def signatures(maps: Maps, heat: Sequence[Array]) -> Signatures:
    """The mean descriptors of each image, by its heat and of the whole, in :data:`LENGTH` random directions.

    Parameters
    ----------
    maps
        For each stride float32 (n, C, h, w).
    heat
        The heat map of each of the n images, float32 in 0..1.

    Returns
    -------
    float16 (n, LENGTH), each of length 1.
    """
    parts = []
    for one in maps:
        own = normalised(one)  # which they mostly are
        weights = np.stack([resized(each[None], *own.shape[2:])[0] for each in heat])
        weights /= weights.sum(axis=(1, 2), keepdims=True) + np.float32(_LEAST)
        parts += [np.einsum("nchw,nhw->nc", own, weights), own.mean(axis=(2, 3))]
    whole = np.concatenate(parts, axis=1)
    found = whole @ _directions(whole.shape[1])
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(lengths, _LEAST), np.float16)


@lru_cache(maxsize=4)
def _directions(numbers: int) -> Array:
    """float32 (numbers, LENGTH), the same in every process."""
    drawn = np.random.default_rng(0).normal(size=(numbers, LENGTH)) / np.sqrt(LENGTH)
    return np.asarray(drawn, np.float32)
