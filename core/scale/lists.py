"""Lists of images: a path or an address in each line of a text file, or in each row of a Parquet file."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.base.errors import FormatError, ImageError
from core.base.language import tr
from core.base.names import inside
from core.images.decoding import unavailable
from core.images.scan import HEAD, reason_against
from core.scale.entries import UNKNOWN, Entry, Rejected
from core.scale.extras import needed
from core.scale.remote import checked_address, is_address, name_of

_TEXT, _PARQUET = ".txt", ".parquet"
COLUMNS = ("address", "path")
"""Of a Parquet file: the one that names the image; the first of them that is there."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line or row: its number, what it says, and what it knows of the file besides."""

    number: int
    text: str
    size_bytes: int = UNKNOWN
    version: str = ""


def is_list(name: str) -> bool:
    """Whether a file of this name is a list, and no image."""
    return name.lower().endswith((_TEXT, _PARQUET))


def listed(file: Path, base: str, on_rejected: Callable[[Rejected], None]) -> Iterator[Entry]:
    """The images that the list ``file`` names, in its order; paths are relative to the folder ``base``.

    Local files are looked at; of others nothing is asked, so that their size and version are unknown unless
    the list has them in columns ``size_bytes`` and ``version``. An address that holds a secret is told by
    the number of its line alone.

    Raises
    ------
    FormatError
        The list cannot be read.
    """
    for line in _lines(file):
        try:
            yield _entry(line, base)
        except OSError as error:
            on_rejected(Rejected(line.text, unavailable(error)))
        except ImageError as error:
            told = tr("line {number}").format(number=line.number) if is_address(line.text) else line.text
            on_rejected(Rejected(told, str(error)))


def _entry(line: _Line, base: str) -> Entry:
    if is_address(line.text):
        address = checked_address(line.text)
        return Entry(address, inside(f"/{name_of(address)}"), line.size_bytes, line.version)
    name = inside(line.text)
    if is_address(base):
        host, _, path = base.partition("://")[2].partition("/")
        joined = posixpath.normpath(posixpath.join("/", path, line.text))
        return Entry(f"{base.partition('://')[0]}://{host}{joined}", name, line.size_bytes, line.version)
    path = os.path.normpath(os.path.join(base, line.text))  # noqa: PTH118
    status = os.stat(path)  # noqa: PTH116
    with open(path, "rb") as image:  # noqa: PTH123
        reason = reason_against(path, status.st_size, lambda: image.read(HEAD), chosen=True)
    if reason:
        raise ImageError(reason)
    return Entry(path, name, status.st_size, str(status.st_mtime_ns))


def _lines(file: Path) -> Iterator[_Line]:
    if file.suffix.lower() == _PARQUET:
        yield from _rows(file)
        return
    try:
        with file.open(encoding="utf-8-sig") as lines:
            for number, text in enumerate(map(str.strip, lines), 1):
                if text:
                    yield _Line(number, text)
    except UnicodeDecodeError as error:
        text = tr("“{name}” is not valid text (UTF-8): save the list as UTF-8.")
        raise FormatError(text.format(name=file.name)) from error


def _rows(file: Path) -> Iterator[_Line]:
    arrow = needed("pyarrow", extra="scale", what=tr("Parquet files"))
    parquet = needed("pyarrow.parquet", extra="scale", what=tr("Parquet files"))
    try:
        with parquet.ParquetFile(file) as table:
            known = table.schema_arrow.names
            column = next((name for name in COLUMNS if name in known), None)
            if column is None:
                text = tr("“{name}” has no column “address” or “path”, which a list of images needs.")
                raise FormatError(text.format(name=file.name))
            columns = [column, *(name for name in ("size_bytes", "version") if name in known)]
            number = 0
            for batch in table.iter_batches(columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    if row[column]:
                        size, version = row.get("size_bytes"), row.get("version")
                        size = UNKNOWN if size is None else int(size)
                        yield _Line(number, str(row[column]), size, version or "")
    except arrow.ArrowException as error:
        raise FormatError(tr("“{name}” cannot be read as Parquet.").format(name=file.name)) from error
