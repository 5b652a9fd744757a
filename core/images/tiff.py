"""Which picture of a TIFF is the photo: cameras' raw files are TIFFs too, and begin with a preview of it."""

from __future__ import annotations

import os
from typing import BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from core.base.errors import ImageError
from core.base.language import mark, tr

RAW = mark("Camera raw files cannot be read: export it as JPEG or TIFF.")
ODD_TIFF = mark("This kind of TIFF cannot be read: save it as RGB or grey with 8 or 16 bits.")
PLANAR = mark(
    "This 16-bit TIFF stores its channels separately, which cannot be read: save it with interleaved "
    "channels."
)

# Tags of TIFF 6.0, TIFF/EP and DNG.
_SUBFILE_TYPE, _WIDTH, _HEIGHT, _BITS, _PHOTOMETRIC, _SUB_IFDS, _DNG = 254, 256, 257, 258, 262, 330, 50706
_COMPRESSION, _CHANNELS, _PLANAR = 259, 277, 284
_PARTS = ((273, 279), (324, 325))  # strips, tiles: where they begin, how long they are
_OF_A_SENSOR = (32803, 34892)  # colour filter array, linear raw
_MOST_PAGES = 64
_CANON = b"\x10\0\0\0CR\x02\0"  # from byte 4: CR2 has its letters between the header and its first page


def show_photo(image: TiffImageFile) -> None:
    """Turn to the first page that is no reduced version of another.

    Raises
    ------
    ImageError
        It is a camera's raw file, whose first page is but a preview.
    """
    tags = image.tag_v2
    if _DNG in tags or tags.get(_PHOTOMETRIC) in _OF_A_SENSOR or _is_canon(image):
        raise ImageError(tr(RAW))
    if _is_deep(image) and tags.get(_PLANAR) == 2:
        raise ImageError(tr(PLANAR))
    if not _is_reduced(image):
        return
    for page in range(1, min(image.n_frames, _MOST_PAGES)):
        image.seek(page)
        if not _is_reduced(image):
            return
    image.seek(0)
    if _SUB_IFDS in image.tag_v2:
        raise ImageError(tr(RAW))


def deep_colours(image: Image.Image, file: BinaryIO) -> npt.NDArray[np.uint16] | None:
    """The colours of a TIFF that has more than 8 bits of them, uint16 (H, W, 3), RGB; None for any other.

    Pillow keeps their high byte alone, which leaves a 12-bit camera's picture black.
    """
    if not isinstance(image, TiffImageFile) or not _is_deep(image) or image.tell():
        return None
    file.seek(0)
    values = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.shape != (image.height, image.width, 3):
        return None
    return np.asarray(values[..., ::-1])


def is_whole_tiff(file: BinaryIO) -> bool:
    """Whether a file that Pillow does not know is a TIFF that holds as many pixels as its first page says."""
    try:
        file.seek(0)
        tags = ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        parts = [(tags[at], tags[count]) for at, count in _PARTS if at in tags and count in tags]
        wanted = tags[_WIDTH] * tags[_HEIGHT] * sum(tags[_BITS]) / 8
        if not parts or not wanted or len(tags[_BITS]) != tags.get(_CHANNELS, 1):
            return False
        starts, lengths = parts[0]
        ends = [start + length for start, length in zip(starts, lengths, strict=True)]
        is_whole = tags.get(_COMPRESSION, 1) != 1 or sum(lengths) >= wanted
        return bool(is_whole) and max(ends) <= file.seek(0, os.SEEK_END)
    except Exception:  # Pillow raises nearly everything
        return False


def _is_deep(image: TiffImageFile) -> bool:
    return image.mode == "RGB" and max(image.tag_v2.get(_BITS, (8,))) > 8


def _is_reduced(image: TiffImageFile) -> bool:
    return bool(image.tag_v2.get(_SUBFILE_TYPE, 0) & 1)


def _is_canon(image: TiffImageFile) -> bool:
    if image.fp is None:
        return False
    before = image.fp.tell()
    image.fp.seek(0)
    head = image.fp.read(4 + len(_CANON))
    image.fp.seek(before)
    return head[4:] == _CANON
