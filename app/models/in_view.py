"""What the window shows of one image, decided once from what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from app.models.evidence import Evidence, HeatMap, Picture, boxes_in
from core.base.annotations import BoxRecord
from core.boxes.options import BoxOptions
from core.project.measure import image_overlap
from core.project.rows import Kept
from core.project.store import ImageRecord


class Known(NamedTuple):
    """All that the decision depends on: the image, and how its heat maps become boxes.

    ``live`` is its heat map by what is just being learned, or by a run that the boxes do not come from;
    ``live_options`` are how that map becomes boxes. ``is_provisional`` says that another run is shown than
    the boxes come from, ``is_learning`` that a training without labels of the person's is under way.
    """

    record: ImageRecord | None = None
    picture: Picture | None = None
    evidence: Evidence | None = None
    live: HeatMap | None = None
    options: BoxOptions = BoxOptions()
    live_options: BoxOptions = BoxOptions()
    is_provisional: bool = False
    is_learning: bool = False

    def is_same(self, other: Known) -> bool:
        """Whether nothing is another; maps and pictures are compared by identity."""
        pairs = zip(self, other, strict=True)
        return all(a is b or (isinstance(a, BoxOptions) and a == b) for a, b in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class InView:
    """What is shown of the image in view.

    ``size`` is its width and height in pixels as shown, None while unknown. ``boxes`` are those a person has
    set or accepted, else what the heat map says now: ``automatic``, which is empty without a map.
    ``provisional`` are those of a run that is shown and that the boxes do not come from; with ``unsettled``
    the boxes themselves may still change while something is learned. ``outdated`` says that the heat map is
    of another network than the newest ones. ``overlap`` is the IoU of ``boxes`` with the ``truth``.
    """

    size: tuple[int, int] | None
    heat_map: HeatMap | None
    is_live: bool
    outdated: bool
    kept: Kept
    accepted: bool
    boxes: tuple[BoxRecord, ...]
    automatic: tuple[BoxRecord, ...]
    provisional: tuple[BoxRecord, ...]
    unsettled: bool
    truth: tuple[BoxRecord, ...]
    overlap: float | None

    @property
    def held(self) -> bool:
        """Whether only a person may change the boxes."""
        return self.kept.edited or self.accepted

    @property
    def own(self) -> tuple[BoxRecord, ...]:
        """The boxes that a person has set or accepted: what is put beside them leaves them."""
        return self.boxes if self.held else ()

    @property
    def seen(self) -> Kept:
        """The boxes as a person sees them."""
        return self.kept if self.held else Kept(self.boxes)


def resolve(known: Known) -> InView:
    """Decide what is shown. What a provisional run finds counts only where there is no other box."""
    record, picture, evidence, live = known[:4]
    size = (record.width, record.height) if record is not None and record.width else None
    if picture is not None and picture.width:
        size = picture.width, picture.height
    stored = evidence.heat_map if evidence is not None else None

    def boxes_of(heat_map: HeatMap | None, options: BoxOptions, by: Evidence | None) -> tuple[BoxRecord, ...]:
        if heat_map is None or size is None or record is None:
            return ()
        return boxes_in(heat_map, options, size=size, image_id=record.id, evidence=by)

    kept = evidence.kept if evidence is not None else Kept()
    accepted = record is not None and record.status.is_settled
    of_live = boxes_of(live, known.live_options, None)
    counts_live = live is not None and not known.is_provisional
    automatic = of_live if counts_live else boxes_of(stored, known.options, evidence)
    is_held = kept.edited or accepted
    boxes = kept.boxes if is_held else automatic or kept.boxes or of_live
    truth = evidence.truth if evidence is not None else ()
    return InView(
        size=size,
        heat_map=stored if live is None else live,
        is_live=live is not None,
        outdated=evidence is not None and evidence.outdated and live is None,
        kept=kept,
        accepted=accepted,
        boxes=boxes,
        automatic=automatic,
        provisional=of_live if known.is_provisional else (),
        unsettled=known.is_learning and counts_live and not is_held,
        truth=truth,
        overlap=image_overlap(boxes, truth),
    )
