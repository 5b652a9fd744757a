"""From core's pixels to Qt's images. A ``QImage`` may be made in any thread, a ``QPixmap`` may not."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

_PAINTED = {3: QImage.Format.Format_RGB32, 4: QImage.Format.Format_ARGB32_Premultiplied}
_FORMATS = {3: QImage.Format.Format_RGB888, 4: QImage.Format.Format_RGBA8888}


def to_qimage(pixels: np.ndarray) -> QImage:
    """A ``QImage`` that owns its memory, from uint8 (height, width, 3 or 4)."""
    pixels = np.ascontiguousarray(pixels)
    height, width, channels = pixels.shape
    picture = QImage(pixels.data, width, height, width * channels, _FORMATS[channels])
    # Also a copy: QImage does not keep the array alive. Painting wants this format; better here than there.
    return picture.convertToFormat(_PAINTED[channels])
