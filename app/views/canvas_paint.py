"""What the canvas draws: an image, boxes that show on every background, and plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPen, QPixmap, QPolygonF, QTransform

from app import style
from app.models.marks import Mark, mark_of_box, mark_text
from app.models.pictures import adjusted
from app.views.box_editor import handle_points
from app.views.mark_paint import MARK_COLOURS, SIDE, draw_sign
from app.views.viewport import Viewport
from core.base.annotations import DEFAULT_LABEL, BoxRecord, Source, Status
from core.base.geometry import Box
from core.base.language import number, tr
from core.images.colours import Levels
from core.images.display import Display

OUTLINE = 2.0  # logical pixels; the dark line beneath shows one more on either side
HANDLE = 8.0  # logical pixels, without its lines
_PAD = 5.0
_MOST_TAGS = 200  # more would hide the picture, and each has to find a place beside all others
_SIGN_GAP = 5.0
_Tag = tuple[QRectF, str, Mark | None]
_DASHES = (4.0, 3.0)  # line and gap, in widths of the line


def level_for(levels: list[QImage], device_width: float) -> QImage:
    """The smallest copy of the image that is still at least ``device_width`` wide.

    ``levels`` holds the image first and is extended by copies of half the size on demand, so that a
    large photo is drawn small without flicker and without being read whole each time.
    """
    level = 0
    while (
        levels[level].width() >= 2 * device_width and min(levels[level].width(), levels[level].height()) > 1
    ):
        level += 1
        if level == len(levels):
            last = levels[-1]
            size = last.size() / 2
            levels.append(
                last.scaled(
                    max(1, size.width()),
                    max(1, size.height()),
                    Qt.AspectRatioMode.IgnoreAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
            )
    return levels[level]


def draw_image(
    painter: QPainter,
    view: Viewport,
    image: QImage,
    *,
    smooth: bool,
    display: Display | None = None,
    levels: Levels | None = None,
) -> None:
    """Draw ``image`` (of any size) where the viewed image lies, as ``display`` says.

    Only the part in sight is read and adjusted: a photo of any size follows the brightness slider.
    """
    x0, y0, x1, y1 = view.visible()
    if x1 <= x0 or y1 <= y0:
        return
    across, down = image.width() / view.width, image.height() / view.height
    source = QRectF(x0 * across, y0 * down, (x1 - x0) * across, (y1 - y0) * down)
    left, top = view.x + x0 * view.scale, view.y + y0 * view.scale
    target = QRectF(left, top, (x1 - x0) * view.scale, (y1 - y0) * view.scale)
    if display is not None and not display.is_plain:
        part = source.toAlignedRect().intersected(image.rect())
        if levels is not None:
            rows, columns = slice(part.top(), part.bottom() + 1), slice(part.left(), part.right() + 1)
            levels = replace(levels, values=levels.values[rows, columns])
        image = adjusted(image.copy(part), display, levels)
        source.translate(-part.x(), -part.y())
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
    painter.drawImage(target, image, source)


def draw_boxes(
    painter: QPainter,
    view: Viewport,
    boxes: Sequence[BoxRecord],
    selected: int | None = None,
    *,
    truth: Sequence[Box] = (),
    truth_text: str = "",
    provisional: Sequence[Box] = (),
    dashed: bool = False,
    status: Status = Status.UNSEEN,
) -> None:
    """Draw each box in the colour of its mark over a dark line, and its tag; the selected one has handles.

    The tag begins with the sign of the mark, which the image's ``status`` and the box's source decide.

    True boxes lie dashed beneath the others, in a colour that no other box has, with ``truth_text`` below
    the first. ``provisional`` boxes lie dashed beneath them too; with ``dashed`` the boxes are so themselves.
    No line and no other tag crosses a tag. Of very many boxes in sight the selected one alone has its tag.
    """
    device = painter.device()
    ratio = device.devicePixelRatioF() if device else 1.0
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    true = [_on_pixels(view.to_widget(box), view, ratio) for box in truth]
    _draw_dashed(painter, true, style.OUTLINE_TRUTH)
    _draw_dashed(
        painter, [_on_pixels(view.to_widget(box), view, ratio) for box in provisional], style.OUTLINE_LIGHT
    )
    placed = [
        (i, record, _on_pixels(view.to_widget(record.box), view, ratio))
        for i, record in enumerate(boxes)
        if _in_sight(view, record.box)
    ]
    if dashed:
        _draw_dashed(painter, [rect for _, _, rect in placed], style.OUTLINE_LIGHT)
    elif len(placed) <= _MOST_TAGS:
        for _, record, rect in placed:
            _draw_lines(painter, [rect], mark_of_box(status, record.source))
    else:
        for mark in Mark:  # one by one they would take a second
            _draw_lines(
                painter, [rect for _, one, rect in placed if mark_of_box(status, one.source) is mark], mark
            )
    tags: list[_Tag] = [
        (rect, tag_text(record), None if dashed else mark_of_box(status, record.source))
        for i, record, rect in placed
        if len(placed) <= _MOST_TAGS or i == selected
    ]
    tags += [(rect, truth_text, None) for rect in true[:1]]
    _draw_tags(painter, view, tags, len(true[:1]))
    if selected is not None and selected < len(boxes):
        _draw_handles(painter, view.to_widget(boxes[selected].box))


def _draw_lines(painter: QPainter, rects: Sequence[QRectF], mark: Mark) -> None:
    for colour, width in ((style.OUTLINE_DARK, OUTLINE + 2), (MARK_COLOURS[mark], OUTLINE)):
        painter.setPen(_pen(colour, width))
        painter.drawRects(rects)


def draw_outlines(painter: QPainter, view: Viewport, outlines: Sequence[QPolygonF]) -> None:
    """Draw lines around what lies above the threshold; their points are shares of the image."""
    place = view.target
    to_widget = QTransform(place.width(), 0, 0, place.height(), place.left(), place.top())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for outline in outlines:
        line = to_widget.map(outline)
        for colour, width in ((style.CUT_DARK, 3.0), (style.CUT_LIGHT, 1.2)):
            painter.setPen(QPen(colour, width))
            painter.drawPolygon(line)


def _draw_dashed(painter: QPainter, placed: Sequence[QRectF], colour: QColor) -> None:
    painter.setPen(_pen(style.OUTLINE_DARK, OUTLINE + 2))
    painter.drawRects(placed)
    pen = _pen(colour, OUTLINE)
    pen.setDashPattern(_DASHES)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawRects(placed)


def _draw_handles(painter: QPainter, rect: QRectF) -> None:
    """Eight squares of the same size at every zoom, in the style's accent so that they are not the box."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(style.HANDLE)
    for point in handle_points(rect).values():
        square = QRectF(round(point.x()) - HANDLE / 2, round(point.y()) - HANDLE / 2, HANDLE, HANDLE)
        for colour, width in ((style.OUTLINE_DARK, OUTLINE + 2), (style.OUTLINE_LIGHT, OUTLINE)):
            painter.setPen(_pen(colour, width))
            painter.drawRect(square)


