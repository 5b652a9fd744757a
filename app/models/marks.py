"""What is said of an image and of its boxes, as the window marks it: by a sign, a colour and a word."""

from __future__ import annotations

from enum import Enum

from core.base.annotations import Source, Status
from core.base.language import tr


class Mark(Enum):
    """A sign that tells who answers for a box, or what was said of an image."""

    AUTOMATIC = "automatic"
    EDITED = "edited"
    ACCEPTED = "accepted"
    EMPTY = "no object"
    REJECTED = "rejected"


def mark_of_box(status: Status, source: Source) -> Mark:
    """The mark of one box of an image with this ``status``."""
    if status is Status.REJECTED:
        return Mark.REJECTED
    if status is Status.ACCEPTED:
        return Mark.ACCEPTED
    return Mark.EDITED if source is Source.EDITED else Mark.AUTOMATIC


def mark_of_image(status: Status, *, boxes: int, edited: bool) -> Mark | None:
    """The mark of an image with so many ``boxes``; None where nothing is said and nothing was found."""
    if status.is_settled:
        return Mark.ACCEPTED if boxes else Mark.EMPTY
    if status is Status.REJECTED:
        return Mark.REJECTED
    if edited:
        return Mark.EDITED
    return Mark.AUTOMATIC if boxes and status is Status.UNSEEN else None


def mark_text(mark: Mark) -> str:
    return {
        Mark.AUTOMATIC: tr("Automatic"),
        Mark.EDITED: tr("Edited"),
        Mark.ACCEPTED: tr("Accepted"),
        Mark.EMPTY: tr("No object"),
        Mark.REJECTED: tr("Rejected"),
    }[mark]
