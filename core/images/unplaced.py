"""Copies of photos that do not say where they were taken: for all else a copy is the photo, byte for byte."""

from __future__ import annotations

import re
import struct
import zlib
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from core.base.errors import ImageError
from core.base.language import mark, tr
from core.images.exif import GPS, has_exif
from core.images.source import Header
from core.images.tiff import TiffHeader

CANNOT_LEAVE_OUT = mark(
    "it says where it was taken (GPS) in a way that cannot be taken out; allow GPS in the export"
)
_PNG = b"\x89PNG\r\n\x1a\n"
# Where EXIF begins in a JPEG or HEIC file, in a PNG and in a WebP; a TIFF is itself what EXIF is written as.
_BLOCK = re.compile(rb"(?:Exif\0\0|eXIf|EXIF[\s\S]{4})(?=II\*\0|MM\0\*)")
_TIFF = (b"II*\0", b"MM\0*")
# XMP, which editors write besides, as an attribute or as an element.
_XMP = re.compile(rb"(exif:GPS\w+\s*=\s*[\"']|<exif:GPS\w+>)([^\"'<]+)")
_ENTRY = 12
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


def says_where(image: Header) -> bool:
    """Whether an opened image holds a position, or anything else that belongs to one."""
    try:
        in_exif = has_exif(image) and bool(image.getexif().get_ifd(GPS))
    except Exception:  # Pillow raises nearly everything on bad tags; what it cannot read, others might
        in_exif = True
    xmp = image.info.get("xmp", b"")
    return in_exif or any(found[2].strip() for found in _XMP.finditer(_bytes(xmp)))


def without_position(data: bytes) -> bytes:
    """A file with its position blanked out: every other byte stays, and so do pixels, time and length.

    Raises
    ------
    ImageError
        It still holds one; the text is the end of a sentence.
    """
    blank = bytearray(data)
    for at in [0] if data.startswith(_TIFF) else [found.end() for found in _BLOCK.finditer(data)]:
        _blank_block(blank, at)
    for found in _XMP.finditer(data):
        blank[slice(*found.span(2))] = b" " * len(found[2])
    if data.startswith(_PNG):
        _sum_again(blank)
    result = bytes(blank)
    if says_where(_header(result)):
        raise ImageError(tr(CANNOT_LEAVE_OUT))
    return result


def _header(data: bytes) -> Header:
    """Of a file that Pillow reads, or a TIFF or raw file that is read without it."""
    try:
        return Image.open(BytesIO(data))
    except UnidentifiedImageError:
        return TiffHeader(BytesIO(data))


def _blank_block(data: bytearray, base: int) -> None:
    """Blank the positions of the EXIF that begins at ``base``; what does not fit the file stays."""
    order = "<" if data[base : base + 2] == b"II" else ">"
    try:
        (offset,) = struct.unpack_from(f"{order}I", data, base + 4)
        for _ in range(64):  # a chain that bites its tail has no end
            if not offset:
                return
            (count,) = struct.unpack_from(f"{order}H", data, base + offset)
            for entry in range(count):
                at = base + offset + 2 + entry * _ENTRY
                tag, _, _, value = struct.unpack_from(f"{order}HHII", data, at)
                if tag == GPS:
                    _blank_directory(data, base, value, order)
            (offset,) = struct.unpack_from(f"{order}I", data, base + offset + 2 + count * _ENTRY)
    except struct.error:
        return


def _blank_directory(data: bytearray, base: int, offset: int, order: str) -> None:
    (count,) = struct.unpack_from(f"{order}H", data, base + offset)
    for entry in range(count):
        _, kind, items, value = struct.unpack_from(f"{order}HHII", data, base + offset + 2 + entry * _ENTRY)
        length = _SIZES.get(kind, 1) * items
        if length > 4:
            _zero(data, base + value, length)
    _zero(data, base + offset, 2 + count * _ENTRY)


def _zero(data: bytearray, start: int, length: int) -> None:
    end = min(start + length, len(data))
    data[start:end] = bytes(max(0, end - start))


def _sum_again(data: bytearray) -> None:
    """The check sums of a PNG's chunks, of which some have changed."""
    at = len(_PNG)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            return
        struct.pack_into(">I", data, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4


def _bytes(xmp: object) -> bytes:
    return xmp.encode("utf-8", "replace") if isinstance(xmp, str) else xmp if isinstance(xmp, bytes) else b""
