"""Which images of a project are shown, and in what order: for 100,000 of them while a person types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from core.base.annotations import Status
from core.base.sampling import evenly
from core.boxes.no_object import LIKELY
from core.boxes.rules import MAX_BOXES
from core.images.scan import natural_key, sorted_in_pieces
from core.learn.usefulness import Ranking
from core.project.facts import (
    NO_FACTS,
    NO_TAKEN,
    UNSURE,
    BoxFacts,
    Flags,
    Floats,
    TakenFacts,
    Tally,
    day_span,
)

Ints = npt.NDArray[np.intp]


class Show(str, Enum):
    """A filter."""

    ALL = "all"
    UNSEEN = "unseen"
    ACCEPTED = "accepted"
    NO_OBJECT = "no object"
    REJECTED = "rejected"
    EDITED = "edited"
    NO_BOX = "no box"
    MAY_BE_EMPTY = "may show no object"
    WITH_TRUTH = "with truth"
    PLACED = "with position"
    FAILED = "failed"


class Order(str, Enum):
    """An order. ``LEAST_SURE`` is the queue for review: unseen images first, the lowest score on top.
    ``USEFUL`` is the same but for a :class:`Ranking`, whose images come first.
    ``WORST`` has the images on top in which no box was found, then the lowest IoU with the truth."""

    FOUND = "found"
    NAME = "name"
    TAKEN = "capture time"
    SCORE = "score"
    SIZE = "size"
    STATUS = "status"
    LEAST_SURE = "least sure"
    USEFUL = "most useful"
    WORST = "worst"


QUEUES = frozenset({Order.LEAST_SURE, Order.USEFUL, Order.WORST})
"""Orders that say what to look at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxFilter:
    """Which boxes an image must have to be shown.

    One of class ``label``, where that is not empty; a score, the lowest of its boxes, from ``score[0]`` to
    ``score[1]``, as it is shown; and from ``count[0]`` to ``count[1]`` boxes. The widest ranges let all
    images pass, also those without a score.
    """

    label: str = ""
    score: tuple[float, float] = (0.0, 1.0)
    count: tuple[int, int] = (0, MAX_BOXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Browse:
    """What a person chose to see: names that contain ``text`` in any case, ``show``, and the order.

    ``boxes`` says what boxes an image must have besides. ``days`` are the first and the last day on which it
    was taken, as ``2024-05-01``, or a whole month or year, ``2024-05``; empty for no such limit.
    """

    text: str = ""
    show: Show = Show.ALL
    order: Order = Order.FOUND
    descending: bool = False
    boxes: BoxFilter = field(default_factory=BoxFilter)
    days: tuple[str, str] = ("", "")

    @property
    def needs_times(self) -> bool:
        """Whether it can only be told once the headers of all photos were read."""
        return self.order is Order.TAKEN or self.show is Show.PLACED or any(map(day_span, self.days))


_CODES = {status: code for code, status in enumerate(Status)}
_STATUSES = tuple(Status)
_STATUS_OF = {
    Show.UNSEEN: Status.UNSEEN,
    Show.ACCEPTED: Status.ACCEPTED,
    Show.NO_OBJECT: Status.NO_OBJECT,
    Show.REJECTED: Status.REJECTED,
    Show.FAILED: Status.FAILED,
}


class ImageColumns:
    """Columns of all images, one place each in the project's order.

    Names are folded once and ranked once; a filter or an order is then one pass over arrays.
    """

    def __init__(self) -> None:
        self.ids = np.empty(0, np.int64)
        self._names: list[str] = []
        self._folded: list[str] = []
        self._status = np.empty(0, np.uint8)
        self._ranks: Ints | None = None
        self._measured: tuple[npt.NDArray[np.int64], Floats] = NO_FACTS.ids, NO_FACTS.score
        self.set_labelled(NO_FACTS.ids)
        self.set_facts(NO_FACTS)
        self.set_overlaps(*self._measured)
        self.set_useful(Ranking(NO_FACTS.ids, NO_FACTS.ids))
        self.set_taken(NO_TAKEN)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def has_box(self) -> Flags:
        """Which images have any box."""
        found: Flags = self.boxes > 0
        return found

    # ---- filled -------------------------------------------------------------------------------

    def append(self, ids: Sequence[int], names: Sequence[str], statuses: Sequence[Status]) -> None:
        """Add images whose ids are above all that are here."""
        self.ids = np.concatenate([self.ids, np.asarray(ids, np.int64)])
        self._names.extend(names)
        self._folded.extend([name.casefold() for name in names])
        codes = np.fromiter((_CODES[status] for status in statuses), np.uint8, len(statuses))
        self._status = np.concatenate([self._status, codes])
        self._ranks = None
        self.set_facts(self._facts)
        self.set_overlaps(*self._measured)
        self.set_useful(self._ranking)
        self.set_taken(self._taken)

    def set_status(self, places: int | Ints, status: Status) -> None:
        self._status[places] = _CODES[status]

    def set_statuses(self, statuses: Mapping[int, Status]) -> None:
        """The status of images by id, those that are here; failed ones stay failed."""
        ids = np.fromiter(statuses.keys(), np.int64, len(statuses))
        codes = np.fromiter((_CODES[status] for status in statuses.values()), np.uint8, len(statuses))
        places, here = self._places_of_ids(ids)
        usable = self._status[places] != _CODES[Status.FAILED]
        self._status[places[usable]] = codes[here][usable]

    def statuses(self, ids: Sequence[int]) -> dict[int, Status]:
        """The status of each of ``ids`` that is here."""
        wanted = np.asarray(ids, np.int64)
        places, here = self._places_of_ids(wanted)
        codes = self._status[places].tolist()
        return {i: _STATUSES[code] for i, code in zip(wanted[here].tolist(), codes, strict=True)}

    def status_at(self, place: int) -> Status:
        return _STATUSES[int(self._status[place])]

    def set_facts(self, facts: BoxFacts) -> None:
        """What boxes all images have now; ids that are not here are passed over."""
        self._facts = facts
        count = len(self.ids)
        self.score = np.full(count, np.nan, np.float32)
        self.share = np.full(count, np.nan, np.float32)
        self.boxes = np.zeros(count, np.int32)
        self.edited = np.zeros(count, np.bool_)
        self.no_object = np.full(count, np.nan, np.float32)
        places, here = self._places_of_ids(facts.ids)
        self.score[places], self.share[places] = facts.score[here], facts.share[here]
        self.boxes[places], self.edited[places] = facts.boxes[here], facts.edited[here]
        self.no_object[places] = facts.no_object[here]

    def set_facts_of(self, place: int, facts: BoxFacts) -> None:
        """What boxes one image has now; ``facts`` holds that image alone, or nothing."""
        known = bool(len(facts.ids))
        self.boxes[place] = facts.boxes[0] if known else 0
        self.edited[place] = facts.edited[0] if known else False
        for column, own in (
            (self.score, facts.score),
            (self.share, facts.share),
            (self.no_object, facts.no_object),
        ):
            column[place] = own[0] if known else np.nan

    def overlap_at(self, place: int) -> float | None:
        """The IoU, 0..1, with the truth; None without truth. It is 0 without a box."""
        return None if np.isnan(self.overlap[place]) else float(self.overlap[place])

    def set_overlaps(self, ids: npt.NDArray[np.int64], overlaps: Floats) -> None:
        """The IoU, 0..1, with the truth of the images ``ids``; all others have no truth."""
        self._measured = ids, overlaps
        self.overlap = np.full(len(self.ids), np.nan, np.float32)
        places, here = self._places_of_ids(ids)
        self.overlap[places] = overlaps[here]

    def set_taken(self, facts: TakenFacts) -> None:
        """When photos were taken; ids that are not here are passed over."""
        self._taken = facts
        self.taken = np.full(len(self.ids), np.nan, np.float64)
        self.placed = np.zeros(len(self.ids), np.bool_)
        places, here = self._places_of_ids(facts.ids)
        self.taken[places], self.placed[places] = facts.seconds[here], facts.placed[here]

    def set_useful(self, ranking: Ranking) -> None:
        """What to review next; ids that are not here are passed over."""
        self._ranking = ranking
        most = len(ranking.ids)
        self._useful = np.full(len(self.ids), most + 1, np.int64)
        for ids, ranks in (
            (ranking.known, np.full(len(ranking.known), most)),
            (ranking.ids, np.arange(most)),
        ):
            places, here = self._places_of_ids(ids)
            self._useful[places] = ranks[here]

    def set_labelled(self, ids: npt.NDArray[np.int64]) -> None:
        """The images that have a box of the class that is filtered by."""
        self._labelled = ids

    def _places_of_ids(self, ids: npt.NDArray[np.int64]) -> tuple[Ints, Flags]:
        """The places of those ``ids`` that are here, and which these are."""
        places = np.searchsorted(self.ids, ids)
        here: Flags = places < len(self.ids)
        here[here] = self.ids[places[here]] == ids[here]
        return places[here], here

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._names)

    def set_ranks(self, ranks: Ints) -> None:
        """Take over :func:`natural_ranks` made elsewhere; dropped where images were added meanwhile."""
        if len(ranks) == len(self._names):
            self._ranks = ranks

    # ---- asked --------------------------------------------------------------------------------

    def next_of(self, status: Status, places: Ints, row: int) -> int:
        """The next row after ``row`` of ``places`` with that status, from the top again; -1 for none."""
        rows = np.flatnonzero(self._status[places] == _CODES[status])
        rows = rows[rows != row]
        if not len(rows):
            return -1
        return int(rows[np.searchsorted(rows, row) % len(rows)])

    @property
    def _reviewed(self) -> Flags:
        found: Flags = self.edited | ~np.isin(self._status, [_CODES[Status.UNSEEN], _CODES[Status.FAILED]])
        return found

    @property
    def waiting(self) -> Flags:
        """Which images can be used, and were not reviewed."""
        found: Flags = (self._status != _CODES[Status.FAILED]) & ~self._reviewed
        return found

    def tally(self) -> Tally:
        """How far the work on all images is."""
        usable = self._status != _CODES[Status.FAILED]
        reviewed = self._reviewed
        unsure = (self.score < UNSURE) | (self.no_object > LIKELY)  # NaN is neither
        waiting = usable & ~reviewed & self.has_box & unsure
        lessons = usable & reviewed & (self._status != _CODES[Status.REJECTED])
        counts = usable, usable & reviewed, self.has_box, waiting, lessons, lessons & self.has_box
        return Tally(*(int(np.count_nonzero(flags)) for flags in counts))

    def evenly(self, count: int) -> list[int]:
        """The ids of at most ``count`` images that can be used, evenly from all."""
        usable = self.ids[self._status != _CODES[Status.FAILED]]
        chosen: list[int] = usable[evenly(len(usable), count)].tolist()
        return chosen

    def unseen_scores(self) -> tuple[Ints, Floats]:
        """Places and scores of the unseen images that have one: what "accept above" chooses from."""
        places = np.flatnonzero((self._status == _CODES[Status.UNSEEN]) & ~np.isnan(self.score))
        return places, self.score[places]

    def arrange(self, browse: Browse, *, start: int = 0) -> Ints:
        """The places, from ``start`` on, that pass the filter, in order. Ties keep the project's order."""
        passing = self._passing(browse.show) & self._with_boxes(browse.boxes) & self._taken_in(browse.days)
        places = np.flatnonzero(passing[start:]) + start
        needle = browse.text.casefold().strip()
        if needle:
            folded = self._folded
            places = np.array([i for i in places.tolist() if needle in folded[i]], np.intp)
        if browse.order is Order.FOUND:
            return places[::-1] if browse.descending else places
        values = self._values(browse.order)[places]
        unknown = np.isnan(values)  # they come last in both directions
        keys: list[npt.NDArray[Any]] = [
            np.where(unknown, 0, -values if browse.descending else values),
            unknown,
        ]
        if browse.order is Order.USEFUL:
            keys.append(-self._useful[places] if browse.descending else self._useful[places])
        if browse.order in (Order.LEAST_SURE, Order.USEFUL):
            keys.append(self._status[places] != _CODES[Status.UNSEEN])
        return places[np.lexsort(keys)]

    def _with_boxes(self, wanted: BoxFilter) -> Flags:
        low, high = wanted.count
        found: Flags = (self.boxes >= low) & ((self.boxes <= high) | (high >= MAX_BOXES))
        if wanted.score != BoxFilter().score:
            found &= at_least(self.score, wanted.score[0]) & at_least(-self.score, -wanted.score[1])
        if wanted.label:
            found &= np.isin(self.ids, self._labelled)
        return found

    def _taken_in(self, days: tuple[str, str]) -> Flags:
        first, last = map(day_span, days)
        found: Flags = np.ones(len(self), np.bool_)
        if first is not None:
            found &= self.taken >= first[0]  # NaN is in no span
        if last is not None:
            found &= self.taken < last[1]
        return found

    def _passing(self, show: Show) -> Flags:
        if show is Show.ALL:
            return np.ones(len(self), np.bool_)
        if show is Show.EDITED:
            return self.edited
        if show is Show.NO_BOX:
            usable: Flags = self._status != _CODES[Status.FAILED]
            return usable & ~self.has_box
        if show is Show.MAY_BE_EMPTY:
            empty: Flags = self.no_object > LIKELY
            return empty
        if show is Show.PLACED:
            return self.placed
        if show is Show.WITH_TRUTH:
            return ~np.isnan(self.overlap)
        passing: Flags = self._status == _CODES[_STATUS_OF[show]]
        return passing

    def _values(self, order: Order) -> npt.NDArray[Any]:
        """What all images are ordered by, NaN where that is unknown."""
        if order is Order.NAME:
            if self._ranks is None:
                self._ranks = natural_ranks(self._names)
            return self._ranks
        if order is Order.TAKEN:
            return self.taken
        if order is Order.STATUS:
            return self._status.astype(np.int8)
        if order is Order.WORST:  # to miss is worse than any box, and a group of its own
            missed = ~self.has_box & ~np.isnan(self.overlap)
            return np.where(missed, np.float32(-1), self.overlap)
        return self.share if order is Order.SIZE else self.score


def natural_ranks(names: Sequence[str]) -> Ints:
    """Of each name its place in natural order: a second for 300,000, so made once and kept."""
    keys = [natural_key(name) for name in names]
    order = list(sorted_in_pieces(range(len(names)), key=keys.__getitem__))
    ranks = np.empty(len(names), np.intp)
    ranks[order] = np.arange(len(names))
    return ranks


def at_least(scores: Floats, score: float) -> Flags:
    """Which scores count as ``score`` or more, as they are shown: with two decimals."""
    enough: Flags = np.round(scores.astype(np.float64), 2) >= round(score, 2) - 1e-9
    return enough


def changes_with_boxes(browse: Browse) -> bool:
    """Whether new boxes may change what ``browse`` shows."""
    orders = Order.SCORE, Order.SIZE, Order.LEAST_SURE, Order.USEFUL, Order.WORST
    shown = Show.EDITED, Show.NO_BOX, Show.MAY_BE_EMPTY
    return browse.order in orders or browse.show in shown or browse.boxes != BoxFilter()


def changes_with_truth(browse: Browse) -> bool:
    """Whether other overlaps with the truth may change what ``browse`` shows."""
    return browse.order is Order.WORST or browse.show is Show.WITH_TRUTH
