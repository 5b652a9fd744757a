"""Heat map + threshold -> box, by one of the named rules.

Every rule reads the heat map on the same grid of ``GRID`` x ``GRID`` cells laid over the whole image,
so that a rule's result does not depend on the network's resolution.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from core.base.annotations import BoxRecord
from core.base.geometry import Box, Placement
from core.base.language import mark
from core.boxes.objects import largest_part, object_box, object_scores
from core.boxes.prior import Prior
from core.boxes.score import Floats, box_scores

Map = npt.NDArray[np.float32]
Profile = npt.NDArray[np.floating]

GRID = 64
MAX_THRESHOLD = 0.95
MAX_BOXES = 100  # of one image, as in COCO's evaluation
# Standard deviation of the centred Gaussian, in cells; 20 to 26 of 64 were alike on six sets.
CENTRE_SIGMA = 23.0
FITTED_SIGMA = 26.0
EVEN = 3**0.5  # standard deviations from the middle to the side of something even
# Of small objects, in docs/decisions/0011-sizes.md: times the mean heat of a border of so many cells.
_CUT, _MOST_CUT = 2.5, 0.7
# Of where framing says that an object lies: what the map, which agrees (r .7 to .9), has not said yet.
# All of it goes too far where nobody framed the photos (docs/decisions/0012-search.md).
_UNSAID = 0.5
_BORDER = np.flatnonzero(np.pad(np.zeros((GRID - 12, GRID - 12), bool), 6, constant_values=True))


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to read a box from a heat map.

    ``read`` takes a (GRID, GRID) float32 map in 0..1, a threshold in 0..1 and what is known of the data set,
    and returns a box in cells of that grid. ``absolute`` says that it wants the map as it is, as
    :func:`map_on_grid` gives it: its threshold is no share of the map's maximum.
    """

    name: str
    title: str
    help: str
    default_threshold: float
    read: Callable[[Map, float, Prior | None], Box]
    absolute: bool = False


def map_on_grid(heat_map: Map) -> Map:
    """A map of probabilities on the reading grid, as it is: float32 (GRID, GRID) in 0..1.

    Parameters
    ----------
    heat_map
        float (h, w); what lies outside 0..1 is taken for the nearer end, one with values that are not finite
        is 1 everywhere.
    """
    heat = np.asarray(heat_map, dtype=np.float32)
    if not np.isfinite(heat).all():
        return np.ones((GRID, GRID), np.float32)
    fine = cv2.resize(np.clip(heat, 0, 1), (GRID, GRID), interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine, np.float32)


def read_map(rule: str, heat_map: Map) -> Map:
    """What ``rule`` reads of a heat map: :func:`map_on_grid` or :func:`scaled_map`."""
    return map_on_grid(heat_map) if RULES[rule].absolute else scaled_map(heat_map)


def scaled_map(heat_map: Map) -> Map:
    """The heat map on the reading grid, 0 at its minimum and 1 at its maximum.

    Parameters
    ----------
    heat_map
        float (h, w), any range. A constant map, or one with values that are not finite, says nothing
        about place and becomes 1 everywhere.

    Returns
    -------
    float32 (GRID, GRID)
    """
    heat = np.asarray(heat_map, dtype=np.float32)
    low, high = float(heat.min()), float(heat.max())
    if not (np.isfinite(low) and np.isfinite(high)) or high - low <= 1e-12 * max(1.0, abs(high)):
        return np.ones((GRID, GRID), np.float32)
    fine = cv2.resize((heat - low) / (high - low), (GRID, GRID), interpolation=cv2.INTER_LINEAR)
    low, high = float(fine.min()), float(fine.max())
    result: Map = ((fine - low) / (high - low)).astype(np.float32)
    return result


def component_box(scaled: Map, threshold: float, prior: Prior | None = None) -> Box:
    """The tightest box of the largest 8-connected part at or above ``threshold`` x the maximum.

    The published rule (Zhou et al. 2016, section 3; Choe, Park, Shim 2018) with 20 % as threshold.
    """
    return largest_part(scaled >= threshold * float(scaled.max()))[0]


def moments_box(scaled: Map, threshold: float, prior: Prior | None = None) -> Box:
    """Mean and spread of the heat above ``threshold``, weighted towards the centre of the image.

    The box of a map that says nothing is a sensible centred one; a higher threshold leaves less heat
    and so a smaller box, without jumps.
    """
    return _weighted_box(scaled, threshold, CENTRE_SIGMA)


def fitted_box(scaled: Map, threshold: float, prior: Prior | None = None) -> Box:
    """:func:`moments_box` with a wider weight, drawn out to the proportions of the data set's objects.

    The area stays. Without a ``prior`` objects are taken to be as wide as high, in shares of the image. Where
    it says that objects are small, the threshold counts from :func:`cuts` up, and the box is a little wider.
    """
    cut = float(cuts(scaled[None], prior)[0])
    box = _weighted_box(scaled, cut + (1 - cut) * threshold, FITTED_SIGMA, deviations(prior))
    factor = drawn_out(prior)
    middle_x, middle_y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    half_x, half_y = (box.x1 - box.x0) / 2 / factor, (box.y1 - box.y0) / 2 * factor
    return Box(middle_x - half_x, middle_y - half_y, middle_x + half_x, middle_y + half_y)


