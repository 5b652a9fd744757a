"""Boxes in an image's pixels.

Everything inside the product uses half-open pixel boxes of the image as displayed (EXIF orientation
applied): a box covers ``x0 <= x < x1``. Only ``core.formats`` converts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A half-open rectangle in pixels; ``x1`` and ``y1`` lie just outside it."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """x0 y0 x1 y1, as arrays of boxes have them."""
        return self.x0, self.y0, self.x1, self.y1

    @property
    def width(self) -> float:
        return max(0.0, self.x1 - self.x0)

    @property
    def height(self) -> float:
        return max(0.0, self.y1 - self.y0)

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def intersection(self, other: Box) -> Box:
        """The part shared with ``other``; it has zero area where the two do not touch."""
        return Box(
            max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1)
        )

    def clamped(self, width: float, height: float) -> Box:
        """This box cut to an image of ``width`` x ``height`` pixels."""
        x0, y0 = min(max(self.x0, 0.0), width), min(max(self.y0, 0.0), height)
        return Box(x0, y0, min(max(self.x1, x0), width), min(max(self.y1, y0), height))

    def scaled(self, sx: float, sy: float) -> Box:
        """This box with its x multiplied by ``sx`` and its y by ``sy``."""
        return Box(self.x0 * sx, self.y0 * sy, self.x1 * sx, self.y1 * sy)


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0..1; 0 where both boxes are empty."""
    shared = a.intersection(b).area
    union = a.area + b.area - shared
    return shared / union if union > 0 else 0.0
