"""The named rules by which a heat map and a threshold become a box. To add one, add it to :data:`RULES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.base.language import mark
from core.boxes.grid import Floats, Maps
from core.boxes.moments import fitted_boxes, moments_boxes
from core.boxes.objects import MaskOf, hot_boxes, hot_mask, object_boxes, object_mask
from core.boxes.prior import Prior

Map = npt.NDArray[np.float32]

MAX_THRESHOLD = 0.95
MAX_BOXES = 100  # of one image, as in COCO's evaluation


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to read boxes from heat maps.

    ``read`` takes maps on the grid, float32 (n, GRID, GRID), a threshold in 0..1 for each, float64 (n,), and
    what is known of the data set; it returns boxes in cells of that grid, float64 (n, 4). ``absolute`` says
    that it wants maps as they are, as :func:`~core.boxes.grid.maps_on_grid` gives them, and not stretched:
    its threshold is no share of a map's maximum. ``mask`` tells where objects are, for a rule whose objects
    are connected parts.
    """

    name: str
    title: str
    help: str
    default_threshold: float
    read: Callable[[Maps, Floats, Prior | None], Floats]
    absolute: bool = False
    mask: MaskOf | None = None


OBJECT_RULE = "object"
RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "fitted",
            mark("Fitted moments"),
            mark(
                "Like Moments, with the proportions of the outlines in all images, moved and scaled to "
                "the framing of the photo. A higher threshold gives a smaller box."
            ),
            0.0,
            fitted_boxes,
        ),
        Rule(
            "moments",
            mark("Moments"),
            mark("Mean and spread of the heat above the threshold; a doubtful map gives a centred box."),
            0.0,
            moments_boxes,
        ),
        Rule(
            "component",
            mark("Largest component"),
            mark("The largest connected part at or above the threshold x the maximum, as published."),
            0.2,
            hot_boxes,
            mask=hot_mask,
        ),
        Rule(
            OBJECT_RULE,
            mark("Object map"),
            mark(
                "The largest connected part whose probability lies above the threshold; for heat maps of "
                "frozen features."
            ),
            0.5,
            object_boxes,
            absolute=True,
            mask=object_mask,
        ),
    )
}
DEFAULT_RULE = "fitted"


def default_rule(kind: str) -> str:
    """The rule for heat maps that a run of this ``kind`` makes."""
    return OBJECT_RULE if kind == "features" else DEFAULT_RULE


def used_threshold(rule: str, threshold: float | None) -> float:
    """The threshold in force where a person asked for ``threshold``, None for the rule's own."""
    return RULES[rule].default_threshold if threshold is None else min(max(threshold, 0.0), MAX_THRESHOLD)
