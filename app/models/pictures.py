"""From core's pixels to Qt's images. A ``QImage`` may be made in any thread, a ``QPixmap`` may not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from core.base.errors import ImageError
from core.images.colours import Levels
from core.images.decoding import decode
from core.images.display import Display, displayed, displayed_levels

_PAINTED = {3: QImage.Format.Format_RGB32, 4: QImage.Format.Format_ARGB32_Premultiplied}
_FORMATS = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}


def to_qimage(pixels: np.ndarray) -> QImage:
    """A ``QImage`` that owns its memory, from uint8 (height, width, 3 or 4)."""
    pixels = np.ascontiguousarray(pixels)
    height, width, channels = pixels.shape
    picture = QImage(pixels.data, width, height, width * channels, _FORMATS[channels])
    # Also a copy: QImage does not keep the array alive. Painting wants this format; better here than there.
    return picture.convertToFormat(_PAINTED[channels])


def read_picture(path: Path, side: int) -> QImage | None:
    """In a thread: the picture of an image file, at most ``side`` pixels long; None of an unreadable one."""
    try:
        return to_qimage(decode(path, max_side=side).pixels)
    except (ImageError, OSError):  # whoever lists the file says why
        return None


def adjusted(picture: QImage, display: Display, levels: Levels | None = None) -> QImage:
    """A copy of an opaque ``picture`` as ``display`` shows it; itself where that changes nothing.

    With ``levels`` these are adjusted, which are finer than the picture's 8 bits.
    """
    if display.is_plain:
        return picture
    if levels is not None:
        grey = displayed_levels(levels, display)
        return to_qimage(np.repeat(grey[..., None], 3, axis=2))
    plain = picture.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    pixels = rows[:, : 4 * plain.width()].reshape(plain.height(), plain.width(), 4)
    shown = displayed(pixels, display)
    return QImage(
        shown.data, plain.width(), plain.height(), 4 * plain.width(), QImage.Format.Format_RGB32
    ).copy()
