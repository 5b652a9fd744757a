"""Decoding image files safely: one way for training, viewing and measuring."""

from __future__ import annotations

import logging
import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

# Image.open(formats=...) knows only plug-ins that are imported; these are not by default.
from PIL import AvifImagePlugin, Image, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin
from PIL.ImageFile import ImageFile as OpenImage

from core.base.errors import ImageError, as_reason
from core.base.language import mark, tr
from core.images.colours import Levels, levels_of, reduced, stretch, to_rgb
from core.images.exif import NOT_SAID, ORIENTATION, Taken, has_exif, taken_of
from core.images.tiff import ODD_TIFF, deep_colours, is_whole_tiff, show_photo
from core.images.unplaced import says_where

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
NOT_AN_IMAGE = mark("Not an image this program reads (PNG, JPEG, BMP, GIF, TIFF, WebP, HEIC, AVIF).")
EMPTY = mark("The file is empty.")
NOT_A_FILE = mark("Not a regular file.")
GONE = mark("The file is no longer there.")

_BIG = 24_000_000  # pixels; images above are decoded one at a time, so that threads do not add up
_one_big = threading.Lock()
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow warns of odd files on stderr, from any thread; what matters is in our reasons. Above its pixel
# limit it warns, above twice the limit it refuses: the first stays usable (cameras have 100 megapixels).
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())
with suppress(ImportError):  # where it has no build, such a file is one that is not read
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False)


Resize = Callable[[Image.Image, tuple[int, int]], npt.NDArray[np.uint8]]


class UnavailableError(ImageError):
    """The file could not be read at all just now; another time it may."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """An image as displayed.

    ``pixels`` is uint8 RGB (H,W,3), C-contiguous; ``width`` and ``height`` are the whole image's, also
    where ``pixels`` are fewer. ``truncated`` says that the file is damaged and used as far as it decodes.
    ``levels`` are its grey values as finely as the file has them, where it has more than 8 bits and they
    were asked for: as many as ``pixels``. ``taken`` is when and where, as the file says.
    """

    pixels: npt.NDArray[np.uint8]
    width: int
    height: int
    truncated: bool
    levels: Levels | None = None
    taken: Taken = NOT_SAID


def decode(
    path: str | os.PathLike[str], *, max_side: int | None = None, with_levels: bool = False
) -> Decoded:
    """Decode the first frame of an image file as it is displayed.

    Parameters
    ----------
    max_side
        The longest side wanted, in pixels; a larger image is decoded and resized to it, a smaller one
        is never enlarged. None gives every pixel.

    Raises
    ------
    ImageError
        The file cannot be used; the text is the reason, without the file's name.
    """

    def target(width: int, height: int) -> tuple[int, int]:
        scale = 1.0 if max_side is None else min(1.0, max_side / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))

    return _decode(path, target, with_levels=with_levels)


def decode_squashed(path: str | os.PathLike[str], *, size: int) -> Decoded:
    """Like :func:`decode`, with the whole image squashed (antialiased) to ``size`` x ``size`` pixels."""
    return _decode(path, lambda width, height: (size, size))


def decode_fitted(path: str | os.PathLike[str], *, fit: Callable[[int, int], tuple[int, int]]) -> Decoded:
    """Like :func:`decode`, resized to the width and height that ``fit`` gives for those of the image.

    Resized by areas where it becomes smaller, else linearly: a third to a sixth of the time of
    :func:`decode_squashed`, whose pixels are sharper.
    """
    return _decode(path, fit, resize=_by_areas)


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height, in pixels, of the image as displayed, from the file's header alone.

    Raises
    ------
    ImageError
        The header cannot be read.
    """
    with _opened(path) as file, _reasons():
        image = _identify(file)
        return _displayed_size(image)


def read_taken(path: str | os.PathLike[str]) -> Taken:
    """When and where a photo was taken, from the file's header alone.

    Raises
    ------
    ImageError
        The header cannot be read.
    """
    with _opened(path) as file, _reasons():
        return taken_of(_identify(file))


def holds_position(path: str | os.PathLike[str]) -> bool:
    """Whether a photo says where it was taken; raises what :func:`read_taken` raises."""
    with _opened(path) as file, _reasons():
        return says_where(_identify(file))


def _decode(
    path: str | os.PathLike[str],
    target: Callable[[int, int], tuple[int, int]],
    *,
    with_levels: bool = False,
    resize: Resize | None = None,
) -> Decoded:
    with _opened(path) as file, _reasons():
        image = _identify(file)
        taken = taken_of(image)
        width, height = _displayed_size(image)
        wanted = target(width, height)
        if wanted != (width, height):
            _draft(image, wanted)
        big = image.width * image.height > _BIG
        with _one_big if big else nullcontext():
            image, truncated = _load(image, file, wanted)
            turn = _TURN.get(_orientation(image))
            deep = None if truncated else deep_colours(image, file)
            rgb = to_rgb(image) if deep is None else Image.fromarray(stretch(deep))
            levels = _levels(image, turn, wanted) if with_levels else None
            rgb = rgb if turn is None else rgb.transpose(turn)
            pixels = np.array(rgb) if rgb.size == wanted else (resize or _sharply)(rgb, wanted)
            return Decoded(pixels, width, height, truncated, levels, taken)


