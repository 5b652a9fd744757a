"""Images that show no object: a status of their own, in new projects and in those of before."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.base.annotations import BoxRecord, Source, Status
from core.base.geometry import Box
from core.formats.selection import Selection, Which, select
from core.images.scan import ImageFile
from core.project.edits import BoxesEdit, ReviewEdit, StatusEdit
from core.project.file import SCHEMA_VERSION
from core.project.queries import held_among, kept, reviewed_images, settled_among
from core.project.rows import Kept
from core.project.store import Project
from core.project.view import ProjectView

AUTO = BoxRecord(Box(1, 2, 9, 9), score=0.5, rule="object", threshold=0.5)
DRAWN = BoxRecord(Box(1, 2, 9, 9), source=Source.EDITED)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Four images; the first two have an automatic box."""
    made = Project.open_or_create(tmp_path / "p.boxscout")
    made.add_images([ImageFile(tmp_path, f"{i}.png", 1, 1) for i in range(4)])
    made.set_sizes(dict.fromkeys(range(1, 5), (40, 20)))
    made.set_auto_boxes({1: [AUTO], 2: [AUTO]})
    yield made
    made.close()


def statuses(project: Project) -> list[Status]:
    return [one.status for one in project.images()]


def test_what_is_accepted_without_a_box_shows_no_object(project: Project) -> None:
    project.set_statuses(dict.fromkeys(range(1, 5), Status.ACCEPTED))
    wanted = [Status.ACCEPTED, Status.ACCEPTED, Status.NO_OBJECT, Status.NO_OBJECT]
    assert statuses(project) == wanted
    assert settled_among(project, [2, 3]) == {2: Status.ACCEPTED, 3: Status.NO_OBJECT}
    project.set_boxes(2, [])
    assert project.image(2).status is Status.NO_OBJECT
    project.set_boxes(2, [DRAWN])
    assert project.image(2).status is Status.ACCEPTED
    project.set_statuses({1: Status.NO_OBJECT})
    assert project.image(1).status is Status.ACCEPTED, "it has a box"


def test_no_run_gives_it_a_box_and_no_lost_file_takes_it(project: Project) -> None:
    project.set_statuses({3: Status.NO_OBJECT})
    assert project.set_auto_boxes({3: [AUTO], 4: [AUTO]}) == 1
    assert project.boxes(3) == () and len(project.boxes(4)) == 1
    assert held_among(project, [2, 3]) == {3} == reviewed_images(project)
    project.set_failed({3: "It is no longer there."})
    assert project.image(3).status is Status.NO_OBJECT


def test_it_is_taken_back_with_its_boxes(project: Project) -> None:
    before = kept(project, [1])
    edit = ReviewEdit(
        BoxesEdit(before, {1: Kept((), edited=True)}),
        StatusEdit({1: Status.UNSEEN}, {1: Status.NO_OBJECT}),
    )
    edit.apply(project, ProjectView())
    assert (project.image(1).status, project.boxes(1)) == (Status.NO_OBJECT, ())
    edit.inverse.apply(project, ProjectView())
    assert (project.image(1).status, kept(project, [1])) == (Status.UNSEEN, before)


def test_it_is_exported_empty(project: Project) -> None:
    project.set_statuses({1: Status.ACCEPTED, 2: Status.REJECTED, 3: Status.NO_OBJECT})
    for which in (Which.ACCEPTED, Which.NOT_REJECTED):
        names = {one.name: one for one in select(project.image_boxes(), Selection(which=which))}
        assert names["2.png"].boxes == () and names["2.png"].status is Status.NO_OBJECT
        assert "1.png" not in names


def test_a_project_of_before_has_the_word_once_it_is_opened(project: Project) -> None:
    """Version 2 said of such an image that it was accepted, without a box."""
    path = project.path
    project.set_statuses({1: Status.ACCEPTED, 2: Status.REJECTED})
    project.set_boxes(4, [])
    project.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE image SET status = 'accepted' WHERE id = 3")
        db.execute("DROP TABLE class_map")
        db.execute("PRAGMA user_version = 2")
    db.close()
    wanted = [Status.ACCEPTED, Status.REJECTED, Status.NO_OBJECT, Status.UNSEEN]
    with Project.open(path) as again:
        assert statuses(again) == wanted
        assert kept(again, [4])[4] == Kept((), edited=True), "an emptied one stays as it was"
        assert again.select("PRAGMA user_version") == [(SCHEMA_VERSION,)]
    with Project.open(path) as again:
        assert statuses(again) == wanted
