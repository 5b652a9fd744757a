"""Boxes around what other tools draw besides: points, turned rectangles and ellipses."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.base.geometry import Box
from core.formats.gather import number, numbers


def box_around(xs: Sequence[object], ys: Sequence[object]) -> Box | None:
    """The box around points, of which there are two or more; None where one is no number."""
    found = [[number(value) for value in side] for side in (xs, ys)]
    if len(xs) < 2 or len(xs) != len(ys) or None in found[0] or None in found[1]:
        return None
    across, down = ([value for value in side if value is not None] for side in found)
    return Box(min(across), min(down), max(across), max(down))


def turned_box(center: tuple[float, float], sides: tuple[float, float], angle: float) -> Box:
    """The box around a rectangle of two ``sides``, turned about its ``center`` by ``angle`` radians."""
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    half_width = (abs(sides[0]) * cos + abs(sides[1]) * sin) / 2
    half_height = (abs(sides[0]) * sin + abs(sides[1]) * cos) / 2
    (x, y) = center
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def ellipse_box(values: object) -> Box | None:
    """The box around an ellipse of a centre x and y and two radii; None where these are not four numbers."""
    found = numbers(values, 4)
    return None if found is None else turned_box((found[0], found[1]), (2 * found[2], 2 * found[3]), 0)
