"""Frozen features of images, kept beside the project: what corrections teach is then read in milliseconds.

They are rounded to 8 bits, each channel of an image by its own scale. Kept is what a corrected unit has read,
up to a cap; what was used longest ago goes first. All of it can be made again from the images.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.base.atomic import os_errors, os_reason
from core.base.errors import ProjectError
from core.base.language import tr
from core.base.preferences import load, settings_file
from core.maps.localizer import Localizer
from core.nets.features import Maps
from core.project.store import ImageRecord

FILE = "features.db"
GIGABYTE = 1_000_000_000
"""Holds some 3,300 images of 576 pixels."""
_LEVELS = 127
_LEAST = 1e-9
_TABLES = (
    """CREATE TABLE IF NOT EXISTS described (
        image_id INTEGER PRIMARY KEY, reader TEXT NOT NULL, size_bytes INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
        shapes TEXT NOT NULL, bytes INTEGER NOT NULL, used INTEGER NOT NULL, data BLOB NOT NULL)""",
    "CREATE INDEX IF NOT EXISTS by_use ON described (used)",
)


def cap_set() -> int:
    """How many bytes a project may keep, by the settings of the program."""
    return load(settings_file())[0].kept_features * GIGABYTE


def kept_bytes(folder: Path) -> int:
    """How many bytes the features take that are kept in ``folder``."""
    return sum(file.stat().st_size for file in _files(folder))


def delete_kept(folder: Path) -> None:
    """Delete the features that are kept in ``folder``.

    Raises
    ------
    ProjectError
        They cannot be deleted.
    """
    with os_errors(ProjectError, tr("The kept features cannot be deleted: {reason}.")):
        for file in _files(folder):
            file.unlink()


def _files(folder: Path) -> list[Path]:
    found = (folder / f"{FILE}{suffix}" for suffix in ("-wal", "-shm", ""))
    return [file for file in found if file.is_file()]


@dataclass(frozen=True, slots=True)
class KeptFeatures:
    """One image's features as they were kept: ``maps`` of one image each, and its size in pixels."""

    maps: Maps
    size: tuple[int, int]


class DescribedCache:
    """The file in ``folder`` of at most ``cap`` bytes, by default those of the settings.

    Where it cannot be read or written, nothing is kept and ``note`` says why.
    """

    def __init__(self, folder: Path, reader: str, *, cap: int | None = None) -> None:
        self._reader, self.note = reader, ""
        self._cap = cap_set() if cap is None else cap
        self._db: sqlite3.Connection | None = None
        self._file = folder / FILE
        self._open()

    def _open(self, *, again: bool = True) -> None:
        file = self._file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
            return
        self._db = db
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")  # what is lost can be made again
            for statement in _TABLES:
                db.execute(statement)
            (self._bytes,) = db.execute("SELECT coalesce(sum(bytes), 0) FROM described").fetchone()
            (last,) = db.execute("SELECT coalesce(max(used), 0) FROM described").fetchone()
            self._now = int(last) + 1
        except sqlite3.Error as error:
            self._mend(error, again=again)

    def _mend(self, error: sqlite3.Error, *, again: bool = True) -> None:
        """Begin a damaged file anew, once; give up where that is not what is wrong, such as a full disk."""
        self.close()
        is_damaged = not isinstance(error, sqlite3.OperationalError) or "no such column" in str(error)
        if not again or not is_damaged:
            self._give_up(error)
            return
        with suppress(OSError):
            for file in _files(self._file.parent):
                file.unlink()
        self._open(again=False)

    def _give_up(self, error: OSError | sqlite3.Error) -> None:
        self._db = None
        self.note = os_reason(error) if isinstance(error, OSError) else str(error)

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None

    def get(self, record: ImageRecord) -> KeptFeatures | None:
        """The features of an image, where its file is still the one that they are of."""
        if self._db is None:
            return None
        asked = (record.id, self._reader, record.size_bytes, record.mtime_ns)
        try:
            row = self._db.execute(
                """SELECT shapes, width, height, data FROM described
                   WHERE (image_id, reader, size_bytes, mtime_ns) = (?, ?, ?, ?)""",
                asked,
            ).fetchone()
            if row is None:
                return None
            self._db.execute("UPDATE described SET used = ? WHERE image_id = ?", (self._now, record.id))
            shapes, width, height, data = row
            return KeptFeatures(_unpacked(shapes, data), (int(width), int(height)))
        except sqlite3.Error as error:
            self._mend(error)
        except (ValueError, TypeError):  # a damaged row: made again
            pass
        return None

    def put(self, record: ImageRecord, maps: Maps, size: tuple[int, int]) -> None:
        """Keep the features of an image: for each stride float32 (1, C, h, w)."""
        if self._db is None:
            return
        shapes, data = _packed(maps)
        try:
            (before,) = self._db.execute(
                "SELECT coalesce(sum(bytes), 0) FROM described WHERE image_id = ?", (record.id,)
            ).fetchone()
            if not self._made_room(len(data) - int(before)):
                return
            self._db.execute(
                "INSERT OR REPLACE INTO described VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(record.id, self._reader, record.size_bytes, record.mtime_ns),
                    *(*size, shapes, len(data), self._now, data),
                ),
            )
            self._bytes += len(data) - int(before)
        except sqlite3.Error as error:
            self._mend(error)

    def _made_room(self, more: int) -> bool:
        """Whether there is room for ``more`` bytes, once what earlier passes used has gone."""
        assert self._db is not None, "asked where there is a file"
        while self._bytes + more > self._cap:
            row = self._db.execute(
                "SELECT image_id, bytes FROM described WHERE used < ? ORDER BY used LIMIT 1", (self._now,)
            ).fetchone()
            if row is None:  # all was used just now: another image would only take the place of one of these
                return False
            self._db.execute("DELETE FROM described WHERE image_id = ?", (row[0],))
            self._bytes -= int(row[1])
        return True


def reader_of(localizer: Localizer) -> str:
    """What tells apart the features that units read: which network's, at what size, which of its maps."""
    form = localizer.form
    of_form = form.size, form.keep_aspect, form.multiple
    parts = (localizer.sha256, *of_form, localizer.strides, localizer.normalise)
    return " ".join(map(str, parts))


def _packed(maps: Maps) -> tuple[str, bytes]:
    shapes, parts = [], []
    for one in maps:
        (own,) = one
        scales = np.maximum(np.abs(own).max(axis=(1, 2)) / _LEVELS, _LEAST).astype(np.float32)
        parts += [scales.tobytes(), np.rint(own / scales[:, None, None]).astype(np.int8).tobytes()]
        shapes.append("x".join(map(str, own.shape)))
    return " ".join(shapes), b"".join(parts)


def _unpacked(shapes: str, data: bytes) -> Maps:
    """ValueError where ``data`` is not what :func:`_packed` made."""
    maps: list[npt.NDArray[np.float32]] = []
    start = 0
    for text in shapes.split():
        channels, height, width = map(int, text.split("x"))
        scales = np.frombuffer(data, np.float32, channels, start)
        start += scales.nbytes
        levels = np.frombuffer(data, np.int8, channels * height * width, start)
        start += levels.nbytes
        own = levels.reshape(1, channels, height, width).astype(np.float32)
        own *= scales[:, None, None]
        maps.append(own)
    if start != len(data) or not maps:
        raise ValueError
    return tuple(maps)


def together(kept: Sequence[KeptFeatures]) -> Maps:
    """The features of several images of one shape, as :meth:`Localizer.heat` wants them."""
    return tuple(np.concatenate([one.maps[i] for one in kept]) for i in range(len(kept[0].maps)))
