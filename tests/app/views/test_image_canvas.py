"""The canvas, looked at pixel by pixel and driven with mouse, wheel and keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot
from seeing import pixel, plain_image, wheel

from app import style
from app.models.marks import Mark
from app.models.pictures import adjusted, to_qimage
from app.views import canvas_paint
from app.views.box_editor import handle_points
from app.views.canvas_paint import tag_text
from app.views.image_canvas import ImageCanvas
from core.base.annotations import BoxRecord, Source
from core.base.geometry import Box
from core.images.display import Display

Show = Callable[..., QWidget]


@pytest.fixture
def canvas(show: Show) -> ImageCanvas:
    return show(ImageCanvas(), 400, 300)


def coded(width: int, height: int) -> QImage:
    """An image whose every pixel tells its place: red is x, green is y, blue is 200."""
    y, x = np.mgrid[0:height, 0:width]
    return to_qimage(np.stack([x, y, np.full_like(x, 200)], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("background", ["#ffffff", "#000000", "#7f7f7f", "#ffe135", "#102060"])
def test_a_box_has_a_light_line_on_its_edge_and_a_dark_one_beside_it(
    canvas: ImageCanvas, background: str
) -> None:
    canvas.set_image(plain_image(100, 100, background))
    canvas.actual_size()
    canvas.set_boxes([BoxRecord(Box(20, 30, 80, 70))])
    # At 1:1 the image's corner lies at (150, 100).
    for x, y in ((170, 150), (230, 150), (200, 130), (200, 170)):
        assert pixel(canvas, x, y) == style.OUTLINE_AUTOMATIC.toTuple()[:3]
    for x, y in ((168, 150), (231, 150), (200, 128), (200, 171)):
        assert max(pixel(canvas, x, y)) < 60
    assert pixel(canvas, 200, 150) == QColor(background).toTuple()[:3]


def test_an_edited_box_looks_different(canvas: ImageCanvas) -> None:
    canvas.set_image(plain_image(100, 100, "#000000"))
    canvas.actual_size()
    canvas.set_boxes([BoxRecord(Box(20, 30, 80, 70), source=Source.EDITED)])
    assert pixel(canvas, 170, 150) == style.OUTLINE_EDITED.toTuple()[:3]


def test_without_boxes_there_is_no_line(canvas: ImageCanvas) -> None:
    canvas.set_image(plain_image(100, 100, "#0000ff"))
    canvas.set_boxes([BoxRecord(Box(20, 30, 80, 70))])
    before = canvas.grab().toImage()
    canvas.set_boxes([])
    assert canvas.grab().toImage() != before
    assert pixel(canvas, 200, 150) == (0, 0, 255)


@pytest.mark.parametrize("opacity", [0.0, 0.25, 0.5, 1.0])
def test_the_heat_map_covers_the_image_as_its_opacity_says(canvas: ImageCanvas, opacity: float) -> None:
    canvas.set_image(plain_image(100, 80, "#0000ff"))
    canvas.set_heat_map(plain_image(10, 8, "#ff0000").convertToFormat(QImage.Format.Format_RGBA8888))
    canvas.set_opacity(opacity)
    red, green, blue = pixel(canvas, 200, 150)
    assert (red, green, blue) == pytest.approx((255 * opacity, 0, 255 * (1 - opacity)), abs=2)
    canvas.set_heat_map(None)
    assert pixel(canvas, 200, 150) == (0, 0, 255)


def test_the_heat_map_lies_on_the_whole_image_and_nowhere_else(canvas: ImageCanvas) -> None:
    canvas.set_image(plain_image(100, 50, "#000000"))
    halves = plain_image(2, 1, "#ff0000")
    halves.setPixelColor(1, 0, QColor("#00ff00"))
    canvas.set_heat_map(halves)
    canvas.set_opacity(1.0)
    target = canvas.viewport_state.target
    assert pixel(canvas, target.left() + 2, 150)[0] > 250
    assert pixel(canvas, target.right() - 3, 150)[1] > 250
    assert pixel(canvas, 200, target.top() - 4) == QColor(style.colours().canvas).toTuple()[:3]
    assert pixel(canvas, target.left() - 4, 150) == QColor(style.colours().canvas).toTuple()[:3]


def test_another_image_clears_heat_map_and_boxes(canvas: ImageCanvas) -> None:
    heat = plain_image(10, 10, "#ff0000")
    canvas.set_opacity(0.5)
    canvas.set_image(plain_image(100, 100, "#0000ff"))
    canvas.set_heat_map(heat)
    canvas.set_boxes([BoxRecord(Box(0, 0, 50, 50))])
    canvas.set_image(plain_image(100, 100, "#00ff00"))
    assert pixel(canvas, 200, 150) == (0, 255, 0)
    canvas.set_heat_map(heat)  # the same picture again is not taken for shown already
    assert pixel(canvas, 200, 150) == pytest.approx((127, 127, 0), abs=2)


@pytest.mark.parametrize("clicks", [0, 3, 8])
@pytest.mark.parametrize("drag", [QPoint(0, 0), QPoint(37, -21), QPoint(-90, 60)])
@pytest.mark.parametrize("at", [QPoint(200, 150), QPoint(120, 95), QPoint(300, 210)])
def test_the_pixel_under_the_cursor_is_the_one_told(
    canvas: ImageCanvas, qtbot: QtBot, clicks: int, drag: QPoint, at: QPoint
) -> None:
    canvas.set_image(coded(60, 40))
    told: list[object] = []
    canvas.cursor_moved.connect(told.append)
    for _ in range(clicks):
        wheel(canvas, QPointF(170, 130), 1)
    start = QPoint(200, 150)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(canvas, start + drag)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=start + drag)
    qtbot.mouseMove(canvas, at + QPoint(1, 1))
    qtbot.mouseMove(canvas, at)
    shown = pixel(canvas, at.x() + 0.5, at.y() + 0.5)
    if shown[2] != 200:
        assert told[-1] is None
    else:
        assert canvas.zoom > 4  # drawn as squares, so a pixel's colour is its place
        around = [
            pixel(canvas, at.x() + dx, at.y() + dy) for dx in (-0.5, 0.5, 1.5) for dy in (-0.5, 0.5, 1.5)
        ]
        assert told[-1] in [colour[:2] for colour in around]


def test_the_cursor_is_told_to_have_left(canvas: ImageCanvas, qtbot: QtBot) -> None:
    canvas.set_image(coded(60, 40))
    with qtbot.waitSignal(canvas.cursor_moved, check_params_cb=lambda at: at is None):
        canvas.set_image(None)


def test_wheel_keys_and_double_click(canvas: ImageCanvas, qtbot: QtBot) -> None:
    canvas.set_image(plain_image(200, 100, "#777777"))
    fit = canvas.zoom
    assert fit == pytest.approx((400 - 24) / 200)
    with qtbot.waitSignal(canvas.zoom_changed):
        wheel(canvas, QPointF(10, 10), 1)
    assert canvas.zoom == pytest.approx(fit * 1.25)
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.zoom == pytest.approx(fit * 1.25**2)
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    canvas.actual_size()
    assert canvas.zoom == 1.0
    qtbot.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.zoom == pytest.approx(fit)
    canvas.actual_size()
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    assert canvas.zoom == pytest.approx(fit)
    canvas.resize(200, 300)
    assert canvas.zoom == pytest.approx((200 - 24) / 200)


@pytest.mark.parametrize("key", [Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Space])
def test_other_keys_are_left_to_the_window(canvas: ImageCanvas, key: Qt.Key) -> None:
    event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(canvas, event)
    assert not event.isAccepted()


def test_pixels_are_squares_from_four_times_on_and_smooth_below(canvas: ImageCanvas) -> None:
    board = plain_image(40, 40, "#000000")
    for x in range(40):
        for y in range(40):
            if (x + y) % 2:
                board.setPixelColor(x, y, QColor("#ffffff"))
    canvas.set_image(board)  # fits at 6.9

    def greys() -> int:
        row = canvas.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        return sum(20 < QColor(row.pixel(x, 150)).red() < 235 for x in range(165, 235))

    assert canvas.zoom > 4 and greys() == 0
    canvas.actual_size()
    for _ in range(5):
        canvas.zoom_in()
    assert 2 < canvas.zoom < 4 and greys() > 10


def test_a_large_photo_is_averaged_not_sampled(canvas: ImageCanvas) -> None:
    stripes = np.zeros((1200, 1600, 3), np.uint8)
    stripes[:, ::2] = 255
    canvas.set_image(to_qimage(stripes))
    shown = [pixel(canvas, x, 150)[0] for x in range(100, 300, 23)]
    assert shown == pytest.approx([127] * len(shown), abs=12)


def test_a_smaller_copy_stands_for_the_whole_image(canvas: ImageCanvas, qtbot: QtBot) -> None:
    canvas.set_image(plain_image(50, 40, "#000000"), size=(500, 400))
    canvas.set_boxes([BoxRecord(Box(250, 0, 500, 400))])
    target = canvas.viewport_state.target
    assert target.width() / target.height() == pytest.approx(500 / 400)
    assert pixel(canvas, round(target.center().x()), 200) == style.OUTLINE_AUTOMATIC.toTuple()[:3]
    told: list[object] = []
    canvas.cursor_moved.connect(told.append)
    qtbot.mouseMove(canvas, QPoint(round(target.right()) - 2, 150))
    assert told[-1][0] > 490
    canvas.zoom_in()
    zoom = canvas.zoom
    canvas.set_image(plain_image(500, 400, "#000000"), size=(500, 400), keep_view=True)
    assert canvas.zoom == zoom


def test_a_message_stands_in_for_the_image(canvas: ImageCanvas) -> None:
    canvas.set_image(None)
    blank = canvas.grab().toImage()
    canvas.set_message("This file could not be used: <b>it is empty</b>.")
    assert canvas.grab().toImage() != blank
    canvas.set_message("")
    assert canvas.grab().toImage() == blank
    assert canvas.zoom == 0
    canvas.zoom_in(), canvas.fit(), canvas.actual_size()
    wheel(canvas, QPointF(50, 50), 1)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 3000), (6000, 2)])
def test_extreme_shapes_are_drawn(canvas: ImageCanvas, width: int, height: int) -> None:
    canvas.set_image(plain_image(width, height, "#ff00ff"))
    canvas.set_boxes([BoxRecord(Box(0, 0, width, height), score=0.5)])
    canvas.grab()
    for _ in range(40):
        canvas.zoom_in()
    canvas.set_boxes([])
    assert pixel(canvas, 200, 150) == (255, 0, 255)
    for _ in range(80):
        canvas.zoom_out()
    canvas.grab()


def test_the_tag_says_label_and_score() -> None:
    box = Box(0, 0, 1, 1)
    assert tag_text(BoxRecord(box, score=0.714)) == "score 0.71"
    assert tag_text(BoxRecord(box, label="cat", score=1.0)) == "cat score 1.00"
    assert tag_text(BoxRecord(box, source=Source.EDITED)) == "edited"
    assert tag_text(BoxRecord(box)) == ""


_TWICE = """
import sys
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from app.views.image_canvas import ImageCanvas
from core.base.annotations import BoxRecord
from core.base.geometry import Box
from core.images.display import Display
app = QApplication([])
canvas = ImageCanvas()
canvas.resize(400, 300)
image = QImage(100, 100, QImage.Format.Format_RGB32)
image.fill(QColor("#3366cc"))
canvas.set_image(image)
canvas.set_boxes([BoxRecord(Box(20, 30, 80, 70))])
canvas.actual_size()
shown = canvas.grab().toImage()
assert canvas.devicePixelRatioF() == 2 and canvas.zoom == 1, canvas.zoom
assert (shown.width(), shown.height()) == (800, 600)
# One image pixel on one device pixel: the image's corner lies at device pixel (350, 250).
assert shown.pixelColor(350, 250).name() == "#3366cc" != shown.pixelColor(349, 250).name()
for x, y in ((370, 300), (430, 300), (400, 280), (400, 320)):
    assert shown.pixelColor(x, y).name() == "#4c9bff", (x, y, shown.pixelColor(x, y).name())
