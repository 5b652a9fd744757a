"""DDT: what all images of a folder have in common, as one direction among a frozen network's descriptors.

Wei et al. 2017, "Deep Descriptor Transforming for Image Co-Localization": the descriptors of the last
convolution of all images, their mean, and the first principal direction. A place is the object's where its
descriptor's distance from the mean along that direction is above 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.base.errors import TrainingError
from core.base.language import tr

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[np.float32]

_FLAT = 1e-12  # of the mean square: a variance below it is rounding alone


@dataclass(frozen=True)
class Direction:
    """The first principal direction of descriptors.

    Parameters
    ----------
    mean, direction
        float64 (C,); ``direction`` has length 1, to seven digits, and points from surroundings to object.
    deviation
        Standard deviation of the descriptors along it, in their own unit.
    share
        Of their whole variance, 0..1.
    count
        How many descriptors it is of.
    """

    mean: Floats
    direction: Floats
    deviation: float
    share: float
    count: int

    def maps(self, maps: Array) -> Array:
        """float32 (n, C, h, w) -> float32 (n, h, w): how far each descriptor lies along the direction."""
        weights = self.direction.astype(np.float32)[:, None, None]
        projected = (maps * weights).sum(axis=1, dtype=np.float64) - float(self.direction @ self.mean)
        result: Array = projected.astype(np.float32)
        return result


class Tally:
    """Mean and covariance of descriptors that come shard by shard; it takes the same memory for any number.

    All sums are float64 and in the order of the shards. Each shard is centred on itself before it is merged
    (Chan, Golub, LeVeque 1979), so that no digits are lost where descriptors lie far from 0.

    Parameters
    ----------
    within
        Count only how an image's descriptors differ from that image's mean, not how images differ: else the
        first direction may tell sunny images from others.
    rim
        How many cells along an image's border are left out. Convolutions see the zeros beyond the border,
        which can be what descriptors differ in most.
    """

    def __init__(self, *, within: bool = False, rim: int = 0) -> None:
        self._within, self._rim = within, rim
        self.count = 0
        self._mean: Floats = np.zeros(0)
        self._scatter: Floats = np.zeros((0, 0))
        self._middle = _Sum()
        self._border = _Sum()

    def add(self, maps: Array) -> None:
        """Count the descriptors of float32 (n, C, h, w)."""
        rows, columns = maps.shape[2:]
        rim = min(self._rim, (min(rows, columns) - 1) // 2)
        if rim:
            maps = maps[:, :, rim:-rim, rim:-rim]
            rows, columns = maps.shape[2:]
        values = maps.transpose(0, 2, 3, 1).reshape(-1, maps.shape[1]).astype(np.float64)
        middle = maps[:, :, rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
        self._middle.add(middle)
        for side in (maps[:, :, [0, -1], :], maps[:, :, 1:-1, [0, -1]]):
            self._border.add(side)
        mean = values.mean(axis=0)
        if self._within:
            images = values.reshape(len(maps), -1, values.shape[1])
            values = (images - images.mean(axis=1, keepdims=True)).reshape(values.shape)
        else:
            values -= mean
        self._merge(len(values), mean, values.T @ values)

    def merge(self, other: Tally) -> None:
        """Count what ``other`` has counted, after what this has."""
        if other.count:
            self._merge(other.count, other._mean, other._scatter)
            self._middle.merge(other._middle)
            self._border.merge(other._border)

    def direction(self) -> Direction:
        """The first direction of all that was added.

        Its sign is chosen so that the middle of images lies above their borders on average.

        Raises
        ------
        TrainingError
            All descriptors are the same.
        """
        scatter = self._scatter / max(self.count, 1)
        total = float(np.trace(scatter)) if self.count else 0.0
        if not np.isfinite(total) or total <= _FLAT * max(float(self._mean @ self._mean), _FLAT):
            raise TrainingError(tr("All images look the same, so no object stands out: choose other images."))
        values, vectors = np.linalg.eigh(scatter)
        # The solver's last digits depend on the number of threads; those that a float32 holds do not.
        direction, variance = vectors[:, -1].astype(np.float32).astype(np.float64), float(values[-1])
        # A vector's own sign is the solver's whim.
        if direction @ (self._middle.mean - self._border.mean) < 0:
            direction = -direction
        return Direction(self._mean.copy(), direction, float(np.sqrt(variance)), variance / total, self.count)

    def _merge(self, count: int, mean: Floats, scatter: Floats) -> None:
        if not self.count:
            self.count, self._mean, self._scatter = count, mean, scatter.copy()
            return
        total = self.count + count
        away = mean - self._mean
        between = 0.0 if self._within else np.outer(away, away) * (self.count * count / total)
        self._scatter += scatter + between
        self._mean = self._mean + away * (count / total)
        self.count = total


class _Sum:
    """The mean of some of the descriptors."""

    def __init__(self) -> None:
        self._sum: Floats = np.zeros(1)
        self._count = 0

    def add(self, maps: Array) -> None:
        self._sum = self._sum + maps.sum(axis=(0, 2, 3), dtype=np.float64)
        self._count += maps.shape[0] * maps.shape[2] * maps.shape[3]

    def merge(self, other: _Sum) -> None:
        self._sum, self._count = self._sum + other._sum, self._count + other._count

    @property
    def mean(self) -> Floats:
        return self._sum / max(self._count, 1)
