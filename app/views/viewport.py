"""Where an image lies in a widget: the geometry of zoom and pan, without any widget."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF

from core.base.geometry import Box

MARGIN = 12.0
MAX_SCALE = 64.0
BOX_SHARE = 0.7  # of the widget, when zoomed to a box
MIN_SHOWN = 48.0  # zoomed out, an image stays at least this long, in logical pixels


@dataclass(frozen=True, slots=True)
class Viewport:
    """An image of ``width`` x ``height`` pixels in a widget of ``view_width`` x ``view_height``.

    ``scale`` is logical (widget) pixels per image pixel; ``x`` and ``y`` are where the image's top left
    corner lies in the widget; ``fitted`` says that the image follows the widget's size.
    """

    width: int
    height: int
    view_width: float
    view_height: float
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0
    fitted: bool = True

    @property
    def fit_scale(self) -> float:
        across = max(1.0, self.view_width - 2 * MARGIN) / self.width
        down = max(1.0, self.view_height - 2 * MARGIN) / self.height
        return min(across, down, MAX_SCALE)

    @property
    def target(self) -> QRectF:
        return QRectF(self.x, self.y, self.width * self.scale, self.height * self.scale)

    def fit(self) -> Viewport:
        """The whole image, centred, as large as the widget lets it be."""
        return replace(self, scale=self.fit_scale, fitted=True)._settled()

    def resized(self, view_width: float, view_height: float) -> Viewport:
        """The same view in a widget of another size: fitted again, or about the same centre."""
        moved = replace(self, view_width=view_width, view_height=view_height)
        if self.fitted:
            return moved.fit()
        dx, dy = (view_width - self.view_width) / 2, (view_height - self.view_height) / 2
        return replace(moved, x=self.x + dx, y=self.y + dy)._settled()

    def scaled_to(self, scale: float, at: QPointF | None = None) -> Viewport:
        """Another scale, with the image point under ``at`` (the widget's centre when None) held still."""
        at = QPointF(self.view_width / 2, self.view_height / 2) if at is None else at
        lowest = min(self.fit_scale, MIN_SHOWN / max(self.width, self.height))
        scale = min(max(scale, lowest), max(MAX_SCALE, self.fit_scale))
        ratio = scale / self.scale
        x, y = at.x() - (at.x() - self.x) * ratio, at.y() - (at.y() - self.y) * ratio
        return replace(self, scale=scale, x=x, y=y, fitted=False)._settled()

    def moved(self, dx: float, dy: float) -> Viewport:
        """Dragged by ``dx``, ``dy`` widget pixels; the widget's centre stays on the image."""
        return replace(self, x=self.x + dx, y=self.y + dy, fitted=False)._settled()

    def centred_on(self, point: QPointF) -> Viewport:
        """The same scale with a point of the image in the widget's middle, as far as may be."""
        x, y = self.view_width / 2 - point.x() * self.scale, self.view_height / 2 - point.y() * self.scale
        return replace(self, x=x, y=y, fitted=False)._settled()

    def zoomed_to(self, box: Box) -> Viewport:
        """As large as lets all of ``box`` be seen with some of what is around it."""
        room = BOX_SHARE * min(self.view_width / max(box.width, 1), self.view_height / max(box.height, 1))
        middle_x, middle_y = box.center
        return self.scaled_to(room).centred_on(QPointF(middle_x, middle_y))

    @property
    def shows_all(self) -> bool:
        room = QRectF(0, 0, self.view_width, self.view_height).adjusted(-0.5, -0.5, 0.5, 0.5)
        return room.contains(self.target)

    def _settled(self) -> Viewport:
        def place(start: float, extent: float, room: float) -> float:
            if self.scale <= self.fit_scale:
                return (room - extent) / 2
            return min(max(start, room / 2 - extent), room / 2)

        return replace(
            self,
            x=place(self.x, self.width * self.scale, self.view_width),
            y=place(self.y, self.height * self.scale, self.view_height),
        )

    def to_image(self, point: QPointF) -> QPointF:
        """A point of the widget, in image pixels."""
        return QPointF((point.x() - self.x) / self.scale, (point.y() - self.y) / self.scale)

    def to_widget(self, box: Box) -> QRectF:
        """A box of the image, in widget coordinates."""
        left, top = self.x + box.x0 * self.scale, self.y + box.y0 * self.scale
        return QRectF(left, top, box.width * self.scale, box.height * self.scale)

    def pixel_at(self, point: QPointF) -> tuple[int, int] | None:
        """The image pixel under a point of the widget, or None beside the image."""
        there = self.to_image(point)
        if 0 <= there.x() < self.width and 0 <= there.y() < self.height:
            return int(there.x()), int(there.y())
        return None

    def visible(self) -> tuple[int, int, int, int]:
        """The image pixels in sight, half-open ``x0, y0, x1, y1``; empty when x1 <= x0 or y1 <= y0."""
        first = self.to_image(QPointF(0, 0))
        last = self.to_image(QPointF(self.view_width, self.view_height))
        x0, y0 = max(0, int(first.x()) - 1), max(0, int(first.y()) - 1)
        return x0, y0, min(self.width, int(last.x()) + 2), min(self.height, int(last.y()) + 2)
