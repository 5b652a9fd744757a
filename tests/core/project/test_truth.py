"""True boxes beside a project's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.base.annotations import BoxRecord, Status
from core.base.geometry import Box
from core.images.scan import ImageFile
from core.project.exchange import remove_truth
from core.project.store import Project
from core.project.truth import set_truth, true_boxes


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.open_or_create(tmp_path / "a.boxscout")
    made.add_images([ImageFile(tmp_path, f"{i}.png", 1, 1) for i in range(3)])
    return made


def _plain(found: dict[int, tuple[BoxRecord, ...]]) -> dict[int, list[tuple[str, Box]]]:
    return {image_id: [(one.label, one.box) for one in boxes] for image_id, boxes in found.items()}


def test_truth_survives_closing_and_leaves_boxes_and_statuses_alone(project: Project) -> None:
    ids = [image.id for image in project.images()]
    project.set_auto_boxes({ids[0]: [BoxRecord(Box(0, 0, 5, 5), score=0.5)]})
    project.set_statuses({ids[0]: Status.ACCEPTED})
    true = [BoxRecord(Box(1.5, 2, 3, 4), label="Füchse"), BoxRecord(Box(0, 0, 9, 9))]
    set_truth(project, {ids[0]: true, ids[2]: true[1:]})
    project.close()
    again = Project.open(project.path)
    wanted = {ids[0]: [(one.label, one.box) for one in true], ids[2]: [("object", Box(0, 0, 9, 9))]}
    assert _plain(true_boxes(again)) == wanted
    assert _plain(true_boxes(again, ids[:2])) == {ids[0]: wanted[ids[0]]}
    assert [one.box for one in again.boxes(ids[0])] == [Box(0, 0, 5, 5)]
    assert [one.status for one in again.images()] == [Status.ACCEPTED, Status.UNSEEN, Status.UNSEEN]
    again.close()


def test_new_truth_replaces_that_of_the_same_images_until_all_is_removed(project: Project) -> None:
    ids = [image.id for image in project.images()]
    set_truth(project, {ids[0]: [BoxRecord(Box(0, 0, 1, 1))] * 3, ids[1]: [BoxRecord(Box(0, 0, 2, 2))]})
    set_truth(project, {ids[0]: [BoxRecord(Box(4, 4, 8, 8))]})
    assert {i: [one.box for one in boxes] for i, boxes in true_boxes(project).items()} == {
        ids[0]: [Box(4, 4, 8, 8)],
        ids[1]: [Box(0, 0, 2, 2)],
    }
    remove_truth(project)
    assert true_boxes(project) == {}
    project.close()
