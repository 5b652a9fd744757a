"""The records that pass between project, formats, truth readers and evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from core.base.geometry import Box

DEFAULT_LABEL = "object"


class Source(str, Enum):
    """Who made a box."""

    AUTO = "auto"
    EDITED = "edited"


class Status(str, Enum):
    """What the person said of an image, or ``FAILED`` where it could not be used."""

    UNSEEN = "unseen"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    FAILED = "failed"


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


@dataclass(frozen=True, slots=True)
class ImageBoxes:
    """An image and its boxes, as exported, as read back, and as ground truth.

    ``name`` is relative, with forward slashes and subfolders. ``width`` and ``height`` are pixels of
    the image as displayed, 0 where unknown. ``reason`` says why a ``FAILED`` image could not be used.
    ``no_object`` is the probability, 0..1, that it shows no object; None where nobody gave one.
    """

    name: str
    width: int
    height: int
    boxes: tuple[BoxRecord, ...] = ()
    status: Status = Status.UNSEEN
    reason: str = ""
    no_object: float | None = None