def drawn_out(prior: Prior | None) -> float:
    """What ``fitted`` multiplies a box's height by and divides its width by."""
    return 1.0 if prior is None else math.exp(prior.elongation / 2)


def framed(cells: Floats, *, rule: str, framings: Floats | None, prior: Prior | None) -> Floats:
    """What ``fitted`` read from maps, moved and scaled by how the photos are framed.

    Parameters
    ----------
    cells
        float64 (n, 4), x0 y0 x1 y1 of what ``rule`` read, in cells.
    framings
        float64 (n, 4), as :func:`framings` gives them; a row that is not finite leaves its box
        as it is. So do None, any other rule, and a missing ``prior``, without which no size is usual.
    """
    if rule != "fitted" or framings is None or prior is None:
        return cells
    known = np.isfinite(framings).all(axis=1, keepdims=True)
    found = np.where(known, framings, 0.0)
    middle = (cells[:, :2] + cells[:, 2:]) / 2 + _UNSAID * found[:, :2] * GRID
    half = (cells[:, 2:] - cells[:, :2]) / 2 * np.exp(found[:, 2:] - (prior.usual_width, prior.usual_height))
    return np.where(known, np.hstack([middle - half, middle + half]), cells)


def framing_rows(known: Mapping[int, Floats], ids: Sequence[int]) -> Floats:
    """The framings of images by id as one row each, NaN where there is none: float64 (n, 4)."""
    nothing = np.full(4, np.nan)
    return np.array([known.get(i, nothing) for i in ids], np.float64).reshape(-1, 4)


def cuts(scaled: Map, prior: Prior | None) -> npt.NDArray[np.float32]:
    """The heat up to which each of (n, GRID, GRID) maps shows surroundings to ``fitted``; 0..``_MOST_CUT``.

    Faint heat of all the rest outweighs a small object's. How faint it is shows at the border.
    """
    if prior is None or not prior.smallness:
        return np.zeros(len(scaled), np.float32)
    # Row by row in memory: alone or among others, a map has the same sum to the last bit.
    heat: npt.NDArray[np.float32] = scaled.reshape(len(scaled), -1).take(_BORDER, axis=1).mean(axis=1)
    cut: npt.NDArray[np.float32] = (prior.smallness * np.minimum(_CUT * heat, _MOST_CUT)).astype(np.float32)
    return cut


def deviations(prior: Prior | None) -> float:
    """How many standard deviations ``fitted`` goes to either side: more where heat was cut off around."""
    smallness = 0.0 if prior is None else prior.smallness
    return EVEN + smallness * (2 - EVEN)


def _weighted_box(scaled: Map, threshold: float, sigma: float, wide: float = EVEN) -> Box:
    heat = np.maximum(scaled - np.float32(threshold), 0) if threshold > 0 else scaled
    rows, columns = scaled.shape
    bell_x, bell_y = bell(columns, sigma), bell(rows, sigma)
    # The weight is the product of one per axis, so that each profile is that of a matrix and a vector.
    across, down = (bell_y @ heat) * bell_x, (heat @ bell_x) * bell_y
    if not across.any():
        across, down = bell_x, bell_y
    return _box_of(across, down, wide)


def spread_box(weights: npt.NDArray[np.floating]) -> Box:
    """Weighted mean +- sqrt(3) weighted standard deviations on each axis.

    Exact for weights that are constant on a rectangle and zero elsewhere: a uniform density of
    length L has variance L^2 / 12, of which each cell's own extent holds 1 / 12.

    Parameters
    ----------
    weights
        (h, w), at least 0, with a sum above 0.
    """
    return _box_of(weights.sum(axis=0, dtype=np.float64), weights.sum(axis=1, dtype=np.float64))


def _box_of(across: Profile, down: Profile, wide: float = EVEN) -> Box:
    x0, x1 = _spread(across, wide)
    y0, y1 = _spread(down, wide)
    return Box(x0, y0, x1, y1)


def _spread(profile: Profile, wide: float) -> tuple[float, float]:
    centres = _centres(len(profile))
    shares = profile.astype(np.float64)
    shares /= shares.sum()
    # Sums and no dot products, whose rounding depends on how many there are: alone or among others, a map
    # has the same box to the last bit (see core.boxes.batches).
    mean = float((shares * centres).sum())
    variance = float((shares * (centres - mean) ** 2).sum()) + 1 / 12
    half = wide * math.sqrt(variance)
    return mean - half, mean + half


@lru_cache(maxsize=8)
def _centres(cells: int) -> npt.NDArray[np.float64]:
    centres: npt.NDArray[np.float64] = np.arange(cells, dtype=np.float64) + 0.5
    return centres


