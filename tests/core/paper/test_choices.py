"""Last, proposed and best in hindsight on heat maps whose boxes are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.geometry import Box
from core.evaluate.report import evaluate
from core.learn import checkpoint
from core.learn.stopping import Signal, faults
from core.paper.choices import HINDSIGHT, LAST, PROPOSED, Choice, choices_of
from core.paper.plan import Job, plan
from core.paper.runs import Trained, boxes_of

PLACES = [(0, 0), (0, 2), (2, 0), (2, 2)]
SIDE = 64


def maps(right: int) -> np.ndarray:
    """4 x 4 maps of four images: a bright quarter, in the right place for the first ``right`` of them."""
    found = np.zeros((4, 4, 4), np.float32)
    for i, (row, column) in enumerate(PLACES):
        row, column = (row, column) if i < right else (2 - row, 2 - column)
        found[i, row : row + 2, column : column + 2] = 1.0
    return found


def signal(step: int, *, good: bool) -> Signal:
    return Signal(
        step=step, ms_ssim=0.1, ms_ssim_error=0.01, real_ms_ssim=0.1, real_ms_ssim_error=0.01,
        map_difference=0.6 if good else 0.0, separation=0.8,
    )  # fmt: skip


def trained(right: dict[int, int], good: set[int], kept: tuple[int, ...]) -> Trained:
    """A run whose snapshot at each step gets so many of four images right."""
    job = Job(what="table2", data=Path(), out=Path(), sets=("dog",), methods=("dcgan",), width=8)
    (run,) = plan(job)
    state = checkpoint.new_state(run.config)
    state.step = max(right)
    state.signals = [signal(step, good=step in good) for step in right]
    return Trained(
        run=run,
        state=state,
        record={},
        images=tuple(ImageBoxes(f"val/images/{i}.JPEG", SIDE, SIDE) for i in range(4)),
        heat_maps=maps(right[state.step]),
        pixels=np.zeros((4, SIDE, SIDE, 3), np.uint8),
        trace={step: maps(count) for step, count in right.items()},
        kept=kept,
    )


def truth() -> list[ImageBoxes]:
    """The quarter of each image that its right map is bright in."""
    quarters = [Box(16 * x, 16 * y, 16 * x + 32, 16 * y + 32) for y, x in PLACES]
    return [
        ImageBoxes(f"val/images/{i}.JPEG", SIDE, SIDE, (BoxRecord(box, label="n1"),))
        for i, box in enumerate(quarters)
    ]


def chosen(run: Trained) -> dict[str, Choice]:
    last = evaluate(boxes_of(run, "component"), truth())
    return {one.name: one for one in choices_of(run, truth(), "component", last)}


def test_each_choice_has_its_own_step_and_accuracy() -> None:
    found = chosen(trained({10: 1, 20: 4, 30: 2, 40: 0}, {10, 30}, (10, 20, 30, 40)))
    assert {name: (one.step, one.row.correct) for name, one in found.items() if one.row} == {
        LAST: (40, 0), PROPOSED: (30, 2), HINDSIGHT: (20, 4),
    }  # fmt: skip
    assert "step 30." in found[PROPOSED].reason
    assert "better than anybody could know" in found[HINDSIGHT].reason
    assert found[HINDSIGHT].row and found[HINDSIGHT].row.high == 1.0


def test_where_none_qualifies_the_last_is_used_and_the_reason_says_so() -> None:
    found = chosen(trained({10: 3, 20: 1}, set(), (10, 20)))
    proposed = found[PROPOSED]
    assert (proposed.step, proposed.qualifies) == (20, False)
    assert proposed.reason.startswith("No snapshot can be recommended")
    assert faults(signal(20, good=False))[0] in proposed.reason
    assert proposed.row == found[LAST].row


def test_only_kept_snapshots_are_candidates_and_the_earliest_of_equals_is_best() -> None:
    found = chosen(trained({10: 4, 20: 2, 30: 2, 40: 1}, {10, 20, 40}, (20, 30, 40)))
    assert (found[PROPOSED].step, found[HINDSIGHT].step) == (40, 20)


def test_without_truth_there_is_a_proposal_and_no_hindsight() -> None:
    run = trained({10: 1, 20: 1}, {10}, (10, 20))
    found = {one.name: one for one in choices_of(run, [], "component", None)}
    assert set(found) == {LAST, PROPOSED}
    assert found[PROPOSED].step == 10
    assert found[PROPOSED].to_dict()["accuracy"] is None


@pytest.mark.parametrize("name", [LAST, PROPOSED, HINDSIGHT])
def test_json_repeats_the_report(name: str) -> None:
    one = chosen(trained({10: 1, 20: 3}, {10}, (10, 20)))[name]
    assert one.report is not None and one.row is not None
    written = one.to_dict()
    assert (written["correct"], written["n"], written["low"]) == (one.row.correct, 4, one.row.low)
    assert (written["r_cx"], written["r_cy"]) == (one.report.r_cx, one.report.r_cy)
