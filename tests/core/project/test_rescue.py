"""Damaged projects: what is whole is saved, the damaged file is kept, and nothing hostile gets through."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import DamagedProjectError, ProjectError
from core.base.geometry import Box
from core.images.scan import ImageFile
from core.project.places import lost_folders
from core.project.queries import framings
from core.project.rescue import Rescue, rescue
from core.project.rows import Kept
from core.project.store import Project

IMAGES = 600
FRAMING = np.array([0.1, -0.2, -0.3, 0.4])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "work.boxscout"
    with Project.open_or_create(path) as project:
        folder = tmp_path / "photos with a name of some length"
        project.add_images([ImageFile(folder, f"image {i}.png", 10, 1) for i in range(IMAGES)])
        ids = [image.id for image in project.images()]
        project.set_sizes(dict.fromkeys(ids, (40, 30)))
        project.set_kept({i: _kept(i) for i in ids})
        project.set_statuses(dict.fromkeys(ids[::2], Status.ACCEPTED))
        heat, framings = np.ones((8, 8), np.float32), {ids[0]: FRAMING}
        project.set_heat_maps({ids[0]: heat}, step=3, framings=framings)
        project.set_no_object({ids[0]: 0.75})
    return path


def _kept(image_id: int) -> Kept:
    return Kept((BoxRecord(Box(1, 2, 3 + image_id / 8, 9), source=Source.EDITED),), edited=True)


def _saved(path: Path) -> Rescue:
    damaged = path.read_bytes()
    with pytest.raises(ProjectError):
        Project.open(path)
    assert path.read_bytes() == damaged, "opening alone changes nothing"
    result = rescue(path)
    assert result.copy.read_bytes() == damaged
    assert sorted(p.name for p in path.parent.iterdir()) == sorted([path.name, result.copy.name])
    with Project.open(path) as project:
        for image in project.images():
            wanted = ImageFile(image.root, f"image {image.id - 1}.png", 10, 1)
            assert image.file == wanted
            assert image.status is (Status.ACCEPTED if image.id % 2 else Status.UNSEEN)
            assert project.boxes(image.id) in (_kept(image.id).boxes, ())
        assert len(project.images()) == result.images
        assert sum(map(len, project.all_boxes().values())) == result.boxes
    return result


def _page_size(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[16:18], "big")


@pytest.mark.parametrize("kind", ["first", "header", "middle", "tail", "short"])
def test_what_is_whole_is_saved(path: Path, kind: str) -> None:
    data, size = bytearray(path.read_bytes()), _page_size(path)
    pages = len(data) // size
    garbage = np.random.default_rng(0).bytes(size)
    if kind == "short":
        data = data[: (pages - 3) * size - 100]
    elif kind == "header":
        data[:100] = garbage[:100]
    else:
        page = {"first": 0, "middle": data.index(b"image 300.png") // size, "tail": pages - 1}[kind]
        data[page * size : (page + 1) * size] = garbage
    path.write_bytes(data)
    result = _saved(path)
    if kind in ("first", "header"):
        assert (result.images, result.boxes) == (IMAGES, IMAGES)
    else:
        assert result.images + result.boxes > IMAGES
    assert "was damaged" in result.sentence() and result.copy.name in result.sentence()


def test_an_older_project_is_brought_up_to_date_too(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM box WHERE image_id = 7")
        db.execute("UPDATE image SET status = 'accepted' WHERE id IN (7, 8)")
        db.execute("PRAGMA user_version = 2")
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[:100] = bytes(100)
    path.write_bytes(data)
    rescue(path)
    with Project.open(path) as project:
        assert [project.image(i).status for i in (7, 8)] == [Status.NO_OBJECT, Status.ACCEPTED]


@pytest.mark.parametrize(
    ("table", "images", "boxes"), [("roots", IMAGES, IMAGES), ("box", IMAGES, 0), ("view", IMAGES, IMAGES)]
)
def test_a_missing_table_costs_only_itself(path: Path, table: str, images: int, boxes: int) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute(f"DROP TABLE {table}")
    db.commit()
    db.close()
    with pytest.raises(DamagedProjectError):
        Project.open(path)
    result = rescue(path)
    assert (result.images, result.boxes) == (images, boxes)
    with Project.open(path) as project:
        assert len(project.images()) == images
        first = project.images()[0].id
        np.testing.assert_array_equal(framings(project, [first])[first], FRAMING)
        assert project.no_object() == {first: 0.75}
        if table == "roots":  # its place can then be told
            assert [one.images for one in lost_folders(project)] == [IMAGES]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE box SET x1 = 9e999 WHERE image_id = 5",
        "UPDATE box SET x0 = 'left' WHERE image_id = 5",
        "UPDATE box SET score = 'high' WHERE image_id = 5",
        "UPDATE box SET label = zeroblob(3000000) WHERE image_id = 5",
        "UPDATE image SET width = 99999999999 WHERE id = 5",
        "UPDATE image SET mtime_ns = 'noon' WHERE id = 5",
        "UPDATE image SET name = 'a' || char(0) || '.png' WHERE id = 5",
        "UPDATE image SET name = CAST('a' || char(0) AS BLOB) WHERE id = 5",
    ],
)
def test_hostile_values_are_left_behind(path: Path, change: str) -> None:
    db = sqlite3.connect(path)
    db.execute(change)
    db.commit()
    db.close()
    result = _saved(path)
    assert result.boxes == IMAGES - 1
    assert result.lost >= 1 and "lost" in result.sentence()


def test_what_is_no_project_at_all_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "photo.boxscout"
    path.write_bytes(np.random.default_rng(1).bytes(50_000))
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="Nothing can be read"):
        rescue(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_damage_that_sqlite_cannot_quote_as_text_is_damage(path: Path) -> None:
    content = path.read_bytes()
    assert content.count(b"CREATE TABLE box ") == 1
    path.write_bytes(content.replace(b"CREATE TABLE box ", b"CREATE TABL\x96 box "))
    result = _saved(path)
    assert (result.images, result.boxes) == (IMAGES, IMAGES)


def test_images_of_a_lost_folder_are_saved(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("DELETE FROM roots")
    db.close()
    with pytest.raises(DamagedProjectError):
        Project.open(path)
    result = rescue(path)
    assert (result.images, result.boxes, result.lost) == (IMAGES, IMAGES, 0)
    with Project.open(path) as project:
        assert len(project.all_boxes()) == IMAGES
        assert len(lost_folders(project)) == 1
