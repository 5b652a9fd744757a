"""What filters and orders of a list know of its images: columns of many at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """What filters and orders know of boxes: one entry for each image that has any.

    ``score`` is the lowest of an image's boxes and ``share`` the part of the image that its largest
    box covers, both 0..1 and NaN where unknown. ``boxes`` is how many there are. ``no_object`` is the
    probability of no object, NaN where unknown; an image that has it has an entry without a box too.
    """

    ids: npt.NDArray[np.int64]
    score: Floats
    share: Floats
    edited: Flags
    boxes: npt.NDArray[np.int32]
    no_object: Floats

    def of(self, image_id: int) -> BoxFacts:
        """The facts of one image alone, empty where it has no box."""
        chosen = self.ids == image_id
        return BoxFacts(*(getattr(self, column.name)[chosen] for column in fields(self)))


NO_FACTS = BoxFacts(*(np.empty(0, kind) for kind in ("i8", "f4", "f4", "?", "i4", "f4")))
UNSURE = 0.8
"""A score below which a box is worth a look first; what it was chosen by: docs/decisions/0025-one-job.md."""


@dataclass(frozen=True, slots=True)
class TakenFacts:
    """What filters and orders know of times: one entry for each image whose header was read.

    ``seconds`` are those of the camera's own clock since 1970, whatever its zone, and NaN where it wrote no
    time; ``placed`` says that the photo holds a position.
    """

    ids: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    placed: Flags


NO_TAKEN = TakenFacts(np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.bool_))


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of images: that can be used, were accepted, rejected or edited, and have a box.

    ``unsure`` are those that nobody has reviewed whose lowest score is below :data:`UNSURE`, or that may show
    no object. ``lessons`` are those whose review can teach the others, ``lessons_boxed`` those of them with a
    box.
    """

    usable: int = 0
    reviewed: int = 0
    boxed: int = 0
    unsure: int = 0
    lessons: int = 0
    lessons_boxed: int = 0


def day_span(text: str) -> tuple[float, float] | None:
    """The seconds since 1970 at which a day, month or year begins, and at which the next one does.

    ``text`` is ``2024-05-01``, ``2024-05`` or ``2024``; None where it is no such date.
    """
    try:
        first = datetime.strptime(text, {4: "%Y", 7: "%Y-%m", 10: "%Y-%m-%d"}[len(text)])
        months_first = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
        after = {4: first.replace(year=first.year + 1), 7: months_first, 10: first + timedelta(days=1)}
    except (KeyError, ValueError, OverflowError):
        return None
    begins, ends = ((one - _EPOCH).total_seconds() for one in (first, after[len(text)]))
    return begins, ends
