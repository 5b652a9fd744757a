"""Where images are: a folder, an address such as ``s3://bucket/photos``, or a list of either.

Each image is an :class:`Entry`. All are listed in the order of their names, with memory that does not grow
with their number; :func:`local_file` then gives one of them as a file to decode.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.base.errors import ImageError
from core.base.language import tr
from core.base.names import inside
from core.formats.names import leaves
from core.images.scan import (
    FILMS,
    HEAD,
    SIDE_FILES,
    ImageFile,
    RejectedFile,
    is_theirs,
    iter_scan,
    reason_against,
)
from core.scale.entries import UNKNOWN, Entry, Rejected
from core.scale.lists import is_list, listed
from core.scale.remote import Place, is_address
from core.scale.sorting import sorted_by_name

__all__ = ["UNKNOWN", "Entry", "OnRejected", "Rejected", "list_images", "local_file"]

OnRejected = Callable[[Rejected], None]


def list_images(
    where: str | os.PathLike[str], *, on_rejected: OnRejected = lambda rejected: None
) -> Iterator[Entry]:
    """The images at ``where`` in the order of their names (of code points), each name once.

    Parameters
    ----------
    where
        A folder or an address of fsspec (``s3://bucket/photos``), with all subfolders; the path or address of
        one image; or a list: a text file with a path or an address in each line, or a Parquet file with
        them in a column ``address`` or ``path``. Paths in a list are relative to it.
    on_rejected
        Is told what lies there and cannot be used.

    Raises
    ------
    ImageError
        There is nothing at ``where``, it cannot be listed, or the address holds a password or signature.
    FormatError
        A list cannot be read.
    BoxscoutError
        A package is missing.
    """
    where = os.fspath(where)
    if where.lower().startswith("file://"):
        where = where[len("file://") :]
    found = _elsewhere(where, on_rejected) if is_address(where) else _here(where, on_rejected)
    return _named_once(found, on_rejected)


def _here(where: str, on_rejected: OnRejected) -> Iterator[Entry]:
    path = Path(os.path.abspath(where))  # noqa: PTH100 - keeps links as the person sees them
    if is_list(path.name) and path.is_file():
        return sorted_by_name(listed(path, str(path.parent), on_rejected))
    return sorted_by_name(_scanned(path, on_rejected))


def _scanned(folder: Path, on_rejected: OnRejected) -> Iterator[Entry]:
    for found in iter_scan([folder]):
        if isinstance(found, RejectedFile):
            on_rejected(Rejected(_below(found.path, folder), found.reason))
        else:
            yield Entry(str(found.path), found.name, found.size_bytes, str(found.mtime_ns))


def _below(path: Path, folder: Path) -> str:
    inside = path.is_relative_to(folder) and path != folder
    return path.relative_to(folder).as_posix() if inside else path.name


def _elsewhere(address: str, on_rejected: OnRejected) -> Iterator[Entry]:
    place = Place.of(address)
    try:
        if place.is_folder():
            yield from _sifted(place.below(), on_rejected)
        elif not is_list(place.name):
            yield from _sifted(iter([place.entry(inside(place.name))]), on_rejected, chosen=True)
        else:
            with _fetched(place.entry(place.name)) as file:
                yield from sorted_by_name(listed(file.path, place.address.rpartition("/")[0], on_rejected))
    except ImageError as error:
        text = tr("The images at {address} cannot be listed: {reason}")
        raise ImageError(text.format(address=place.address, reason=error)) from error


def _sifted(entries: Iterator[Entry], on_rejected: OnRejected, *, chosen: bool = False) -> Iterator[Entry]:
    """Those that are images, by the rule of :mod:`core.images.scan`."""
    for entry in entries:
        if chosen or all(map(is_theirs, entry.name.split("/"))):
            reason = _why_not(entry, chosen=chosen)
            if reason == "":
                yield entry
            elif reason:
                on_rejected(Rejected(entry.name, reason))


def _why_not(entry: Entry, *, chosen: bool) -> str | None:
    def head() -> bytes:
        # What an ending tells is believed: each look is a request, and notes may lie beside every image.
        ending = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122
        is_none = ending != "" and ending in SIDE_FILES | FILMS
        return b"" if is_none and not chosen else Place.of(entry.address).head(HEAD)

    if leaves(entry.name):
        return tr("Its name leads out of the folder; rename it to use it.")
    try:
        return reason_against(entry.name, entry.size_bytes, head, chosen=chosen)
    except ImageError as error:
        return str(error)


def _named_once(entries: Iterator[Entry], on_rejected: OnRejected) -> Iterator[Entry]:
    """``entries``, sorted, with one of each name; another address of the same name is told."""
    name = address = ""
    for entry in entries:
        if entry.name != name:
            yield entry
        elif entry.address != address:
            on_rejected(Rejected(name, tr("Another image of the list has this name; rename one.")))
        name, address = entry.name, entry.address


@contextmanager
def local_file(entry: Entry) -> Iterator[ImageFile]:
    """The image as a file to decode: itself, or a copy of one that lies elsewhere, gone afterwards.

    A local file that has changed since it was listed is told by :func:`core.images.parallel.decode_all`.

    Raises
    ------
    ImageError
        It cannot be read, or is another by now; the text is the reason, without the image's name.
    """
    if is_address(entry.address):
        with _fetched(entry) as file:
            yield file
        return
    root, name = os.path.split(entry.address)
    if entry.address.endswith("/" + entry.name):
        root, name = entry.address[: -len(entry.name)], entry.name
    yield ImageFile(Path(root), name, entry.size_bytes, int(entry.version or 0))


@contextmanager
def _fetched(entry: Entry) -> Iterator[ImageFile]:
    place = Place.of(entry.address)
    with tempfile.TemporaryDirectory(prefix="boxscout-") as folder:
        copy = Path(folder) / ("list" + Path(place.name).suffix if is_list(place.name) else "image")
        place.fetch(entry, copy)
        status = copy.stat()
        yield ImageFile(Path(folder), copy.name, status.st_size, status.st_mtime_ns)
