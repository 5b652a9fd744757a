"""The pages of a TIFF, and which is its photo: cameras' raw files are TIFFs too, and begin with a preview."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

from PIL import Image
from PIL.TiffImagePlugin import COMPRESSION_INFO

from core.base.language import mark

ODD_TIFF = mark("This kind of TIFF cannot be read: save it as RGB or grey with 8 or 16 bits.")
ODD_COMPRESSION = mark(
    "This TIFF is compressed in a way that cannot be read: save it with LZW or without compression."
)

# Tags of TIFF 6.0, TIFF/EP and DNG.
COMPRESSION, PHOTOMETRIC = 259, 262
_SUBFILE_TYPE, _OLD_SUBFILE_TYPE, _SUB_IFDS, _DNG = 254, 255, 330, 50706
_OF_A_SENSOR = (32803, 34892)  # colour filter array, linear raw
_WEBP = 50001
_XMP = 700
_MOST_PAGES = 64
_CANON = b"\x10\0\0\0CR\x02\0"  # from byte 4: CR2 has its letters between the header and its first page
_TYPES = {1: "B", 2: "s", 3: "H", 4: "L", 6: "b", 7: "s", 8: "h", 9: "l", 13: "L", 16: "Q", 17: "q", 18: "Q"}


@dataclass(frozen=True, slots=True)
class Page:
    """One picture of a TIFF.

    ``tags`` holds the values of each tag, numbers or one text; those of a type that no tag of ours has are
    left out. ``order`` is ``<`` or ``>``, ``is_big`` that it is of a BigTIFF. ``at`` is the byte at which the
    tags begin; ``number`` counts the file's pages, None for one that hangs below another.
    """

    tags: dict[int, tuple[Any, ...]]
    order: str
    is_big: bool
    at: int
    number: int | None

    def one(self, tag: int, default: int) -> int:
        """A tag's first number."""
        value = self.tags.get(tag, (default,))[0]
        return value if isinstance(value, int) else default

    @property
    def is_reduced(self) -> bool:
        """Whether it is a smaller version of another."""
        return bool(self.one(_SUBFILE_TYPE, 0) & 1) or self.one(_OLD_SUBFILE_TYPE, 0) == 2

    @property
    def is_of_a_sensor(self) -> bool:
        """Whether it holds what a camera's sensor saw, which is no picture yet."""
        return _DNG in self.tags or self.one(PHOTOMETRIC, 0) in _OF_A_SENSOR

    @property
    def has_known_compression(self) -> bool:
        """Whether libtiff, as Pillow brings it, unpacks the page; its WebP is left out."""
        return self.one(COMPRESSION, 1) in COMPRESSION_INFO.keys() - {_WEBP}


class TiffHeader:
    """What a TIFF that Pillow does not read says beside its pixels (a :class:`core.images.source.Header`)."""

    format = "TIFF"

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @property
    def info(self) -> dict[str, bytes]:
        with suppress(ValueError, struct.error, StopIteration):
            xmp = next(_Header.of(self._file).pages()).tags.get(_XMP, (b"",))
            return {"xmp": xmp[0] if isinstance(xmp[0], bytes) else bytes(xmp)}
        return {}

    def getexif(self) -> Image.Exif:
        """Raises nearly anything where the file is no TIFF."""
        exif = Image.Exif()
        self._file.seek(0)
        exif.load_from_fp(self._file)
        return exif


def is_tiff(head: bytes) -> bool:
    """Whether a file that begins so is a TIFF or a BigTIFF."""
    return head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))


def photo_page(file: BinaryIO) -> Page | None:
    """The page of a TIFF that is its photo: the first that is no smaller version of another.

    Returns
    -------
    None where the file is a camera's raw file, of which no page is a photo.

    Raises
    ------
    ValueError, struct.error
        Its tags are damaged.
    """
    header = _Header.of(file)
    first = None
    for page in header.pages():
        if page.is_of_a_sensor or (first is None and header.is_canon):
            return None
        first = first or page
        if not page.is_reduced:
            return page
    if first is None:
        raise ValueError("it has no page")
    return _photo_below(first, header) if _SUB_IFDS in first.tags else first


def at_the_front(page: Page, file: BinaryIO) -> BinaryIO:
    """The file as if ``page`` were its first: Pillow knows no page that hangs below another."""
    file.seek(0)
    content = bytearray(file.read())
    struct.pack_into(page.order + ("Q" if page.is_big else "L"), content, 8 if page.is_big else 4, page.at)
    return BytesIO(content)


def _photo_below(first: Page, header: _Header) -> Page | None:
    """What hangs below a preview is the photo, or a sensor's picture; None where it is no photo."""
    try:
        below = [header.page(at, None)[0] for at in first.tags[_SUB_IFDS]]
    except (ValueError, struct.error):  # a camera's own dialect
        return None
    if any(page.is_of_a_sensor for page in below):
        return None
    return next((page for page in below if not page.is_reduced), None)


@dataclass(frozen=True, slots=True)
class _Header:
    file: BinaryIO
    size: int
    order: str
    is_big: bool
    is_canon: bool

    @classmethod
    def of(cls, file: BinaryIO) -> _Header:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(16)
        order = "<" if head[:2] == b"II" else ">"
        return cls(file, size, order, is_big=43 in head[2:4], is_canon=head[4:12] == _CANON)

    def pages(self) -> Iterator[Page]:
        self.file.seek(8 if self.is_big else 4)
        at = self._number("Q" if self.is_big else "L")
        for number in range(_MOST_PAGES):
            if not at:
                return
            page, at = self.page(at, number)
            yield page

    def page(self, at: int, number: int | None) -> tuple[Page, int]:
        """The page whose tags begin at byte ``at``, and where the next one's do; 0 is nowhere."""
        self.file.seek(at)
        wide = "Q" if self.is_big else "L"
        count = self._number("Q" if self.is_big else "H")
        entry = struct.Struct(f"{self.order}HH{wide}{8 if self.is_big else 4}s")
        if not 0 < count * entry.size <= self.size:
            raise ValueError("a page without tags")
        entries = self._read(count * entry.size)
        follows = self.file.read(8 if self.is_big else 4)
        tags: dict[int, tuple[Any, ...]] = {}
        for tag, kind, length, value in entry.iter_unpack(entries):
            if kind in _TYPES and length:
                tags[tag] = self._values(_TYPES[kind], length, value)
        page = Page(tags, self.order, self.is_big, at, number)
        return page, struct.unpack(self.order + wide, follows)[0] if len(follows) > 3 else 0

    def _values(self, code: str, length: int, value: bytes) -> tuple[Any, ...]:
        """A tag's values, which lie in its entry or, where they are too many, where it points."""
        form = struct.Struct(f"{self.order}{length}{code}")
        if form.size > self.size:
            raise ValueError("a tag longer than its file")
        if form.size > len(value):
            self.file.seek(struct.unpack(self.order + ("Q" if self.is_big else "L"), value)[0])
            value = self._read(form.size)
        return form.unpack_from(value)

    def _number(self, code: str) -> int:
        form = struct.Struct(self.order + code)
        return int(form.unpack(self._read(form.size))[0])

    def _read(self, count: int) -> bytes:
        content = self.file.read(count)
        if len(content) != count:
            raise ValueError("its tags are cut off")
        return content
