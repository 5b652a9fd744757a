"""Decoding image files safely: one way for training, viewing and measuring."""

from __future__ import annotations

import logging
import os
import stat
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from core.base.errors import ImageError, as_reason
from core.base.language import mark, tr
from core.images.colours import Levels, levels_of, reduced
from core.images.exif import NOT_SAID, Taken, taken_of
from core.images.pillow_image import FORMATS, PillowImage, damaged
from core.images.raw import RawPhoto, looks_like_raw
from core.images.source import DAMAGED_HEADER, Loaded, Source
from core.images.tiff import ODD_COMPRESSION, ODD_TIFF, Page, at_the_front, is_tiff, photo_page
from core.images.tiff_samples import TiffSamples, is_misread_by_pillow
from core.images.unplaced import says_where
from core.images.unread import unread_error, unread_jpeg, unread_png

NOT_AN_IMAGE = mark("Not an image this program reads (PNG, JPEG, BMP, GIF, TIFF, WebP, HEIC, AVIF).")
EMPTY = mark("The file is empty.")
NOT_A_FILE = mark("Not a regular file.")
GONE = mark("The file is no longer there.")

_BIG = 24_000_000  # pixels; images above are decoded one at a time, so that threads do not add up
_one_big = threading.Lock()

# Pillow warns of odd files on stderr, from any thread; what matters is in our reasons. Above its pixel
# limit it warns, above twice the limit it refuses: the first stays usable (cameras have 100 megapixels).
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())

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
        return _identify(file).displayed_size()


def read_taken(path: str | os.PathLike[str]) -> Taken:
    """When and where a photo was taken, from the file's header alone.

    Raises
    ------
    ImageError
        The header cannot be read.
    """
    with _opened(path) as file, _reasons():
        return taken_of(_identify(file).header)


def holds_position(path: str | os.PathLike[str]) -> bool:
    """Whether a photo says where it was taken; raises what :func:`read_taken` raises."""
    with _opened(path) as file, _reasons():
        return says_where(_identify(file).header)


def _decode(
    path: str | os.PathLike[str],
    target: Callable[[int, int], tuple[int, int]],
    *,
    with_levels: bool = False,
    resize: Resize | None = None,
) -> Decoded:
    with _opened(path) as file, _reasons():
        source = _identify(file)
        taken = taken_of(source.header)
        width, height = source.displayed_size()
        wanted = target(width, height)
        with _one_big if source.prepare(wanted) > _BIG else nullcontext():
            loaded = source.load()
            levels = _levels(loaded, wanted) if with_levels else None
            rgb = loaded.rgb if loaded.turn is None else loaded.rgb.transpose(loaded.turn)
            pixels = np.array(rgb) if rgb.size == wanted else (resize or _sharply)(rgb, wanted)
            return Decoded(pixels, width, height, loaded.truncated, levels, taken)


def _sharply(image: Image.Image, wanted: tuple[int, int]) -> npt.NDArray[np.uint8]:
    return np.array(image.resize(wanted, Image.Resampling.LANCZOS, reducing_gap=3.0))


def _by_areas(image: Image.Image, wanted: tuple[int, int]) -> npt.NDArray[np.uint8]:
    shrinks = image.width >= wanted[0] and image.height >= wanted[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(np.asarray(image), wanted, interpolation=way), np.uint8)


def _levels(loaded: Loaded, wanted: tuple[int, int]) -> Levels | None:
    """Turned and reduced as the pixels are; None where there are none, or no memory for them."""
    try:
        levels = None if loaded.grey is None else levels_of(loaded.grey)
        if levels is not None and loaded.turn is not None:
            levels = replace(levels, values=np.asarray(Image.fromarray(levels.values).transpose(loaded.turn)))
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
        raise ImageError(tr(unread_error(error)) or damaged(error)) from error


def _identify(file: BinaryIO) -> Source:
    head = file.read(32)
    file.seek(0)
    page = None
    if is_tiff(head):
        with suppress(ValueError, struct.error):  # damaged tags: Pillow may know more, or has a word for it
            page = photo_page(file)
            if page is None:
                return RawPhoto(file)
    elif looks_like_raw(head):
        return RawPhoto(file)
    elif told := unread_png(head):
        raise ImageError(tr(told))
    if page is not None and (is_misread_by_pillow(page) or not page.has_known_compression):
        return _samples(page, file)
    hangs_below = page is not None and page.number is None
    file.seek(0)
    try:
        image = Image.open(at_the_front(page, file) if page and hangs_below else file, formats=FORMATS)
    except UnidentifiedImageError as error:
        if page is not None:
            return _samples(page, file)
        told = unread_jpeg(head, file) or (DAMAGED_HEADER if looks_like_image(head) else NOT_AN_IMAGE)
        raise ImageError(tr(told)) from error
    if page is not None and page.number:
        image.seek(page.number)
    return PillowImage(image, file)


def _samples(page: Page, file: BinaryIO) -> Source:
    source = TiffSamples.of(page, file)
    if source is None:
        raise ImageError(tr(ODD_TIFF if page.has_known_compression else ODD_COMPRESSION))
    return source


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