def _sharply(image: Image.Image, wanted: tuple[int, int]) -> npt.NDArray[np.uint8]:
    return np.array(image.resize(wanted, Image.Resampling.LANCZOS, reducing_gap=3.0))


def _by_areas(image: Image.Image, wanted: tuple[int, int]) -> npt.NDArray[np.uint8]:
    shrinks = image.width >= wanted[0] and image.height >= wanted[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.asarray(image), wanted, interpolation=way), np.uint8)


def _levels(image: OpenImage, turn: Image.Transpose | None, wanted: tuple[int, int]) -> Levels | None:
    """Of a loaded image, turned and reduced as its pixels are; None where there is no memory for them."""
    try:
        levels = levels_of(image)
        if levels is not None and turn is not None:
            levels = replace(levels, values=np.asarray(Image.fromarray(levels.values).transpose(turn)))
        return None if levels is None else reduced(levels, *wanted)
    except MemoryError:
        return None  # its 8 bits are there all the same


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """The file, opened for reading; a FIFO or a device is never opened, for that may block."""
    try:
        status = os.stat(path)  # noqa: PTH116 - any path-like
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(tr(NOT_A_FILE))
        if status.st_size == 0:
            raise ImageError(tr(EMPTY))
        file = open(path, "rb")  # noqa: PTH123, SIM115 - closed below; only the opening is guarded here
    except OSError as error:
        raise UnavailableError(unavailable(error)) from error
    except ValueError as error:  # a null character in the name
        raise ImageError(tr(NOT_A_FILE)) from error
    with file:
        yield file


@contextmanager
def _reasons() -> Iterator[None]:
    """Turn whatever Pillow raises on a bad file into a reason. It raises nearly everything."""
    try:
        yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise ImageError(
            tr("Too large: it has more than {limit:.0f} million pixels.").format(limit=limit)
        ) from error
    except MemoryError as error:
        raise ImageError(tr("Too large for the free memory of this computer.")) from error
    except Exception as error:
        raise ImageError(_damaged(error)) from error


def _damaged(error: BaseException) -> str:
    """The reason in words a person knows where Pillow's own are a programmer's."""
    detail = as_reason(error)
    if any(known in detail for known in ("decoder error", "decoder object", "broken data stream")):
        detail = tr("its pixels cannot be decoded")
    elif "MAX_TEXT_" in detail:
        detail = tr("a text hidden in it is unreasonably long")
    elif "truncated" in detail.lower():
        detail = tr("the file ends before its first pixel")
    return tr("Damaged: {detail}.").format(detail=detail)


def _identify(file: BinaryIO) -> OpenImage:
    try:
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ImageError(_unidentified(file)) from error
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        show_photo(image)
    return image


def _unidentified(file: BinaryIO) -> str:
    file.seek(0)
    if not looks_like_image(file.read(32)):
        return tr(NOT_AN_IMAGE)
    return tr(ODD_TIFF) if is_whole_tiff(file) else tr("Damaged: its header cannot be read.")


def _orientation(image: OpenImage) -> int:
    """The EXIF orientation 1..8. Broken EXIF is no reason to refuse an image."""
    if not has_exif(image):
        return 1
    try:
        value = image.getexif().get(ORIENTATION, 1)
        return int(value) if value in _TURN else 1
    except Exception:
        return 1


def _displayed_size(image: OpenImage) -> tuple[int, int]:
    """Before loading. Some versions of Pillow turn a TIFF's size already here, so take its tags."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        width, height = int(image.tag_v2[256]), int(image.tag_v2[257])
    else:
        width, height = image.size
    return (height, width) if _orientation(image) >= 5 else (width, height)


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
            raise ImageError(_damaged(error)) from error
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


#: Brands of files that hold a still picture: HEIC and its kin, and AVIF.
_STILLS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"}


def looks_like_image(head: bytes) -> bool:
    """Whether a file's first 32 bytes are those of a format that is read here."""
    return (
        head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a"))
        or head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))
        or (head.startswith(b"RIFF") and head[8:12] == b"WEBP")
        or (head.startswith(b"BM") and head[6:10] == b"\0\0\0\0")
        or (head[4:8] == b"ftyp" and head[8:12] in _STILLS)
    )


def why(error: OSError) -> str:
    return as_reason(error.strerror or error).lower()


def unavailable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return tr(GONE)
    return tr("The file cannot be read: {reason}.").format(reason=why(error))