for x, y in ((367, 300), (433, 300), (400, 277), (400, 323)):
    assert shown.pixelColor(x, y).lightness() < 60, (x, y)
"""


def test_twice_the_pixels(tmp_path: Path) -> None:
    script = tmp_path / "twice.py"
    script.write_text(_TWICE)
    root = Path(__file__).resolve().parents[3]
    env = {**os.environ, "QT_SCALE_FACTOR": "2", "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("zooms", [0, 4, 9])
def test_handles_are_eight_squares_of_the_same_size_at_every_zoom(canvas: ImageCanvas, zooms: int) -> None:
    canvas.set_image(plain_image(100, 100, "#000000"))
    canvas.set_boxes([BoxRecord(Box(40, 45, 60, 55))])
    canvas.actual_size()
    for _ in range(zooms):
        canvas.zoom_in()
    plain = canvas.grab().toImage()
    assert count(plain, style.HANDLE) == 0
    canvas.select_next_box()
    shown = canvas.grab().toImage()
    in_sight = sum(
        canvas.rect().contains(point.toPoint())
        for point in handle_points(canvas.viewport_state.to_widget(Box(40, 45, 60, 55))).values()
    )
    assert in_sight == 8
    # A square of 8 with a line of 2 around it: 6 by 6 are left.
    assert count(shown, style.HANDLE) == 8 * 6 * 6


def count(image: QImage, colour: QColor) -> int:
    """How many pixels of a picture have exactly that colour."""
    return sum(image.pixelColor(x, y) == colour for x in range(image.width()) for y in range(image.height()))


def test_the_cursor_says_what_a_press_would_do(canvas: ImageCanvas, qtbot: QtBot) -> None:
    canvas.set_image(plain_image(100, 100, "#000000"))
    canvas.set_boxes([BoxRecord(Box(20, 20, 80, 80))])
    canvas.select_next_box()
    rect = canvas.viewport_state.to_widget(Box(20, 20, 80, 80))
    for point, shape in (
        (rect.topLeft(), Qt.CursorShape.SizeFDiagCursor),
        (rect.topRight(), Qt.CursorShape.SizeBDiagCursor),
        (QPointF(rect.right(), rect.center().y() + 20), Qt.CursorShape.SizeHorCursor),
        (QPointF(rect.center().x() + 20, rect.top()), Qt.CursorShape.SizeVerCursor),
        (rect.center(), Qt.CursorShape.SizeAllCursor),
        (rect.topLeft() - QPointF(40, 20), Qt.CursorShape.CrossCursor),
    ):
        qtbot.mouseMove(canvas, point.toPoint())
        qtbot.waitUntil(lambda shape=shape: canvas.cursor().shape() == shape)
    canvas.start_drawing()
    assert canvas.cursor().shape() == Qt.CursorShape.CrossCursor


def test_brightness_adjusts_what_is_in_sight_as_it_would_the_whole(canvas: ImageCanvas) -> None:
    display = Display(brightness=0.1, contrast=0.3, gamma=1.4)
    photo = coded(250, 200)

    def seen(image: QImage, shown_as: Display) -> QImage:
        canvas.set_image(image)
        canvas.set_display(shown_as)
        for _ in range(8):
            wheel(canvas, QPointF(70, 230), 1)
        canvas.actual_size()  # each pixel of the photo on one of the screen
        canvas.set_opacity(0.0)
        return canvas.grab().toImage()

    assert seen(photo, display) == seen(adjusted(photo, display), Display()) != seen(photo, Display())
    canvas.set_image(photo)
    canvas.set_display(display)
    for _ in range(8):
        wheel(canvas, QPointF(70, 230), 1)
    enlarged = canvas.grab().toImage()
    canvas.set_display(Display())
    canvas.set_image(adjusted(photo, display))
    for _ in range(8):
        wheel(canvas, QPointF(70, 230), 1)
    assert not canvas.viewport_state.shows_all
    assert canvas.grab().toImage() == enlarged


def tag_picture(canvas: ImageCanvas, boxes: list[BoxRecord], truth: list[Box]) -> QImage:
    canvas.set_boxes(boxes)
    canvas.set_truth(truth, "true, IoU 0.50" if truth else "")
    return canvas.grab().toImage()


def test_no_line_crosses_what_is_said_of_the_truth(canvas: ImageCanvas) -> None:
    canvas.set_image(plain_image(200, 150, "#304050"))
    canvas.fit()
    truth = [Box(20, 20, 120, 90)]
    bottom = canvas._view.to_widget(truth[0]).bottom()
    right = canvas._view.to_widget(truth[0]).right()
    alone = tag_picture(canvas, [], truth)
    crossed = tag_picture(canvas, [BoxRecord(Box(100, 30, 180, 140))], truth)  # its left line runs there
    rows = range(round(bottom) + 4, round(bottom) + 14)
    for y in rows:
        for x in range(round(right) - 60, round(right) - 4):
            before, after = alone.pixelColor(x, y), crossed.pixelColor(x, y)
            assert max(abs(before.red() - after.red()), abs(before.blue() - after.blue())) < 60


def test_tags_of_two_boxes_at_one_place_stand_one_below_the_other(canvas: ImageCanvas) -> None:
    canvas.set_image(plain_image(200, 150, "#304050"))
    canvas.fit()
    pair = [
        BoxRecord(Box(40, 60, 120, 120), score=0.25),
        BoxRecord(Box(42, 62, 125, 125), label="another animal", source=Source.EDITED),
    ]

    def bright(boxes: list[BoxRecord]) -> int:
        """How many pixels of letters, beside the lines, are near the common corner."""
        picture = tag_picture(canvas, boxes, [])
        corner = canvas._view.to_widget(Box(40, 60, 120, 120)).topLeft()
        x0, y0 = round(corner.x()) + 8, round(corner.y())
        rows = [y for y in range(y0 - 24, y0 + 30) if not -3 <= y - y0 <= 6]
        return sum(picture.pixelColor(x, y).blue() > 170 for y in rows for x in range(x0, x0 + 110))

    first, second, both = bright(pair[:1]), bright(pair[1:]), bright(pair)
    assert first > 50 and second > 50
    assert both > 0.75 * (first + second), "one hides the other"


def test_of_very_many_boxes_those_in_sight_have_tags(
    canvas: ImageCanvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tags of 20,000 boxes hide the picture, and to find each a place took a minute."""
    drawn: list[str] = []
    real = canvas_paint._draw_pill

    def noted(painter: QPainter, rect: QRectF, text: str, mark: Mark | None = None) -> None:
        drawn.append(text)
        real(painter, rect, text, mark)

    canvas.set_image(plain_image(1000, 1000, "#000000"))
    boxes = [
        BoxRecord(Box(x, y, x + 5, y + 5), label=f"{x} {y}", source=Source.EDITED)
        for x in range(0, 1000, 10)
        for y in range(0, 1000, 10)
    ]
    canvas.set_boxes(boxes)
    canvas.fit()
    monkeypatch.setattr(canvas_paint, "_draw_pill", noted)
    canvas.grab()
    assert [text for text in drawn if text] == []
    canvas.select_next_box()
    drawn.clear()
    canvas.grab()
    assert [text for text in drawn if text] == ["0 0"]
    canvas.cancel()
    for _ in range(40):
        canvas.zoom_in()
    drawn.clear()
    canvas.grab()
    view = canvas.viewport_state
    x0, y0, x1, y1 = view.visible()
    sides = {one.label: one.box for one in boxes}
    seen = {label for label, b in sides.items() if b.x1 > x0 and b.x0 < x1 and b.y1 > y0 and b.y0 < y1}
    assert 0 < len(seen) < 200
    assert seen <= set(drawn), "in sight they are told apart"
