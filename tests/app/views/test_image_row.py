"""One row of the image list, looked at pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPixmap, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QTableView, QWidget

from app import style
from app.models.image_list import Role
from app.models.thumbnails import Thumbnail
from app.views.image_row import PADDING, ROW, THUMBNAIL, ThumbnailDelegate, shortened
from core.base.annotations import Status

Show = Callable[..., QWidget]


def picture(show: Show, width: int = 240, **values: object) -> QImage:
    """A row with a grey photo, whose roles are those of ``values``."""
    model = QStandardItemModel()
    item = QStandardItem("photos/a.jpg")
    photo = QPixmap(64, 64)
    photo.fill(QColor("#808080"))
    known = {"STATUS": Status.UNSEEN, "SCORE": 0.5, "EDITED": False, "BOXES": 1, **values}
    for name, value in {"THUMBNAIL": Thumbnail(photo), **known}.items():
        item.setData(value, Role[name])
    model.appendRow(item)
    view = show(QTableView(), width + 40, 200)
    view.setModel(model)
    view.setItemDelegate(ThumbnailDelegate(view))
    view.setColumnWidth(0, width)
    view.setRowHeight(0, ROW)
    return view.viewport().grab(view.visualRect(model.index(0, 0))).toImage()


def of_photo(image: QImage) -> QImage:
    return image.copy(PADDING, PADDING, THUMBNAIL, THUMBNAIL)


def has(image: QImage, colour: QColor) -> bool:
    """Whether any pixel of a picture is of exactly that colour."""
    return any(image.pixelColor(x, y) == colour for x in range(image.width()) for y in range(image.height()))


def test_what_was_said_is_a_sign_on_the_thumbnail(show: Show) -> None:
    plain = of_photo(picture(show))
    assert not any(has(plain, c) for c in (style.OUTLINE_ACCEPTED, style.OUTLINE_EDITED))
    accepted = of_photo(picture(show, STATUS=Status.ACCEPTED))
    edited = of_photo(picture(show, EDITED=True))
    rejected = of_photo(picture(show, STATUS=Status.REJECTED))
    empty = of_photo(picture(show, STATUS=Status.ACCEPTED, BOXES=0))
    several = of_photo(picture(show, BOXES=3))
    looks = [plain, accepted, edited, rejected, empty, several]
    assert all(one != other for i, one in enumerate(looks) for other in looks[:i])


@pytest.mark.parametrize("width", [120, 240])
def test_the_score_stands_on_the_right_of_the_one_line(show: Show, width: int) -> None:
    first, second = picture(show, width, SCORE=0.11), picture(show, width, SCORE=0.99)
    differing = [
        (x, y)
        for x in range(first.width())
        for y in range(first.height())
        if first.pixelColor(x, y) != second.pixelColor(x, y)
    ]
    assert min(x for x, _ in differing) > width - 45
    middle = sum(y for _, y in differing) / len(differing)
    assert middle == pytest.approx(ROW / 2, abs=3)


def test_where_there_is_truth_its_iou_takes_the_place_of_the_score(show: Show) -> None:
    right, wrong = picture(show, OVERLAP=0.8), picture(show, OVERLAP=0.2)
    colours = style.colours()
    text = ROW + PADDING
    assert has(right.copy(text, 0, 240, ROW), QColor(colours.good))
    assert has(wrong.copy(text, 0, 240, ROW), QColor(colours.warning))


def test_a_name_without_room_loses_its_ending_then_its_middle(qapp: QApplication) -> None:
    metrics = QFontMetrics(QFont())
    for name, stem in (("raccoon-117.jpg", "raccoon-117"), ("IMG_2026.05.01_12.jpeg", "IMG_2026.05.01_12")):
        whole, without = metrics.horizontalAdvance(name), metrics.horizontalAdvance(stem)
        assert shortened(name, metrics, whole) == name
        assert shortened(name, metrics, whole - 1) == stem == shortened(name, metrics, without)
        told = shortened(name, metrics, without - 1)
        assert told.startswith(stem[:2]) and told.endswith(stem[-2:]) and "…" in told
        assert metrics.horizontalAdvance(told) < without
