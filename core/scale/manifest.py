"""The list of a data set's images, in the order of their names, in parts that are read one at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from core.base.errors import ImageError
from core.base.language import tr
from core.base.sampling import evenly
from core.scale.dataset import DataSet, arrow_package, numbers_in, part_name, read_table, write_table
from core.scale.entries import Entry

_FOLDER = "images"
_SHARDS_IN_PART = 256


@dataclass(frozen=True, slots=True)
class Task:
    """A shard that is to be made: its number, the place of its first image in the list, and its images."""

    shard: int
    first: int
    entries: tuple[Entry, ...]


def write_manifest(folder: Path, entries: Iterable[Entry], *, shard: int) -> int:
    """Write the list of a data set in ``folder``; how many images it has.

    Parts that an interrupted listing has left are replaced.

    Raises
    ------
    ImageError
        There is no image.
    BoxscoutError
        It cannot be written.
    """
    place, upcoming, count = folder / _FOLDER, iter(entries), 0
    number = 0
    while some := list(islice(upcoming, shard * _SHARDS_IN_PART)):
        place.mkdir(parents=True, exist_ok=True)
        columns = {name: [getattr(entry, name) for entry in some] for name in Entry.__slots__}
        write_table(place / part_name(number), arrow_package().table(columns, schema=_schema()))
        number, count = number + 1, count + len(some)
    if not count:
        raise ImageError(tr("There is no image to find boxes in."))
    for left in numbers_in(place):
        if left >= number:
            (place / part_name(left)).unlink()
    return count


def tasks(data_set: DataSet, *, without: Collection[int] = ()) -> Iterator[Task]:
    """The shards in their order, but those of ``without``; one part of the list is in memory at a time.

    Raises
    ------
    BoxscoutError
        A part of the list is missing or damaged.
    """
    size = data_set.made.shard
    for number in range(-(-data_set.shards // _SHARDS_IN_PART)):
        first = number * _SHARDS_IN_PART
        wanted = [s for s in range(first, min(first + _SHARDS_IN_PART, data_set.shards)) if s not in without]
        if not wanted:
            continue
        table = read_table(data_set.folder / _FOLDER / part_name(number), _schema())
        for shard in wanted:
            rows = table.slice((shard - first) * size, size).to_pylist()
            yield Task(shard, shard * size, tuple(Entry(**row) for row in rows))


def sampled(data_set: DataSet, most: int) -> list[Entry]:
    """At most ``most`` images of the list, evenly from all; only parts that hold one of them are read."""
    places = set(evenly(data_set.made.images, most).tolist())
    wanted = {place // data_set.made.shard for place in places}
    others = set(range(data_set.shards)) - wanted
    return [
        entry
        for task in tasks(data_set, without=others)
        for place, entry in enumerate(task.entries, task.first)
        if place in places
    ]


def _schema() -> Any:
    arrow = arrow_package()
    text, number = arrow.string(), arrow.int64()
    return arrow.schema([("address", text), ("name", text), ("size_bytes", number), ("version", text)])
