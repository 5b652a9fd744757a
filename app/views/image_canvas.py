"""The image in the centre of the window, with its heat map and boxes, and the hands on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QWidget

from app.models.marks import Mark, mark_text
from app.views import canvas_paint
from app.views.box_editor import BoxEditor, Intent
from app.views.picture_view import PictureView
from app.views.viewport import Viewport
from core.base.annotations import BoxRecord, Status
from core.base.geometry import Box
from core.base.language import tr


class ImageCanvas(PictureView):
    """An image with heat map and boxes; zoom with the wheel, fit with a double click.

    A drag draws or changes a box; with Ctrl, or by the middle button, it moves the view.

    What mouse and keys ask for of the boxes is told by ``edit_asked``; they change by :meth:`set_boxes`.
    Tab goes from box to box; after Esc has let go of the last one it leaves the canvas as usual.
    """

    edit_asked = Signal(object)  # an Intent of the box editor
    drag_changed = Signal(object)  # (width, height) in pixels of the box being dragged, or None
    selection_changed = Signal()  # of the selected box, or whether the next drag draws
    menu_asked = Signal(object)  # where on the screen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = BoxEditor()
        self.outlines: list[QPolygonF] = []
        self.status = Status.UNSEEN
        self.mark: Mark | None = None
        self.truth: tuple[Box, ...] = ()
        self.truth_text = ""
        self.provisional: tuple[Box, ...] = ()
        self.is_provisional = False
        self._told: tuple[object, ...] = (None, False, None)
        self._pan: QPointF | None = None
        self._on_map = False
        self._tab_leaves = False

    def set_image(
        self,
        image: QImage | None,
        caption: str = "",
        *,
        size: tuple[int, int] | None = None,
        keep_view: bool = False,
    ) -> None:
        """Show another image without boxes; with ``keep_view`` the same one, which keeps them."""
        if not keep_view:
            self._editor.reset()
        super().set_image(image, caption, size=size, keep_view=keep_view)
        self._tell_editing()

    def set_boxes(self, boxes: Sequence[BoxRecord], *, held: bool = False) -> None:
        """Show the boxes of the image; ``held`` ones are a person's, set or accepted."""
        self._editor.set_boxes(boxes, held=held)
        self._tell_editing()

    def set_status(self, status: Status, mark: Mark | None) -> None:
        """What was said of the image: its boxes have the colour of it, a corner the ``mark``."""
        if (status, mark) != (self.status, self.mark):
            self.status, self.mark = status, mark
            self.setAccessibleDescription(self._described())
            self.update()

    def set_truth(self, truth: Sequence[Box], text: str) -> None:
        """Draw true boxes, in pixels of the image, beneath the others, with ``text`` at the first."""
        if (tuple(truth), text) != (self.truth, self.truth_text):
            self.truth, self.truth_text = tuple(truth), text
            self.update()

    def set_provisional(self, boxes: Sequence[Box], *, is_all: bool = False) -> None:
        """Draw boxes that are not settled, in pixels of the image, dashed beneath the others.

        With ``is_all`` those of :meth:`set_boxes` are not settled either.
        """
        if (tuple(boxes), is_all) != (self.provisional, self.is_provisional):
            self.provisional, self.is_provisional = tuple(boxes), is_all
            self.update()

    @property
    def boxes(self) -> tuple[BoxRecord, ...]:
        """The boxes as drawn, the drag in progress included."""
        return self._editor.shown

    @property
    def selected_box(self) -> int | None:
        return self._editor.selected

    @property
    def is_drawing(self) -> bool:
        return self._editor.is_drawing

    def start_drawing(self) -> None:
        if self._view is not None:
            self._editor.start_drawing()
            self.setFocus()
            self.setCursor(Qt.CursorShape.CrossCursor)
            self._tell_editing()

    def set_may_draw(self, on: bool) -> None:
        """Whether a drag on the image draws; else it moves the view, as the middle button always does."""
        self._editor.may_draw = on

    def select_next_box(self, step: int = 1) -> None:
        if self._editor.cycle(step):
            self._tell_editing()

    def delete_selected(self) -> None:
        if self._editor.selected is not None:
            self._ask(self._editor.delete())

    def place_of(self, index: int) -> QPoint:
        """Where on the screen a box begins, or the edge of the canvas before it."""
        if self._view is None:
            return self.mapToGlobal(QPoint(0, 0))
        corner = self._view.to_widget(self.boxes[index].box).topLeft()
        room = self.rect()
        x, y = min(max(int(corner.x()), 0), room.right()), min(max(int(corner.y()), 0), room.bottom())
        return self.mapToGlobal(QPoint(x, y))

    def cancel(self) -> bool:
        """Give up a drag, drawing or the selection, in this order; False where there was none."""
        done = self._editor.cancel()
        self.unsetCursor()
        self._tell_editing()
        return done

    def _ask(self, intent: Intent | None) -> None:
        if intent is not None:
            self.edit_asked.emit(intent)
        self._tell_editing()

    def _tell_editing(self) -> None:
        editor = self._editor
        dragged = editor.dragged
        told = (editor.selected, editor.is_drawing, dragged)
        if told[:2] != self._told[:2]:
            self.selection_changed.emit()
            self.setAccessibleDescription(self._described())
        if dragged != self._told[2]:
            self.drag_changed.emit(dragged and (round(dragged.width), round(dragged.height)))
        self._told = told
        hint = tr("Drag to draw a box. Return adds one in the middle, Esc cancels.")
        self._hint = hint if editor.is_drawing else ""
        self.update()

    def _described(self) -> str:
        if self._editor.selected is None:
            return "" if self.mark is None else mark_text(self.mark)
        record, count = self._editor.boxes[self._editor.selected], len(self._editor.boxes)
        text = tr("Box {0} of {1}, {2}, {3:.0f} × {4:.0f} px")
        place = self._editor.selected + 1
        return text.format(place, count, record.label, record.box.width, record.box.height)

    def zoom_to_box(self) -> None:
        """Fill the view with the selected box, or with the first."""
        boxes = self._editor.boxes
        if self._view and boxes:
            self._look(self._view.zoomed_to(boxes[self._editor.selected or 0].box))

    def set_outlines(self, outlines: Sequence[npt.NDArray[np.float64]]) -> None:
        """Draw where the heat map is cut: lines whose points, float64 (n, 2), are shares of the image."""
        if outlines or self.outlines:
            self.outlines = [QPolygonF([QPointF(x, y) for x, y in line.tolist()]) for line in outlines]
            self.update()

    def paint_over(self, painter: QPainter, view: Viewport) -> None:
        if self.is_bare:
            return
        canvas_paint.draw_outlines(painter, view, self.outlines)
        canvas_paint.draw_boxes(
            painter,
            view,
            self._editor.shown,
            self._editor.shown_selected,
            truth=self.truth,
            truth_text=self.truth_text,
            provisional=self.provisional,
            dashed=self.is_provisional,
            status=self.status,
        )

    def paint_corner(self, painter: QPainter, view: Viewport) -> None:
        if self.mark is not None and not self.is_provisional and not self.is_bare:
            canvas_paint.draw_badge(painter, view, self.mark)

    def is_dragging(self) -> bool:
        return self._editor.is_dragging or self._pan is not None or self._on_map

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            # Left and right belong to the window, but not while a box is selected.
            if self._editor.wants(event.key(), event.modifiers()):
                event.accept()
                return True
        elif event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and self._tabbed(event):
            return True
        return super().event(event)

    def _tabbed(self, event: QKeyEvent) -> bool:
        """Qt takes Tab for the focus before it comes to ``keyPressEvent``."""
        steps = {Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1}
        step = steps.get(Qt.Key(event.key()))
        plain = not event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier
        if step is None or not plain or self._tab_leaves or not self._editor.cycle(step):
            return False
        self._tell_editing()
        return True

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.set_bare(False)  # the key may be let go where it is not heard
        super().focusOutEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._tab_leaves = False
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self._in_pane(event.position())
        left = event.button() == Qt.MouseButton.LeftButton
        if self._view is None or not (left or event.button() == Qt.MouseButton.MiddleButton):
            return
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        is_pan = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if left and self._map_at(at) is not None:
            self._on_map = True
            self._drag_map(at)
        elif left and not is_pan and self._editor.press(self._view, at, adds=shift):
            self._tell_editing()
        else:
            self._pan = at
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self._tell_editing()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._in_pane(event.position())
        if self._view is None:
            return
        if self._on_map:
            self._drag_map(at)
        elif self._pan is not None:
            step, self._pan = at - self._pan, at
            if not self._view.fitted:
                self._look(self._view.moved(step.x(), step.y()))
        else:
            if self._editor.is_dragging:
                self._editor.move(self._view, at)
                self._tell_editing()
            self._show_cursor(at)
        self._tell_cursor(at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._editor.is_dragging:
            self._ask(self._editor.release())
        self._pan, self._on_map = None, False
        self._show_cursor(self._in_pane(event.position()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._view is None:
            return
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            self._editor.selected = self._editor.under(self._view, self._in_pane(QPointF(event.pos())))
            self._tell_editing()
        self.menu_asked.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._view is not None and self._editor.wants(event.key(), event.modifiers()):
            self._ask(self._editor.key(self._view, event.key(), event.modifiers()))
            return
        key = Qt.Key
        actions = {
            key.Key_Plus: self.zoom_in,
            key.Key_Equal: self.zoom_in,
            key.Key_Minus: self.zoom_out,
            key.Key_0: self.fit,
            key.Key_Escape: self._escape,
        }
        plain = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        action = actions.get(key(event.key()))
        if action is None or plain != Qt.KeyboardModifier.NoModifier:
            super().keyPressEvent(event)  # left and right belong to the window
            return
        action()

    def _escape(self) -> None:
        if not self.cancel():
            self._tab_leaves = True

    def _show_cursor(self, at: QPointF) -> None:
        shape = self._editor.cursor(self._view, at) if self._view else None
        if self._view is not None and self._map_at(at) is not None and not self._editor.is_dragging:
            shape = Qt.CursorShape.PointingHandCursor
        if shape is None:
            self.unsetCursor()
        else:
            self.setCursor(shape)
