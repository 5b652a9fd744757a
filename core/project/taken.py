"""When the photos of a project were taken.

The time is kept in the project, once read. A position is not: it stays in the photos, is read again for the
export that asks for it, and so leaves with no copy of the project (docs/decisions/0029-positions.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np

from core.base.errors import Cancelled, ImageError, ReadOnlyProjectError
from core.base.language import tr
from core.images.decoding import read_taken
from core.images.exif import Position, Taken
from core.project.facts import TakenFacts
from core.project.rows import ImageRecord
from core.project.store import Project

OnProgress = Callable[[int, int], None]

_BATCH = 500
_THREADS = 4


def note_taken(project: Project, taken: Mapping[int, Taken]) -> None:
    """Keep, by image id, when photos were taken, and whether they hold a position."""
    rows = [(i, one.time, one.position is not None) for i, one in taken.items()]
    with project.transaction() as db:
        db.executemany("INSERT OR REPLACE INTO taken (image_id, time, placed) VALUES (?, ?, ?)", rows)


def read_times(
    project: Project,
    *,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[int, Taken]:
    """Read the header of each photo that was not read before, keep what it says, and return that by image id.

    One that cannot be read is tried again the next time. A project that may only be read keeps nothing.

    Raises
    ------
    Cancelled
        ``cancelled()`` became true; what was read until then is kept.
    """
    known = {row[0] for row in project.select("SELECT image_id FROM taken")}
    missing = [record for record in project.images() if record.id not in known]
    found: dict[int, Taken] = {}
    for some in _each_read(missing, on_progress, cancelled):
        with suppress(ReadOnlyProjectError):
            note_taken(project, some)
        found |= some
    return found


def taken_times(project: Project) -> dict[int, str]:
    """The time of each photo that has one, ISO 8601 as :class:`Taken` has it, by image id."""
    return dict(project.select("SELECT image_id, time FROM taken WHERE time <> ''"))


def taken_facts(project: Project) -> TakenFacts:
    """What the list's filters and orders know of times."""
    rows = project.select(
        "SELECT image_id, CAST(strftime('%s', substr(time, 1, 19)) AS INTEGER), placed FROM taken "
        "ORDER BY image_id"
    )
    return TakenFacts(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.float64),  # None becomes NaN
        np.array([row[2] for row in rows], np.bool_),
    )


def positions(
    records: Sequence[ImageRecord],
    *,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[int, Position]:
    """Where photos were taken, by image id, read from their headers now; those without are left out.

    Raises
    ------
    Cancelled
        ``cancelled()`` became true.
    """
    found: dict[int, Position] = {}
    for some in _each_read(records, on_progress, cancelled):
        found |= {i: one.position for i, one in some.items() if one.position is not None}
    return found


def _each_read(
    records: Sequence[ImageRecord],
    on_progress: OnProgress | None,
    cancelled: Callable[[], bool] | None,
) -> Iterator[dict[int, Taken]]:
    """What the headers of photos say, some at a time; those that cannot be read are left out."""
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="headers") as pool:
        for start in range(0, len(records), _BATCH):
            if cancelled is not None and cancelled():
                raise Cancelled(tr("Stopped before all photos were read."))
            some = records[start : start + _BATCH]
            read = zip(some, pool.map(_read, some), strict=True)
            yield {record.id: one for record, one in read if one is not None}
            if on_progress is not None:
                on_progress(min(start + _BATCH, len(records)), len(records))


def _read(record: ImageRecord) -> Taken | None:
    try:
        return read_taken(record.path)
    except (ImageError, OSError):
        return None
