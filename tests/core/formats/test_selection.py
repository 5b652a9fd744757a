"""What leaves, how much of it, and which images are kept for validation."""

from __future__ import annotations

import subprocess
import sys

import pytest
from formats_support import image, record
from hypothesis import given
from hypothesis import strategies as st

from core.base.annotations import ImageBoxes, Status
from core.base.errors import FormatError
from core.formats import Selection, Which
from core.formats.selection import count, select, validation_names

IMAGES = [
    image("accepted.png", record(0, 0, 9, 9, label="cat", score=0.9), status=Status.ACCEPTED),
    image(
        "unseen.png", record(0, 0, 9, 9, label="dog", score=0.2), record(1, 1, 5, 5, label="cat", score=0.6)
    ),
    image("rejected.png", record(0, 0, 9, 9, label="cat", score=0.8), status=Status.REJECTED),
    image("edited.png", record(0, 0, 9, 9, label="dog", score=None)),
    image("empty.png", status=Status.ACCEPTED),
    image("torn.png", status=Status.FAILED),
]


def _names(selection: Selection) -> list[str]:
    return [one.name.split(".")[0] for one in select(IMAGES, selection)]


def test_rejected_images_leave_only_when_asked_for() -> None:
    assert _names(Selection()) == ["accepted", "unseen", "edited", "empty", "torn"]
    assert _names(Selection(which=Which.ACCEPTED)) == ["accepted", "empty"]
    assert _names(Selection(which=Which.ALL)) == [one.name.split(".")[0] for one in IMAGES]


def test_a_score_leaves_out_unsure_boxes_and_never_a_persons() -> None:
    chosen = {one.name: one.boxes for one in select(IMAGES, Selection(min_score=0.6))}
    assert [box.label for box in chosen["unseen.png"]] == ["cat"]
    assert len(chosen["edited.png"]) == 1
    assert "unseen.png" not in {one.name for one in select(IMAGES, Selection(min_score=0.61))}


def test_an_image_that_loses_every_box_is_left_out_and_one_that_had_none_stays() -> None:
    assert _names(Selection(classes=frozenset({"cat"}))) == ["accepted", "unseen", "empty", "torn"]
    assert _names(Selection(classes=frozenset())) == ["empty", "torn"]


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(which=Which.ALL, min_score=0.5),
        Selection(which=Which.ACCEPTED),
        Selection(classes=frozenset({"dog"}), val_share=0.3),
    ],
)
@pytest.mark.parametrize("needs_box", [False, True])
def test_the_count_is_what_would_be_selected(selection: Selection, needs_box: bool) -> None:
    chosen = [one for one in select(IMAGES, selection) if one.status is not Status.FAILED]
    chosen = [one for one in chosen if one.boxes or not needs_box]
    counted = count(IMAGES, selection, needs_box=needs_box)
    assert (counted.images, counted.boxes) == (len(chosen), sum(len(one.boxes) for one in chosen))
    val = validation_names([one.name for one in chosen], share=selection.val_share, seed=0)
    assert counted.val_images == len(val)


def test_numbers_out_of_range_are_refused() -> None:
    for wrong in ({"min_score": 1.5}, {"val_share": 0.95}, {"val_share": -0.1}):
        with pytest.raises(FormatError, match="between"):
            Selection(**wrong)  # type: ignore[arg-type]


@given(
    st.lists(st.text(max_size=8), min_size=2, max_size=40, unique=True),
    st.floats(0.01, 0.9),
    st.integers(0, 2**40),
)
def test_a_split_has_its_share_and_does_not_depend_on_the_order(
    names: list[str], share: float, seed: int
) -> None:
    val = validation_names(names, share=share, seed=seed)
    assert val == validation_names(names[::-1], share=share, seed=seed)
    assert 1 <= len(val) <= len(names) - 1
    assert abs(len(val) - share * len(names)) <= 1


def test_another_seed_is_another_split_and_another_image_moves_few() -> None:
    names = [f"{i}.png" for i in range(200)]
    val = validation_names(names, share=0.2, seed=1)
    assert val != validation_names(names, share=0.2, seed=2)
    more = validation_names([*names, "new.png"], share=0.2, seed=1)
    assert len(val ^ more) <= 2


def test_the_same_seed_gives_the_same_split_in_another_process() -> None:
    code = (
        "from core.formats.selection import validation_names as v;"
        "print(sorted(v([f'{i}.png' for i in range(50)], share=.2, seed=7)))"
    )
    ours = sorted(validation_names([f"{i}.png" for i in range(50)], share=0.2, seed=7))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(ours)


def test_a_name_that_is_not_utf8_can_be_split() -> None:
    names = [ImageBoxes(f"\udcff{i}.png", 1, 1).name for i in range(4)]
    assert len(validation_names(names, share=0.5, seed=0)) == 2
