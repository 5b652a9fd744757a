"""Boxes around what is drawn in other ways: polygons, and masks of run lengths as COCO has them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from core.base.geometry import Box
from core.formats.gather import number, numbers
from core.formats.shapes import box_around


def box_of_mask(segmentation: object) -> Box | None:
    """The box around polygons, or around a mask of run lengths."""
    if isinstance(segmentation, dict):
        return _around_runs(segmentation)
    if not isinstance(segmentation, list) or not segmentation:
        return None
    polygons = segmentation if isinstance(segmentation[0], list) else [segmentation]
    sides = [side for polygon in polygons if isinstance(polygon, list) for side in polygon]
    return box_around(sides[::2], sides[1::2])


def _around_runs(mask: Mapping[str, Any]) -> Box | None:
    """Runs of 0 and 1 go down one column after the other; as text they are packed as pycocotools does."""
    sides, counts = numbers(mask.get("size"), 2), mask.get("counts")
    runs = _unpacked(counts) if isinstance(counts, str) else counts
    if (
        sides is None
        or sides[0] < 1
        or not isinstance(runs, list)
        or any(number(run) is None for run in runs)
    ):
        return None
    ends = list(accumulate(int(run) for run in runs))
    inside_runs = [(a, b - 1) for a, b in zip(ends[::2], ends[1::2], strict=False) if b > a]
    if not inside_runs or inside_runs[-1][1] >= sides[0] * sides[1]:
        return None
    high = int(sides[0])
    rows = [(0, high - 1) if a // high != b // high else (a % high, b % high) for a, b in inside_runs]
    top, bottom = min(row for row, _ in rows), max(row for _, row in rows) + 1
    return Box(inside_runs[0][0] // high, top, inside_runs[-1][1] // high + 1, bottom)


def _unpacked(text: str) -> list[int]:
    """The run lengths in a text: five bits a sign, lowest first; from the fourth on as changes."""
    runs: list[int] = []
    value = shift = 0
    for sign in text.encode("latin-1", "replace"):
        bits = sign - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
        elif shift > 60:
            return []
    return runs
