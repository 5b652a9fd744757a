"""The pixels that training and localization see: every image once, at one size, in a file on disk.

The cache is two files, ``pixels-SIZE-KEY.npy`` and ``.json``. The key covers every file's root, name,
size and time, so that a changed folder has another cache. The index is written last and makes the
cache valid.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from core.base.atomic import atomic_write, os_errors, remove_forgotten, write_atomically
from core.base.errors import BoxscoutError, ImageError
from core.base.language import number, tr
from core.base.plain_json import parse_json
from core.images.decoding import Decoded, decode_squashed
from core.images.parallel import Failure, decode_all, none_usable, state_of
from core.images.scan import ImageFile, RejectedFile

VERSION = 2  # of the cache; raise it when decoding or resizing gives other pixels
KEPT = 2  # caches per size, the newest: two folders in turn, or one before and after a change

_PROGRESS_EVERY_S = 0.05


@dataclass(frozen=True)
class Pixels:
    """Usable images, squashed to one size.

    ``array`` is a read-only uint8 memory map (N,S,S,3), RGB; ``sizes`` int32 (N,2) holds the width and
    height, in pixels, of the images as displayed; ``files`` has N entries in the same order.
    ``truncated`` holds the rows of damaged images that are used as far as they decode.
    """

    array: npt.NDArray[np.uint8]
    sizes: npt.NDArray[np.int32]
    files: tuple[ImageFile, ...]
    rejected: tuple[RejectedFile, ...]
    truncated: frozenset[int]


def prepare_pixels(
    files: Sequence[ImageFile],
    *,
    size: int,
    cache_dir: Path,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    workers: int | None = None,
) -> Pixels:
    """Decode every file once, in parallel, to ``size`` x ``size`` pixels; reuse what was decoded before.

    Parameters
    ----------
    cache_dir
        Made where it is missing. Holds about ``3 * size**2`` bytes per image.
    on_progress
        Called in this thread with how many files are done and how many there are.
    cancelled
        Asked between files.
    workers
        Threads that decode; by default one per core, 8 at most.

    Raises
    ------
    Cancelled
        ``cancelled()`` became true; no partial file is left.
    ImageError
        There is no usable image.
    BoxscoutError
        The cache cannot be written, for instance because the disk is full.
    """
    files = tuple(files)
    if not files:
        raise ImageError(tr("There is no usable image: the list is empty."))
    cache = _Cache(cache_dir, size, files)
    pixels = cache.load()
    if pixels is None:
        progress = _Progress(len(files), on_progress or (lambda done, total: None))
        with os_errors(
            BoxscoutError,
            tr("The prepared images cannot be kept in {cache_dir}: {reason}."),
            cache_dir=cache_dir,
        ):
            squashed = partial(decode_squashed, size=size)
            results = decode_all(files, squashed, workers=workers, cancelled=cancelled)
            cache.fill(results, progress)
        pixels = cache.load(just_made=True)
        if pixels is None:
            raise BoxscoutError(
                tr("The prepared images in {cache_dir} cannot be read back; check that disk.").format(
                    cache_dir=cache_dir
                )
            )
    elif on_progress is not None:
        on_progress(len(files), len(files))
    return pixels


# --- progress --------------------------------------------------------------------------------------


def _counted(
    results: Iterator[Decoded | Failure], progress: Callable[[int], None]
) -> Iterator[Decoded | Failure]:
    for done, result in enumerate(results, start=1):
        yield result
        progress(done)


class _Progress:
    """Passes on the count, but not more often than a person sees."""

    def __init__(self, total: int, report: Callable[[int, int], None]) -> None:
        self.total = total
        self.report = report
        self.next_report = 0.0

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now >= self.next_report or done == self.total:
            self.next_report = now + _PROGRESS_EVERY_S
            self.report(done, self.total)


# --- the file on disk -------------------------------------------------------------------------------


class _Cache:
    """One cache: its two files, how they are filled and how they are read."""

    def __init__(self, folder: Path, size: int, files: Sequence[ImageFile]) -> None:
        self.folder, self.size, self.files = folder, size, files
        stem = f"pixels-{size}-{_key(files, size)}"
        self.array_path = folder / f"{stem}.npy"
        self.index_path = folder / f"{stem}.json"

    def load(self, *, just_made: bool = False) -> Pixels | None:
        """The cache where it is whole and no file is worth another try, else None."""
        try:
            index = parse_json(self.index_path.read_bytes())
            pixels = self._read(index)
            again = [int(i) for i in index["again"]]
        except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, OverflowError):
            return None
        if not just_made and any(_reachable(self.files[i]) for i in again):
            return None
        with suppress(OSError):
            os.utime(self.index_path)  # the newest are kept
        return pixels

    def _read(self, index: dict[str, Any]) -> Pixels:
        # The map stays open: a file cut short now raises here, not as a crash in the training.
        array = np.load(self.array_path, mmap_mode="r", allow_pickle=False)
        sizes = np.array(index["sizes"], np.int32).reshape(-1, 2)
        rejected = {int(i): str(reason) for i, reason in index["rejected"]}
        rows = len(self.files) - len(rejected)
        whole = (rows, self.size, self.size, 3)
        if array.shape != whole or array.dtype != np.uint8 or len(sizes) != rows or rows == 0:
            raise ValueError("not the cache that its index describes")
        return Pixels(
            array=array,
            sizes=sizes,
            files=tuple(file for i, file in enumerate(self.files) if i not in rejected),
            rejected=tuple(RejectedFile(self.files[i].path, rejected[i]) for i in sorted(rejected)),
            truncated=frozenset(int(row) for row in index["truncated"]),
        )

    def fill(
        self, results: Generator[Decoded | Failure, None, None], progress: Callable[[int], None]
    ) -> None:
        """Write both files from the results, whole or not at all.

        Rows are written, not mapped: on a full disk a write is an error and a mapped page is a crash.
        """
        with closing(results):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._check_space()
            self.index_path.unlink(missing_ok=True)
            with atomic_write(self.array_path) as temporary, temporary.open("wb") as file:
                index = self._write_rows(file, _counted(results, progress))
        write_atomically(self.index_path, json.dumps(index, allow_nan=False).encode())
        self._prune()

    def _check_space(self) -> None:
        need = len(self.files) * self.size * self.size * 3
        free = shutil.disk_usage(self.folder).free
        if need > free:
            raise BoxscoutError(
                tr(
                    "{count} images of {size} x {size} pixels need {need} in {folder}, where {free} are free."
                ).format(
                    count=len(self.files),
                    size=self.size,
                    need=_megabytes(math.ceil(need / 1e6)),
                    folder=self.folder,
                    free=_megabytes(math.floor(free / 1e6)),
                )
            )

    def _write_rows(self, file: BinaryIO, results: Iterator[Decoded | Failure]) -> dict[str, Any]:
        file.write(self._header(len(self.files)))
        sizes: list[tuple[int, int]] = []
        truncated: list[int] = []
        failures: dict[int, Failure] = {}
        for i, result in enumerate(results):
            if isinstance(result, Failure):
                failures[i] = result
                continue
            file.write(result.pixels.data)
            if result.truncated:
                truncated.append(len(sizes))
            sizes.append((result.width, result.height))
        if not sizes:
            raise none_usable(len(failures), failures[0])
        file.seek(0)
        file.write(self._header(len(sizes)))
        return {
            "sizes": sizes,
            "truncated": truncated,
            "rejected": [(i, failure.reason) for i, failure in failures.items()],
            "again": [i for i, failure in failures.items() if failure.again],
        }

    def _header(self, rows: int) -> bytes:
        """The .npy header. NumPy pads it so that its length does not depend on the number of rows."""
        header = io.BytesIO()
        shape = (rows, self.size, self.size, 3)
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        return header.getvalue()

    def _prune(self) -> None:
        remove_forgotten(self.folder)
        indices = sorted(self.folder.glob(f"pixels-{self.size}-*.json"), key=_modified, reverse=True)
        kept = {self.index_path.stem, *(path.stem for path in indices[:KEPT])}
        for path in self.folder.glob(f"pixels-{self.size}-*"):
            if path.stem not in kept and path.suffix in (".npy", ".json"):
                with suppress(OSError):  # Windows keeps a file that is still mapped; the next time then
                    path.unlink()


def _key(files: Sequence[ImageFile], size: int) -> str:
    digest = hashlib.blake2b(f"{VERSION}\0{size}".encode(), digest_size=10)
    for file in files:
        digest.update(
            f"\0{file.root}\0{file.name}\0{file.size_bytes}\0{file.mtime_ns}".encode("utf-8", "surrogatepass")
        )
    return digest.hexdigest()


def _reachable(file: ImageFile) -> bool:
    """Whether a file that could not be reached can be now, and is the one that was asked for."""
    try:
        with file.path.open("rb"):
            return state_of(file) == (file.size_bytes, file.mtime_ns)
    except OSError:
        return False


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _megabytes(count: int) -> str:
    return number(count, ",d") + " MB"
