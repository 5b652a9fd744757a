"""Edits as values: applied they are on disk, inverted they leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.boxes.options import BoxOptions
from core.boxes.thresholds import Thresholds
from core.images.scan import ImageFile
from core.project.edits import (
    BoxesEdit,
    DecisionEdit,
    Edit,
    ReviewEdit,
    StatusEdit,
    TruthEdit,
    edited,
    with_drawn,
)
from core.project.queries import box_facts, kept, labels, undecided
from core.project.rows import Kept
from core.project.store import Project, ProjectView
from core.project.truth import set_truth, true_boxes

NONE = Thresholds()
REPOSITORY = Path(__file__).parents[3]
AUTO = BoxRecord(Box(1, 2, 30, 40), score=0.75, threshold=0.2, rule="moments")
MINE = BoxRecord(Box(5, 6, 17, 18), label="cat", source=Source.EDITED)
VIEW = ProjectView(threshold=0.3, thresholds=Thresholds.of({2: 0.5}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "p.boxscout"


@pytest.fixture
def project(path: Path) -> Iterator[Project]:
    with Project.open_or_create(path) as project:
        project.add_images(ImageFile(Path("/photos"), f"{i}.png", 10, 1) for i in range(3))
        project.set_auto_boxes({1: [AUTO], 2: [AUTO]})
        project.save_view(VIEW)
        set_truth(project, {2: [MINE]})
        yield project


EDITS: tuple[Edit, ...] = (
    BoxesEdit({1: Kept((AUTO,))}, {1: Kept((AUTO, MINE), edited=True)}),
    BoxesEdit(
        {1: Kept((AUTO,)), 2: Kept((AUTO,))}, {1: Kept((), edited=True), 2: Kept((MINE,), edited=True)}
    ),
    StatusEdit({1: Status.UNSEEN, 3: Status.UNSEEN}, {1: Status.ACCEPTED, 3: Status.REJECTED}),
    DecisionEdit(VIEW.options, BoxOptions("component", 0.1, Thresholds.of({3: 0.2}))),
    ReviewEdit(
        BoxesEdit({1: Kept((AUTO,)), 3: Kept()}, dict.fromkeys((1, 3), Kept((MINE,), edited=True))),
        StatusEdit(dict.fromkeys((1, 3), Status.UNSEEN), dict.fromkeys((1, 3), Status.ACCEPTED)),
    ),
    TruthEdit({1: (), 2: (MINE,)}, {1: (MINE, MINE), 2: ()}),
)


def everything(path: Path) -> tuple[object, ...]:
    """All that an edit may change, read through a second connection: only what is in the file counts."""
    with Project.open(path) as other:
        images = other.images()
        statuses = [image.status for image in images]
        return kept(other, [1, 2, 3]), statuses, other.load_view(), true_boxes(other)


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_in_the_file_and_its_inverse_takes_it_back(
    project: Project, path: Path, edit: Edit
) -> None:
    before = everything(path)
    view = edit.apply(project, VIEW)
    after = everything(path)
    assert after != before
    assert after[2] == view
    assert edit.inverse.inverse == edit
    assert edit.inverse.apply(project, view) == VIEW
    assert everything(path) == before


def test_an_edit_that_fails_changes_nothing(project: Project, path: Path) -> None:
    before = everything(path)
    with pytest.raises(ProjectError):
        BoxesEdit({}, {1: Kept((), edited=True), 999: Kept((MINE,), edited=True)}).apply(project, VIEW)
    assert everything(path) == before


@given(st.lists(st.sampled_from(range(len(EDITS))), max_size=6))
def test_decisions_know_whose_threshold_they_change(order: list[int]) -> None:
    thresholds = Thresholds.of({i: 0.1 * i for i in order})
    moved = DecisionEdit(BoxOptions("moments", 0.3, NONE), BoxOptions("moments", 0.3, thresholds))
    assert moved.images == tuple(sorted(set(order)))


def test_only_moves_of_the_same_threshold_follow_each_other() -> None:
    def shared(low: float, high: float) -> DecisionEdit:
        return DecisionEdit(BoxOptions("moments", low, NONE), BoxOptions("moments", high, NONE))

    assert shared(0.2, 0.3).joined_to(shared(0.1, 0.2)) == shared(0.1, 0.3)
    assert shared(0.25, 0.3).joined_to(shared(0.1, 0.2)) is None
    own = DecisionEdit(BoxOptions("moments", 0.2, NONE), BoxOptions("moments", 0.2, Thresholds.of({1: 0.2})))
    assert own.joined_to(shared(0.1, 0.2)) is None
    more = DecisionEdit(BoxOptions("moments", 0.2, NONE), BoxOptions("moments", 0.2, NONE, 3))
    lower = DecisionEdit(more.after, BoxOptions("moments", 0.1, NONE, 3))
    fewer = DecisionEdit(more.after, BoxOptions("moments", 0.2, NONE, 2))
    assert lower.joined_to(more) is None
    assert fewer.joined_to(more) == DecisionEdit(more.before, fewer.after)
    rule = DecisionEdit(BoxOptions("moments", 0.2, NONE), BoxOptions("component", None, NONE))
    assert rule.joined_to(shared(0.1, 0.2)) is None
    assert shared(0.2, 0.3).joined_to(EDITS[0]) is None


def test_box_edits_in_a_row_become_one_with_the_first_before_and_the_last_after() -> None:
    kept_ = [Kept((edited(MINE, box=Box(n, 0, 9, 9)),), edited=True) for n in range(3)]
    first, second = (BoxesEdit({1: kept_[n]}, {1: kept_[n + 1]}) for n in (0, 1))
    assert second.joined_to(first) == BoxesEdit({1: kept_[0]}, {1: kept_[2]})
    assert first.joined_to(second) is None


def test_a_changed_box_keeps_its_label_and_loses_what_a_heat_map_said() -> None:
    moved = edited(AUTO, box=Box(0, 0, 9, 9))
    assert moved == BoxRecord(Box(0, 0, 9, 9), source=Source.EDITED)
    assert edited(MINE, label="dog") == BoxRecord(MINE.box, label="dog", source=Source.EDITED)


def test_an_emptied_image_is_decided_by_nobody_but_its_person(project: Project) -> None:
    project.set_sizes({1: (50, 50), 2: (50, 50)})
    project.set_heat_maps({1: np.ones((4, 4), np.float32), 2: np.ones((4, 4), np.float32)}, step=1)
    project.set_boxes(1, [])
    assert list(undecided(project, BoxOptions("component", 0.5))) == [2]
    facts = box_facts(project)
    assert dict(zip(facts.ids.tolist(), facts.edited.tolist(), strict=True))[1] is True


def test_class_names_come_most_used_first(project: Project) -> None:
    project.set_boxes(1, [edited(MINE, label=name) for name in ("dog", "cat", "dog")])
    assert labels(project) == ["dog", "cat", "object"]


_EDITS_UNTIL_KILLED = """
import sys
from pathlib import Path
from core.base.annotations import BoxRecord, Source, Status
from core.base.geometry import Box
from core.project.edits import BoxesEdit, DecisionEdit, Kept, StatusEdit
from core.project.store import Project, ProjectView
from core.boxes.options import BoxOptions
from core.boxes.thresholds import Thresholds
project, view = Project.open(Path(sys.argv[1])), ProjectView()
for n in range(1, 100_000):
    record = BoxRecord(Box(0, 0, n, n), source=Source.EDITED)
    BoxesEdit({}, {1: Kept((record,), edited=True)}).apply(project, view)
    StatusEdit({}, {1: Status.ACCEPTED if n % 2 else Status.REJECTED}).apply(project, view)
    decision = BoxOptions("moments", None, Thresholds.of({1: n / 100_000}))
    view = DecisionEdit(decision, decision).apply(project, view)
    print(n, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("edits", [1, 7, 30])
def test_what_was_reported_as_done_survives_a_kill(project: Project, path: Path, edits: int) -> None:
    project.close()
    process = subprocess.Popen(
        [sys.executable, "-c", _EDITS_UNTIL_KILLED, str(path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    done = 0
    while done < edits:
        done = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    done = max([done, *(int(line) for line in process.stdout.read().split("\n") if line)])
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    with Project.open(path) as again:
        found = kept(again, [1])[1]
        # The edit after the last one reported may be there as well, whole.
        side = found.boxes[0].box.x1
        assert side in (done, done + 1)
        assert found == Kept((BoxRecord(Box(0, 0, side, side), source=Source.EDITED),), edited=True)
        statuses = {done % 2, (done + 1) % 2} if side > done else {done % 2}
        assert again.image(1).status in {Status.ACCEPTED if odd else Status.REJECTED for odd in statuses}
        assert again.load_view().thresholds[1] in (done / 100_000, (done + 1) / 100_000)


def box_at(x: float, side: float = 10) -> BoxRecord:
    return BoxRecord(Box(x, 0, x + side, side))


def test_a_drawn_box_takes_the_place_of_the_one_that_it_overlaps_most() -> None:
    first, second, third = box_at(0), box_at(8), box_at(30)
    drawn = BoxRecord(Box(6, 0, 16, 10), source=Source.EDITED)
    assert with_drawn((first, second, third), drawn) == (first, third, drawn)
    assert with_drawn((first,), BoxRecord(Box(50, 50, 60, 60))) == (BoxRecord(Box(50, 50, 60, 60)),)
    far = BoxRecord(Box(50, 50, 60, 60))
    assert with_drawn((first, second), far) == (first, second, far), "one that was missed"
    for said in ({"held": True}, {"adds": True}):
        assert with_drawn((first, second), drawn, **said) == (first, second, drawn)
    assert with_drawn((), drawn) == (drawn,)


def test_a_drawn_box_has_the_class_of_the_one_that_it_corrects() -> None:
    ant, bee = replace(box_at(0), label="ant"), replace(box_at(30), label="bee")
    drawn = BoxRecord(Box(28, 0, 39, 10), source=Source.EDITED)
    assert with_drawn((ant, bee), drawn) == (ant, replace(drawn, label="bee"))
    assert with_drawn((ant, bee), replace(drawn, label="cat"))[1].label == "cat", "the person chose one"
    assert with_drawn((ant, bee), drawn, adds=True)[2].label == "object"
