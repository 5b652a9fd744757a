"""Filters and orders against plain Python over the same rows."""

from __future__ import annotations

import math
import random
from datetime import datetime, timezone

import numpy as np
import pytest
from effort_support import calls_of
from hypothesis import given, settings
from hypothesis import strategies as st
from natsort import natsort_keygen, ns

from core.base.annotations import Status
from core.images.scan import natural_key
from core.learn.usefulness import Ranking
from core.project.browse import Browse, ImageColumns, Order, Show, at_least
from core.project.facts import BoxFacts, TakenFacts, day_span

STATUSES = list(Status)


def made(count: int, seed: int = 0) -> tuple[ImageColumns, list[dict[str, object]]]:
    """Columns, and the same as a list of rows."""
    rng = random.Random(seed)
    rows: list[dict[str, object]] = []
    for i in range(count):
        has_box = rng.random() < 0.7
        edited = has_box and rng.random() < 0.3
        rows.append(
            {
                "id": 3 * i + 5,
                "name": f"{rng.choice(['Dog', 'cat', 'Straße'])}/image {rng.randrange(count)}.jpg",
                "status": rng.choice(STATUSES),
                "has_box": has_box,
                "edited": edited,
                "score": round(rng.random(), 2) if has_box and not edited else math.nan,
                "share": rng.randrange(8) / 8 if has_box else math.nan,
                "overlap": rng.randrange(8) / 8 if rng.random() < 0.6 else math.nan,
                "place": count + (rng.random() < 0.5),  # of the ranking: its own, or behind all of them
                "taken": float(rng.randrange(1_700_000_000, 1_710_000_000))
                if rng.random() < 0.6
                else math.nan,
                "placed": rng.random() < 0.5,
                "no_object": rng.randrange(9) / 8 if rng.random() < 0.6 else math.nan,
            }
        )
    ranked = rng.sample(rows, count // 4)
    for place, row in enumerate(ranked):
        row["place"] = place
    columns = ImageColumns()
    known_ids = [r["id"] for r in rows if r["place"] <= count]
    columns.set_useful(Ranking(np.array([r["id"] for r in ranked], np.int64), np.array(known_ids, np.int64)))
    half = count // 2
    for part in (rows[:half], rows[half:]):
        columns.append([r["id"] for r in part], [r["name"] for r in part], [r["status"] for r in part])
        measured = [r for r in rows if not math.isnan(r["overlap"])]
        ids = np.array([r["id"] for r in measured], np.int64)
        columns.set_overlaps(ids, np.array([r["overlap"] for r in measured], np.float32))
    columns.set_taken(
        TakenFacts(
            np.array([r["id"] for r in rows], np.int64),
            np.array([r["taken"] for r in rows], np.float64),
            np.array([r["placed"] for r in rows], np.bool_),
        )
    )
    known = [r for r in rows if r["has_box"] or not math.isnan(r["no_object"])]
    columns.set_facts(
        BoxFacts(
            np.array([r["id"] for r in known], np.int64),
            np.array([r["score"] for r in known], np.float32),
            np.array([r["share"] for r in known], np.float32),
            np.array([r["edited"] for r in known], np.bool_),
            np.array([r["has_box"] for r in known], np.int32),
            np.array([r["no_object"] for r in known], np.float32),
        )
    )
    return columns, rows


PASSES = {
    Show.ALL: lambda r: True,
    Show.UNSEEN: lambda r: r["status"] is Status.UNSEEN,
    Show.ACCEPTED: lambda r: r["status"] is Status.ACCEPTED,
    Show.NO_OBJECT: lambda r: r["status"] is Status.NO_OBJECT,
    Show.REJECTED: lambda r: r["status"] is Status.REJECTED,
    Show.FAILED: lambda r: r["status"] is Status.FAILED,
    Show.EDITED: lambda r: r["edited"],
    Show.WITH_TRUTH: lambda r: not math.isnan(r["overlap"]),
    Show.MAY_BE_EMPTY: lambda r: r["no_object"] > 0.5,
    Show.PLACED: lambda r: r["placed"],
    Show.NO_BOX: lambda r: not r["has_box"] and r["status"] is not Status.FAILED,
}


def in_order(rows: list[dict[str, object]], order: Order, descending: bool) -> list[dict[str, object]]:
    """By Python's own stable sort; what is not known comes last."""
    if order is Order.FOUND:
        return rows[::-1] if descending else rows
    if order is Order.LEAST_SURE:
        unseen = [r for r in rows if r["status"] is Status.UNSEEN]
        done = [r for r in rows if r["status"] is not Status.UNSEEN]
        return in_order(unseen, Order.SCORE, descending) + in_order(done, Order.SCORE, descending)
    if order is Order.USEFUL:
        groups = [
            in_order([r for r in rows if r["place"] == place], Order.LEAST_SURE, descending)
            for place in sorted({r["place"] for r in rows}, reverse=descending)
        ]
        mixed = [r for group in groups for r in group]
        return sorted(mixed, key=lambda r: r["status"] is not Status.UNSEEN)
    if order is Order.NAME:
        return sorted(rows, key=lambda r: natural_key(str(r["name"])), reverse=descending)
    if order is Order.STATUS:
        sign = -1 if descending else 1
        return sorted(rows, key=lambda r: sign * STATUSES.index(r["status"]))
    if order is Order.WORST:  # what nothing was found in is the worst there is
        rows = [r if r["has_box"] or math.isnan(r["overlap"]) else {**r, "overlap": -1.0} for r in rows]
    field = {Order.SCORE: "score", Order.WORST: "overlap", Order.TAKEN: "taken"}.get(order, "share")
    known = [r for r in rows if not math.isnan(r[field])]
    sign = -1 if descending else 1
    return sorted(known, key=lambda r: sign * r[field]) + [r for r in rows if math.isnan(r[field])]


@pytest.mark.parametrize("show", Show)
@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("descending", [False, True])
def test_every_filter_and_order_as_plain_python_has_it(show: Show, order: Order, descending: bool) -> None:
    columns, rows = made(60)
    browse = Browse(text="STRASSE" if show is Show.ALL else "", show=show, order=order, descending=descending)
    chosen = [r for r in rows if PASSES[show](r) and browse.text.casefold() in str(r["name"]).casefold()]
    got = [rows[place]["id"] for place in columns.arrange(browse)]
    wanted = [r["id"] for r in in_order(chosen, order, descending)]
    if order is Order.NAME:  # two images of one name, from different folders, may come either way
        name = {r["id"]: r["name"] for r in rows}
        assert [name[i] for i in got] == [name[i] for i in wanted]
        assert set(got) == set(wanted)
    else:
        assert got == wanted


DAYS = [("2023-12", ""), ("", "2023-12-24"), ("2023-11-20", "2024"), ("x", "2024-1")]


@pytest.mark.parametrize("days", DAYS)
def test_days_of_taking_as_dates_have_it(days: tuple[str, str]) -> None:
    columns, rows = made(60)
    first, last = (text if day_span(text) else "" for text in days)

    def passes(row: dict[str, object]) -> bool:
        if math.isnan(row["taken"]):
            return not (first or last)
        day = datetime.fromtimestamp(row["taken"], timezone.utc).strftime("%Y-%m-%d")
        return day[: len(first)] >= first and day[: len(last)] <= last

    got = [rows[place]["id"] for place in columns.arrange(Browse(days=days))]
    assert got == [row["id"] for row in rows if passes(row)]


@pytest.mark.parametrize("text", ["", "2024-02-30", "2024-13", "9999", "202", "2024-05-01T"])
def test_what_is_no_day_limits_nothing(text: str) -> None:
    assert day_span(text) is None


def test_one_images_new_facts_move_nothing_else() -> None:
    columns, rows = made(20)
    before = columns.score.copy()
    one = BoxFacts(
        np.array([rows[4]["id"]]),
        np.array([0.25], np.float32),
        np.array([0.5], np.float32),
        np.array([True]),
        np.array([2], np.int32),
        np.array([0.75], np.float32),
    )
    columns.set_facts_of(4, one)
    assert (columns.score[4], columns.boxes[4], columns.no_object[4]) == (0.25, 2, 0.75)
    assert columns.edited[4]
    assert np.array_equal(np.delete(columns.score, 4), np.delete(before, 4), equal_nan=True)
    columns.set_facts_of(4, one.of(-1))
    assert not columns.has_box[4]


def test_at_least_counts_scores_as_they_are_shown() -> None:
    scores = np.array([0.494, 0.4951, 0.5, 0.7, 1.0], np.float32)
    assert at_least(scores, 0.5).tolist() == [False, True, True, True, True]
    assert at_least(scores, 0.7).tolist() == [False, False, False, True, True]


natsort_key = natsort_keygen(alg=ns.IGNORECASE)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="aAbZ019 ._-/+éß²٣", max_size=14))
def test_the_fast_key_of_plain_names_is_natsorts(name: str) -> None:
    assert natural_key(name)[0] == natsort_key(name)


def test_a_keystroke_calls_no_function_for_each_image() -> None:
    """That is what keeps a hundred thousand images as quick as a few."""
    few, many = made(20)[0], made(20_000)[0]
    for columns in (few, many):
        columns.arrange(Browse(text="cat/", order=Order.NAME))  # what is made once
    for browse in (Browse(text="cat/"), Browse(order=Order.NAME), Browse(order=Order.LEAST_SURE)):
        assert calls_of(lambda: many.arrange(browse)) <= calls_of(lambda: few.arrange(browse)) + 5  # noqa: B023


@pytest.mark.parametrize("descending", [False, True])
def test_with_nothing_known_the_most_useful_is_the_least_sure(descending: bool) -> None:
    columns, _ = made(60)
    nothing = np.zeros(0, np.int64)
    columns.set_useful(Ranking(nothing, nothing))
    useful, least_sure = (
        columns.arrange(Browse(order=order, descending=descending)).tolist()
        for order in (Order.USEFUL, Order.LEAST_SURE)
    )
    assert useful == least_sure
