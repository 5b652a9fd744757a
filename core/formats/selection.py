"""Which images and boxes leave, and which of them are kept for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from core.base.annotations import BoxRecord, ImageBoxes, Status
from core.base.errors import FormatError
from core.base.language import tr

MAX_VAL_SHARE = 0.9


class Which(str, Enum):
    """The images that leave, by what was said of them in review."""

    NOT_REJECTED = "not-rejected"
    ACCEPTED = "accepted"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What leaves, or of a file what comes in.

    ``min_score`` 0..1 is the least score of a box; a box without one is a person's and always leaves.
    ``classes`` None is all. ``val_share`` 0..``MAX_VAL_SHARE`` of the images is kept for validation, drawn
    with ``seed``; 0 is no split.

    Raises
    ------
    FormatError
        A number is out of its range.
    """

    which: Which = Which.NOT_REJECTED
    min_score: float = 0.0
    classes: frozenset[str] | None = None
    val_share: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.min_score <= 1:
            raise FormatError(tr("The minimum score must be between 0 and 1."))
        if not 0 <= self.val_share <= MAX_VAL_SHARE:
            raise FormatError(
                tr("The share for validation must lie between 0 and {most}.").format(most=MAX_VAL_SHARE)
            )

    def has(self, record: BoxRecord) -> bool:
        """Whether a box is among the chosen ones; one without a score is a person's and always is."""
        sure = record.score is None or record.score >= self.min_score
        return sure and (self.classes is None or record.label in self.classes)


@dataclass(frozen=True, slots=True)
class Count:
    """How many images and boxes a selection holds; ``val_images`` of them are kept for validation."""

    images: int
    boxes: int
    val_images: int


def select(images: Iterable[ImageBoxes], selection: Selection) -> list[ImageBoxes]:
    """The images and boxes that leave, in their order.

    An image that had boxes and loses all of them is left out: shown empty, it would teach that nothing is
    there. One that never had a box stays. Failed images stay for formats that list them, unless only
    accepted ones are wanted.
    """
    return list(selected(images, selection))


def selected(images: Iterable[ImageBoxes], selection: Selection) -> Iterator[ImageBoxes]:
    """:func:`select`, one by one."""
    for image, boxes in _kept(images, selection):
        yield replace(image, boxes=boxes) if len(boxes) != len(image.boxes) else image


def count(images: Iterable[ImageBoxes], selection: Selection, *, needs_box: bool = False) -> Count:
    """How much :func:`select` would give, without making it; ``needs_box`` leaves out images without one."""
    number = boxes = 0
    for image, kept in _kept(images, selection):
        if image.status is not Status.FAILED and (kept or not needs_box):
            number += 1
            boxes += len(kept)
    return Count(number, boxes, _val_count(number, selection.val_share))


def labels_of(images: Iterable[ImageBoxes]) -> dict[str, int]:
    """Every class with the number of its boxes, by first appearance."""
    found: dict[str, int] = {}
    for image in images:
        for record in image.boxes:
            found[record.label] = found.get(record.label, 0) + 1
    return found


def validation_names(names: Collection[str], *, share: float, seed: int) -> frozenset[str]:
    """The names kept for validation: the same ones for the same names and seed, in whatever order.

    Each name has its own place in a shuffle, so that an image added later moves few others. With a share
    above 0 and two images or more, neither side is empty.
    """
    wanted = _val_count(len(names), share)
    return frozenset(sorted(names, key=lambda name: shuffled_place(name, seed))[:wanted])


@dataclass(frozen=True, slots=True)
class EachByItself:
    """About ``share`` of all names, each decided by itself: the split where names are too many to be counted.

    In the same shuffle as :func:`validation_names`, so one of the two holds the other.
    """

    share: float
    seed: int

    def __contains__(self, name: object) -> bool:
        digest, _ = shuffled_place(str(name), self.seed)
        return int.from_bytes(digest, "big") < self.share * (1 << 8 * len(digest))


def _kept(
    images: Iterable[ImageBoxes], selection: Selection
) -> Iterator[tuple[ImageBoxes, tuple[BoxRecord, ...]]]:
    wanted = _WANTED[selection.which]
    all_boxes = selection.min_score <= 0 and selection.classes is None
    for image in images:
        if image.status not in wanted:
            continue
        boxes = image.boxes if all_boxes else tuple(filter(selection.has, image.boxes))
        if boxes or not image.boxes:
            yield image, boxes


_WANTED = {
    Which.ACCEPTED: {Status.ACCEPTED, Status.NO_OBJECT},
    Which.NOT_REJECTED: set(Status) - {Status.REJECTED},
    Which.ALL: set(Status),
}


def _val_count(number: int, share: float) -> int:
    if share <= 0 or number < 2:
        return 0
    return min(max(round(number * share), 1), number - 1)


def shuffled_place(name: str, seed: int) -> tuple[bytes, str]:
    """The place of a name in the shuffle of all names: whatever other names there are."""
    key = f"{seed}:{name}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(key).digest(), name
