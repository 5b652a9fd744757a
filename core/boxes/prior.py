"""What the heat maps of a whole data set have in common, learned in one pass and without any label."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

# Chosen on the train boxes of three sets and on raccoon (docs/decisions/0009-contrast.md): outlines show an
# object's proportions diluted, and photos hold more horizontal than vertical edges whatever they show.
_GAIN, _OFFSET = 0.8, 0.3
_MOST = 0.7  # about 2 : 1; few objects are that much higher than wide in every image
# Extents from the second down to the first are of small objects; it takes so many images to tell
# (docs/decisions/0011-sizes.md).
_SMALL = (0.16, 0.22)
_ENOUGH = 30


@dataclass(frozen=True, slots=True)
class Prior:
    """The proportions of the objects and the level of the heat in a data set.

    ``elongation`` is the natural logarithm of height over width, in shares of the image, that objects have
    by their outlines (:func:`outline_ratios`). ``level`` and ``spread`` are the mean and the
    standard deviation, over the images, of a map's mean heat, in the maps' own unit. ``images`` is how many
    there were. ``extent`` is the median share, 0..1, of a map that is hotter than halfway between its coldest
    and its hottest place: low where objects are small in all images. ``usual_width`` and ``usual_height`` are
    the mean natural logarithms of the sizes that :func:`framings` gives; 0 where it gives none.
    """

    elongation: float
    level: float
    spread: float
    images: int
    extent: float = 1.0
    usual_width: float = 0.0
    usual_height: float = 0.0

    @property
    def smallness(self) -> float:
        """How sure it is, 0..1, that objects are small in all images.

        One map does not tell a small object from a bright spot on a large one; the median of a folder does.
        """
        low, high = _SMALL
        return min(max((high - self.extent) / (high - low), 0.0), 1.0) if self.images >= _ENOUGH else 0.0


@dataclass(slots=True)
class PriorTally:
    """What is counted of each image, batch by batch: what a :class:`Prior` is made of."""

    _levels: list[float] = field(default_factory=list)
    _ratios: list[float] = field(default_factory=list)
    _extents: list[float] = field(default_factory=list)
    _sizes: list[tuple[float, float]] = field(default_factory=list)

    def add(
        self,
        heat_map: npt.NDArray[np.float32],
        outline_ratio: float,
        framing: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """Count one image in: its map, float (h, w), its :func:`outline_ratios`, and its row of
        :func:`core.nets.framing.framings`."""
        self._levels.append(float(heat_map.mean(dtype=np.float64)))
        self._ratios.append(float(outline_ratio))
        halfway = (float(heat_map.min()) + float(heat_map.max())) / 2
        self._extents.append(float((heat_map >= halfway).mean()))
        if framing is not None and np.isfinite(framing).all():
            self._sizes.append((float(framing[2]), float(framing[3])))

    def prior(self) -> Prior | None:
        """The prior of all maps counted in; None before the first, or where one is not finite."""
        if not self._levels or not np.isfinite(self._levels).all():
            return None
        elongation = _GAIN * float(np.mean(self._ratios)) + _OFFSET
        elongation = min(max(elongation, -_MOST), _MOST)
        width, height = np.mean(self._sizes, axis=0).tolist() if self._sizes else (0.0, 0.0)
        return Prior(
            elongation,
            level=float(np.mean(self._levels)),
            spread=float(np.std(self._levels)),
            images=len(self._levels),
            extent=float(np.median(self._extents)),
            usual_width=width,
            usual_height=height,
        )