@lru_cache(maxsize=32)
def bell(cells: int, sigma: float) -> Map:
    """A centred Gaussian over ``cells`` cells, float32 and not to be changed; ``sigma`` counts ``GRID``'s."""
    places = (np.arange(cells) + 0.5 - cells / 2) / sigma * (GRID / cells)
    weights: Map = np.exp(-0.5 * places**2).astype(np.float32)
    return weights


OBJECT_RULE = "object"
RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "fitted",
            mark("Fitted moments"),
            mark(
                "As Moments, in the proportions that the outlines in all images show, moved and scaled by "
                "how the photo is framed; a higher threshold gives a smaller box."
            ),
            0.0,
            fitted_box,
        ),
        Rule(
            "moments",
            mark("Moments"),
            mark("Mean and spread of the heat above the threshold; a doubtful map gives a centred box."),
            0.0,
            moments_box,
        ),
        Rule(
            "component",
            mark("Largest component"),
            mark("The largest connected part at or above the threshold x the maximum, as published."),
            0.2,
            component_box,
        ),
        Rule(
            OBJECT_RULE,
            mark("Object map"),
            mark(
                "The largest connected part whose probability lies above the threshold; for heat maps of "
                "frozen features."
            ),
            0.5,
            object_box,
            absolute=True,
        ),
    )
}
DEFAULT_RULE = "fitted"


def default_rule(kind: str) -> str:
    """The rule for heat maps that a run of this ``kind`` makes."""
    return OBJECT_RULE if kind == "features" else DEFAULT_RULE


def find_box(
    heat_map: Map,
    *,
    width: int,
    height: int,
    rule: str = DEFAULT_RULE,
    threshold: float | None = None,
    prior: Prior | None = None,
    framing: Floats | None = None,
) -> BoxRecord:
    """The box of one image.

    Parameters
    ----------
    heat_map
        float (h, w), unnormalised, covering the whole image.
    width, height
        Size of the image as displayed, in pixels.
    rule
        A name in :data:`RULES`.
    threshold
        Share of the map's maximum, 0..``MAX_THRESHOLD``; None for the rule's own default.
    prior
        What is known of all images' heat maps; without it, rule and score go by this map alone.
    framing
        float64 (4,), the image's row of :func:`core.nets.framing.framings`; counts beside a ``prior`` only.

    Returns
    -------
    BoxRecord
        Half-open pixels of the image, inside it, at least one pixel wide and high where the image is;
        ``score`` is that of :func:`scores_of`.
    """
    chosen = RULES[rule]
    threshold = used_threshold(rule, threshold)
    scaled = read_map(rule, heat_map)
    cells = chosen.read(scaled, threshold, prior)
    if framing is not None:
        sides = np.array([[cells.x0, cells.y0, cells.x1, cells.y1]], np.float64)
        cells = Box(*framed(sides, rule=rule, framings=framing[None], prior=prior)[0].tolist())
    cells = cells.clamped(GRID, GRID)
    inside = np.array([[cells.x0, cells.y0, cells.x1, cells.y1]], np.float64)
    (score,) = scores_of(
        rule, scaled[None], inside, np.array([threshold]), heat_maps=np.asarray(heat_map)[None], prior=prior
    )
    return BoxRecord(
        box=pixel_box(cells, width, height),
        score=float(score),
        threshold=threshold,
        rule=rule,
    )


def scores_of(
    rule: str, read: Map, cells: Floats, thresholds: Floats, *, heat_maps: Map, prior: Prior | None
) -> Floats:
    """How sure ``rule`` is of the box in each of n maps, float64 (n,) in 0..1.

    Parameters
    ----------
    read
        float32 (n, GRID, GRID), what :func:`read_map` gives of each.
    cells
        float64 (n, 4), the boxes in cells.
    thresholds
        float64 (n,), those that the boxes were read with.
    heat_maps
        float (n, any, any), as the networks gave them.
    """
    if RULES[rule].absolute:
        return object_scores(read, thresholds)
    return box_scores(read, cells, heat_maps=heat_maps, prior=prior)


def used_threshold(rule: str, threshold: float | None) -> float:
    """The threshold in force where a person asked for ``threshold``, None for the rule's own."""
    return RULES[rule].default_threshold if threshold is None else min(max(threshold, 0.0), MAX_THRESHOLD)


def pixel_box(cells: Box, width: int, height: int) -> Box:
    """A box in cells of the reading grid as one in pixels of the image, a pixel wide and high at least."""
    return _at_least_a_pixel(Placement(width, height, GRID, GRID).to_image(cells), width, height)


def _at_least_a_pixel(box: Box, width: int, height: int) -> Box:
    x0, x1 = _widened(box.x0, box.x1, width)
    y0, y1 = _widened(box.y0, box.y1, height)
    return Box(x0, y0, x1, y1)


def _widened(low: float, high: float, limit: int) -> tuple[float, float]:
    if high - low >= 1 or limit < 1:
        return low, high
    start = min(max((low + high - 1) / 2, 0.0), limit - 1.0)
    return start, start + 1.0
