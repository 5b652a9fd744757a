"""Several objects in one image: a box for each peak of the heat map that stands on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from core.base.annotations import BoxRecord
from core.base.errors import BoxscoutError
from core.base.geometry import Box, iou
from core.base.language import tr
from core.boxes.batches import Reading, readings
from core.boxes.grid import GRID, Floats, pixel_boxes
from core.boxes.moments import spread_boxes
from core.boxes.objects import mean_inside, parts_of, tightest_box
from core.boxes.prior import Prior
from core.boxes.rules import MAX_BOXES, RULES, Map
from core.boxes.score import box_scores

SAME_OBJECT_IOU = 0.5
# Shares of the hottest place: a peak below the first is no object of its own, nor is one that the second
# joins to a higher peak. An object ends where its heat falls to the third share of its peak.
_LOWEST_PEAK = 0.5
_VALLEY = 0.8
_EDGE = 0.5
_BLUR = 1.5  # cells: below what any network's map shows, above what makes a plateau's every cell a peak
_SMALLEST = 16  # cells, of 4096
_MOST_SUMMITS = 32  # looked at in a map that is nothing but noise

Mask = npt.NDArray[np.bool_]


def find_boxes_of_many(
    heat_maps: Sequence[Map],
    sizes: Floats,
    *,
    rule: str,
    threshold: float | Floats,
    prior: Prior | None = None,
    framings: Floats | None = None,
    max_boxes: int = 1,
) -> list[tuple[BoxRecord, ...]]:
    """The boxes of each of many images, surest first: at least one, at most ``max_boxes``.

    Where only one object stands out, its box is that of :func:`find_box`, whatever ``max_boxes``. Else
    ``component`` and ``object`` give each connected part its tightest box, and the moments rules give each
    peak the moments of the heat around it; the scores tell how the peaks compare.

    Parameters
    ----------
    heat_maps
        n of float (h, w), unnormalised; each may have its own size.
    sizes
        float64 (n, 2), width and height of the images in pixels, at least 1.
    threshold
        Share of a map's maximum, 0..``MAX_THRESHOLD``: one for all or float64 (n,).
    framings
        float64 (n, 4), NaN rows where there is none. Where several objects stand out, it tells nothing.
    rule, prior
        As in :func:`core.boxes.batches.find_box`.
    max_boxes
        1 to ``MAX_BOXES``; BoxscoutError where it is out of range.
    """
    if not 1 <= max_boxes <= MAX_BOXES:
        text = tr("The number of boxes must be between 1 and {most}, not {given}.")
        raise BoxscoutError(text.format(most=MAX_BOXES, given=max_boxes))
    found: list[tuple[BoxRecord, ...]] = [()] * len(heat_maps)
    for part in readings(heat_maps, sizes, rule=rule, threshold=threshold, prior=prior, framings=framings):
        rows = zip(part.boxes.tolist(), part.scores.tolist(), part.thresholds.tolist(), strict=True)
        alone = [
            (BoxRecord(Box(*sides), score=score, threshold=share, rule=rule),) for sides, score, share in rows
        ]
        boxes = alone if max_boxes == 1 else _several(part, alone, sizes, rule, prior, max_boxes)
        for place, own in zip(part.places.tolist(), boxes, strict=True):
            found[place] = own
    return found


def _several(
    part: Reading,
    alone: Sequence[tuple[BoxRecord, ...]],
    sizes: Floats,
    rule: str,
    prior: Prior | None,
    max_boxes: int,
) -> Sequence[tuple[BoxRecord, ...]]:
    """The boxes of each map in ``part``: those of its objects, ``alone`` where only one stands out."""
    read, masks, owners = RULES[rule], [], []
    for i, scaled in enumerate(part.scaled):
        own = _objects(rule, scaled, float(part.thresholds[i]))
        if len(own) > 1:
            masks += own
            owners += [i] * len(own)
    if not owners:
        return alone
    heat = np.where(masks, part.scaled[owners], np.float32(0))
    cells = (
        spread_boxes(heat) if read.mask is None else np.array([tightest_box(m) for m in masks], np.float64)
    )
    cells = np.clip(cells, 0, GRID)
    if read.absolute:
        scores = np.array([mean_inside(own, own > 0) for own in heat], np.float64)
    else:
        scores = box_scores(heat, cells, heat_maps=part.maps[owners], prior=prior) * heat.max(axis=(1, 2))
    boxes = pixel_boxes(cells, sizes[part.places[owners]])
    found: dict[int, list[BoxRecord]] = {}
    for i, sides, score in zip(owners, boxes.tolist(), scores.tolist(), strict=True):
        found.setdefault(i, []).append(replace(alone[i][0], box=Box(*sides), score=score))
    return [_best(found[i], max_boxes) if i in found else alone[i] for i in range(len(alone))]


def _best(records: list[BoxRecord], most: int) -> tuple[BoxRecord, ...]:
    records = sorted(records, key=lambda record: -(record.score or 0.0))
    kept = non_maximum_suppression([record.box for record in records], SAME_OBJECT_IOU)
    return tuple(records[i] for i in kept[:most])


def non_maximum_suppression(boxes: list[Box], overlap: float) -> list[int]:
    """Which of ``boxes``, best first, to keep: each whose IoU with all kept before is at most ``overlap``."""
    kept: list[int] = []
    for i, box in enumerate(boxes):
        if all(iou(box, boxes[j]) <= overlap for j in kept):
            kept.append(i)
    return kept


def _objects(rule: str, scaled: Map, cut: float) -> list[Mask]:
    """Where each object lies that stands on its own by ``rule``, specks left out."""
    mask_of = RULES[rule].mask
    if mask_of is None:
        return _around_peaks(scaled, cut)
    return [part for part in parts_of(mask_of(scaled, cut)) if part.sum() >= _SMALLEST]


def _around_peaks(scaled: Map, cut: float) -> list[Mask]:
    """What belongs to each peak that stands on its own: the hot part around it, up to halfway to another."""
    smooth: Map = cv2.GaussianBlur(scaled, (0, 0), _BLUR).astype(np.float32)
    # The blur lowers a narrow peak, so the threshold is a share of what is left of the hottest one.
    hottest = float(smooth.max())
    lowest = cut * hottest
    peaks = _peaks(smooth, max(lowest, _LOWEST_PEAK * hottest))
    if len(peaks) < 2:
        return []
    rows, columns = np.indices(scaled.shape)
    distances = np.stack([(rows - y) ** 2 + (columns - x) ** 2 for y, x in peaks])
    parts = []
    for i, (y, x) in enumerate(peaks):
        part = _part_at(smooth, y, x, lowest + _EDGE * (float(smooth[y, x]) - lowest))
        rivals = [j for j, place in enumerate(peaks) if part[place]]
        part &= distances[i] <= distances[rivals].min(axis=0)
        if part.sum() >= _SMALLEST:
            parts.append(part)
    return parts


def _peaks(smooth: Map, lowest: float) -> list[tuple[int, int]]:
    """Rows and columns of local maxima, highest first, that a valley parts from every higher one."""
    kept: list[tuple[int, int]] = []
    for y, x in _summits(smooth, lowest)[:_MOST_SUMMITS]:
        ridge = _part_at(smooth, y, x, _VALLEY * float(smooth[y, x]))
        if not any(ridge[other] for other in kept):
            kept.append((y, x))
    return kept


def _summits(smooth: Map, lowest: float) -> list[tuple[int, int]]:
    """The middle cell of each part that is nowhere cooler than its surroundings, highest first."""
    around = cv2.dilate(smooth, np.ones((3, 3), np.uint8))
    top = (smooth >= around - 1e-6) & (smooth >= lowest)
    count, labels, _, middles = cv2.connectedComponentsWithStats(top.astype(np.uint8), connectivity=8)
    rows, columns = np.nonzero(top)
    owner = labels[rows, columns]
    away = (columns - middles[owner, 0]) ** 2 + (rows - middles[owner, 1]) ** 2
    order = np.lexsort((away, owner))
    firsts = order[np.searchsorted(owner[order], np.arange(1, count))]
    places = zip(rows[firsts].tolist(), columns[firsts].tolist(), strict=True)
    return sorted(places, key=lambda place: -float(smooth[place]))


def _part_at(heat: Map, y: int, x: int, level: float) -> Mask:
    """The 8-connected part at or above ``level`` that holds one cell, which is."""
    mask = np.zeros((heat.shape[0] + 2, heat.shape[1] + 2), np.uint8)
    flags = 8 | cv2.FLOODFILL_FIXED_RANGE | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    cv2.floodFill(heat, mask, (x, y), 0.0, loDiff=float(heat[y, x]) - level, upDiff=1e9, flags=flags)
    part: Mask = mask[1:-1, 1:-1] == 1
    return part
