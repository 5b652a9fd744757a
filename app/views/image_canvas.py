"""The image in the centre of the window, with its heat map and boxes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app import style
from app.views import canvas_paint
from app.views.viewport import Viewport
from core.annotations import BoxRecord

ZOOM_STEP = 1.25
NEAREST_FROM = 4.0  # zoomed in beyond this, pixels are drawn as squares


class ImageCanvas(QWidget):
    """An image with heat map and boxes; zoom with the wheel, pan by dragging, fit with a double click.

    Zoom is device pixels per image pixel, so 1.0 shows one image pixel on one pixel of the screen.
    The image with its heat map is kept as one picture, so a moved box costs no more than its lines.
    """

    cursor_moved = Signal(object)  # (x, y) of the image pixel under the cursor, or None
    zoom_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._levels: list[QImage] = []  # the image, then each half as large as the one before
        self._view: Viewport | None = None
        self._heat: QImage | None = None
        self._heat_key = 0  # of the picture that was given
        self._boxes: tuple[BoxRecord, ...] = ()
        self._opacity = 0.5
        self._caption = ""
        self._message = self.tr("Choose an image on the left")
        self._backdrop: QPixmap | None = None
        self._drag: QPointF | None = None
        self._zoom_told = 0.0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self.setAccessibleName(self.tr("Image"))

    def sizeHint(self) -> QSize:
        return QSize(640, 560)

    # State

    def set_image(
        self,
        image: QImage | None,
        caption: str = "",
        *,
        size: tuple[int, int] | None = None,
        keep_view: bool = False,
    ) -> None:
        """Show another image; its heat map, boxes and message are cleared.

        Parameters
        ----------
        image
            None for no image.
        caption
            Plain text in the lower left corner.
        size
            Width and height, in pixels, of the image that boxes and cursor positions refer to, where
            ``image`` is a smaller copy of it.
        keep_view
            Keep zoom and pan where the size is the same, and keep heat map and boxes: the same image
            in a better copy.
        """
        if not keep_view:
            self._heat, self._heat_key, self._boxes = None, 0, ()
        self._caption, self._message = caption, ""
        self.setAccessibleName(caption or self.tr("Image"))
        if image is None or image.isNull():
            self._levels, self._view = [], None
            self.cursor_moved.emit(None)
        else:
            has_alpha = image.hasAlphaChannel()
            plain = QImage.Format.Format_ARGB32_Premultiplied if has_alpha else QImage.Format.Format_RGB32
            self._levels = [image.convertToFormat(plain)]
            width, height = size or (image.width(), image.height())
            old = self._view
            same = old is not None and (old.width, old.height) == (width, height)
            if not (keep_view and same):
                self._view = Viewport(width, height, self.width(), self.height()).fit()
        self._changed()

    def set_heat_map(self, picture: QImage | None) -> None:
        """Lay an RGBA picture of any size over the whole image; None for none."""
        empty = picture is None or picture.isNull()
        key = 0 if empty else picture.cacheKey()
        if key == self._heat_key:
            return
        self._heat_key = key
        self._heat = None if empty else picture.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        self._changed()

    def set_boxes(self, boxes: Sequence[BoxRecord]) -> None:
        """Draw these boxes, in pixels of the image."""
        self._boxes = tuple(boxes)
        self.update()

    def set_opacity(self, opacity: float) -> None:
        """How much of the heat map covers the image, 0..1."""
        opacity = min(max(opacity, 0.0), 1.0)
        if opacity != self._opacity:
            self._opacity = opacity
            self._changed()

    def set_message(self, text: str) -> None:
        """Plain text in place of the image, or in a corner over it; an empty text takes it away."""
        if text != self._message:
            self._message = text
            self.update()

    @property
    def zoom(self) -> float:
        """Device pixels per image pixel; 0 without an image."""
        return self._view.scale * self.devicePixelRatioF() if self._view else 0.0

    @property
    def viewport_state(self) -> Viewport | None:
        """Where the image lies now; None without an image."""
        return self._view

    # View

    def zoom_in(self) -> None:
        self._zoom_by(ZOOM_STEP)

    def zoom_out(self) -> None:
        self._zoom_by(1 / ZOOM_STEP)

    def fit(self) -> None:
        if self._view:
            self._look(self._view.fit())

    def actual_size(self) -> None:
        if self._view:
            self._look(self._view.scaled_to(1 / self.devicePixelRatioF()))

    def _zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        if self._view:
            self._look(self._view.scaled_to(self._view.scale * factor, at))

    def _look(self, view: Viewport) -> None:
        if view != self._view:
            self._view = view
            self._changed()

    def _changed(self) -> None:
        self._backdrop = None
        self.update()
        if self.zoom != self._zoom_told:
            self._zoom_told = self.zoom
            self.zoom_changed.emit(self.zoom)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._view is None:
            painter.fillRect(self.rect(), style.colours().canvas)
            canvas_paint.draw_placeholder(painter, self.rect(), self._message)
            return
        if self._backdrop is None or self._backdrop.devicePixelRatioF() != self.devicePixelRatioF():
            self._backdrop = self._drawn_backdrop(self._view)
        painter.drawPixmap(0, 0, self._backdrop)
        canvas_paint.draw_boxes(painter, self._view, self._boxes)
        canvas_paint.draw_corner(painter, self.rect(), self._caption, Qt.AlignmentFlag.AlignBottom)
        canvas_paint.draw_corner(painter, self.rect(), self._message, Qt.AlignmentFlag.AlignTop)

    def _drawn_backdrop(self, view: Viewport) -> QPixmap:
        ratio = self.devicePixelRatioF()
        backdrop = QPixmap(self.size() * ratio)
        backdrop.setDevicePixelRatio(ratio)
        backdrop.fill(style.colours().canvas)
        painter = QPainter(backdrop)
        image = canvas_paint.level_for(self._levels, view.width * view.scale * ratio)
        canvas_paint.draw_image(painter, view, image, smooth=self.zoom <= NEAREST_FROM)
        if self._heat is not None and self._opacity > 0:
            painter.setOpacity(self._opacity)
            canvas_paint.draw_image(painter, view, self._heat, smooth=True)
        painter.end()
        return backdrop

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._view:
            self._view = self._view.resized(self.width(), self.height())
        self._changed()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._changed()
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._changed()
        elif isinstance(event, QNativeGestureEvent) and self._pinched(event):
            return True
        return super().event(event)

    def _pinched(self, event: QNativeGestureEvent) -> bool:
        if event.gestureType() != Qt.NativeGestureType.ZoomNativeGesture:
            return False
        self._zoom_by(1 + event.value(), event.position())
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._view is None or not event.angleDelta().y():
            event.ignore()
            return
        self._zoom_by(ZOOM_STEP ** (event.angleDelta().y() / 120), event.position())
        self._tell_cursor(event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        buttons = (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton)
        if self._view and event.button() in buttons:
            self._drag = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and self._view:
            step = event.position() - self._drag
            self._drag = event.position()
            if not self._view.fitted:
                self._look(self._view.moved(step.x(), step.y()))
        self._tell_cursor(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self.cursor_moved.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        actions = {
            key.Key_Plus: self.zoom_in,
            key.Key_Equal: self.zoom_in,
            key.Key_Minus: self.zoom_out,
            key.Key_0: self.fit,
            key.Key_1: self.actual_size,
        }
        plain = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        action = actions.get(key(event.key()))
        if action is None or plain != Qt.KeyboardModifier.NoModifier:
            super().keyPressEvent(event)  # left and right belong to the window
            return
        action()

    def _tell_cursor(self, at: QPointF) -> None:
        half = 0.5 / self.devicePixelRatioF()  # a screen pixel shows what lies at its middle
        middle = at + QPointF(half, half)
        self.cursor_moved.emit(self._view.pixel_at(middle) if self._view else None)
