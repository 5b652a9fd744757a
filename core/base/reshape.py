"""How a person's moves change a box: whole pixels, within the image, never smaller than can be seen."""

from __future__ import annotations

from core.base.geometry import Box

SMALLEST = 3
"""A box drawn or resized by hand has at least this many pixels on each side."""

Sides = tuple[int, int]
"""Which sides move: -1 left or top, 1 right or bottom, 0 neither; ``(0, 0)`` stands for the whole box."""


def spanned(a: tuple[float, float], b: tuple[float, float], *, width: int, height: int) -> Box | None:
    """The box between two points, in whole pixels of an image of ``width`` x ``height``.

    None where it would have fewer than :data:`SMALLEST` pixels on a side.
    """
    (x0, x1), (y0, y1) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    box = Box(round(x0), round(y0), round(x1), round(y1)).clamped(width, height)
    return box if box.width >= SMALLEST and box.height >= SMALLEST else None


def moved(box: Box, dx: float, dy: float, *, width: int, height: int) -> Box:
    """``box`` shifted by whole pixels, as far as the image reaches; its size stays."""
    dx = min(max(round(dx), -box.x0), max(width - box.x1, -box.x0))
    dy = min(max(round(dy), -box.y0), max(height - box.y1, -box.y0))
    return Box(box.x0 + dx, box.y0 + dy, box.x1 + dx, box.y1 + dy)


def resized(box: Box, sides: Sides, dx: float, dy: float, *, width: int, height: int) -> Box:
    """``box`` with some of its ``sides`` moved by ``dx``, ``dy`` to whole pixels.

    A side stops at the image's edge, and :data:`SMALLEST` pixels from the side opposite to it.
    """
    x0, x1 = _axis(box.x0, box.x1, sides[0], dx, width)
    y0, y1 = _axis(box.y0, box.y1, sides[1], dy, height)
    return Box(x0, y0, x1, y1)


def _axis(low: float, high: float, side: int, by: float, extent: int) -> tuple[float, float]:
    least = min(SMALLEST, high - low)  # a box that is smaller already need not grow
    if side < 0:
        return min(max(round(low + by), 0), high - least), high
    if side > 0:
        return low, max(min(round(high + by), extent), low + least)
    return low, high


def reshaped(box: Box, sides: Sides, dx: float, dy: float, *, width: int, height: int) -> Box:
    """:func:`moved` where ``sides`` stands for the whole box, else :func:`resized`."""
    if sides == (0, 0):
        return moved(box, dx, dy, width=width, height=height)
    return resized(box, sides, dx, dy, width=width, height=height)


def centred(*, width: int, height: int) -> Box:
    """The box to start from where there is no mouse: the middle half of an image."""
    box = Box(round(width / 4), round(height / 4), round(width * 3 / 4), round(height * 3 / 4))
    return box if box.width >= SMALLEST and box.height >= SMALLEST else Box(0, 0, width, height)
