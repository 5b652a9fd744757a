"""Several boxes against drawn maps whose objects are known, and suppression against closed cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.base.errors import BoxscoutError
from core.base.geometry import Box, iou
from core.boxes.batches import find_box
from core.boxes.options import BoxOptions
from core.boxes.rules import RULES
from core.boxes.several import non_maximum_suppression

RULE_NAMES = list(RULES)


def _map(*objects: tuple[Box, float], side: int = 32) -> np.ndarray:
    """A map of ``side`` x ``side`` cells of 10 pixels with rectangles of some heat, otherwise cold."""
    heat = np.zeros((side, side), np.float32)
    for box, level in objects:
        x0, y0, x1, y1 = (int(v) // 10 for v in (box.x0, box.y0, box.x1, box.y1))
        heat[y0:y1, x0:x1] = level
    return heat


LEFT, RIGHT, LOW = Box(20, 30, 100, 110), Box(200, 40, 300, 120), Box(140, 220, 220, 300)


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_each_object_gets_its_own_box_hottest_first(rule: str) -> None:
    heat = _map((LEFT, 0.8), (RIGHT, 1.0), (LOW, 0.9))
    found = BoxOptions(rule, 0.3, max_boxes=10).boxes_of(heat, (320, 320))
    # Half way to the peak's height, from the threshold on, an object ends: a little inside the true edge
    # here.
    assert all(iou(record.box, true) > 0.7 for record, true in zip(found, (RIGHT, LOW, LEFT), strict=True))
    scores = [record.score for record in found]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    two = BoxOptions(rule, 0.3, max_boxes=2).boxes_of(heat, (320, 320))
    assert two == found[:2]


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_one_object_gets_the_box_that_it_gets_alone(rule: str) -> None:
    y, x = np.mgrid[:16, :16]
    heat = np.exp(-((x - 5) ** 2 + (y - 9) ** 2) / 12).astype(np.float32)
    alone = find_box(heat, width=64, height=48, rule=rule)
    for max_boxes in (1, 5):
        assert BoxOptions(rule, max_boxes=max_boxes).boxes_of(heat, (64, 48)) == (alone,)


def test_a_higher_threshold_leaves_only_the_hot_objects() -> None:
    heat = _map((LEFT, 0.6), (RIGHT, 1.0), (LOW, 0.9))
    counts = [
        len(BoxOptions(rule, threshold, max_boxes=9).boxes_of(heat, (320, 320)))
        for rule in ("moments", "component")
        for threshold in (0.2, 0.8, 0.95)
    ]
    assert counts == [3, 2, 1, 3, 2, 1]


def test_a_dent_in_one_object_does_not_make_two_of_it() -> None:
    heat = _map((LEFT, 1.0))
    heat[6, 2:10] = 0.9
    assert len(BoxOptions(max_boxes=5).boxes_of(heat, (320, 320))) == 1


@given(
    hnp.arrays(np.float32, (8, 9), elements=st.floats(-5, 5, width=32)),
    st.sampled_from(RULE_NAMES),
    st.floats(0, 1),
    st.integers(2, 6),
)
# Two single hot cells: blurred, the hottest place lies below the threshold's share of the unblurred one.
@example(np.eye(8, 9, 1, dtype=np.float32) * (np.arange(8) < 2)[:, None], "fitted", 0.75, 2)
def test_boxes_of_any_map_are_few_apart_and_inside(
    heat: np.ndarray, rule: str, threshold: float, max_boxes: int
) -> None:
    found = BoxOptions(rule, threshold, max_boxes=max_boxes).boxes_of(heat, (90, 80))
    assert 1 <= len(found) <= max_boxes
    for i, record in enumerate(found):
        box = record.box
        assert -1e-6 <= box.x0 < box.x1 <= 90 + 1e-6
        assert -1e-6 <= box.y0 < box.y1 <= 80 + 1e-6
        assert record.score is not None
        assert 0 <= record.score <= 1
        assert all(iou(box, other.box) <= 0.5 for other in found[:i])


def test_suppression_keeps_the_best_of_what_overlaps() -> None:
    a, b = Box(0, 0, 10, 10), Box(0, 0, 10, 6)  # IoU 0.6
    c, d = Box(5, 0, 15, 10), Box(20, 20, 30, 30)  # IoU 1/3 with a, none
    assert non_maximum_suppression([a, b, c, d], 0.5) == [0, 2, 3]
    assert non_maximum_suppression([b, a, c, d], 0.5) == [0, 2, 3]
    assert non_maximum_suppression([a, b, c, d], 0.6) == [0, 1, 2, 3]  # exactly as much is not more
    assert non_maximum_suppression([a, b, c, d], 0.3) == [0, 3]
    assert non_maximum_suppression([], 0.5) == []
    # What was suppressed suppresses nothing: the third overlaps the second alone.
    assert non_maximum_suppression([Box(0, 0, 10, 10), Box(3, 0, 13, 10), Box(6, 0, 16, 10)], 0.5) == [0, 2]


@pytest.mark.parametrize("count", [0, -1, 101])
def test_an_impossible_number_of_boxes_is_refused(count: int) -> None:
    with pytest.raises(BoxscoutError, match="between 1 and 100"):
        BoxOptions(max_boxes=count).boxes_of(_map((LEFT, 1.0)), (320, 320))
