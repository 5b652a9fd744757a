"""A project whose tables hold what no Boxscout wrote is damaged, whichever table it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.base.errors import DamagedProjectError
from core.images.scan import ImageFile
from core.project.rescue import rescue
from core.project.store import Project

CHANGES = (
    "INSERT INTO resized VALUES (1, 0.02, 7)",
    "INSERT INTO truth VALUES (1, 0, 9e999, 0, 5, 5, 'cat')",
    "INSERT INTO no_object VALUES (1, 'likely')",
    "INSERT INTO box_limit VALUES (1, 'many')",
    "INSERT INTO framing VALUES (1, 0, 0, 9e999, 1)",
    "INSERT INTO taken VALUES (1, '', 'yes')",
    "INSERT INTO removed VALUES (1, 1, 'a' || char(0))",
)


@pytest.mark.parametrize("change", CHANGES)
def test_such_a_row_is_damage_and_is_left_behind_by_the_rescue(tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.boxscout"
    with Project.open_or_create(path) as project:
        project.add_images([ImageFile(tmp_path, "a.png", 10, 1)])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(change)
    with pytest.raises(DamagedProjectError, match="is damaged"):
        Project.open(path)
    assert rescue(path).images == 1
    with Project.open(path) as project:
        assert [image.name for image in project.image_boxes()] == ["a.png"]
