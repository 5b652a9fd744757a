"""A row of thumbnails below the image: what was just looked at, what is in view, what comes next."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import style
from app.models.image_list import ImageListModel
from app.views.thumbnail_paint import paint_thumbnail
from core.base.language import tr

SIDE = 72


class FilmStrip(QWidget):
    """The rows of an :class:`ImageListModel` around one of them, which lies in the middle.

    It paints only those that fit, so it costs the same with 100,000 images.
    """

    chosen = Signal(int)
    """An image's id."""
    stepped = Signal(int)
    """The wheel was turned: 1 for the next image, -1 for the previous one."""

    def __init__(self, model: ImageListModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._current: int | None = None
        self._turned = 0
        self.setFixedHeight(SIDE + 2 * style.SPACING)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(tr("Film strip"))
        for changed in (model.dataChanged, model.modelReset, model.rowsInserted):
            changed.connect(lambda *_: self.update())

    def sizeHint(self) -> QSize:
        return QSize(640, SIDE + 2 * style.SPACING)

    def set_current(self, image_id: int | None) -> None:
        self._current = image_id
        self.update()

    def place_of(self, row: int) -> QRect | None:
        """Where the image of a row lies; None where it is out of sight."""
        frames = dict(self._frames())
        return frames.get(row)

    def _frames(self) -> list[tuple[int, QRect]]:
        """The rows in sight, each with its square."""
        middle, step = max(self._model.row_of(self._current), 0), SIDE + style.SPACING
        left = (self.width() - SIDE) // 2
        around = left // step + 1
        rows = range(max(0, middle - around), min(self._model.rowCount(), middle + around + 1))
        return [(row, QRect(left + (row - middle) * step, style.SPACING, SIDE, SIDE)) for row in rows]

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHints(
                QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
            )
            painter.fillRect(self.rect(), QColor(style.colours().window))
            current = self._model.row_of(self._current)
            for row, frame in self._frames():
                paint_thumbnail(painter, frame, self._model.index(row))
                if row == current:
                    painter.setPen(QPen(QColor(style.colours().accent), 3))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(frame.adjusted(-2, -2, 2, 2), 4, 4)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._choose(event.position().toPoint())

    def _choose(self, at: QPoint) -> None:
        for row, frame in self._frames():
            image_id = self._model.id_at(row) if frame.contains(at) else None
            if image_id is not None:
                self.chosen.emit(image_id)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._turned -= event.angleDelta().y() or event.angleDelta().x()
        steps = int(self._turned / 120)
        self._turned -= 120 * steps
        for _ in range(abs(steps)):
            self.stepped.emit(1 if steps > 0 else -1)
        event.accept()
