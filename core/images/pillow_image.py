"""Image files that Pillow reads: most of them."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO
from typing import BinaryIO

import cv2
import numpy as np

# Image.open(formats=...) knows only plug-ins that are imported; these are not by default.
from PIL import AvifImagePlugin, Image, TiffImagePlugin, WebPImagePlugin
from PIL.ImageFile import ImageFile as OpenImage

from core.base.errors import ImageError, as_reason
from core.base.language import tr
from core.images.colours import Samples, grey_values, rgb_of, to_rgb
from core.images.exif import ORIENTATION, has_exif
from core.images.source import TURN, Header, Loaded, upright_size

HEIF = "HEIF"
"""Pillow's name for phones' HEIC files, which the plug-in of pi-heif opens."""
# MPO, a stereo camera's file, comes in by the JPEG plug-in and has no entry of its own.
FORMATS = (
    "PNG",
    "JPEG",
    "BMP",
    "GIF",
    TiffImagePlugin.TiffImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
    AvifImagePlugin.AvifImageFile.format,
    HEIF,
)

with suppress(ImportError):  # where it has no build, such a file is one that is not read
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False)


def damaged(error: BaseException) -> str:
    """The reason in words a person knows where Pillow's own are a programmer's."""
    detail = as_reason(error)
    if any(known in detail for known in ("decoder error", "decoder object", "broken data stream")):
        detail = tr("its pixels cannot be decoded")
    elif "MAX_TEXT_" in detail:
        detail = tr("a text hidden in it is unreasonably long")
    elif "truncated" in detail.lower():
        detail = tr("the file ends before its first pixel")
    return tr("Damaged: {detail}.").format(detail=detail)


class PillowImage:
    """A file that Pillow reads (a :class:`core.images.source.Source`)."""

    def __init__(self, image: OpenImage, file: BinaryIO) -> None:
        self._image, self._file = image, file
        self._size = self._wanted = _displayed_size(image)

    @property
    def header(self) -> Header:
        return self._image

    def displayed_size(self) -> tuple[int, int]:
        return self._size

    def prepare(self, wanted: tuple[int, int]) -> int:
        self._wanted = wanted
        if wanted != self._size:
            _draft(self._image, wanted)
        return self._image.width * self._image.height

    def load(self) -> Loaded:
        image, truncated = _load(self._image, self._file, self._wanted)
        turn = TURN.get(_orientation(image))  # Pillow turns a TIFF itself
        deep = None if truncated else _deep_colours(image, self._file)
        return Loaded(to_rgb(image) if deep is None else rgb_of(deep), grey_values(image), turn, truncated)


def _deep_colours(image: OpenImage, file: BinaryIO) -> Samples | None:
    """The colours of a PNG that has 16 bits of them; None for any other.

    Pillow keeps their high byte alone, which leaves a 12-bit camera's picture black.
    """
    file.seek(0)
    head = file.read(26)
    is_deep = image.format == "PNG" and head[12:16] == b"IHDR" and head[24] == 16 and head[25] in (2, 4, 6)
    if not is_deep or "transparency" in image.info or getattr(image, "is_animated", False):
        return None
    file.seek(0)
    values = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.shape[:2] != (image.height, image.width):
        return None
    colours = values[..., 2::-1]
    cover = None if values.shape[2] == 3 else values[..., 3].astype(np.float32) / np.float32(65535)
    return Samples(colours, cover)


def _orientation(image: OpenImage) -> int:
    """The EXIF orientation 1..8. Broken EXIF is no reason to refuse an image."""
    if not has_exif(image):
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
        return int(value) if value in TURN else 1
    except Exception:
        return 1


def _displayed_size(image: OpenImage) -> tuple[int, int]:
    """Before loading. Some versions of Pillow turn a TIFF's size already here, so take its tags."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        width, height = int(image.tag_v2[256]), int(image.tag_v2[257])
    else:
        width, height = image.size
    return upright_size(width, height, _orientation(image))


def _draft(image: OpenImage, wanted: tuple[int, int]) -> None:
    """Let a JPEG decode at 1/2, 1/4 or 1/8 where that leaves twice what is ``wanted`` on both axes."""
    across, down = wanted if _orientation(image) < 5 else wanted[::-1]
    image.draft(image.mode, (2 * across, 2 * down))


def _load(image: OpenImage, file: BinaryIO, wanted: tuple[int, int]) -> tuple[OpenImage, bool]:
    """Decode the pixels, as many as there are; whether the file was damaged comes second.

    Pillow's switch for this is global and other threads would feel it; what it decoded before it gave
    up is in the image all the same.
    """
    try:
        image.load()
        return image, False
    except MemoryError:
        raise
    except Exception as error:
        if image.format in ("JPEG", "MPO"):
            image = _reopened_with_end(file, wanted)
        image.tile = []  # nothing more to decode: load() now hands out what there is
        image.load()
        if _is_blank(image, image.format):
            raise ImageError(damaged(error)) from error
        if _is_blank(_later_rows(image), image.format):  # the sliver left is no picture to learn from
            raise ImageError(tr("Damaged: nearly all of its pixels are missing.")) from error
        return image, True


def _reopened_with_end(file: BinaryIO, wanted: tuple[int, int]) -> OpenImage:
    """The JPEG with an end marker behind it; libjpeg fills what is missing with grey."""
    file.seek(0)
    image = Image.open(BytesIO(file.read() + b"\xff\xd9"), formats=FORMATS)
    if wanted != _displayed_size(image):
        _draft(image, wanted)
    with suppress(Exception):
        image.load()
    return image


def _is_blank(image: Image.Image, format: str | None) -> bool:
    """Whether nothing of a damaged image was decoded: an untouched buffer, or only libjpeg's filling."""
    extrema = image.getextrema()
    bands = [extrema] if not isinstance(extrema[0], tuple) else list(extrema)
    if format in ("JPEG", "MPO"):
        return all(low == high for low, high in bands)
    return all(low == high == 0 for low, high in bands)


def _later_rows(image: OpenImage) -> Image.Image:
    """The nine tenths of an image's rows that its file has last, which is above in a BMP."""
    tenth, (width, height) = image.height // 10, image.size
    is_upward = image.format in ("BMP", "DIB")
    return image.crop((0, 0, width, height - tenth) if is_upward else (0, tenth, width, height))