def _pen(colour: QColor, width: float) -> QPen:
    corners = Qt.PenCapStyle.SquareCap, Qt.PenJoinStyle.MiterJoin
    return QPen(colour, width, Qt.PenStyle.SolidLine, *corners)


def tag_text(record: BoxRecord) -> str:
    """What stands at a box: its label where it has one of its own, and its score."""
    label = "" if record.label == DEFAULT_LABEL else record.label
    if record.score is not None:
        score = tr("score {0}").format(number(record.score, ".2f"))
        return f"{label} {score}".strip()
    if record.source is Source.EDITED and not label:
        return tr("edited")
    return label


def _in_sight(view: Viewport, box: Box) -> bool:
    rect, edge = view.to_widget(box), OUTLINE
    return (
        rect.right() >= -edge
        and rect.bottom() >= -edge
        and rect.left() <= view.view_width + edge
        and rect.top() <= view.view_height + edge
    )


def _on_pixels(rect: QRectF, view: Viewport, ratio: float) -> QRectF:
    # A box far larger than the widget is cut just outside it: the painter's range ends near 32,000.
    far = 4 * OUTLINE
    left, top = max(rect.left(), -far), max(rect.top(), -far)
    right, bottom = min(rect.right(), view.view_width + far), min(rect.bottom(), view.view_height + far)
    x0, y0, x1, y1 = (round(v * ratio) / ratio for v in (left, top, right, bottom))
    return QRectF(QPointF(x0, y0), QPointF(x1, y1))


