"""Own thresholds of images, against a plain dict."""

from __future__ import annotations

import math
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.boxes.options import BoxOptions
from core.boxes.thresholds import Thresholds
from core.project.edits import DecisionEdit
from core.project.view import ProjectView, view_from_json, view_to_json

IDS = st.integers(-3, 40)
SHARES = st.sampled_from([0.0, 0.25, 0.3, 1.0])
PLAIN = st.dictionaries(IDS, SHARES)
CHANGES = st.lists(st.tuples(st.lists(IDS, max_size=12), st.one_of(st.none(), SHARES)), max_size=6)


def changed(thresholds: Thresholds, changes: list[tuple[list[int], float | None]]) -> Thresholds:
    for ids, share in changes:
        thresholds = thresholds.without(ids) if share is None else thresholds.given(ids, share)
    return thresholds


@given(PLAIN, CHANGES)
def test_they_are_what_a_dict_of_the_same_changes_is(
    plain: dict[int, float], changes: list[tuple[list[int], float | None]]
) -> None:
    before, expected = dict(plain), dict(plain)
    first = Thresholds.of(plain)
    found = changed(first, changes)
    for ids, share in changes:
        for image_id in ids:
            if share is None:
                expected.pop(image_id, None)
            else:
                expected[image_id] = share
    assert dict(found) == expected == found
    assert list(found) == sorted(expected)
    assert len(found) == len(expected)
    assert [found.get(i) for i in range(-5, 45)] == [expected.get(i) for i in range(-5, 45)]
    at = found.at(range(-5, 45)).tolist()
    assert [None if math.isnan(share) else share for share in at] == [expected.get(i) for i in range(-5, 45)]
    assert dict(first) == before, "never changed"
    # One way to be the same: whoever compares two need not look at images.
    assert found == Thresholds.of(expected) and found.runs == Thresholds.of(expected).runs
    assert (found == first) is (expected == before)
    assert Thresholds.of_runs(found.runs) == Thresholds.from_text(found.to_text()) == found


@given(PLAIN, PLAIN)
def test_what_differs_is_told_in_runs_of_ids(one: dict[int, float], other: dict[int, float]) -> None:
    runs = Thresholds.of(one).changed_from(Thresholds.of(other))
    ids = [image_id for first, last in runs for image_id in range(first, last + 1)]
    assert ids == [i for i in range(-5, 45) if one.get(i) != other.get(i)]
    assert all(b[0] > a[1] + 1 for a, b in pairwise(runs)), "no two that touch"


@pytest.mark.parametrize(
    "runs", [[(3, 2, 0.5), (1, 1, 0.5)], [(1, 5, 0.5), (5, 6, 0.5)], [(1, 2, 1.5)], [(1, 2, -0.1)]]
)
def test_runs_that_are_none_are_refused(runs: list[tuple[int, int, float]]) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        Thresholds.of_runs(runs)


@pytest.mark.parametrize("text", ["?", "AAAA", Thresholds.of({1: 0.5}).to_text()[:-4]])
def test_a_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Thresholds.from_text(text)


def test_a_move_for_one_of_100_000_images_touches_no_other() -> None:
    """Memory is counted, not time: a copy for each move would take 100,000 entries of it."""
    many = Thresholds().given(range(1, 100_001), 0.3)
    view = ProjectView(thresholds=many)
    edit = DecisionEdit(view.options, ProjectView(thresholds=many.given([777], 0.31)).options)
    tracemalloc.start()
    try:
        for n in range(32, 42):
            moved = edit.after.thresholds.given([777], n / 100)
            joined = DecisionEdit(edit.after, BoxOptions("moments", None, moved)).joined_to(edit)
            edit = joined or edit
            written = view_to_json(ProjectView(thresholds=moved))
            assert moved != many
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert view_from_json(written).thresholds[777] == 0.41
    assert peak < 500_000, "of which half is zlib's own"
