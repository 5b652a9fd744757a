"""A project that is read-only: on a read-only disk, in another person's folder."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.base.annotations import BoxRecord, Source
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.images.scan import ImageFile
from core.project import truth
from core.project.store import Project

FOUND = BoxRecord(Box(1, 2, 30, 40.5), score=0.75, threshold=0.2, rule="component")
EDITED = BoxRecord(Box(5, 6, 7, 8), label="cat", source=Source.EDITED)


@contextmanager
def locked(place: Path) -> Iterator[None]:
    """A folder that nobody may write in, and that is found as it was afterwards."""
    before = {file: file.read_bytes() for file in place.iterdir()}
    for file in before:
        file.chmod(0o444)
    place.chmod(0o555)
    try:
        yield
    finally:
        place.chmod(0o755)
    # SQLite's index of a log says who reads it just now.
    after = {file: file.read_bytes() for file in place.iterdir()}
    assert after.keys() == before.keys()
    assert all(after[file] == before[file] for file in after if not file.name.endswith("-shm"))


def _file(name: str) -> ImageFile:
    return ImageFile(root=Path("/photos"), name=name, size_bytes=10, mtime_ns=1)


@pytest.mark.parametrize("left", ["", "-wal -shm", "-wal"])
def test_a_project_that_may_only_be_read_is_read_as_it_is_now(unprivileged: Path, left: str) -> None:
    """With what a kill leaves beside it, or a copy of a project that is open: a log that holds the newest."""
    work, place = unprivileged / "work.boxscout", unprivileged / "été 100% & co"
    place.mkdir()
    path = place / "p#1?.boxscout"
    with Project.open_or_create(work) as project:
        project.add_images([_file("1.png"), _file("2.png")])
        project.set_boxes(1, [FOUND])
    with closing(sqlite3.connect(work)) as db:
        for table in ("framing", "resized", "truth", "map_source"):  # which older versions did not know
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA wal_checkpoint")
        db.execute("UPDATE box SET label = 'newest'")
        db.commit()
        for ending in ["", *left.split()]:
            shutil.copyfile(f"{work}{ending}", f"{path}{ending}")
    with locked(place), Project.open_to_read(path) as project:
        assert project.boxes(1) == (replace(FOUND, label="newest" if left else FOUND.label),)
        assert [record.name for record in project.images()] == ["1.png", "2.png"]
        assert truth.true_boxes(project) == {}
        assert (project.path, project.data_dir) == (path, place / "p#1?.boxscout-data")
        with pytest.raises(ProjectError, match="cannot be changed"):
            project.set_boxes(1, [])


def test_a_copy_to_look_at_takes_changes_and_keeps_none(unprivileged: Path) -> None:
    place = unprivileged / "shut"
    place.mkdir()
    path = place / "p.boxscout"
    with Project.open_or_create(path) as project:
        project.add_images([_file("1.png")])
    with locked(place):
        with Project.open_to_look(path) as project:
            assert project.is_copy
            project.set_boxes(1, [EDITED])
            project.backup(unprivileged / "mine.boxscout")
        with Project.open_to_look(path) as project:
            assert project.boxes(1) == ()
    with Project.open_to_look(unprivileged / "mine.boxscout") as mine:
        assert not mine.is_copy
        assert mine.boxes(1) == (EDITED,)


def test_a_project_that_another_has_open_is_read_as_it_is_now(unprivileged: Path) -> None:
    place = unprivileged / "theirs"
    place.mkdir()
    with Project.open_or_create(place / "p.boxscout") as theirs:
        theirs.add_images([_file("1.png")])
        theirs.set_boxes(1, [EDITED])
        with locked(place), Project.open_to_read(theirs.path) as project:
            assert project.boxes(1) == (EDITED,)


def test_one_that_may_be_changed_is_opened_as_ever(tmp_path: Path) -> None:
    Project.open_or_create(tmp_path / "p.boxscout").close()
    with Project.open_to_read(tmp_path / "p.boxscout") as project:
        project.add_images([_file("1.png")])
    with Project.open(tmp_path / "p.boxscout") as project:
        assert len(project.images()) == 1


def test_what_may_only_be_read_is_refused_as_ever_where_it_is_no_whole_project(unprivileged: Path) -> None:
    place = unprivileged / "shut"
    place.mkdir()
    whole, newer, stranger = (place / name for name in ("whole", "newer", "stranger"))
    for path in (whole, newer):
        Project.open_or_create(path).close()
    with closing(sqlite3.connect(newer)) as db:
        db.execute("PRAGMA user_version = 99")
    stranger.write_bytes(b"\x89PNG" * 400)
    damaged = place / "damaged"
    damaged.write_bytes(whole.read_bytes()[:5000])
    secret = place / "secret"
    secret.write_bytes(whole.read_bytes())
    secret.chmod(0)
    place.chmod(0o555)
    for path, words in (
        (newer, "newer Boxscout"),
        (stranger, "not a Boxscout project"),
        (damaged, "damaged"),
        (secret, "may not open"),
        (place / "gone", "no project"),
    ):
        with pytest.raises(ProjectError, match=words):
            Project.open_to_read(path)
    place.chmod(0o755)
