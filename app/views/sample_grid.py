"""Images made by the generator, in a grid."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.models.pictures import to_qimage
from app.views.controls import paint_placeholder
from core.base.language import tr

_GAP = 2


class SampleGrid(QWidget):
    """Square tiles, as large as the room lets them be, from its upper left corner on."""

    def __init__(self, parent: QWidget | None = None, *, name: str = "", empty: str = "") -> None:
        super().__init__(parent)
        self._empty = empty or tr("Samples appear here where a generator is trained")
        self._tiles: list[QImage] = []
        self._drawn: QPixmap | None = None
        self.setMinimumHeight(72)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name or tr("Samples"))

    def sizeHint(self) -> QSize:
        return QSize(316, 180)

    def set_samples(self, samples: np.ndarray | None) -> None:
        """Show uint8 (n, S, S, 3); None or n = 0 shows the placeholder."""
        self._tiles = [] if samples is None else [to_qimage(tile) for tile in samples]
        self._drawn = None
        self.update()

    def set_placeholder(self, text: str) -> None:
        self._empty = text
        self.update()

    def count(self) -> int:
        return len(self._tiles)

    def tile_rects(self) -> list[QRectF]:
        """Where each tile lies, in widget coordinates, on whole device pixels."""
        if not self._tiles:
            return []
        ratio = self.devicePixelRatioF()
        width, height = int(self.width() * ratio), int(self.height() * ratio)
        gap = round(_GAP * ratio)
        columns, side = best_grid(len(self._tiles), width, height, gap)
        natural = self._tiles[0].width()
        if side > 2 * natural:  # whole multiples keep large tiles crisp
            side -= side % natural
        return [
            QRectF(
                (i % columns) * (side + gap) / ratio,
                (i // columns) * (side + gap) / ratio,
                side / ratio,
                side / ratio,
            )
            for i in range(len(self._tiles))
        ]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._tiles:
            paint_placeholder(painter, self.rect(), self._empty)
            return
        if self._drawn is None or self._drawn.devicePixelRatioF() != self.devicePixelRatioF():
            self._drawn = self._rendered()
        painter.drawPixmap(0, 0, self._drawn)

    def _rendered(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(self.size() * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        for tile, rect in zip(self._tiles, self.tile_rects(), strict=True):
            side = max(1, round(rect.width() * ratio))
            whole = side % tile.width() == 0
            how = (
                Qt.TransformationMode.FastTransformation
                if whole
                else Qt.TransformationMode.SmoothTransformation
            )
            scaled = tile.scaled(side, side, Qt.AspectRatioMode.IgnoreAspectRatio, how)
            scaled.setDevicePixelRatio(ratio)
            painter.drawImage(rect.topLeft(), scaled)
        painter.end()
        return drawn

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._drawn = None


def best_grid(count: int, width: int, height: int, gap: int) -> tuple[int, int]:
    """Columns, and the side of a square tile, that make ``count`` tiles largest in ``width`` x ``height``."""
    best = (1, 1)
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        side = min((width - (columns - 1) * gap) // columns, (height - (rows - 1) * gap) // rows)
        if side > best[1]:
            best = (columns, side)
    return best
