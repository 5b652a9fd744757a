"""The list of images: batches, filters, and 100,000 rows without a stall."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from effort_support import calls_of
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.models.image_list import ImageListModel, ImageTable, Role
from core.base.annotations import Status
from core.project.browse import Browse, Order, Show
from core.project.facts import BoxFacts
from core.project.store import ImageRecord


def shown(text: str = "", show: Show = Show.ALL, order: Order = Order.FOUND) -> Browse:
    return Browse(text=text, show=show, order=order)


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
    dogs = [record(i, name, Status.ACCEPTED) for i, name in ((2, "cat.png"), (3, "dog.png"))]
    model.set_table(ImageTable([record(1, "Dog/Straße.png"), *dogs]))
    model.arrange(shown("dog"))
    assert names(model) == ["Dog/Straße.png", "dog.png"]
    model.arrange(shown("dog", Show.ACCEPTED))
    assert names(model) == ["dog.png"]
    model.arrange(shown("STRASSE"))
    assert names(model) == ["Dog/Straße.png"]
    model.append([record(4, "more strasse"), record(5, "other")])
    assert names(model) == ["Dog/Straße.png", "more strasse"]
    model.arrange(shown())
    assert model.rowCount() == 5


def test_count_tells_shown_and_all(model: ImageListModel, qtbot: QtBot) -> None:
    model.set_table(ImageTable([record(1, "a"), record(2, "b")]))
    with qtbot.waitSignal(model.count_changed) as told:
        model.arrange(shown("a"))
    assert told.args == [1, 2]


def test_neighbours_follow_the_filter_and_stop_at_the_ends(model: ImageListModel) -> None:
    model.set_table(ImageTable([record(i, f"{'x' if i % 2 else 'y'}{i}") for i in range(1, 8)]))
    model.arrange(shown("x"))
    assert model.neighbour(1, 1) == 3
    assert model.neighbour(7, 1) == 7
    assert model.neighbour(1, -1) == 1
    assert model.neighbour(2, 1) == 1
    model.arrange(shown("nothing"))
    assert model.neighbour(1, 1) is None


def test_a_changed_status_keeps_its_row_until_the_next_filter(model: ImageListModel) -> None:
    model.set_table(ImageTable([record(1, "a"), record(2, "b")]))
    model.arrange(shown(show=Show.UNSEEN))
    model.set_statuses({1: Status.ACCEPTED})
    assert names(model) == ["a", "b"]
    assert model.data(model.index(0), Role.STATUS) is Status.ACCEPTED
    model.arrange(shown(show=Show.UNSEEN))
    assert names(model) == ["b"]


def facts(**scores: float) -> BoxFacts:
    """A box with a score for the images ``i1``, ``i2`` and so on, which covers half of each."""
    ids = [int(name[1:]) for name in scores]
    values = np.array(list(scores.values()), np.float32)
    half, none = np.full(len(ids), 0.5, np.float32), np.zeros(len(ids), np.bool_)
    unknown = np.full(len(ids), np.nan, np.float32)
    return BoxFacts(np.array(ids), values, half, none, np.ones(len(ids), np.int32), unknown)


def test_scores_found_later_bring_the_list_into_order(model: ImageListModel) -> None:
    model.set_table(
        ImageTable([record(1, "a"), record(2, "b", Status.ACCEPTED), record(3, "c"), record(4, "d")])
    )
    model.arrange(shown(order=Order.LEAST_SURE))
    assert names(model) == ["a", "c", "d", "b"]
    model.set_facts(facts(i1=0.9, i2=0.1, i3=0.4))
    assert names(model) == ["c", "a", "d", "b"]
    assert model.data(model.index(0), Role.SCORE) == pytest.approx(0.4)
    assert model.data(model.index(2), Role.SCORE) is None
    assert model.unseen_scores()[0] == [1, 3]


def test_an_edit_keeps_its_row_though_its_score_is_gone(model: ImageListModel) -> None:
    model.set_table(ImageTable([record(1, "a"), record(2, "b")]))
    model.set_facts(facts(i1=0.9, i2=0.1))
    model.arrange(shown(order=Order.SCORE))
    assert names(model) == ["b", "a"]
    model.set_facts(facts(i3=0.0), 2)
    assert names(model) == ["b", "a"]


def test_many_statuses_at_once_reach_rows_records_and_filters(model: ImageListModel) -> None:
    model.set_table(ImageTable([record(i, f"n{i}") for i in range(1, 6)]))
    told: list[tuple[int, int]] = []
    model.dataChanged.connect(lambda first, last, _: told.append((first.row(), last.row())))
    model.set_statuses({2: Status.ACCEPTED, 4: Status.REJECTED, 99: Status.ACCEPTED})
    assert told == [(1, 3)]
    assert model.data(model.index(1), Role.STATUS) is Status.ACCEPTED
    assert [each.status.value for each in model.records] == [
        "unseen",
        "accepted",
        "unseen",
        "rejected",
        "unseen",
    ]
    model.arrange(shown(show=Show.ACCEPTED))
    assert names(model) == ["n2"]


def test_an_image_whose_file_is_away_keeps_its_review_until_that_is_taken_back(model: ImageListModel) -> None:
    away = replace(record(2, "n2", Status.ACCEPTED), reason="The disk is away.")
    model.set_table(ImageTable([record(1, "n1"), away, record(3, "n3", Status.FAILED)]))
    assert [each.id for each in model.table.unusable()] == [2, 3]
    model.set_statuses({1: Status.UNSEEN, 2: Status.UNSEEN, 3: Status.UNSEEN})
    assert [each.status.value for each in model.records] == ["unseen", "failed", "failed"]
    model.merge_records([replace(away, status=Status.UNSEEN, reason="")])
    assert [each.id for each in model.table.unusable()] == [3]


def test_what_is_said_of_thousands_looks_at_no_record_and_is_told_once(
    model: ImageListModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 5000
    first = {i: Status.FAILED if i == 7 else Status.UNSEEN for i in range(1, count)}
    model.set_table(ImageTable([record(i, f"n{i}", status) for i, status in first.items()]))
    told: list[tuple[int, int]] = []
    with monkeypatch.context() as patch:
        patch.setattr(ImageTable, "at", lambda *_: pytest.fail("a record was looked at"))
        model.blockSignals(True)  # the tester looks at rows whenever they change
        before = model.table.columns.statuses([*range(1, count), 9999])
        model.set_statuses(dict.fromkeys(before, Status.ACCEPTED))
        model.blockSignals(False)
    assert before == first
    assert [each.id for each in model.records if each.status is not Status.ACCEPTED] == [7]
    model.dataChanged.connect(lambda top, bottom, _: told.append((top.row(), bottom.row())))
    model.set_statuses(before)
    assert told == [(0, count - 2)]
    assert {each.status for each in model.records if each.id != 7} == {Status.UNSEEN}


def test_a_batch_comes_in_at_the_end_whatever_the_order(model: ImageListModel) -> None:
    model.set_table(ImageTable([record(1, "b"), record(2, "c")]))
    model.arrange(shown(order=Order.NAME))
    model.append([record(3, "a")])
    assert names(model) == ["b", "c", "a"]
    model.arrange(shown(order=Order.NAME))
    assert names(model) == ["a", "b", "c"]


def test_a_name_with_markup_is_escaped_in_the_tool_tip(model: ImageListModel) -> None:
    model.set_table(ImageTable([record(1, "<img src=x><b>bold</b> & co.png")]))
    tip = model.data(model.index(0), Qt.ItemDataRole.ToolTipRole)
    assert "&lt;img src=x&gt;&lt;b&gt;bold&lt;/b&gt; &amp; co.png" in tip


def test_a_filter_calls_no_function_for_each_row(qtbot: QtBot) -> None:
    """That is what keeps a hundred thousand rows as quick as a few."""
    calls = []
    for count in (200, 20_000):
        model = ImageListModel()
        model.set_table(
            ImageTable([record(i, f"folder {i % 100}/image {i}.jpg") for i in range(1, count + 1)])
        )
        model.arrange(shown("folder 8/"))  # what is made once
        calls.append(calls_of(lambda: model.arrange(shown("folder 7/"))))  # noqa: B023
        assert model.rowCount() == count // 100
    assert calls[1] <= calls[0] + 5
