"""The project as a file: how it is made and opened, and what SQLite's errors mean to a person."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from core.base.atomic import os_errors
from core.base.errors import DamagedProjectError, ProjectError, ReadOnlyProjectError, as_reason
from core.base.language import mark, tr
from core.project.migration import data_folder, migrate
from core.project.schema import LATER_TABLES, SCHEMA, insensible, row_checks

APPLICATION_ID = 0x42785363  # "BxSc", at byte 68 of the file
SUFFIX = ".boxscout"  # how projects' names end
SCHEMA_VERSION = 3  # what older ones lack: core.project.migration
BUSY_SECONDS = 5.0
READ_ONLY = mark("“{name}” cannot be changed: the file or its folder is read-only, or you may not open it.")
NO_PROJECT = mark("“{name}” is not a Boxscout project.")
DAMAGED = mark("“{name}” is damaged. Open it in the window or run 'repair' to save what can be read.")

FULL = mark("The disk is full: “{name}” could not be opened. Free some space and try again.")

_SMALLEST_PAGE = 512  # bytes
_ROOM = 1 << 16  # bytes that SQLite needs beside a project that is open
# Heat maps and what belongs to them can be made again and are by far the largest part: not worth reading
# through at each opening. Where they are read, a row without sense is passed over.
_UNCHECKED_TABLES = frozenset({"heat_map", "signature", "class_map"})


def connect(path: Path, *, may_create: bool) -> sqlite3.Connection:
    """An open, checked and writable connection to the project at ``path``.

    A missing or empty file becomes a new project where ``may_create`` says so. A file that is not ours
    is not touched at all.

    Raises
    ------
    ProjectError
        Not a project, a newer one, damaged, read-only, in use, or in a folder that is missing.
    """
    _check_header(path, may_create=may_create)
    with errors_as_sentences(path):
        db = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            _prepare(db, path, may_create=may_create)
        except BaseException:
            db.close()
            raise
    return db


def connect_to_copy(path: Path) -> sqlite3.Connection:
    """A checked copy, in memory, of the project at ``path`` as it is now; nothing is written beside it.

    Raises
    ------
    ProjectError
        Not a project, a newer one, damaged, or one that may not be read.
    """
    _check_header(path, may_create=False, to_write=False)
    with errors_as_sentences(path):
        db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        try:
            _copy_into(db, path)
            _prepare(db, path, may_create=False)  # with the tables that an older project lacks
        except BaseException:
            db.close()
            raise
    return db


def _copy_into(db: sqlite3.Connection, path: Path) -> None:
    log = path.with_name(path.name + "-wal")
    if not log.exists():  # nobody has it open, so that it may be read as the bytes that it is
        _back_up(f"{path.as_uri()}?mode=ro&immutable=1", db)
        return
    try:
        _back_up(f"{path.as_uri()}?mode=ro", db)
    except sqlite3.OperationalError:
        # A kill left a log, and SQLite wants to write beside it before it reads what the log holds.
        with tempfile.TemporaryDirectory(prefix="boxscout-") as folder:
            for file in (path, log):
                shutil.copyfile(file, Path(folder) / file.name)
            _back_up((Path(folder) / path.name).as_uri(), db)


def _back_up(uri: str, db: sqlite3.Connection) -> None:
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as source:
        source.backup(db)


def _check_header(path: Path, *, may_create: bool, to_write: bool = True) -> None:
    """Refuse what the first bytes show not to be ours, before SQLite may change anything there."""
    try:
        if path.exists() and not path.is_file():
            raise _no_project(path)
        # For writing too: SQLite would open a read-only file without a word and fail at the first edit.
        with path.open("r+b" if to_write else "rb") as file:
            header = file.read(72)
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise ProjectError(
                tr("The folder “{parent}” does not exist.").format(parent=path.parent)
            ) from None
        if not may_create:
            raise ProjectError(
                tr("There is no project “{name}” in “{parent}”.").format(name=path.name, parent=path.parent)
            ) from None
        return
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ReadOnlyProjectError(tr(READ_ONLY).format(name=path.name)) from error
        raise ProjectError(
            tr("“{name}” cannot be opened: {reason}.").format(
                name=path.name, reason=as_reason(error.strerror or error)
            )
        ) from error
    if header and header[:16] != b"SQLite format 3\x00":
        # Too short for a single page of SQLite's is nothing that could be saved from.
        kind = DamagedProjectError if path.stat().st_size >= _SMALLEST_PAGE else ProjectError
        raise kind(tr(NO_PROJECT).format(name=path.name))
    if header and int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise _no_project(path)


def _prepare(db: sqlite3.Connection, path: Path, *, may_create: bool) -> None:
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    # With the write lock: two programs that create the same project at once must not both do it.
    db.execute("BEGIN IMMEDIATE")
    try:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        kinds = {kind for (kind,) in db.execute("SELECT DISTINCT type FROM sqlite_master")}
        blank = not kinds
        if blank and application == 0 and may_create:
            _create_schema(db)
        # Views and triggers are somebody else's work: they can do anything at a reading, also for ever.
        elif application != APPLICATION_ID or blank or kinds & {"view", "trigger"}:
            raise _no_project(path)
        elif version > SCHEMA_VERSION:
            raise ProjectError(
                tr("“{name}” was made by a newer Boxscout. Update Boxscout to open it.").format(
                    name=path.name
                )
            )
        for statement in LATER_TABLES:
            db.execute(statement)
        if not blank and version < SCHEMA_VERSION:
            migrate(db, data_folder(path), version)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    # Only now: the header with our mark was committed to the file itself, not to a log beside it.
    db.execute("PRAGMA journal_mode = WAL")
    _check_tables(db, path)


def _check_tables(db: sqlite3.Connection, path: Path) -> None:
    """A table that is missing, or a value that no Boxscout wrote: better found here than in the window."""
    checks = {table: own for table, own in row_checks().items() if table not in _UNCHECKED_TABLES}
    for table in checks:
        if db.execute(f"PRAGMA quick_check('{table}')").fetchone()[0] != "ok":
            raise _damaged(path)
    for table, own in checks.items():
        if db.execute(f"SELECT 1 FROM {table} WHERE {insensible(own)} LIMIT 1").fetchone():
            raise _damaged(path)
    if db.execute("PRAGMA foreign_key_check('image')").fetchone():  # an image whose folder is lost
        raise _damaged(path)


def _create_schema(db: sqlite3.Connection) -> None:
    """All tables and our mark, in the transaction that the caller holds: a kill leaves all or nothing."""
    for statement in SCHEMA:
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


# By what SQLite's own sentence holds: the error codes reach Python only from 3.11 on, and SQLite keeps these
# texts fixed.
_SENTENCES = {
    "full": mark(
        "The disk is full: the last change could not be saved in “{name}”. Free some space and try again."
    ),
    "readonly": READ_ONLY,
    "unable to open": mark("“{name}” cannot be opened: its folder is missing or read-only."),
    "locked": mark("“{name}” is in use by another program; close it there and try again."),
    "not a database": NO_PROJECT,
    "malformed": DAMAGED,
    "no such table": DAMAGED,
    "no such column": DAMAGED,
    "closed database": mark("The project “{name}” has been closed."),
    "disk I/O": mark("The disk reports a fault at “{name}”; the last change may not be saved."),
    "FOREIGN KEY": mark("This image is no longer in “{name}”. Open the project again."),
}


@contextmanager
def errors_as_sentences(path: Path) -> Iterator[None]:
    """Turn every ``sqlite3.Error`` of the body into a :class:`ProjectError` about ``path``."""
    try:
        yield
    except sqlite3.Error as error:
        said = str(error)
        sentence = next((text for part, text in _SENTENCES.items() if part in said), None)
        # SQLite says that a disk is full where it writes, and not where it makes a file of its own.
        if "disk I/O" in said and _is_full(path.parent):
            sentence = FULL
        if sentence is None:
            text = tr("“{name}” could not be read or changed: {said}.")
            raise ProjectError(text.format(name=path.name, said=as_reason(error))) from error
        kind = DamagedProjectError if sentence == DAMAGED else ProjectError
        if any(part in said for part in ("readonly", "unable to open")):
            kind = ReadOnlyProjectError
        raise kind(tr(sentence).format(name=path.name)) from error
    except UnicodeDecodeError as error:  # SQLite's own sentence quotes what is damaged
        raise _damaged(path) from error


def _is_full(folder: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(folder).free < _ROOM
    return False


def _damaged(path: Path) -> DamagedProjectError:
    return DamagedProjectError(tr(DAMAGED).format(name=path.name))


def _no_project(path: Path) -> ProjectError:
    return ProjectError(tr(NO_PROJECT).format(name=path.name))


def absolute(path: Path) -> Path:
    """``path`` from the root of the file system, by the name that the person knows."""
    # Not resolve(): a link stays the name that the person knows.
    return Path(os.path.abspath(path))  # noqa: PTH100


def make_folder(folder: Path, *, parents: bool = True, shown: str = "") -> None:
    """Make ``folder``, which belongs to a project, where it is missing; ``shown`` is its name to a person."""
    with os_errors(
        ProjectError,
        tr("The folder “{name}” cannot be made beside the project: {reason}."),
        name=shown or folder.name,
    ):
        folder.mkdir(parents=parents, exist_ok=True)


def settle_log(path: Path) -> None:
    """Fold away the log of a project about to be replaced: SQLite would replay it into the new file."""
    log = path.with_name(path.name + "-wal")
    if not log.exists():
        return
    with suppress(sqlite3.Error, OSError):
        if not path.exists():
            log.unlink()
            return
        old = sqlite3.connect(path)
        try:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            old.close()  # the last one to close takes the log away
    if log.exists():
        raise ProjectError(
            tr("“{name}” is open in another program; close it there or choose another name.").format(
                name=path.name
            )
        )


def to_db(text: str) -> str | bytes:
    """``text`` as SQLite can hold it: names that are not UTF-8 (lone surrogates) go in as bytes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def from_db(value: str | bytes) -> str:
    """What :func:`to_db` was given."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value
