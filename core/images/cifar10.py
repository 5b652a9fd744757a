"""CIFAR-10 as its authors publish it for C programs: 60,000 colour images of 32 x 32 pixels, no boxes."""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.base.atomic import atomic_folder, os_reason
from core.base.errors import Cancelled, FormatError, as_reason
from core.base.language import mark, tr

#: The classes by their number in the archive.
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
SIDE = 32

# One byte of class, then the red, the green and the blue plane, each row by row.
_RECORD = 1 + 3 * SIDE * SIDE
_BATCH = re.compile(r"(data_batch_[1-9][0-9]?|test_batch)\.bin")
# A published batch holds 10,000 records, 31 MB; what claims much more is something else.
_MOST_BYTES = 8 * 10_000 * _RECORD
_WANTED = mark("give cifar-10-binary.tar.gz or the folder of its data_batch_*.bin")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was written: ``images`` files below ``folder``."""

    folder: Path
    images: int


def unpack(
    archive: Path,
    out: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Unpacked:
    """Write every image as a PNG, whole or not at all, so that all else works on them as on any folder.

    Nothing of an archive is extracted by its own name: of the members only the bytes of the six
    batches are read.

    Parameters
    ----------
    archive
        The published ``.tar.gz`` of the binary version, or a folder with ``data_batch_*.bin`` and, if
        wanted, ``test_batch.bin``, or one such file.
    out
        A folder that is missing or empty. It gets ``train/cat/data_batch_1_00042.png`` and so on.
    on_progress
        Called with (done, all) batches.
    cancelled
        Asked between two batches; true ends the work and leaves nothing behind.

    Raises
    ------
    FormatError
        ``archive`` is not CIFAR-10's binary version or is damaged, or ``out`` cannot be written.
    Cancelled
        ``cancelled()`` became true.
    """
    archive, out = Path(archive), Path(out)
    _check_empty(out)
    try:
        with _source(archive) as batches:
            out.parent.mkdir(parents=True, exist_ok=True)
            with atomic_folder(out) as folder:
                count = 0
                for i, (name, read) in enumerate(batches):
                    if cancelled is not None and cancelled():
                        raise Cancelled(tr("Unpacking was stopped; nothing was kept."))
                    count += _write(name, _records(name, read()), folder)
                    if on_progress is not None:
                        on_progress(i + 1, len(batches))
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError) as error:
        raise FormatError(
            tr("{name} is damaged: {reason}.").format(name=archive.name, reason=as_reason(error))
        ) from error
    except OSError as error:
        raise FormatError(
            tr("{name} could not be unpacked into {out}: {reason}.").format(
                name=archive.name, out=out, reason=os_reason(error)
            )
        ) from error
    return Unpacked(out, count)


_Batches = list[tuple[str, Callable[[], bytes]]]


@contextmanager
def _source(archive: Path) -> Iterator[_Batches]:
    """The batches, by name, each with what reads it; sorted, so that training data comes first."""
    if not archive.exists():
        raise FormatError(
            tr("{archive} does not exist; {wanted}.").format(archive=archive, wanted=tr(_WANTED))
        )
    if archive.is_file() and not _BATCH.fullmatch(archive.name):
        with _opened_tar(archive) as tar:
            yield _checked(archive, _members(tar))
    else:
        files = sorted(archive.iterdir()) if archive.is_dir() else [archive]
        yield _checked(
            archive, [(f.name, f.read_bytes) for f in files if _BATCH.fullmatch(f.name) and f.is_file()]
        )


def _opened_tar(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive)
    except tarfile.ReadError as error:
        raise FormatError(
            tr("{name} is no archive of CIFAR-10; {wanted}.").format(name=archive.name, wanted=tr(_WANTED))
        ) from error


def _members(tar: tarfile.TarFile) -> _Batches:
    found: _Batches = []
    python_version = False
    for member in tar:
        name = member.name.rpartition("/")[2]
        python_version |= name in ("data_batch_1", "test_batch")
        if _BATCH.fullmatch(name) and member.isfile():
            if member.size > _MOST_BYTES:
                raise FormatError(tr("{name} is too large to be a batch of CIFAR-10.").format(name=name))
            found.append((name, lambda member=member: _bytes_of(tar, member)))  # type: ignore[misc]
    while tar.fileobj is not None and tar.fileobj.read(1 << 20):
        pass  # to the end, where gzip keeps its checksum
    if python_version and not found:
        raise FormatError(
            tr("This is CIFAR-10 for Python, whose pickles can run programs; give cifar-10-binary.tar.gz.")
        )
    return found


def _bytes_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file is not None else b""


def _checked(archive: Path, batches: _Batches) -> _Batches:
    if not batches:
        raise FormatError(
            tr("{name} holds no batch of CIFAR-10; {wanted}.").format(
                name=archive.name or archive, wanted=tr(_WANTED)
            )
        )
    names = [name for name, _ in batches]
    if len(set(names)) < len(names):
        raise FormatError(tr("{name} holds a batch of the same name twice.").format(name=archive.name))
    return sorted(batches, key=lambda one: (len(one[0]), one[0]) if one[0][0] == "d" else (99, one[0]))


def _records(name: str, data: bytes) -> npt.NDArray[np.uint8]:
    """The batch as uint8 (n, 3073)."""
    if not data or len(data) % _RECORD:
        raise FormatError(
            tr("{name} is no whole batch of CIFAR-10: its size is no multiple of {size} bytes.").format(
                name=name, size=_RECORD
            )
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    if int(records[:, 0].max()) >= len(CLASSES):
        raise FormatError(
            tr("{name} is no batch of CIFAR-10: it has a class above {last}.").format(
                name=name, last=len(CLASSES) - 1
            )
        )
    return records


def _write(name: str, records: npt.NDArray[np.uint8], folder: Path) -> int:
    stem = name.removesuffix(".bin")
    split = folder / ("test" if stem == "test_batch" else "train")
    for number in np.unique(records[:, 0]):
        (split / CLASSES[number]).mkdir(parents=True, exist_ok=True)
    pixels = records[:, 1:].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    for i, (number, image) in enumerate(zip(records[:, 0], pixels, strict=True)):
        path = split / CLASSES[number] / f"{stem}_{i:05d}.png"
        Image.fromarray(np.ascontiguousarray(image)).save(path, compress_level=1)
    return len(records)


def _check_empty(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FormatError(tr("{out} is not empty; choose a new folder.").format(out=out))
