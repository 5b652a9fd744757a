"""The benchmark of looking through: its estimate against numbers worked out by hand, and its plan."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtCore import Qt

from core.base.geometry import Box, iou


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
        import review  # type: ignore[import-not-found]

        return review  # type: ignore[no-any-return]


def test_hands_take_what_fitts_law_says(benchmark: ModuleType) -> None:
    """Thirty-one targets away are five bits: 135 + 5 x 249 ms to drag, -107 + 5 x 223 ms to point."""
    far = 31 * benchmark.CORNER
    drag = benchmark.Drag((0, 0), (far, 0))
    assert benchmark.seconds_of([drag], (0, 0), 1.0) == pytest.approx(1.380)
    assert benchmark.seconds_of([benchmark.Click((0, far))], (0, 0), 1.0) == pytest.approx(1.008)
    assert benchmark.seconds_of([benchmark.Click((0, far / 2))], (0, 0), 2.0) == pytest.approx(1.008)
    key = benchmark.Press(Qt.Key.Key_A)
    assert benchmark.seconds_of([drag, key, key], (0, 0), 1.0) == pytest.approx(1.780)


def test_the_plan_has_fifty_images_whose_faults_are_what_they_are_called(benchmark: ModuleType) -> None:
    plan = benchmark.cases()
    assert sorted(case.fault for case in plan) == sorted(benchmark.FAULTS)
    width, height = benchmark.SIZE
    for case in plan:
        boxes: list[Box] = [*case.found, *case.wanted]
        assert all(box == box.clamped(width, height) and min(box.width, box.height) > 20 for box in boxes)
        same = case.found == case.wanted
        assert same == (case.fault == "right")
        if case.fault == "beside":
            assert iou(case.found[0], case.wanted[0]) < 0.5


@pytest.mark.parametrize(
    ("window", "actions"),
    [
        ("now", {"right": 1, "beside": 2, "missed": 2, "empty": 1}),
        ("accepting", {"right": 1, "beside": 1, "missed": 1, "empty": 1}),
        ("former", {"right": 1, "beside": 5, "missed": 3, "empty": 2}),
    ],
)
def test_actions_are_counted_for_each_window(
    benchmark: ModuleType, window: str, actions: dict[str, int]
) -> None:
    figures = benchmark.counted(window, benchmark.HANDS[window], 1.0)
    assert {fault: each["actions"] for fault, each in figures["by_fault"].items()} == actions
    assert figures["actions"] == sum(actions[fault] for fault in benchmark.FAULTS)
