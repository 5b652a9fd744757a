"""One rule on many heat maps at once: what a move of the threshold needs, and its curve a hundred times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.boxes.overlap import Floats
from core.boxes.prior import Prior
from core.boxes.rules import (
    CENTRE_SIGMA,
    EVEN,
    FITTED_SIGMA,
    GRID,
    MAX_THRESHOLD,
    RULES,
    bell,
    cuts,
    deviations,
    drawn_out,
    framed,
    map_on_grid,
    scores_of,
)

Maps = npt.NDArray[np.float32]

# Images at a time: what fits the processor's cache, the heat on the grid is 16 KB each.
_BATCH = 16
_CENTRES = np.arange(GRID, dtype=np.float64) + 0.5


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule says of a few maps of one size: float32 ``maps`` (k, h, w), and as it reads them ``scaled``
    (k, GRID, GRID).

    ``places`` are theirs among all that were asked about, ``thresholds`` are the shares that were used, 0..1.
    ``boxes``, float64 (k, 4), are half-open pixels x0 y0 x1 y1 of each image, inside it; ``scores``, float64
    (k,), lie in 0..1.
    """

    places: npt.NDArray[np.intp]
    maps: Maps
    scaled: Maps
    thresholds: Floats
    boxes: Floats
    scores: Floats


def readings(
    heat_maps: Sequence[Maps],
    sizes: Floats,
    *,
    rule: str,
    threshold: float | Floats,
    prior: Prior | None = None,
    framings: Floats | None = None,
) -> Iterator[Reading]:
    """What :func:`core.boxes.rules.find_box` says of each of many images, to the last bit, ten times as fast.

    It comes a few maps at a time, with what it was read from.

    Parameters
    ----------
    heat_maps
        n of float (h, w), unnormalised; each may have its own size.
    sizes
        float64 (n, 2), width and height of the images in pixels, at least 1.
    rule
        A name in :data:`core.boxes.rules.RULES`.
    threshold
        Share of a map's maximum, 0..``MAX_THRESHOLD``: one for all or float64 (n,).
    prior
        As in :func:`core.boxes.rules.find_box`.
    framings
        As in :func:`core.boxes.rules.framed`.
    """
    each = np.broadcast_to(np.asarray(threshold, np.float64), len(heat_maps))
    thresholds = np.clip(each, 0.0, MAX_THRESHOLD)
    for places in _alike(heat_maps):
        maps = np.stack([heat_maps[i] for i in places]).astype(np.float32, copy=False)
        scaled = read_maps(rule, maps)
        own = None if framings is None else framings[places]
        cells = _clipped_cells(scaled, rule, thresholds[places], prior, own)
        scores = scores_of(rule, scaled, cells, thresholds[places], heat_maps=maps, prior=prior)
        yield Reading(places, maps, scaled, thresholds[places], _pixel_boxes(cells, sizes[places]), scores)


def read_maps(rule: str, heat_maps: Maps) -> Maps:
    """:func:`core.boxes.rules.read_map` of each of float (n, h, w): float32 (n, GRID, GRID)."""
    if RULES[rule].absolute:
        return np.stack([map_on_grid(heat) for heat in heat_maps])
    return scaled_maps(heat_maps)


def scaled_maps(heat_maps: Maps) -> Maps:
    """:func:`core.boxes.rules.scaled_map` of each of float (n, h, w): float32 (n, GRID, GRID)."""
    heat = np.asarray(heat_maps, np.float32)
    low, high = _ends(heat)
    known = np.isfinite(low) & np.isfinite(high)
    known[known] = (high - low)[known] > 1e-12 * np.maximum(1.0, np.abs(high[known]))
    scaled = np.ones((len(heat), GRID, GRID), np.float32)
    if known.any():
        places = np.flatnonzero(known)
        part = heat[places] if len(places) < len(heat) else heat
        part = _stretched(part, low[places], high[places])
        fine = np.stack([cv2.resize(one, (GRID, GRID), interpolation=cv2.INTER_LINEAR) for one in part])
        scaled[places] = _stretched(fine, *_ends(fine))
    return scaled


def find_boxes(
    scaled: Maps,
    sizes: Floats,
    *,
    rule: str,
    threshold: float | Floats,
    prior: Prior | None = None,
    framings: Floats | None = None,
) -> Floats:
    """The boxes alone of :func:`readings`, of maps that are on the grid already.

    Parameters
    ----------
    scaled
        float32 (n, GRID, GRID), as :func:`read_maps` makes them for ``rule``.
    """
    each = np.broadcast_to(np.asarray(threshold, np.float64), len(scaled))
    thresholds = np.clip(each, 0.0, MAX_THRESHOLD)
    return _pixel_boxes(_clipped_cells(scaled, rule, thresholds, prior, framings), sizes)


