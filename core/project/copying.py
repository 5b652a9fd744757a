"""Boxes that are carried from one image to another, or beside themselves."""

from __future__ import annotations

from collections.abc import Sequence

from core.base.annotations import BoxRecord
from core.base.reshape import moved
from core.project.edits import edited

Size = tuple[int, int]

_ASIDE = 0.03
"""How far a duplicate lies from its box, as a share of the image's shorter side."""


def fitted_to(boxes: Sequence[BoxRecord], size: Size, *, of: Size) -> tuple[BoxRecord, ...]:
    """``boxes`` of an image of one size, as a person's boxes of an image of another ``size``.

    Both sizes are width and height in pixels. In an image of another size they lie where they lay as shares
    of the image they come ``of``.
    """
    across, down = size[0] / of[0], size[1] / of[1]
    same = size == of
    return tuple(
        edited(one, box=one.box if same else one.box.scaled(across, down).clamped(*size)) for one in boxes
    )


def duplicated(record: BoxRecord, size: Size, *, beside: Sequence[BoxRecord]) -> BoxRecord:
    """A second box like ``record``, a little to the lower right of it and of its like among ``beside``.

    Where the image ends there, it goes to the upper left.
    """
    width, height = size
    step = max(1, round(_ASIDE * min(size)))
    taken = {one.box for one in (*beside, record)}
    for way in (step, -step):
        box = record.box
        for _ in range(len(taken)):
            box = moved(box, way, way, width=width, height=height)
            if box not in taken:
                return edited(record, box=box)
    return edited(record)
