"""The records that pass between project, formats, truth readers and evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from core.base.geometry import Box

DEFAULT_LABEL = "object"


class Source(str, Enum):
    """Who made a box."""

    AUTO = "auto"
    EDITED = "edited"


class Status(str, Enum):
    """What the person said of an image, or ``FAILED`` where it could not be used.

    ``ACCEPTED``: its boxes are right. ``NO_OBJECT``: it shows none, and has no box. ``REJECTED``: a box is
    wrong, and the right one is not known.
    """

    UNSEEN = "unseen"
    ACCEPTED = "accepted"
    NO_OBJECT = "no object"
    REJECTED = "rejected"
    FAILED = "failed"

    @property
    def is_settled(self) -> bool:
        """Whether its boxes, or that it has none, were said to be right: no automatic run changes that."""
        return self in (Status.ACCEPTED, Status.NO_OBJECT)


#: By what files and tables hold.
SOURCES = {source.value: source for source in Source}
STATUSES = {status.value: status for status in Status}


@dataclass(frozen=True, slots=True)
class BoxRecord:
    """One box with all that is known of it. ``score`` is 0..1; None where nobody gave one (truth, edits)."""

    box: Box
    label: str = DEFAULT_LABEL
    score: float | None = None
    source: Source = Source.AUTO
    threshold: float | None = None
    rule: str | None = None


def auto_boxes(boxes: Iterable[BoxRecord]) -> list[BoxRecord]:
    """Those that no person made."""
    return [box for box in boxes if box.source is Source.AUTO]


def in_class(boxes: Iterable[BoxRecord], name: str) -> tuple[BoxRecord, ...]:
    """``boxes``, those without a class of their own in the one of that name."""
    return tuple(replace(one, label=name) if one.label == DEFAULT_LABEL else one for one in boxes)


@dataclass(frozen=True, slots=True)
class ImageBoxes:
    """An image and its boxes, as exported, as read back, and as ground truth.

    ``name`` is relative, with forward slashes and subfolders. ``width`` and ``height`` are pixels of
    the image as displayed, 0 where unknown. ``reason`` says why a ``FAILED`` image could not be used.
    ``no_object`` is the probability, 0..1, that it shows no object; None where nobody gave one. ``taken`` is
    when it was taken, ISO 8601 by the camera's clock, empty where unknown. ``position`` is where, latitude
    and longitude in degrees: only of an export that was asked for it.

    Of a file that was read, ``shares`` says that the boxes are shares of an image whose size the file does
    not tell, and ``stem`` is the name, without ending, of the one annotation file that the image has; it
    counts before ``name``, which goes stale where both files are renamed.
    """

    name: str
    width: int
    height: int
    boxes: tuple[BoxRecord, ...] = ()
    status: Status = Status.UNSEEN
    reason: str = ""
    no_object: float | None = None
    taken: str = ""
    position: tuple[float, float] | None = None
    shares: bool = False
    stem: str = field(default="", compare=False)

    @property
    def reviewed(self) -> bool:
        """Whether a person has said anything of it: by its status, or by boxes of their own."""
        said = self.status.is_settled or self.status is Status.REJECTED
        return said or any(one.source is Source.EDITED for one in self.boxes)

    def in_pixels(self, width: int, height: int) -> ImageBoxes:
        """This with boxes in pixels, where they were shares of an image of this size."""
        if not self.shares or min(width, height) < 1:
            return self
        boxes = tuple(replace(one, box=one.box.scaled(width, height)) for one in self.boxes)
        return replace(self, width=width, height=height, boxes=boxes, shares=False)
