"""Decoding many files in threads, in their order, a few ahead of what uses them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.base.errors import Cancelled, ImageError
from core.base.language import mark, tr
from core.images.decoding import Decoded, UnavailableError, unavailable
from core.images.scan import ImageFile

CHANGED = mark("The file changed while it was being read; scan the folder again.")

T = TypeVar("T")

_AHEAD = 4  # files per thread that are being decoded or wait to be used
_CANCEL_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that cannot be used, and why; ``again`` where it could not be reached just now."""

    reason: str
    again: bool


def none_usable(count: int, first: Failure) -> ImageError:
    """What to raise where none of ``count`` files can be used, the ``first`` for its reason."""
    text = tr("There is no usable image: none of {count:,} files can be used.{first}")
    return ImageError(text.format(count=count, first=tr(" The first: {0}").format(first.reason)))


def decode_all(
    files: Iterable[T],
    decode: Callable[[Path], Decoded],
    *,
    opened: Callable[[T], AbstractContextManager[ImageFile]] = nullcontext,  # type: ignore[assignment]
    workers: int | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Generator[Decoded | Failure, None, None]:
    """What ``decode`` makes of each file, in the files' order; only a few per thread exist at a time.

    Parameters
    ----------
    decode
        Called in several threads; may raise what :func:`core.images.decoding.decode` raises.
    opened
        Gives each of ``files``, where they are something else, as a file for as long as it is decoded; may
        raise what ``decode`` may.
    workers
        Threads that decode; by default one per core, 8 at most. With 0 this thread decodes, nothing ahead.
    cancelled
        Asked between files.

    Raises
    ------
    Cancelled
        ``cancelled()`` became true. No thread outlives the generator, also where it is closed.
    """
    if workers == 0:
        yield from _decode_here(files, decode, opened, cancelled or (lambda: False))
        return
    workers = workers or min(8, os.cpu_count() or 1)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    waiting: deque[Future[Decoded | Failure]] = deque()
    upcoming = iter(files)
    try:
        while True:
            while len(waiting) < _AHEAD * workers and (file := next(upcoming, None)) is not None:
                waiting.append(pool.submit(_decode_unchanged, file, decode, opened))
            if not waiting:
                return
            yield _result(waiting.popleft(), cancelled or (lambda: False))
    finally:
        # Also on Ctrl-C: what has not begun never begins, and no thread outlives this call.
        pool.shutdown(wait=True, cancel_futures=True)


def state_of(file: ImageFile) -> tuple[int, int]:
    """Size in bytes and time of change in nanoseconds, as they are now; OSError where it is not there."""
    status = file.path.stat()
    return status.st_size, status.st_mtime_ns


def _decode_here(
    files: Iterable[T],
    decode: Callable[[Path], Decoded],
    opened: Callable[[T], AbstractContextManager[ImageFile]],
    cancelled: Callable[[], bool],
) -> Generator[Decoded | Failure, None, None]:
    for file in files:
        _check(cancelled)
        yield _decode_unchanged(file, decode, opened)


def _decode_unchanged(
    given: T, decode: Callable[[Path], Decoded], opened: Callable[[T], AbstractContextManager[ImageFile]]
) -> Decoded | Failure:
    try:
        with opened(given) as file:
            before = state_of(file)
            if before != (file.size_bytes, file.mtime_ns):
                return Failure(tr(CHANGED), again=True)
            decoded = decode(file.path)
            if state_of(file) != before:
                return Failure(tr(CHANGED), again=True)
    except OSError as error:
        return Failure(unavailable(error), again=True)
    except ImageError as error:
        return Failure(str(error), again=isinstance(error, UnavailableError))
    return decoded


def _result(future: Future[Decoded | Failure], cancelled: Callable[[], bool]) -> Decoded | Failure:
    while True:
        _check(cancelled)
        with suppress(FutureTimeout):
            return future.result(timeout=_CANCEL_POLL_S)


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled(tr("Stopped before all images were prepared; what was saved before is kept."))
