"""Which class a box is of, by maps whose classes are known."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.annotations import BoxRecord
from core.base.geometry import Box
from core.boxes.classes import ClassMap, covered, with_classes
from core.boxes.options import BoxOptions

NAMES = ("ant", "bee")


def halves() -> ClassMap:
    """An ant on the left, a bee on the right."""
    cells = np.zeros((8, 8), np.uint8)
    cells[:, 4:] = 1
    return ClassMap(NAMES, cells)


def labels(heat: np.ndarray, *boxes: tuple[float, float, float, float]) -> list[str]:
    found = [BoxRecord(Box(*sides), score=0.7, threshold=0.5, rule="object") for sides in boxes]
    named = with_classes(found, heat, halves(), (80, 40))
    assert [(one.box, one.score, one.threshold, one.rule, one.source) for one in named] == [
        (one.box, one.score, one.threshold, one.rule, one.source) for one in found
    ], "nothing but the class is another"
    return [one.label for one in named]


def test_the_cells_inside_a_box_say_its_class() -> None:
    even = np.full((8, 8), 0.5, np.float32)
    assert labels(even, (0, 0, 40, 40), (40, 0, 80, 40), (0, 0, 70, 40)) == ["ant", "bee", "ant"]


def test_hot_cells_have_more_of_a_say() -> None:
    heat = np.full((8, 8), 0.1, np.float32)
    heat[3:5, 5:7] = 1
    assert labels(heat, (0, 0, 80, 40)) == ["bee"]
    assert labels(heat, (0, 0, 45, 40)) == ["ant"], "what lies outside the box has none"


def test_a_map_that_is_nothing_or_no_number_still_gives_a_class() -> None:
    for heat in (np.zeros((8, 8), np.float32), np.full((8, 8), np.nan, np.float32)):
        assert labels(heat, (40, 0, 80, 40))[0] in NAMES


def test_options_give_boxes_the_classes_of_their_images() -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[2:6, 5:8] = 1
    how = BoxOptions("object")
    found = how.boxes({1: heat, 2: heat}, {}, {1: (80, 40), 2: (80, 40)}, None, {1: halves()})
    assert [one.label for one in found[1]] == ["bee"] and [one.label for one in found[2]] == ["object"]
    assert found[1][0].box == found[2][0].box
    assert how.boxes_of(heat, (80, 40), classes=halves()) == found[1]


def test_cells_are_covered_by_as_much_as_lies_in_the_box() -> None:
    """As counted on forty points a side of each cell."""
    rng = np.random.default_rng(0)
    points = (np.arange(160) + 0.5) / 160
    for _ in range(20):
        (x0, x1), (y0, y1) = np.sort(rng.uniform(size=2)), np.sort(rng.uniform(size=2))
        inside = np.outer((points >= y0) & (points < y1), (points >= x0) & (points < x1))
        counted = inside.reshape(4, 40, 4, 40).mean(axis=(1, 3))
        assert covered(np.array([x0, y0, x1, y1]), (4, 4)) == pytest.approx(counted, abs=0.025)
