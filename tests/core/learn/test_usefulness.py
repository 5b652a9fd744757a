"""Which images are worth a look next, on groups whose members are alike."""

from __future__ import annotations

import numpy as np

from core.learn.usefulness import most_useful


def groups(members: int, kinds: int) -> np.ndarray:
    """Points around ``kinds`` far places, float32 (kinds * members, 8)."""
    rng = np.random.default_rng(0)
    places = 10 * rng.normal(size=(kinds, 8))
    return (np.repeat(places, members, axis=0) + 0.1 * rng.normal(size=(kinds * members, 8))).astype("f4")


def test_one_of_each_kind_comes_before_a_second_of_any() -> None:
    points = groups(20, 5)
    scores = np.random.default_rng(1).uniform(0.3, 0.7, len(points))
    chosen = most_useful(points, scores, np.zeros(len(points), bool), count=10)
    assert len(set(chosen.tolist())) == 10
    assert sorted((chosen[:5] // 20).tolist()) == [0, 1, 2, 3, 4]


def test_what_is_reviewed_needs_no_other_of_its_kind_and_is_never_chosen() -> None:
    points = groups(20, 5)
    reviewed = np.zeros(len(points), bool)
    reviewed[[0, 25]] = True
    chosen = most_useful(points, np.full(len(points), 0.5), reviewed, count=3)
    assert sorted((chosen // 20).tolist()) == [2, 3, 4]
    everything = most_useful(points, np.full(len(points), 0.5), reviewed, count=1000)
    assert len(everything) == len(points) - 2 and not reviewed[everything].any()


def test_of_images_as_far_away_the_least_sure_comes_first() -> None:
    points = np.eye(6, dtype=np.float32)
    scores = np.array([0.9, 0.2, 0.5, np.nan, 0.7, 0.4])
    reviewed = np.array([True, False, False, False, False, False])
    assert most_useful(points, scores, reviewed, count=5).tolist() == [3, 1, 5, 2, 4], "no box: least sure"


def test_where_all_are_reviewed_none_is_left() -> None:
    points = groups(2, 2)
    assert not len(most_useful(points, np.ones(4), np.ones(4, bool), count=3))
