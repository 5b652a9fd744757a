"""What the heat maps of a whole data set have in common, learned in one pass and without any label."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# A mean map of very few images may be a thin line; no object is that much wider than high in every image.
_MAX_STRETCH = 2.0


@dataclass(frozen=True, slots=True)
class Prior:
    """The proportions and the level of the heat in a data set.

    ``stretch`` is how much wider than high the mean map lies, as the ratio of its standard deviations in x
    and y (shares of the image); 1 where it is as wide as high. ``level`` and ``spread`` are the mean and the
    standard deviation, over the images, of a map's mean heat, in the maps' own unit. ``images`` is how many
    there were.
    """

    stretch: float
    level: float
    spread: float
    images: int


@dataclass(slots=True)
class PriorTally:
    """Sums over heat maps, batch by batch: what a :class:`Prior` is made of."""

    _mean_map: Floats | None = None
    _levels: list[float] = field(default_factory=list)

    def add(self, heat_map: npt.NDArray[np.float32], scaled: npt.NDArray[np.float32]) -> None:
        """Count one map in: float (h, w) as it is, and (GRID, GRID) scaled to 0..1."""
        if self._mean_map is None:
            self._mean_map = np.zeros(scaled.shape)
        self._mean_map += scaled
        self._levels.append(float(heat_map.mean(dtype=np.float64)))

    def prior(self) -> Prior | None:
        """The prior of all maps counted in; None before the first, or where one is not finite."""
        if self._mean_map is None or not np.isfinite(self._levels).all():
            return None
        x, y = (_deviation(self._mean_map.sum(axis=axis)) for axis in (0, 1))
        stretch = min(max(x / y, 1 / _MAX_STRETCH), _MAX_STRETCH)
        return Prior(stretch, float(np.mean(self._levels)), float(np.std(self._levels)), len(self._levels))


def _deviation(profile: Floats) -> float:
    places = (np.arange(len(profile)) + 0.5) / len(profile)
    shares = profile / profile.sum()
    mean = float(shares @ places)
    # Of one cell, its own extent is left.
    return float((shares @ (places - mean) ** 2 + 1 / (12 * len(profile) ** 2)) ** 0.5)
