"""A few of the person's own images with their heat maps, which get sharper while something is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import style
from app.views.controls import paint_placeholder
from core.base.language import tr

COLUMNS = 2
_SHAPE = 3 / 4  # of a tile, height to width, as most photos have it
_HEAT = 0.5  # how much of a heat map covers its image


@dataclass(frozen=True, slots=True)
class Tile:
    """One image by its id; ``picture`` and ``heat`` are None until they are there."""

    id: int
    picture: QImage | None = None
    heat: QImage | None = None


class OwnImages(QWidget):
    """Two columns of tiles; a click on one brings that image into view."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: tuple[Tile, ...] = ()
        self.setAccessibleName(tr("Your images with their heat maps"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(0)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return QSize(316, 360)

    def set_tiles(self, tiles: Sequence[Tile]) -> None:
        self._tiles = tuple(tiles)
        self.update()

    def tiles(self) -> tuple[Tile, ...]:
        return self._tiles

    def rects(self) -> list[QRectF]:
        """Where each tile lies; those for which there is no room are left out."""
        width = (self.width() - (COLUMNS - 1) * style.SPACING) // COLUMNS
        height = round(width * _SHAPE)
        places = [divmod(i, COLUMNS) for i in range(len(self._tiles))]
        step = height + style.SPACING
        fit = [(row, column) for row, column in places if row * step + height <= self.height()]
        return [QRectF(column * (width + style.SPACING), row * step, width, height) for row, column in fit]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if not self._tiles:
            paint_placeholder(
                painter, self.rect(), tr("Six of your images appear here, with their heat maps")
            )
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for tile, rect in zip(self._tiles, self.rects(), strict=False):
            painter.fillRect(rect, QColor(style.colours().canvas))
            if tile.picture is None:
                continue
            part = _middle(tile.picture.size(), rect)
            painter.setOpacity(1.0)
            painter.drawImage(rect, tile.picture, part)
            if tile.heat is not None:
                painter.setOpacity(_HEAT)
                painter.drawImage(rect, tile.heat, _scaled(part, tile.picture.size(), tile.heat.size()))
                painter.setOpacity(1.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        for tile, rect in zip(self._tiles, self.rects(), strict=False):
            if rect.contains(QPointF(event.position())):
                self.chosen.emit(tile.id)


def _middle(size: QSize, rect: QRectF) -> QRectF:
    """The largest part around the middle of a picture that has the form of ``rect``."""
    scale = min(size.width() / rect.width(), size.height() / rect.height())
    width, height = rect.width() * scale, rect.height() * scale
    return QRectF((size.width() - width) / 2, (size.height() - height) / 2, width, height)


def _scaled(part: QRectF, of: QSize, to: QSize) -> QRectF:
    x, y = to.width() / of.width(), to.height() / of.height()
    return QRectF(part.x() * x, part.y() * y, part.width() * x, part.height() * y)
