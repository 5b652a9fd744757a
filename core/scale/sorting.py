"""Sorting more entries than memory holds: sorted runs on the disk, merged."""

from __future__ import annotations

import heapq
import itertools
import tempfile
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

from core.base.language import tr
from core.scale.entries import Entry
from core.scale.extras import needed

RUN = 100_000
"""Entries that are sorted in memory, tens of MB; more go to the disk in runs of so many."""
_ROWS = 1024  # of each run that are in memory while runs are merged
_by_name = attrgetter("name", "address")


def sorted_by_name(entries: Iterable[Entry], *, run: int = RUN) -> Iterator[Entry]:
    """``entries`` by name, in the order of code points; of those of one name by address.

    No more than ``run`` of them are in memory, and a few rows of each run. The runs lie in the system's
    folder for temporary files and are gone when the iterator ends or is closed.
    """
    upcoming = iter(entries)
    first = sorted(itertools.islice(upcoming, run), key=_by_name)
    if len(first) < run:
        yield from first
        return
    with tempfile.TemporaryDirectory(prefix="boxscout-") as folder:
        files: list[Path] = []
        while first:
            files.append(_written(Path(folder) / f"{len(files):06d}.parquet", first))
            first = sorted(itertools.islice(upcoming, run), key=_by_name)
        yield from heapq.merge(*map(_read, files), key=_by_name)


def _written(path: Path, entries: list[Entry]) -> Path:
    arrow, parquet = _needed("pyarrow"), _needed("pyarrow.parquet")
    columns = {name: [getattr(entry, name) for entry in entries] for name in Entry.__slots__}
    parquet.write_table(arrow.table(columns), path, row_group_size=_ROWS)
    return path


def _read(path: Path) -> Iterator[Entry]:
    with _needed("pyarrow.parquet").ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS):
            yield from map(Entry, *(batch.column(name).to_pylist() for name in Entry.__slots__))


def _needed(module: str) -> Any:
    return needed(module, extra="scale", what=tr("More images than fit in memory"))