def _alike(heat_maps: Sequence[Maps]) -> Iterator[npt.NDArray[np.intp]]:
    """Places of maps of the same size, at most ``_BATCH`` together."""
    places: dict[tuple[int, ...], list[int]] = {}
    for i, heat_map in enumerate(heat_maps):
        places.setdefault(heat_map.shape, []).append(i)
    for same in places.values():
        for start in range(0, len(same), _BATCH):
            yield np.array(same[start : start + _BATCH], np.intp)


def _ends(maps: Maps) -> tuple[Floats, Floats]:
    flat = maps.reshape(len(maps), -1)
    return flat.min(axis=1).astype(np.float64), flat.max(axis=1).astype(np.float64)


def _stretched(maps: Maps, low: Floats, high: Floats) -> Maps:
    stretched: Maps = maps - low.astype(np.float32)[:, None, None]
    stretched /= (high - low).astype(np.float32)[:, None, None]
    return stretched


def _pixel_boxes(cells: Floats, sizes: Floats) -> Floats:
    """:func:`core.boxes.rules.pixel_box` of each."""
    boxes: Floats = cells * np.tile(sizes / GRID, 2)
    narrow = boxes[:, 2:] - boxes[:, :2] < 1
    start = np.clip((boxes[:, :2] + boxes[:, 2:] - 1) / 2, 0, np.maximum(sizes - 1, 0))
    boxes[:, :2] = np.where(narrow, start, boxes[:, :2])
    boxes[:, 2:] = np.where(narrow, start + 1, boxes[:, 2:])
    return boxes


def _clipped_cells(
    scaled: Maps, rule: str, thresholds: Floats, prior: Prior | None, framings: Floats | None
) -> Floats:
    """What the rule reads from each map, (n, 4) in cells, inside the grid."""
    cells = _cells(scaled, rule, thresholds, prior)
    return np.clip(framed(cells, rule=rule, framings=framings, prior=prior), 0, GRID)


def _cells(scaled: Maps, rule: str, thresholds: Floats, prior: Prior | None) -> Floats:
    if rule == "moments":
        return _moments(scaled, thresholds, CENTRE_SIGMA, EVEN)
    if rule == "fitted":
        cut = cuts(scaled, prior).astype(np.float64)
        factor = drawn_out(prior)
        boxes = _moments(scaled, cut + (1 - cut) * thresholds, FITTED_SIGMA, deviations(prior))
        middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
        half[:, 0] /= factor
        half[:, 1] *= factor
        return np.hstack([middle - half, middle + half])
    read = RULES[rule].read
    cells = np.empty((len(scaled), 4))
    for i, (heat, threshold) in enumerate(zip(scaled, thresholds.tolist(), strict=True)):
        box = read(heat, threshold, prior)
        cells[i] = box.x0, box.y0, box.x1, box.y1
    return cells


def _moments(scaled: Maps, thresholds: Floats, sigma: float, wide: float) -> Floats:
    """The moments rules of each map, (n, 4) in cells.

    The Gaussian at the centre is the product of one per axis, so that each profile is a product of a
    matrix and a vector.
    """
    weight = bell(GRID, sigma)
    lowest = thresholds.astype(np.float32)[:, None, None]
    profiles: Maps = np.empty((2, len(scaled), GRID), np.float32)
    heat = np.empty((min(_BATCH, len(scaled)), GRID, GRID), np.float32)
    for start in range(0, len(scaled), _BATCH):
        some = slice(start, start + _BATCH)
        above = heat[: len(scaled) - start]
        np.subtract(scaled[some], lowest[some], out=above)
        np.maximum(above, 0, out=above)
        np.matmul(weight, above, out=profiles[0, some])
        np.matmul(above, weight, out=profiles[1, some])
    profiles *= weight
    profiles[:, ~profiles[0].any(axis=1)] = weight
    middle, half = _spread(profiles, wide)
    cells: Floats = np.concatenate([middle - half, middle + half]).T
    return cells


def _spread(profiles: Maps, wide: float) -> tuple[Floats, Floats]:
    """Weighted means and ``wide`` weighted standard deviations of (k, n, GRID) profiles, each (k, n)."""
    shares = profiles.astype(np.float64)
    shares /= shares.sum(axis=-1, keepdims=True)
    mean = (shares * _CENTRES).sum(axis=-1)
    from_mean = _CENTRES - mean[..., None]
    from_mean *= from_mean
    from_mean *= shares
    variance = from_mean.sum(axis=-1) + 1 / 12
    return mean, wide * np.sqrt(variance)
