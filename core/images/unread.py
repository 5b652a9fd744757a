"""Sound files of kinds that no decoder here reads: what is said of them, so that none is called damaged."""

from __future__ import annotations

from typing import BinaryIO

from core.base.language import mark

ODD_JPEG = mark("This kind of JPEG cannot be read (12 bits, or JPEG-LS): save it as JPEG or PNG with 8 bits.")
ODD_PNG = mark("This PNG is one of an iPhone app (CgBI), which cannot be read: save it as PNG.")
ODD_BMP = mark("This kind of BMP cannot be read: save it as PNG.")

_MARKER = 0xFF
#: Markers of JPEG (ISO 10918-1, table B.1) that begin a frame; 0xF7 is JPEG-LS's (ISO 14495-1).
_FRAMES = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_READ = {0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA}  # not hierarchical ones, nor JPEG-LS
_MOST_SEGMENTS = 10_000


def unread_png(head: bytes) -> str:
    """A sentence where ``head``, 32 bytes, is that of a PNG which only Apple's readers take; else empty."""
    return ODD_PNG if head.startswith(b"\x89PNG") and head[12:16] == b"CgBI" else ""


def unread_jpeg(head: bytes, file: BinaryIO) -> str:
    """A sentence where ``file``, which begins with ``head``, is a JPEG of a kind not read; else empty."""
    return ODD_JPEG if head.startswith(b"\xff\xd8\xff") and _is_odd_frame(file) else ""


def unread_error(error: BaseException) -> str:
    """A sentence where Pillow raised ``error`` because it does not read this kind of BMP; else empty."""
    return ODD_BMP if str(error).startswith("Unsupported BMP") else ""


def _is_odd_frame(file: BinaryIO) -> bool:
    """Whether a JPEG's frame has other than 8 bits, or is of a process that is not read."""
    file.seek(2)
    for _ in range(_MOST_SEGMENTS):
        opening = file.read(1)
        code = file.read(1)
        while code == b"\xff":  # filling
            code = file.read(1)
        if not opening or opening[0] != _MARKER or not code:
            return False
        length = int.from_bytes(file.read(2), "big")
        if code[0] in _FRAMES:
            bits = file.read(1)
            return bool(bits) and (code[0] not in _READ or bits[0] != 8)
        if length < 2:
            return False
        file.seek(length - 2, 1)
    return False
