"""How a rule reads heat maps, one or thousands, and the boxes and scores that it finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.base.annotations import BoxRecord
from core.base.geometry import Box
from core.boxes.grid import GRID, TOGETHER, Floats, Maps, maps_on_grid, pixel_boxes, scaled_maps
from core.boxes.moments import framed
from core.boxes.objects import object_scores
from core.boxes.prior import Prior
from core.boxes.rules import DEFAULT_RULE, MAX_THRESHOLD, RULES, Map, used_threshold
from core.boxes.score import box_scores


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule says of a few maps of one size: float32 ``maps`` (k, h, w), and as it reads them ``scaled``
    (k, GRID, GRID).

    ``places`` are theirs among all that were asked about, ``thresholds`` are the shares that were used, 0..1.
    ``boxes``, float64 (k, 4), are half-open pixels x0 y0 x1 y1 of each image, inside it; ``scores``, float64
    (k,), lie in 0..1: those of the boxes that the rule's own threshold gives, whichever was used, so that a
    person who makes boxes tighter or looser does not make them surer.
    """

    places: npt.NDArray[np.intp]
    maps: Maps
    scaled: Maps
    thresholds: Floats
    boxes: Floats
    scores: Floats


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
        ``score`` does not depend on the threshold, see :class:`Reading`.
    """
    (found,) = readings(
        [np.asarray(heat_map)],
        np.array([[width, height]], np.float64),
        rule=rule,
        threshold=used_threshold(rule, threshold),
        prior=prior,
        framings=None if framing is None else framing[None],
    )
    score, share = float(found.scores[0]), float(found.thresholds[0])
    return BoxRecord(Box(*found.boxes[0].tolist()), score=score, threshold=share, rule=rule)


def readings(
    heat_maps: Sequence[Maps],
    sizes: Floats,
    *,
    rule: str,
    threshold: float | Floats,
    prior: Prior | None = None,
    framings: Floats | None = None,
) -> Iterator[Reading]:
    """What ``rule`` says of each of many images.

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
        As in :func:`find_box`.
    framings
        As in :func:`core.boxes.moments.framed`.
    """
    each = np.broadcast_to(np.asarray(threshold, np.float64), len(heat_maps))
    thresholds = np.clip(each, 0.0, MAX_THRESHOLD)
    for places in _alike(heat_maps):
        maps = np.stack([heat_maps[i] for i in places]).astype(np.float32, copy=False)
        scaled = _on_grid(rule, maps)
        own = None if framings is None else framings[places]
        cells = _clipped_cells(scaled, rule, thresholds[places], prior, own)
        scores = _scores(rule, scaled, cells, thresholds[places], heat_maps=maps, prior=prior, framings=own)
        yield Reading(places, maps, scaled, thresholds[places], pixel_boxes(cells, sizes[places]), scores)


def read_maps(rule: str, heat_maps: Sequence[Maps] | Maps) -> Maps:
    """What ``rule`` reads of n maps, float (h, w), each of its own size: float32 (n, GRID, GRID)."""
    read = np.empty((len(heat_maps), GRID, GRID), np.float32)
    for places in _alike(heat_maps):
        read[places] = _on_grid(rule, np.stack([heat_maps[i] for i in places]))
    return read


def _on_grid(rule: str, maps: Maps) -> Maps:
    return maps_on_grid(maps) if RULES[rule].absolute else scaled_maps(maps)


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
    return pixel_boxes(_clipped_cells(scaled, rule, thresholds, prior, framings), sizes)


def _alike(heat_maps: Sequence[Maps] | Maps) -> Iterator[npt.NDArray[np.intp]]:
    """Places of maps of the same size, at most ``TOGETHER`` together."""
    places: dict[tuple[int, ...], list[int]] = {}
    for i, heat_map in enumerate(heat_maps):
        places.setdefault(heat_map.shape, []).append(i)
    for same in places.values():
        for start in range(0, len(same), TOGETHER):
            yield np.array(same[start : start + TOGETHER], np.intp)


def _clipped_cells(
    scaled: Maps, rule: str, thresholds: Floats, prior: Prior | None, framings: Floats | None
) -> Floats:
    """What the rule reads from each map, (n, 4) in cells, inside the grid."""
    cells = RULES[rule].read(scaled, thresholds, prior)
    return np.clip(framed(cells, rule=rule, framings=framings, prior=prior), 0, GRID)


def _scores(
    rule: str,
    read: Maps,
    cells: Floats,
    thresholds: Floats,
    *,
    heat_maps: Maps,
    prior: Prior | None,
    framings: Floats | None,
) -> Floats:
    """How sure ``rule`` is of each of n maps, float64 (n,) in 0..1, by the box that its own threshold gives.

    Parameters
    ----------
    read
        float32 (n, GRID, GRID), as :func:`read_maps` gives them.
    cells, thresholds
        float64 (n, 4), the boxes in cells, and float64 (n,), what they were read with.
    heat_maps
        float (n, any, any), as the networks gave them.
    """
    usual = np.full(len(read), RULES[rule].default_threshold)
    if RULES[rule].absolute:
        return object_scores(read, usual)
    if (thresholds != usual).any():
        cells = _clipped_cells(read, rule, usual, prior, framings)
    return box_scores(read, cells, heat_maps=heat_maps, prior=prior)
