"""One row of the image list, looked at pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtGui import QFontMetrics, QImage, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QTableView, QWidget

from app.models.image_list import Role
from app.views.image_row import ROW, ThumbnailDelegate, status_text
from core.base.annotations import Status

Show = Callable[..., QWidget]


def picture(show: Show, width: int, *, edited: bool) -> QImage:
    model = QStandardItemModel()
    item = QStandardItem("photos/a.jpg")
    values = {Role.STATUS: Status.ACCEPTED, Role.SCORE: 0.5, Role.EDITED: edited, Role.BOXES: 1}
    for role, value in values.items():
        item.setData(value, role)
    model.appendRow(item)
    view = show(QTableView(), width + 40, 200)
    view.setModel(model)
    view.setItemDelegate(ThumbnailDelegate(view))
    view.setColumnWidth(0, width)
    view.setRowHeight(0, ROW)
    return view.viewport().grab(view.visualRect(model.index(0, 0))).toImage()


@pytest.mark.parametrize("wide", [False, True])
def test_the_status_is_told_whole_where_only_that_fits(show: Show, wide: bool) -> None:
    metrics = QFontMetrics(QWidget().font())
    room = metrics.horizontalAdvance(status_text(Status.ACCEPTED) + " 0.50") + 20
    width = 90 + (3 * room if wide else room)
    same = picture(show, width, edited=True) == picture(show, width, edited=False)
    assert same is not wide
