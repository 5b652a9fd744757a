"""What mouse and keys do to the boxes on the canvas: a state machine without any widget.

Points are the widget's; boxes are in pixels of the image. What is asked for comes back as a value, and
the boxes change only when their owner says so by :meth:`BoxEditor.set_boxes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt

from app.views.viewport import Viewport
from core.base.annotations import BoxRecord, Source
from core.base.geometry import Box
from core.base.reshape import Sides, centred, reshaped, spanned

# Logical pixels of the screen, the same at every zoom.
REACH = 8.0
"""How far from a handle's middle a press still takes it."""
EDGE = 5.0
"""The same for the line of a box."""
CLICK = 4.0
"""A press that moves less is a click and changes nothing."""
HANDLE_ROOM = 30.0
"""The handles of a smaller box stand this far apart, around it."""
STEP, LARGE_STEP = 1, 10

WHOLE: Sides = (0, 0)
HANDLES: tuple[Sides, ...] = tuple((x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if (x, y) != WHOLE)
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


@dataclass(frozen=True, slots=True)
class Draw:
    """A new box is wanted; with ``adds`` it is one more, else it may correct one that is there."""

    box: Box
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """The box at ``index`` shall have other sides; ``nudged`` by a key, of which many may follow."""

    index: int
    box: Box
    nudged: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """The box at ``index`` shall go."""

    index: int


Intent = Draw | Change | Delete


@dataclass(frozen=True, slots=True)
class _Drag:
    """A press and where it has got to. ``index`` is None while drawing; ``adds`` as :class:`Draw` has it."""

    at: QPointF
    from_: QPointF
    index: int | None
    sides: Sides
    before: Box | None
    now: Box | None = None
    begun: bool = False
    adds: bool = False


def handle_points(rect: QRectF) -> dict[Sides, QPointF]:
    """The middles of the eight handles of a box that lies at ``rect`` on the screen."""
    across = max(0.0, HANDLE_ROOM - rect.width()) / 2
    down = max(0.0, HANDLE_ROOM - rect.height()) / 2
    room = rect.adjusted(-across, -down, across, down)
    middle = room.center()
    return {
        (x, y): QPointF(middle.x() + x * room.width() / 2, middle.y() + y * room.height() / 2)
        for x, y in HANDLES
    }


class BoxEditor:
    """The selected box, the drag in progress, and whether the next drag draws whatever lies there.

    A drag draws where there is no box, and within a box that is not a person's yet: to correct it takes no
    more. By its lines such a box is resized, and once it is selected it is moved like any other.
    """

    def __init__(self) -> None:
        self.boxes: tuple[BoxRecord, ...] = ()
        self.held = False
        self.may_draw = True
        self.selected: int | None = None
        self.is_drawing = False
        self._drag: _Drag | None = None
        self._selects_new = False

    # ---- state ------------------------------------------------------------------------------------

    def set_boxes(self, boxes: Sequence[BoxRecord], *, held: bool = False) -> None:
        """Take over the boxes of the same image; a box that was just drawn becomes the selected one.

        ``held`` boxes are a person's, set or accepted.
        """
        if self._selects_new and boxes and tuple(boxes) != self.boxes:
            self.selected = len(boxes) - 1
        self._selects_new = False
        self.boxes, self.held = tuple(boxes), held
        if self.selected is not None and self.selected >= len(boxes):
            self.selected = len(boxes) - 1 if boxes else None
        if self._drag is not None and (self._drag.index or 0) >= max(len(boxes), 1):
            self._drag = None

    def reset(self) -> None:
        """Another image: nothing is selected, dragged or drawn."""
        self.boxes, self.held, self.selected, self.is_drawing = (), False, None, False
        self._drag, self._selects_new = None, False

    def start_drawing(self) -> None:
        self._drag, self.is_drawing = None, True

    def cancel(self) -> bool:
        """Give up the drag, else drawing, else the selection; False where there was none of these."""
        if (self._drag is not None and self._drag.begun) or self.is_drawing:
            self._drag, self.is_drawing = None, False
        elif self.selected is not None:
            self.selected = None
        else:
            return False
        return True

    @property
    def dragged(self) -> Box | None:
        """The box as the drag in progress would leave it."""
        return self._drag.now if self._drag is not None and self._drag.begun else None

    @property
    def is_dragging(self) -> bool:
        return self._drag is not None

    @property
    def shown(self) -> tuple[BoxRecord, ...]:
        """The boxes with the drag in progress."""
        box = self.dragged
        if box is None or self._drag is None:
            return self.boxes
        if self._drag.index is None:
            return (*self.boxes, BoxRecord(box, source=Source.EDITED))
        index = self._drag.index
        return (*self.boxes[:index], replace(self.boxes[index], box=box), *self.boxes[index + 1 :])

    @property
    def shown_selected(self) -> int | None:
        """Which of :attr:`shown` has handles."""
        if self.dragged is not None and self._drag is not None and self._drag.index is None:
            return len(self.boxes)
        return self.selected

    def delete(self) -> Delete | None:
        return None if self.selected is None else Delete(self.selected)

    def cycle(self, step: int = 1) -> bool:
        """Select the next box (the previous one where ``step`` is -1); False where there is none."""
        if not self.boxes:
            return False
        if self.selected is None:
            self.selected = 0 if step > 0 else len(self.boxes) - 1
        else:
            self.selected = (self.selected + step) % len(self.boxes)
        return True

    # ---- mouse ------------------------------------------------------------------------------------

    def press(self, view: Viewport, at: QPointF, *, adds: bool = False) -> bool:
        """A press of the left button; with ``adds`` a drag draws one more box, wherever it begins.

        False where it is none of the boxes' business.
        """
        there = view.to_image(at)
        hit = None if self.is_drawing or (adds and self.may_draw) else self.hit(view, at)
        if hit is not None:
            self.selected, sides = hit
            self._drag = _Drag(at, there, self.selected, sides, self.boxes[self.selected].box)
            return True
        if not self.is_drawing:
            self.selected = self.under(view, at)  # a mere click means that one
        if not self.may_draw:
            return False
        inside = QPointF(min(max(there.x(), 0), view.width), min(max(there.y(), 0), view.height))
        self._drag = _Drag(at, inside, None, WHOLE, None, adds=adds)
        return True

    def move(self, view: Viewport, at: QPointF) -> None:
        drag = self._drag
        if drag is None:
            return
        far = max(abs(at.x() - drag.at.x()), abs(at.y() - drag.at.y()))
        if not drag.begun and far < CLICK:
            return
        there, size = view.to_image(at), {"width": view.width, "height": view.height}
        if drag.before is None:
            now = spanned((drag.from_.x(), drag.from_.y()), (there.x(), there.y()), **size)
        else:
            dx, dy = there.x() - drag.from_.x(), there.y() - drag.from_.y()
            now = reshaped(drag.before, drag.sides, dx, dy, **size)
        self._drag = replace(drag, now=now, begun=True)

    def release(self) -> Intent | None:
        """The button is up: what the drag asks for, if anything."""
        drag, self._drag = self._drag, None
        if drag is None or drag.now is None:
            return None
        if drag.index is None:
            return self._drawn(drag.now, adds=drag.adds)
        return Change(drag.index, drag.now) if drag.now != drag.before else None

    def hit(self, view: Viewport, at: QPointF) -> tuple[int, Sides] | None:
        """The box under a point of the widget, and which of its sides a drag there would move."""
        if self.selected is not None:
            sides = _sides_at(view.to_widget(self.boxes[self.selected].box), at)
            if sides is not None:
                return self.selected, sides
        index = self.under(view, at)
        if index is None:
            return None
        if index == self.selected or self.held or not self.may_draw:
            return index, WHOLE
        lines = _lines_at(view.to_widget(self.boxes[index].box), at)
        return None if lines is None else (index, lines)

    def under(self, view: Viewport, at: QPointF) -> int | None:
        """The box under a point of the widget; of several the smallest, which is reached in no other way."""
        under = [i for i, record in enumerate(self.boxes) if _covers(view, record.box, at)]
        return min(under, key=lambda i: self.boxes[i].box.area) if under else None

    def cursor(self, view: Viewport, at: QPointF) -> Qt.CursorShape | None:
        """The shape that says what a press would do; None where the boxes have no say."""
        if self.is_drawing:
            return Qt.CursorShape.CrossCursor
        hit = (self._drag.index, self._drag.sides) if self._drag is not None else self.hit(view, at)
        if hit is None:
            return Qt.CursorShape.CrossCursor if self.may_draw else None
        x, y = hit[1]
        if self._drag is not None and self._drag.index is None:
            return Qt.CursorShape.CrossCursor
        if (x, y) == WHOLE:
            return Qt.CursorShape.SizeAllCursor
        if x and y:
            return Qt.CursorShape.SizeFDiagCursor if x == y else Qt.CursorShape.SizeBDiagCursor
        return Qt.CursorShape.SizeHorCursor if x else Qt.CursorShape.SizeVerCursor

    # ---- keys -------------------------------------------------------------------------------------

    def wants(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Whether :meth:`key` would do something: these keys mean something else without a box."""
        shift, control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
        if modifiers & ~(shift | control | Qt.KeyboardModifier.KeypadModifier):
            return False
        if key in _ARROWS or key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            return self.selected is not None
        return self.is_drawing and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)

    def key(self, view: Viewport, key: int, modifiers: Qt.KeyboardModifier) -> Intent | None:
        """Arrows move the selected box, with Ctrl its right and lower sides; with Shift ten pixels a step.

        While drawing, Return makes a box in the middle, for a person without a mouse; with Shift one more.
        """
        size = {"width": view.width, "height": view.height}
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if self.is_drawing and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self._drawn(centred(**size), adds=shift)
        if self.selected is None:
            return None
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            return self.delete()
        arrow = _ARROWS.get(Qt.Key(key))
        if arrow is None:
            return None
        step = LARGE_STEP if shift else STEP
        resizes = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        sides = (abs(arrow[0]), abs(arrow[1])) if resizes else WHOLE
        before = self.boxes[self.selected].box
        now = reshaped(before, sides, arrow[0] * step, arrow[1] * step, **size)
        return Change(self.selected, now, nudged=True) if now != before else None

    def _drawn(self, box: Box, *, adds: bool) -> Draw:
        self.is_drawing, self._selects_new = False, True
        return Draw(box, adds)


def _sides_at(rect: QRectF, at: QPointF) -> Sides | None:
    """Which sides a press at ``at`` takes of the selected box; None beside its handles and lines."""
    distances = {
        sides: max(abs(at.x() - point.x()), abs(at.y() - point.y()))
        for sides, point in handle_points(rect).items()
    }
    nearest = min(distances, key=distances.__getitem__)
    return nearest if distances[nearest] <= REACH else _lines_at(rect, at)


def _lines_at(rect: QRectF, at: QPointF) -> Sides | None:
    """Which sides' lines lie under ``at``; None beside them, and of a box too small to tell them apart."""
    if min(rect.width(), rect.height()) < HANDLE_ROOM or not _grown(rect, EDGE).contains(at):
        return None
    x = -1 if at.x() <= rect.left() + EDGE else int(at.x() >= rect.right() - EDGE)
    y = -1 if at.y() <= rect.top() + EDGE else int(at.y() >= rect.bottom() - EDGE)
    return (x, y) if (x, y) != WHOLE else None


def _covers(view: Viewport, box: Box, at: QPointF) -> bool:
    rect = view.to_widget(box)
    if not _grown(rect, EDGE).contains(at):
        return False
    # With no line of it in sight nobody means the box: the drag is for the image.
    return not rect.contains(QRectF(0, 0, view.view_width, view.view_height))


def _grown(rect: QRectF, by: float) -> QRectF:
    return rect.adjusted(-by, -by, by, by)
