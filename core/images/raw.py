"""Cameras' raw files: developed by LibRaw, where the extra ``raw`` is installed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Any, BinaryIO

from PIL import Image

from core.base.errors import ImageError, as_reason
from core.base.language import mark, tr
from core.images.source import Header, Loaded, check_pixels
from core.images.tiff import TiffHeader

RAW = mark(
    "Camera raw files need the extra “raw”: install it with “{python} -m pip install rawpy”, or export the "
    "file as JPEG or TIFF."
)
_UNREADABLE = mark("This camera raw file cannot be read ({reason}): export it as JPEG or TIFF.")
# Raw files that are no TIFF: where their letters stand, and the letters.
_HEADS = (
    *((0, b"FUJIFILMCCD-RAW"), (0, b"IIRO"), (0, b"IIRS"), (0, b"MMOR"), (0, b"IIU\0"), (0, b"FOVb")),
    *((0, b"\0MRM"), (4, b"ftypcrx "), (6, b"HEAPCCDR")),
)


def looks_like_raw(head: bytes) -> bool:
    """Whether a file's first 32 bytes are those of a raw file that is no TIFF."""
    return any(head.startswith(letters, at) for at, letters in _HEADS)


def has_extra() -> bool:
    return importlib.util.find_spec("rawpy") is not None


def needs_extra() -> str:
    """What a person is told about a raw file where the extra is not there."""
    return tr(RAW).format(python=sys.executable)


class RawPhoto:
    """A raw file, developed as its camera would: its white balance, 8 bits, upright.

    A :class:`core.images.source.Source`; opening it raises ImageError where it cannot be read.
    """

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._rawpy = importlib.import_module("rawpy")
        except ImportError as error:
            raise ImageError(needs_extra()) from error
        self._file = file
        file.seek(0)
        self._raw = self._asked(self._rawpy.imread, file)
        sizes = self._raw.sizes
        width, height = int(sizes.iwidth), int(sizes.iheight)
        check_pixels(width, height)
        self._size = (height, width) if sizes.flip in (5, 6) else (width, height)
        self._is_half = False

    @property
    def header(self) -> Header:
        return TiffHeader(self._file)

    def displayed_size(self) -> tuple[int, int]:
        return self._size

    def prepare(self, wanted: tuple[int, int]) -> int:
        width, height = self._size
        across, down = wanted
        self._is_half = 2 * across <= width and 2 * down <= height
        return width * height // (4 if self._is_half else 1)

    def load(self) -> Loaded:
        pixels = self._asked(self._raw.postprocess, use_camera_wb=True, output_bps=8, half_size=self._is_half)
        self._raw.close()
        return Loaded(Image.fromarray(pixels))

    def _asked(self, question: Any, *args: Any, **options: Any) -> Any:
        try:
            return question(*args, **options)
        except self._rawpy.LibRawError as error:
            reason = error.args[0] if error.args else type(error).__name__
            reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            raise ImageError(tr(_UNREADABLE).format(reason=as_reason(reason))) from error
