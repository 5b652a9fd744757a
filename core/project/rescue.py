"""A damaged project: a copy is kept, and what can still be read becomes a whole project in its place.

SQLite finds its way to each row by trees of pages. A damaged page hides its own rows and no others, so rows
are read from both ends, and one by one around what cannot be read. Where the first page is gone, which says
where the trees begin, that of a new project stands in: all projects are made alike.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.base.atomic import os_errors
from core.base.errors import ProjectError
from core.base.language import tr, trn
from core.project.file import APPLICATION_ID, absolute, connect, errors_as_sentences, to_db
from core.project.migration import data_folder, name_empty, note_trainings
from core.project.schema import insensible, row_checks

_SUFFIXES = ("", "-wal")
_MAX_PROBES = 20_000
_MAX_ID = 1 << 40
_COUNTED = ("image", "box")  # what a person has made or brought; the rest can be made again
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Rescue:
    """What was saved of a damaged project, and where its ``copy`` lies. ``lost`` counts what was not."""

    path: Path
    copy: Path
    images: int
    boxes: int
    lost: int
    unclear: bool

    def sentence(self) -> str:
        """What a person is told."""
        parts = [
            trn("{count} image", "{count} images", self.images),
            trn("{count} box", "{count} boxes", self.boxes),
        ]
        text = tr("“{name}” was damaged; {what} were saved from it.").format(
            name=self.path.name, what=tr("{one} and {other}").format(one=parts[0], other=parts[1])
        )
        if self.lost:
            text += " " + trn("{count} entry was lost.", "{count} entries were lost.", self.lost)
        elif self.unclear:
            text += " " + tr("Some may have been lost.")
        return text + " " + tr("The damaged file was kept as “{copy}”.").format(copy=self.copy.name)


def rescue(path: Path) -> Rescue:
    """Put a whole project with what can be read of the one at ``path`` in its place.

    Raises
    ------
    ProjectError
        Nothing can be read, or there is no room for the copy; the file is as it was then.
    """
    path = absolute(path)
    copy = _free_name(path)
    with (
        os_errors(
            ProjectError, tr("“{name}” is damaged, and no copy of it can be kept: {reason}."), name=path.name
        ),
        tempfile.TemporaryDirectory(prefix=".boxscout-", dir=path.parent) as name,
    ):
        work, made = Path(name) / "damaged", Path(name) / "made"
        _copy(path, work)
        images, boxes, lost, unclear = _read_into(work, made, data_folder(path))
        if not images and not boxes:
            raise ProjectError(
                tr("Nothing can be read from “{name}”; use a backup of it if there is one.").format(
                    name=path.name
                )
            )
        _copy(path, copy)
        _remove_log(path)
        os.replace(made, path)  # noqa: PTH105
    return Rescue(path, copy, images, boxes, lost, unclear)


def _free_name(path: Path) -> Path:
    day = f"{datetime.now():%Y-%m-%d}"
    for number in range(1, 1000):
        more = "" if number == 1 else f" {number}"
        copy = path.with_name(f"{path.stem} damaged {day}{more}{path.suffix}")
        if not copy.exists():
            return copy
    raise ProjectError(tr("“{name}” is damaged; move its earlier copies away.").format(name=path.name))


def _copy(path: Path, to: Path) -> None:
    for suffix in _SUFFIXES:
        source = path.with_name(path.name + suffix)
        if not suffix or source.exists():
            shutil.copyfile(source, to.with_name(to.name + suffix))


def _remove_log(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _read_into(work: Path, made: Path, data: Path) -> tuple[int, int, int, bool]:
    """Read what there is of ``work``, which is changed on the way, into a new project at ``made``.

    How many images and boxes were saved and how many were lost, and whether others may have been.
    """
    with errors_as_sentences(made), closing(connect(made, may_create=True)) as new:
        size = new.execute("PRAGMA page_size").fetchone()[0]
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        new.execute("PRAGMA foreign_keys = OFF")
        with suppress(sqlite3.Error):
            _pad(work, size)
        if not _has_tables(work):
            with made.open("rb") as file:
                _lend_first_page(work, file.read(size))
        result = _fill(work, new, data)
        new.execute("PRAGMA journal_mode = DELETE")
    return result


# ---- a file that SQLite will open ---------------------------------------------------------------------


def _pad(work: Path, size: int) -> None:
    """Pages that a file cut short lacks, as empty ones: SQLite would refuse the whole."""
    with work.open("r+b") as file:
        header = file.read(32)
        here = work.stat().st_size
        said = int.from_bytes(header[28:32], "big") * size
        whole = -(-here // size) * size
        # No more than what may have been: a damaged header may say anything.
        file.truncate(max(whole, said if said <= 4 * here + (1 << 20) else 0))


def _has_tables(work: Path) -> bool:
    try:
        with closing(_open(work)) as db:
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                return False
            names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            for table in ("roots", "image", "box"):
                db.execute(f"SELECT 1 FROM {table} LIMIT 0")  # one whose statement is damaged is listed only
            return {"roots", "image", "box"} <= names
    except (sqlite3.Error, UnicodeDecodeError):
        return False


def _lend_first_page(work: Path, page: bytes) -> None:
    _remove_log(work)
    pages = work.stat().st_size // len(page)
    with work.open("r+b") as file:
        # No free pages, as many pages as there are, and no log beside it.
        header = page[:18] + b"\x01\x01" + page[20:28] + pages.to_bytes(4, "big") + bytes(8) + page[40:]
        file.write(header)


def _open(work: Path) -> sqlite3.Connection:
    db = sqlite3.connect(work, isolation_level=None)
    db.execute("PRAGMA writable_schema = ON")  # makes SQLite open what contradicts itself
    db.execute("PRAGMA cell_size_check = ON")
    db.execute("PRAGMA query_only = ON")
    return db


# ---- row by row ------------------------------------------------------------------------------------------


def _fill(work: Path, new: sqlite3.Connection, data: Path) -> tuple[int, int, int, bool]:
    lost, unclear = 0, False
    with closing(_open(work)) as db:
        for table, checks in row_checks().items():
            names = ", ".join(checks)
            reader = _Reader(db, table, names)
            found = list(reader.rows())
            unclear |= reader.failed
            marks = ", ".join("?" * len(checks))
            new.execute("BEGIN")
            new.executemany(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", found)
            new.execute(f"DELETE FROM {table} WHERE {insensible(checks)}")
            new.execute("COMMIT")
            kept = new.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            if len(found) > kept and table in _COUNTED:
                lost += len(found) - kept
    lost += _make_it_fit(new)
    if not new.execute("SELECT 1 FROM run LIMIT 1").fetchone():  # the trainings still lie beside the project
        note_trainings(new, data)
    if not lost and not unclear:  # else boxes may be among what is lost
        name_empty(new)
    images, boxes = (new.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("image", "box"))
    return images, boxes, lost, unclear


def _make_it_fit(new: sqlite3.Connection) -> int:
    """Drop what belongs to no image, and say how many boxes these are.

    Images of a lost folder get one, which can then be said to have moved.
    """
    missing = "SELECT DISTINCT root_id FROM image WHERE root_id NOT IN (SELECT id FROM roots)"
    roots = [row[0] for row in new.execute(missing)]
    new.executemany(
        "INSERT INTO roots (id, path) VALUES (?, ?)",
        [(root, to_db(str(absolute(Path(f"/lost folder {root}"))))) for root in roots],
    )
    gone = {
        table: new.execute(f"DELETE FROM {table} WHERE image_id NOT IN (SELECT id FROM image)").rowcount
        for table, checks in row_checks().items()
        if "image_id" in checks
    }
    return gone["box"]


class _Reader:
    """The rows of one table that can be read; ``failed`` says that there may be others.

    Rows are known by their first column, and by their second where that is a place among an image's others.
    """

    def __init__(self, db: sqlite3.Connection, table: str, names: str) -> None:
        self._db = db
        self._select = f"SELECT {names} FROM {table} WHERE"
        columns = names.split(", ")
        self._keys = columns[: 2 if columns[1:2] == ["position"] else 1]
        self._seen: set[Row] = set()
        self.failed = False

    def rows(self) -> Iterator[Row]:
        """From the start as far as it goes, from the end, and then each number in between by itself."""
        low, high = -1, _MAX_ID
        for row in self._stretch(low, high, "ASC"):
            low = row[0]
            yield row
        if not self.failed:
            return
        for row in self._stretch(low, high, "DESC"):
            high = row[0]
            yield row
        for number in range(max(low, 0), min(high, low + _MAX_PROBES) + 1):
            yield from self._stretch(number - 1, number + 1, "ASC")

    def _stretch(self, after: int, before: int, order: str) -> Iterator[Row]:
        key = self._keys[0]
        ordered = ", ".join(f"{name} {order}" for name in self._keys)
        statement = f"{self._select} {key} > ? AND {key} < ? ORDER BY {ordered}"
        try:
            for row in self._db.execute(statement, (after, before)):
                known = row[: len(self._keys)]
                if known not in self._seen:
                    self._seen.add(known)
                    yield row
        except (sqlite3.Error, OverflowError, UnicodeDecodeError):
            self.failed = True
