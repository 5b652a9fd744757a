"""A project file, open, whatever it holds: opening, closing, copying, and statements one after another."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from core.base.atomic import atomic_write, os_errors
from core.base.errors import ProjectError, ReadOnlyProjectError
from core.base.language import tr
from core.project.file import (
    READ_ONLY,
    absolute,
    connect,
    connect_to_copy,
    errors_as_sentences,
    make_folder,
    settle_log,
)
from core.project.migration import data_folder

Opened = TypeVar("Opened", bound="Database")


class Database:
    """A project's file, open. Any thread may call any method; calls wait for one another.

    Open one by :meth:`open`, :meth:`open_or_create`, :meth:`open_to_read` or :meth:`open_to_look`. Every
    method raises :class:`~core.base.errors.ProjectError` where the file cannot be
    read or written, after which the file holds what it held before the call.
    """

    def __init__(
        self, path: Path, db: sqlite3.Connection, *, is_copy: bool = False, is_frozen: bool = False
    ) -> None:
        self._path = path
        self._db = db
        self._is_copy, self._is_frozen = is_copy, is_frozen
        self._lock = threading.RLock()

    # -- opening and closing ------------------------------------------------------------------

    @classmethod
    def open(cls: type[Opened], path: Path) -> Opened:
        """The project at ``path``.

        Raises
        ------
        ProjectError
            It is missing, not a project, from a newer Boxscout, damaged, read-only or in use.
        """
        path = absolute(path)
        return cls(path, connect(path, may_create=False))

    @classmethod
    def open_or_create(cls: type[Opened], path: Path) -> Opened:
        """:meth:`open`, or a new project where nothing but an empty file lies at ``path``."""
        path = absolute(path)
        return cls(path, connect(path, may_create=True))

    @classmethod
    def open_to_read(cls: type[Opened], path: Path) -> Opened:
        """:meth:`open`, or where the file or its folder is read-only a copy of it as it is now.

        Every change of such a copy is refused.
        """
        return cls._open_or_copy(path, is_frozen=True)

    @classmethod
    def open_to_look(cls: type[Opened], path: Path) -> Opened:
        """:meth:`open_to_read`, but such a copy takes changes, which are gone once it is closed.

        For a window, which notes all the time what is looked at.
        """
        return cls._open_or_copy(path, is_frozen=False)

    @classmethod
    def _open_or_copy(cls: type[Opened], path: Path, *, is_frozen: bool) -> Opened:
        path = absolute(path)
        try:
            return cls.open(path)
        except ReadOnlyProjectError:
            return cls(path, connect_to_copy(path), is_copy=True, is_frozen=is_frozen)

    def close(self) -> None:
        """Fold the log into the file, so that one file remains, and close; twice does no harm."""
        with self._lock:
            with suppress(sqlite3.Error):
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            with errors_as_sentences(self._path):
                self._db.close()

    def __enter__(self: Opened) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        return self._path

    @property
    def is_copy(self) -> bool:
        """Whether this is a copy in memory of a file that may only be read: nothing is kept."""
        return self._is_copy

    @property
    def data_dir(self) -> Path:
        """The folder for checkpoints and the pixel cache, beside the project; made when asked for.

        Beside a project that may only be read it is not made.
        """
        folder = data_folder(self._path)
        if not self._is_copy:
            make_folder(folder, parents=False)
        return folder

    def backup(self, path: Path) -> None:
        """Save a copy of the project file as ``path``, whole or not at all. ``data_dir`` stays behind.

        Raises
        ------
        ProjectError
            The place cannot be written, or is this project itself, or is open elsewhere.
        """
        path = absolute(path)
        if path == self._path or (path.exists() and path.samefile(self._path)):
            raise ProjectError(tr("A project cannot be saved onto itself; choose another name."))
        settle_log(path)
        with (
            os_errors(
                ProjectError, tr("The project could not be saved as “{name}”: {reason}."), name=path.name
            ),
            atomic_write(path) as temporary,
            errors_as_sentences(path),
        ):
            copy = sqlite3.connect(temporary)
            try:
                with self._lock:
                    self._db.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # so that the copy is one file
            finally:
                copy.close()

    # -- statements ---------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection inside one write transaction: all of the body is kept, or nothing.

        Within another one it is a part of that.
        """
        with self._lock, errors_as_sentences(self._path):
            if self._db.in_transaction:
                yield self._db
                return
            if self._is_frozen:
                raise ReadOnlyProjectError(tr(READ_ONLY).format(name=self._path.name))
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled back already
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def beside(self, path: Path) -> Iterator[None]:
        """Within, statements can read the project at ``path`` as ``beside``; not within a transaction."""
        with self._lock, errors_as_sentences(self._path):
            self._db.execute("ATTACH DATABASE ? AS beside", (os.fsencode(path),))
            try:
                yield
            finally:
                self._db.execute("DETACH DATABASE beside")

    def _many(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        with self.transaction() as db:
            db.executemany(statement, rows)

    def select(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Every row of a reading statement, fetched under the lock; objects are made of them outside it."""
        with self._lock, errors_as_sentences(self._path):
            return self._db.execute(statement, values).fetchall()
