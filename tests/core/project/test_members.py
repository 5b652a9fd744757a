"""Images taken out of a project and put back: what comes back is row for row what was there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.boxes.classes import ClassMap
from core.images.exif import Taken
from core.images.scan import ImageFile
from core.project.members import remove_images, restore_images
from core.project.schema import image_tables
from core.project.store import Project
from core.project.survey import MapSource
from core.project.taken import note_taken
from core.project.truth import set_truth

ROOT = Path("/photos")


def files(*names: str) -> list[ImageFile]:
    return [ImageFile(root=ROOT, name=name, size_bytes=10, mtime_ns=7) for name in names]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three images, of which the second has everything that an image can have."""
    made = Project.open_or_create(tmp_path / "p.boxscout")
    made.add_images(files("a.jpg", "b.jpg", "c.jpg"))
    made.set_sizes(dict.fromkeys((1, 2, 3), (40, 30)))
    made.set_boxes(2, [BoxRecord(Box(1, 2, 30, 20), "cat", source=Source.EDITED)])
    made.set_auto_boxes({3: [BoxRecord(Box(0, 0, 9, 9), score=0.5, source=Source.AUTO)]})
    made.set_statuses({2: Status.ACCEPTED})
    one = np.ones((3, 4), np.float32)
    framing = {2: np.array([0.1, 0.2, 0.3, 0.4])}
    made.set_heat_maps({2: one, 3: one}, step=4, source=MapSource("x", "own", "a"), framings=framing)
    made.set_no_object({2: 0.25})
    note_taken(made, {2: Taken("2024-05-01T06:30:12")})
    made.set_signatures({2: np.linspace(0, 1, 64).astype(np.float16)})
    made.set_class_maps({2: ClassMap(("cat", "dog"), np.ones((3, 4), np.uint8))})
    set_truth(made, {2: (BoxRecord(Box(3, 3, 9, 9), "cat"),)})
    made.set_sizes({2: (80, 60)})  # so that its boxes are of another size
    with made.transaction() as db:
        db.execute("INSERT INTO replaced VALUES (2)")
    made.add_rejected([])
    return made


def rows(project: Project) -> dict[str, list[tuple[object, ...]]]:
    return {table: sorted(project.select(f"SELECT * FROM {table}"), key=str) for table, _ in image_tables()}


def test_every_table_of_images_is_known(project: Project) -> None:
    """Whatever table will refer to an image: what a person removes comes back whole."""
    tables = [name for (name,) in project.select("SELECT name FROM sqlite_master WHERE type = 'table'")]
    refer = {
        t for t in tables if any(r[2] == "image" for r in project.select(f"PRAGMA foreign_key_list({t})"))
    }
    assert refer | {"image"} == {table for table, _ in image_tables()}


def test_what_is_put_back_is_what_was_there(project: Project) -> None:
    before = rows(project)
    assert all(any(2 in row[:2] for row in before[t]) for t in before if t != "box_limit"), before
    remove_images(project, [2, 3])
    assert [image.id for image in project.images()] == [1]
    assert not any(2 in row[:1] or 3 in row[:1] for table in rows(project).values() for row in table)
    restore_images(project, [2, 3])
    assert rows(project) == before


def test_removed_images_stay_out_until_they_are_added(project: Project) -> None:
    remove_images(project, [2])
    path = project.path
    project.close()
    with Project.open(path) as again:
        assert again.add_images(files("a.jpg", "b.jpg", "c.jpg", "d.jpg")) == 1  # their folder is scanned
        assert [image.name for image in again.images()] == ["a.jpg", "c.jpg", "d.jpg"]
        assert again.add_images(files("b.jpg"), again=True) == 1
        assert again.add_images(files("b.jpg")) == 0
        assert len(again.images()) == 4
        with pytest.raises(ProjectError, match="add them to the project again"):
            restore_images(again, [2])  # of an earlier opening


def test_an_image_that_is_there_by_another_id_is_not_put_back_twice(project: Project) -> None:
    remove_images(project, [2])
    project.add_images(files("b.jpg"), again=True)
    before = rows(project)
    with pytest.raises(ProjectError, match="add them to the project again"):
        restore_images(project, [2])
    assert rows(project) == before
