"""Writing a file so that its name always holds a whole file: the old one or the new one."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.base.errors import BoxscoutError, as_reason
from core.base.language import tr

_TEMPORARY = re.compile(r"\.boxscout-[0-9a-f]{12}\.(tmp|old)")
_FORGOTTEN_S = 24 * 3600.0  # longer than anything is being written
_LOOKED_AT = 4096  # bytes: pictures, projects and trainings hold a zero among the first of them
# What a file system answers that cannot sync a folder; the rename itself has worked by then.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EISDIR, errno.EBADF}


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; what is written there takes ``path``'s place at the end.

    The temporary file is fsynced and renamed, then the folder is fsynced. Where anything fails, the body
    included, the temporary file goes and ``path`` stays as it was. A link is followed: the file it
    points to is replaced and the link stays.

    Raises
    ------
    OSError
        As the system gives it; :func:`os_reason` makes a sentence of it.
    """
    target = Path(os.path.realpath(path))
    mode = _replaceable_mode(target)
    temporary = temporary_name(target.parent, "tmp")
    try:
        yield temporary
        _sync_file(temporary)
        if mode is not None:
            temporary.chmod(mode)
        os.replace(temporary, target)  # noqa: PTH105 - the one call that tests make fail
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``, which is missing or empty; at the end it takes its name.

    Where anything fails, the body included, nothing is left of it. A link is followed.

    Raises
    ------
    OSError
        As the system gives it.
    """
    target = Path(os.path.realpath(path))
    remove_forgotten(target.parent)
    temporary = temporary_name(target.parent, "tmp")
    try:
        temporary.mkdir()
        yield temporary
        if target.exists():
            target.rmdir()
        temporary.rename(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def temporary_name(folder: Path, ending: str) -> Path:
    """A new name in ``folder`` that :func:`remove_forgotten` knows; ``ending`` is ``tmp`` or ``old``.

    It is short and unrelated to a target's, which may be as long as the file system allows.
    """
    return folder / f".boxscout-{secrets.token_hex(6)}.{ending}"


def is_temporary(path: Path) -> bool:
    """Whether :func:`temporary_name` has given this name."""
    return _TEMPORARY.fullmatch(path.name) is not None


def remove_forgotten(folder: Path) -> None:
    """Remove what was being written in ``folder`` when a program was killed, a day ago or longer."""
    with suppress(OSError):
        for path in folder.iterdir():
            if is_temporary(path) and time.time() - path.lstat().st_mtime > _FORGOTTEN_S:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` by :func:`atomic_write`."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)


def keep_other_kinds(path: Path) -> None:
    """OSError where a text file would take the place of one that is none, such as a photo or a project."""
    try:
        with path.open("rb") as file:
            is_text = b"\0" not in file.read(_LOOKED_AT)
    except OSError:
        return  # nothing there, or no ordinary file: the writing says what is wrong
    if not is_text:
        raise OSError(
            errno.EEXIST, tr("a file of another kind is there already, so choose another name"), str(path)
        )


def os_reason(error: OSError) -> str:
    """Why a file could not be written or read, as the end of a sentence, without the file's name."""
    reasons = {
        errno.ENOSPC: tr("the disk is full"),
        errno.EDQUOT: tr("your share of the disk is used up"),
        errno.EACCES: tr("you may not write there"),
        errno.EPERM: tr("you may not write there"),
        errno.EROFS: tr("that place is read-only"),
        errno.ENOENT: tr("its folder does not exist"),
        errno.ENOTDIR: tr("its folder is a file"),
        errno.EISDIR: tr("it is a folder"),
        errno.ENAMETOOLONG: tr("its name is too long"),
        errno.EFBIG: tr("the file would be too large for this disk"),
        errno.EIO: tr("the disk reports a fault"),
    }
    return reasons.get(error.errno or 0) or as_reason(error.strerror or error)


@contextmanager
def os_errors(kind: type[BoxscoutError], text: str, **fields: object) -> Iterator[None]:
    """Turn an OSError of the body into one of ``kind``; :func:`os_reason` is the ``{reason}`` in ``text``."""
    try:
        yield
    except OSError as error:
        raise kind(text.format(**fields, reason=os_reason(error))) from error


def _replaceable_mode(target: Path) -> int | None:
    """The permissions of the file to be replaced; None where there is none yet."""
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, tr("it is not an ordinary file"), str(target))
    return stat.S_IMODE(mode)


def _sync_file(path: Path) -> None:
    # Opened for writing: Windows refuses to sync a read-only handle.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows opens no folder; a folder may be writable and not readable.
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
