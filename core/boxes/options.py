"""How heat maps become boxes, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.base.annotations import BoxRecord
from core.boxes.batches import find_boxes, read_maps
from core.boxes.classes import ClassMap, with_classes
from core.boxes.grid import Maps
from core.boxes.moments import framing_rows
from core.boxes.prior import Prior
from core.boxes.rules import DEFAULT_RULE, MAX_THRESHOLD, Map, used_threshold
from core.boxes.score import Floats
from core.boxes.several import find_boxes_of_many
from core.boxes.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class BoxOptions:
    """Rule, threshold and number of boxes of all images.

    Parameters
    ----------
    rule
        A name in ``RULES``.
    threshold
        0..1; None for the rule's own.
    thresholds
        Those of images that have their own, by image id.
    max_boxes
        How many boxes an image may get, 1 to ``MAX_BOXES``.
    """

    rule: str = DEFAULT_RULE
    threshold: float | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    max_boxes: int = 1

    def threshold_of(self, image_id: int | None) -> float:
        """The threshold in force for an image; with None that of all that have none of their own."""
        own = None if image_id is None else self.thresholds.get(image_id)
        return used_threshold(self.rule, self.threshold if own is None else own)

    def thresholds_of(self, ids: Sequence[int]) -> Floats:
        """The thresholds in force for images, float64 (n,)."""
        own = self.thresholds.at(ids)
        return np.where(np.isnan(own), self.threshold_of(None), np.clip(own, 0.0, MAX_THRESHOLD))

    def boxes(
        self,
        maps: Mapping[int, Map],
        own_framings: Mapping[int, Floats],
        sizes: Mapping[int, tuple[int, int]],
        prior: Prior | None,
        classes: Mapping[int, ClassMap] | None = None,
    ) -> dict[int, tuple[BoxRecord, ...]]:
        """The boxes of images by id, whose ``sizes`` are width and height in pixels.

        They have the classes that ``classes`` say, of images that are in it.
        """
        ids = list(maps)
        found = find_boxes_of_many(
            list(maps.values()),
            np.array([sizes[i] for i in ids], np.float64).reshape(-1, 2),
            rule=self.rule,
            threshold=self.thresholds_of(ids),
            prior=prior,
            framings=framing_rows(own_framings, ids),
            max_boxes=self.max_boxes,
        )
        known = classes or {}
        return {
            i: with_classes(own, maps[i], known[i], sizes[i]) if i in known else own
            for i, own in zip(ids, found, strict=True)
        }

    def boxes_of(
        self,
        heat_map: Map,
        size: tuple[int, int],
        *,
        image_id: int = 0,
        prior: Prior | None = None,
        framing: Floats | None = None,
        classes: ClassMap | None = None,
    ) -> tuple[BoxRecord, ...]:
        """The boxes of one image of ``size``, surest first; with id 0, at the threshold of all."""
        framings = {} if framing is None else {image_id: framing}
        own = {} if classes is None else {image_id: classes}
        return self.boxes({image_id: heat_map}, framings, {image_id: size}, prior, own)[image_id]

    def first_boxes(
        self, maps: Sequence[Map] | Maps, sizes: Floats, prior: Prior | None, framings: Floats | None
    ) -> Floats:
        """One box for each map at the threshold of all: float64 (n, 4) pixels; ``sizes`` are (n, 2)."""
        return find_boxes(
            read_maps(self.rule, maps),
            sizes,
            rule=self.rule,
            threshold=self.threshold_of(None),
            prior=prior,
            framings=framings,
        )