def _draw_tags(painter: QPainter, view: Viewport, tags: Sequence[_Tag], truth: int) -> None:
    """Draw the tag of each box, below it of the last ``truth``; one that would hide another goes beneath."""
    taken: list[QRectF] = []
    for i, (rect, text, mark) in enumerate(tags):
        if not text and mark is None:
            continue
        metrics = QFontMetricsF(painter.font())
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(80.0, view.view_width / 2))
        size = QSizeF(_pill_width(metrics, text, mark), metrics.height() + 2)
        place = _tag_place(view, rect, size, below=i >= len(tags) - truth)
        for other in sorted(taken, key=QRectF.top):
            lower = other.bottom() + 1
            if place.intersects(other) and lower + size.height() <= view.view_height:
                place.moveTop(lower)
        taken.append(place)
        _draw_pill(painter, place, text, mark)


def _tag_place(view: Viewport, rect: QRectF, size: QSizeF, *, below: bool) -> QRectF:
    """Above the upper left corner of ``rect``, or ``below`` its lower right one; inside where no room is."""
    width, height = size.width(), size.height()
    edge = OUTLINE / 2 + 1
    left = rect.right() + edge - width if below else rect.left() - edge
    left = min(max(left, 2.0), max(2.0, view.view_width - width - 2))
    top = rect.bottom() + edge if below else rect.top() - edge - height
    if below and top > view.view_height - height - 2:
        top = rect.bottom() - edge - height
    elif top < 2:
        top = max(2.0, rect.top() + edge)
    return QRectF(left, min(top, view.view_height - height - 2), width, height)


def draw_corner(painter: QPainter, room: QRect, text: str, edge: Qt.AlignmentFlag) -> None:
    """Draw plain ``text`` in the upper or lower left corner."""
    if not text:
        return
    metrics = QFontMetricsF(painter.font())
    text = " ".join(text.split())
    text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, max(40.0, room.width() - 4 * style.SPACING))
    width, height = metrics.horizontalAdvance(text) + 2 * _PAD, metrics.height() + 4
    top = style.SPACING if edge == Qt.AlignmentFlag.AlignTop else room.height() - height - style.SPACING
    _draw_pill(painter, QRectF(style.SPACING, top, width, height), text)


def draw_badge(painter: QPainter, view: Viewport, mark: Mark) -> None:
    """Draw what was said of the image in the upper right corner of what is seen of it."""
    metrics, text = QFontMetricsF(painter.font()), mark_text(mark)
    width, height = _pill_width(metrics, text, mark) + 2, metrics.height() + 6
    seen = view.target.intersected(QRectF(0, 0, view.view_width, view.view_height))
    left = max(seen.right() - style.SPACING - width, style.SPACING)
    _draw_pill(painter, QRectF(left, seen.top() + style.SPACING, width, height), text, mark)


def _pill_width(metrics: QFontMetricsF, text: str, mark: Mark | None) -> float:
    sign = 0.0 if mark is None else SIDE + (_SIGN_GAP if text else 0)
    return metrics.horizontalAdvance(text) + sign + 2 * _PAD


def _draw_pill(painter: QPainter, rect: QRectF, text: str, mark: Mark | None = None) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(style.TAG_BACKGROUND)
    painter.drawRoundedRect(rect, 3, 3)
    if mark is not None:
        draw_sign(painter, QRectF(rect.left() + _PAD, rect.center().y() - SIDE / 2, SIDE, SIDE), mark)
        rect = rect.adjusted(SIDE + (_SIGN_GAP if text else 0), 0, 0, 0)
    painter.setPen(style.TAG_TEXT)
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine
    painter.drawText(rect, int(flags), text)


def draw_placeholder(painter: QPainter, room: QRect, text: str) -> None:
    """Draw plain ``text`` in the middle, under a quiet picture sign."""
    c = style.colours()
    sign: QPixmap = style.icon("images", c.faint).pixmap(48, 48)
    middle = room.center()
    painter.drawPixmap(middle.x() - 24, middle.y() - 52, sign)
    painter.setPen(c.muted)
    below = QRect(
        room.left() + 24, middle.y() + 8, max(1, room.width() - 48), max(1, room.height() // 2 - 16)
    )
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    painter.drawText(below, int(flags), text)
