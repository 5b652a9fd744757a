"""The list of images: batches, filters, and 100,000 rows without a stall."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.models.image_list import ImageListModel, Role
from core.annotations import Status
from core.project.store import ImageRecord


def record(image_id: int, name: str, status: Status = Status.UNSEEN, reason: str = "") -> ImageRecord:
    return ImageRecord(image_id, Path("/photos"), name, 1, 1, 0, 0, status, reason)


def names(model: ImageListModel) -> list[str]:
    return [model.data(model.index(row)) for row in range(model.rowCount())]


@pytest.fixture
def model(qtbot: QtBot) -> ImageListModel:
    made = ImageListModel()
    made._tester = QAbstractItemModelTester(  # type: ignore[attr-defined]
        made, QAbstractItemModelTester.FailureReportingMode.Warning
    )
    return made


def test_batches_come_in_at_the_end_as_inserted_rows(model: ImageListModel) -> None:
    inserted: list[tuple[int, int]] = []
    model.rowsInserted.connect(lambda _, first, last: inserted.append((first, last)))
    model.append([record(1, "a"), record(2, "b")])
    model.append([record(2, "b"), record(3, "c")])
    assert names(model) == ["a", "b", "c"]
    assert inserted == [(0, 1), (2, 2)]


def test_filter_by_name_in_any_case_and_by_status(model: ImageListModel) -> None:
    model.set_records(
        [
            record(1, "Dog/Straße.png"),
            record(2, "cat.png", Status.ACCEPTED),
            record(3, "dog.png", Status.ACCEPTED),
        ]
    )
    model.set_filter("dog", None)
    assert names(model) == ["Dog/Straße.png", "dog.png"]
    model.set_filter("dog", Status.ACCEPTED)
    assert names(model) == ["dog.png"]
    model.set_filter("STRASSE", None)
    assert names(model) == ["Dog/Straße.png"]
    model.append([record(4, "more strasse"), record(5, "other")])
    assert names(model) == ["Dog/Straße.png", "more strasse"]
    model.set_filter("", None)
    assert model.rowCount() == 5


def test_count_tells_shown_and_all(model: ImageListModel, qtbot: QtBot) -> None:
    model.set_records([record(1, "a"), record(2, "b")])
    with qtbot.waitSignal(model.count_changed) as told:
        model.set_filter("a", None)
    assert told.args == [1, 2]


def test_neighbours_follow_the_filter_and_stop_at_the_ends(model: ImageListModel) -> None:
    model.set_records([record(i, f"{'x' if i % 2 else 'y'}{i}") for i in range(1, 8)])
    model.set_filter("x", None)
    assert model.neighbour(1, 1) == 3
    assert model.neighbour(7, 1) == 7
    assert model.neighbour(1, -1) == 1
    assert model.neighbour(2, 1) == 1
    model.set_filter("nothing", None)
    assert model.neighbour(1, 1) is None


def test_a_changed_status_keeps_its_row_until_the_next_filter(model: ImageListModel) -> None:
    model.set_records([record(1, "a"), record(2, "b")])
    model.set_filter("", Status.UNSEEN)
    model.update_records({1: {"status": Status.ACCEPTED}})
    assert names(model) == ["a", "b"]
    assert model.data(model.index(0), Role.STATUS) is Status.ACCEPTED
    model.set_filter("", Status.UNSEEN)
    assert names(model) == ["b"]


def test_a_name_with_markup_is_escaped_in_the_tool_tip(model: ImageListModel) -> None:
    model.set_records([record(1, "<img src=x><b>bold</b> & co.png")])
    tip = model.data(model.index(0), Qt.ItemDataRole.ToolTipRole)
    assert "&lt;img src=x&gt;&lt;b&gt;bold&lt;/b&gt; &amp; co.png" in tip


def test_a_hundred_thousand_rows_filter_fast(qtbot: QtBot) -> None:
    model = ImageListModel()
    model.set_records([record(i, f"folder {i % 100}/image {i}.jpg") for i in range(1, 100_001)])
    began = time.perf_counter()
    model.set_filter("folder 7/", None)
    took = time.perf_counter() - began
    assert model.rowCount() == 1000
    assert took < 0.5, "several times what it takes here, for busy machines"
