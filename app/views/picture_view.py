"""An image under its heat map, zoomed and panned: what the canvas shows before any box."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QImage,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app import style
from app.models.pictures import adjusted
from app.views import canvas_paint, minimap
from app.views.viewport import Viewport
from core.base.language import tr
from core.images.colours import Levels, reduced
from core.images.display import Display

ZOOM_STEP = 1.25
NEAREST_FROM = 4.0  # zoomed in beyond this, pixels are drawn as squares
PANE_GAP = 2


class PictureView(QWidget):
    """An image with its heat map; zoomed with the wheel.

    Zoom is device pixels per image pixel, so 1.0 shows one image pixel on one pixel of the screen.
    The image with its heat map is kept as one picture, so what lies over it costs no more than itself.
    Side by side there are two panes with the same view: the image, and the image under its heat map.
    """

    cursor_moved = Signal(object)  # (x, y) of the image pixel under the cursor, or None
    zoom_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._levels: list[QImage] = []  # the image, then each half as large as the one before
        self._view: Viewport | None = None
        self._heat: QImage | None = None
        self._heat_key = 0  # of the picture that was given
        self._opacity = 0.35
        self.is_bare = False
        self._display = Display()
        self._grey: Levels | None = None
        self._greys: dict[tuple[int, int], Levels] = {}  # the same for smaller copies, by their size
        self._caption = self._hint = ""
        self._message = tr("Choose an image on the left")
        self._backdrops: list[QPixmap] = []
        self._is_split = False
        self._pane = QPointF()  # where the pane begins that the mouse is over
        self._zoom_told = 0.0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 120)
        self.setAccessibleName(tr("Image"))

    def sizeHint(self) -> QSize:
        return QSize(640, 560)

    def paint_over(self, painter: QPainter, view: Viewport) -> None:
        """Draw what lies over the image, in the coordinates of one pane."""

    def paint_corner(self, painter: QPainter, view: Viewport) -> None:
        """Draw what belongs into the upper right corner of the image in the last pane."""

    def is_dragging(self) -> bool:
        """Whether a button is held down: the drag then stays with the pane it began in."""
        return False

    # State

    def set_image(
        self,
        image: QImage | None,
        caption: str = "",
        *,
        size: tuple[int, int] | None = None,
        keep_view: bool = False,
    ) -> None:
        """Show another image; its heat map and message are cleared.

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
            Keep zoom and pan where the size is the same, and keep the heat map: the same image
            in a better copy.
        """
        if not keep_view:
            self._heat, self._heat_key = None, 0
        self._caption, self._message = caption, ""
        self.setAccessibleName(caption or tr("Image"))
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
                self._view = Viewport(width, height, self._pane_width, self.height()).fit()
        self._changed()

    def set_heat_map(self, picture: QImage | None) -> None:
        """Lay an RGBA picture of any size over the whole image; None for none."""
        picture = None if picture is None or picture.isNull() else picture
        key = 0 if picture is None else picture.cacheKey()
        if key != self._heat_key:
            format_ = QImage.Format.Format_ARGB32_Premultiplied
            self._heat_key, self._heat = key, picture and picture.convertToFormat(format_)
            self._changed()

    def set_opacity(self, opacity: float) -> None:
        """How much of the heat map covers the image, 0..1."""
        opacity = min(max(opacity, 0.0), 1.0)
        if opacity != self._opacity:
            self._opacity = opacity
            self._changed()

    def set_bare(self, on: bool) -> None:
        """Show nothing but the image, for as long as a person holds a key."""
        if on != self.is_bare:
            self.is_bare = on
            self._changed()

    def set_display(self, display: Display) -> None:
        """Brightness, contrast and gamma of the image; its heat map stays as it is."""
        if display != self._display:
            self._display = display
            self._changed()

    def set_levels(self, levels: Levels | None) -> None:
        """The finer grey values of the image; None where its 8 bits are all there is."""
        if levels is not self._grey:
            self._grey, self._greys = levels, {}
            self._changed()

    def set_side_by_side(self, split: bool) -> None:
        """Show the image beside itself under its heat map, instead of only the latter."""
        if split != self._is_split:
            self._is_split = split
            if self._view is not None:
                self._view = self._view.resized(self._pane_width, self.height())
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
        self._backdrops = []
        self.update()
        if self.zoom != self._zoom_told:
            self._zoom_told = self.zoom
            self.zoom_changed.emit(self.zoom)

    @property
    def _pane_width(self) -> int:
        return (self.width() - PANE_GAP) // 2 if self._is_split else self.width()

    def _panes(self) -> list[QRect]:
        width = self._pane_width
        count = 2 if self._is_split else 1
        return [QRect(i * (width + PANE_GAP), 0, width, self.height()) for i in range(count)]

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        # A painter that outlives an error takes the whole program with it.
        with QPainter(self) as painter:
            if self._view is None:
                painter.fillRect(self.rect(), style.colours().canvas)
                canvas_paint.draw_placeholder(painter, self.rect(), self._message)
            else:
                self._paint_panes(painter, self._view)
                self._paint_corners(painter)

    def _paint_panes(self, painter: QPainter, view: Viewport) -> None:
        if not self._backdrops or self._backdrops[0].devicePixelRatioF() != self.devicePixelRatioF():
            last = len(self._panes()) - 1
            self._backdrops = [self._drawn_backdrop(view, heat=i == last) for i in range(last + 1)]
        painter.fillRect(self.rect(), style.colours().border)
        for pane, backdrop in zip(self._panes(), self._backdrops, strict=True):
            painter.save()
            painter.setClipRect(pane)
            painter.translate(pane.topLeft())
            painter.drawPixmap(0, 0, backdrop)
            self.paint_over(painter, view)
            painter.restore()

    def _paint_corners(self, painter: QPainter) -> None:
        first, last = self._panes()[0], self._panes()[-1]
        canvas_paint.draw_corner(painter, first, self._caption, Qt.AlignmentFlag.AlignBottom)
        canvas_paint.draw_corner(painter, first, self._hint or self._message, Qt.AlignmentFlag.AlignTop)
        painter.translate(last.topLeft())
        if self._view is not None:
            self.paint_corner(painter, self._view)
        if self._view is not None and not self._view.shows_all:
            width = minimap.SIDE * self.devicePixelRatioF()
            small = canvas_paint.level_for(self._levels, width)
            minimap.draw(painter, self._view, adjusted(small, self._display, self._grey_of(small)))

    def _drawn_backdrop(self, view: Viewport, *, heat: bool) -> QPixmap:
        ratio = self.devicePixelRatioF()
        backdrop = QPixmap(QSize(self._pane_width, self.height()) * ratio)
        backdrop.setDevicePixelRatio(ratio)
        backdrop.fill(style.colours().canvas)
        painter = QPainter(backdrop)
        image = canvas_paint.level_for(self._levels, view.width * view.scale * ratio)
        smooth = self.zoom <= NEAREST_FROM
        grey = self._grey_of(image)
        canvas_paint.draw_image(painter, view, image, smooth=smooth, display=self._display, levels=grey)
        if heat and self._heat is not None and self._opacity > 0 and not self.is_bare:
            painter.setOpacity(self._opacity)
            canvas_paint.draw_image(painter, view, self._heat, smooth=True)
        painter.end()
        return backdrop

    def _grey_of(self, image: QImage) -> Levels | None:
        """The finer grey values for a copy of the image, made once for each size."""
        if self._grey is None or self._display.is_plain:
            return None
        size = image.width(), image.height()
        if size not in self._greys:
            self._greys[size] = reduced(self._grey, *size)
        return self._greys[size]

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._view:
            self._view = self._view.resized(self._pane_width, self.height())
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
        self._zoom_by(1 + event.value(), self._in_pane(event.position()))
        return True

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._view is None or not event.angleDelta().y():
            event.ignore()
            return
        at = self._in_pane(event.position())
        self._zoom_by(ZOOM_STEP ** (event.angleDelta().y() / 120), at)
        self._tell_cursor(at)
        event.accept()

    def _in_pane(self, at: QPointF) -> QPointF:
        """A point of the widget, in the pane it lies in; a drag stays with the pane it began in."""
        if not self.is_dragging():
            panes = self._panes()
            self._pane = QPointF(panes[-1 if at.x() >= panes[-1].left() else 0].topLeft())
        return at - self._pane

    def leaveEvent(self, event: QEvent) -> None:
        self.cursor_moved.emit(None)

    def _map_at(self, at: QPointF) -> QRectF | None:
        """The minimap, where ``at`` lies on it: it is in the last pane only."""
        room = minimap.place(self._view) if self._view else None
        in_last = self._pane.x() == self._panes()[-1].left()
        return room if room is not None and in_last and room.contains(at) else None

    def _drag_map(self, at: QPointF) -> None:
        room = minimap.place(self._view) if self._view else None
        if self._view is not None and room is not None:
            self._look(minimap.looked_at(self._view, room, at))

    def _tell_cursor(self, at: QPointF) -> None:
        half = 0.5 / self.devicePixelRatioF()  # a screen pixel shows what lies at its middle
        middle = at + QPointF(half, half)
        self.cursor_moved.emit(self._view.pixel_at(middle) if self._view else None)
