"""The thresholds of images that have their own, as a value that costs what its runs cost, not its images."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

Run = tuple[int, int, float]


class Thresholds(Mapping[int, float]):
    """A threshold, 0..1, for each of some image ids; never changed, so that any thread may read it.

    Thresholds are given to selections, and every move of the slider makes another value of this kind, which
    is compared, kept for undo and saved. So it holds where, along the ids, the threshold becomes another:
    100,000 images that share one are two places. Reading and changing costs no Python step per image.
    """

    __slots__ = ("_starts", "_values")

    def __init__(self, starts: Ids | None = None, values: Floats | None = None) -> None:
        # From each start on, up to before the next, ids have this value, NaN for none: no two in a row alike.
        self._starts = np.empty(0, np.int64) if starts is None else starts
        self._values = np.empty(0) if values is None else values

    @classmethod
    def of(cls, thresholds: Mapping[int, float]) -> Thresholds:
        """Those in ``thresholds``, by image id."""
        ids = np.fromiter(thresholds.keys(), np.int64, len(thresholds))
        values = np.fromiter(thresholds.values(), np.float64, len(thresholds))
        order = np.argsort(ids)
        return cls.of_runs([(i, i, v) for i, v in zip(ids[order].tolist(), values[order], strict=True)])

    @classmethod
    def of_runs(cls, runs: Sequence[Run]) -> Thresholds:
        """What :attr:`runs` says: first id, last id and threshold of each, in the order of ids, none twice.

        Raises
        ------
        ValueError
            They are out of order, or a threshold is none.
        """
        starts = np.array([side for first, last, _ in runs for side in (first, last + 1)], np.int64)
        values = np.array([value for *_, own in runs for value in (own, np.nan)], np.float64)
        # Where one run ends another may begin: the last of a place counts.
        counts = np.append(starts[1:] != starts[:-1], True)[: len(starts)]
        return _checked(starts[counts], values[counts])

    @classmethod
    def from_text(cls, text: str) -> Thresholds:
        """What :meth:`to_text` wrote; ValueError where it is no such thing."""
        try:
            data = zlib.decompress(base64.b64decode(text, validate=True))
        except zlib.error as error:
            raise ValueError(str(error)) from error
        half = len(data) // 2
        steps, values = np.frombuffer(data[:half], "<i8"), np.frombuffer(data[half:], "<f8")
        return _checked(np.cumsum(steps, dtype=np.int64), values.astype(np.float64))

    def to_text(self) -> str:
        """All of these as one text: a view is saved at each move, and these may be half of its images."""
        steps = np.diff(self._starts, prepend=0)  # small and alike, where ids are neither
        data = steps.astype("<i8").tobytes() + self._values.astype("<f8").tobytes()
        return base64.b64encode(zlib.compress(data, level=1)).decode()

    @property
    def runs(self) -> list[Run]:
        """First id, last id and threshold of each run of ids that have the same one, in the order of ids."""
        here = np.flatnonzero(~np.isnan(self._values))
        firsts, lasts = self._starts[here], self._starts[here + 1] - 1
        return list(zip(firsts.tolist(), lasts.tolist(), self._values[here].tolist(), strict=True))

    def given(self, ids: Iterable[int], threshold: float) -> Thresholds:
        """These, but ``threshold`` for each of ``ids``."""
        return self._with(ids, threshold)

    def without(self, ids: Iterable[int]) -> Thresholds:
        """These, but none for ``ids``."""
        return self._with(ids, np.nan)

    def at(self, ids: npt.ArrayLike) -> Floats:
        """The threshold of each of ``ids``, float64 of their shape; NaN where it has none of its own."""
        wanted = np.asarray(ids, np.int64)
        found = np.append(self._values, np.nan)  # what lies before the first start
        return found[np.searchsorted(self._starts, wanted, side="right") - 1]

    def changed_from(self, before: Thresholds) -> tuple[tuple[int, int], ...]:
        """First and last of each run of ids that have another threshold here than ``before``, or only one."""
        # A move changes one place of maybe many: what both begin and end with is passed over.
        most = min(len(self._starts), len(before._starts))
        head = _alike(self, before, slice(most))
        tail = _alike(self, before, slice(-1, head - most - 1, -1)) if head < most else 0
        parts = [starts[head : len(starts) - tail + 1] for starts in (self._starts, before._starts)]
        places = _ascending(np.concatenate(parts))
        differs = ~_same(self.at(places), before.at(places))
        turns = np.flatnonzero(np.diff(differs, prepend=False))
        sides = places[turns].tolist()  # an even number: after the last place of both nothing differs
        return tuple((first, end - 1) for first, end in zip(sides[::2], sides[1::2], strict=True))

    def _with(self, ids: Iterable[int], value: float) -> Thresholds:
        wanted = _ascending(np.fromiter(ids, np.int64))
        if not len(wanted):
            return self
        breaks = np.flatnonzero(np.diff(wanted) != 1)
        firsts, ends = wanted[np.append(0, breaks + 1)], wanted[np.append(breaks, -1)] + 1
        # Only between the first and the last of them anything changes.
        low = np.searchsorted(self._starts, firsts[0])
        high = np.searchsorted(self._starts, ends[-1], side="right")
        places = _ascending(np.concatenate([firsts, ends, self._starts[low:high]]))
        is_wanted = np.searchsorted(firsts, places, side="right") > np.searchsorted(
            ends, places, side="right"
        )
        values = np.where(is_wanted, value, self.at(places))
        high += high < len(self._starts) and self._starts[high] == ends[-1]
        return _settled(
            np.concatenate([self._starts[:low], places, self._starts[high:]]),
            np.concatenate([self._values[:low], values, self._values[high:]]),
        )

    def __getitem__(self, image_id: int) -> float:
        place = int(np.searchsorted(self._starts, image_id, side="right")) - 1
        value = float(self._values[place]) if place >= 0 else np.nan
        if value != value:
            raise KeyError(image_id)
        return value

    def __iter__(self) -> Iterator[int]:
        return (image_id for first, last, _ in self.runs for image_id in range(first, last + 1))

    def __len__(self) -> int:
        return sum(last + 1 - first for first, last, _ in self.runs)

    def __eq__(self, other: Any) -> bool:
        if not isinstance(other, Thresholds):
            return super().__eq__(other)
        return self is other or (
            np.array_equal(self._starts, other._starts)
            and np.array_equal(self._values, other._values, equal_nan=True)
        )

    __hash__ = None  # type: ignore[assignment]  # as of any mapping

    def __repr__(self) -> str:
        return f"Thresholds.of_runs({self.runs})"


def _ascending(ids: Ids) -> Ids:
    """In order, none twice. A selection is so already, and merging a few runs is no work for this sort."""
    ids = ids if (ids[1:] >= ids[:-1]).all() else np.sort(ids, kind="stable")
    once: Ids = ids[np.append(True, ids[1:] != ids[:-1])[: len(ids)]]
    return once


def _checked(starts: Ids, values: Floats) -> Thresholds:
    known = values[~np.isnan(values)]
    is_whole = (
        len(starts) == len(values) and bool((np.diff(starts) > 0).all()) and bool(np.isnan(values[-1:]).all())
    )
    if not is_whole or bool(((known < 0) | (known > 1)).any()):
        raise ValueError("thresholds 0..1 of runs of ids in a row, none twice")
    return _settled(starts, values)


def _settled(starts: Ids, values: Floats) -> Thresholds:
    """Without the places where nothing changes."""
    turns = ~_same(values, np.append(np.nan, values[:-1])[: len(values)])
    return Thresholds(starts[turns], values[turns])


def _same(one: Floats, other: Floats) -> npt.NDArray[np.bool_]:
    same: npt.NDArray[np.bool_] = (one == other) | (np.isnan(one) & np.isnan(other))
    return same


def _alike(one: Thresholds, other: Thresholds, part: slice) -> int:
    """How many places at the beginning of ``part`` both have."""
    same = (one._starts[part] == other._starts[part]) & _same(one._values[part], other._values[part])
    return int(np.append(same, False).argmin())
