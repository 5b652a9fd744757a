"""Whether an image holds no object: is its hottest place like an object or like a background?

What a background looks like is learned from the folder itself, without any label: from what lies beside the
objects of its images. So a folder in which no image is empty still tells how an empty one would look
(docs/decisions/0017-no-object.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from core.boxes.score import Floats, Map, logistic

LIKELY = 0.5
"""A probability above this is worth a person's look."""
_OBJECT = 0.5  # the unit's own cut
_LEAST = 2.0**-25  # half the step below 1 of a map's 32-bit floats
# Of a map's longer side: so far around an object's box its heat may spill.
_SPILL = 1 / 12
# The share of an image that must lie beside its object to tell how hot a background can become.
_ENOUGH = 1 / 4
# From the level of objects to that of backgrounds the log odds rise by so much, evenly. Of 5 to 12 this and 9
# had the lowest Brier score on crops with and without objects of six sets (benchmarks/accuracy/no_object.py).
_STEEPNESS = 8.0


@dataclass(frozen=True, slots=True)
class PeakLevels:
    """How hot the hottest place of an image usually is in a folder, in log odds of "object".

    ``objects`` of an image with an object, ``background`` of what lies beside objects.
    """

    objects: float
    background: float


def peak_levels(probabilities: Iterable[Map]) -> PeakLevels | None:
    """Learn the two levels from the images of a folder, which may be a sample of it.

    Parameters
    ----------
    probabilities
        Heat maps of the object unit, each float (h, w) in 0..1; above .5 is object. Each may have its own
        size.

    Returns
    -------
    The medians over images, or None where no image has an object or none has a background.
    """
    objects, backgrounds = [], []
    for heat in probabilities:
        peak, beside = float(heat.max()), _peak_beside(heat)
        if peak > _OBJECT:
            objects.append(peak)
        if beside is not None:
            backgrounds.append(beside)
    if not objects or not backgrounds:
        return None
    found = _log_odds(np.array([np.median(objects), np.median(backgrounds)]))
    return PeakLevels(*found.tolist())


def no_object_probability(probabilities: Iterable[Map], levels: PeakLevels | None) -> Floats:
    """The probability that each image holds no object, where as many do as do not.

    An image's hottest place decides, by where it lies between the folder's two levels. On crops with and
    without objects of six sets the hottest place told them apart better (AUC .90) than means over parts of
    the map, the largest component's log odds or anything pooled (.59 to .89).

    Parameters
    ----------
    probabilities
        As in :func:`peak_levels`.
    levels
        Those of the folder; None where they are not known.

    Returns
    -------
    float64 (n,), 0..1: .5 halfway between the levels, .02 at that of objects and .98 at that of backgrounds;
    .5 for all images where the levels are not known or do not differ.
    """
    peaks = _log_odds(np.array([float(heat.max()) for heat in probabilities]))
    if levels is None or levels.objects <= levels.background:
        return np.full(len(peaks), 0.5)
    share = (peaks - levels.background) / (levels.objects - levels.background)
    return logistic(_STEEPNESS * (0.5 - share))


def _peak_beside(heat: Map) -> float | None:
    """The hottest place away from the largest object; None where too little lies there."""
    count, _, stats, _ = cv2.connectedComponentsWithStats((heat > _OBJECT).astype(np.uint8), connectivity=8)
    beside = np.ones(heat.shape, bool)
    if count > 1:
        x, y, width, height, _ = stats[1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())].tolist()
        spill = round(_SPILL * max(heat.shape))
        beside[max(0, y - spill) : y + height + spill, max(0, x - spill) : x + width + spill] = False
    return float(heat[beside].max()) if beside.mean() >= _ENOUGH else None


def _log_odds(probabilities: Floats) -> Floats:
    inside = np.clip(probabilities, _LEAST, 1 - _LEAST)
    odds: Floats = np.log(inside / (1 - inside))
    return odds
