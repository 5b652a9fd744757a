"""A project of the first version, which knew no runs, opened by this one.

``tests/data/before_runs.tar.xz`` was made by commit 51c159a: eight drawn images, a training of four steps,
boxes; two images accepted, one rejected, one edited and accepted, one emptied; what that version exported.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import tarfile
from datetime import datetime
from pathlib import Path

import pytest
from command_support import run

from core.base.annotations import Source, Status
from core.learn import checkpoint
from core.project.file import SCHEMA_VERSION, connect_to_copy
from core.project.runs import current_run, runs
from core.project.store import Project

ARCHIVE = Path(__file__).parents[2] / "data" / "before_runs.tar.xz"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of the project, whose images lie there too."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


def _version(path: Path) -> int:
    db = sqlite3.connect(path)
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    finally:
        db.close()


def test_its_training_is_run_1_and_its_boxes_come_from_that(old: Path) -> None:
    path = old / "old.boxscout"
    assert _version(path) == 1
    for _ in range(2):  # once it is migrated nothing happens again
        with Project.open(path) as project:
            [first] = runs(project)
            assert (first.name, first.kind, first.finished) == ("Run 1", "gan", True)
            assert current_run(project) == first
            assert first.file == old / "old.boxscout-data" / "checkpoint.pt" and first.is_saved
            assert first.day == f"{datetime.fromtimestamp(first.file.stat().st_mtime):%Y-%m-%d}"
            accepted = [one for one in project.images() if one.status is Status.ACCEPTED]
            assert [project.boxes(one.id)[0].source for one in accepted] == [Source.AUTO] * 2 + [
                Source.EDITED
            ]
        assert _version(path) == SCHEMA_VERSION


def test_what_it_never_knew_can_be_kept_in_it(old: Path) -> None:
    path = old / "old.boxscout"
    with Project.open(path) as project:
        before = project.all_boxes(), [one.status for one in project.images()]
        assert project.no_object() == {}
        assert {image.no_object for image in project.image_boxes()} == {None}
        ids = [one.id for one in project.images()]
        project.set_no_object(dict.fromkeys(ids, 0.75))
        assert (project.all_boxes(), [one.status for one in project.images()]) == before
    with Project.open(path) as project:
        assert project.no_object() == dict.fromkeys(ids, 0.75)


@pytest.mark.parametrize(("kind", "name"), [("csv", "boxes.csv"), ("coco", "boxes.json")])
def test_it_exports_the_same_bytes(
    old: Path, tmp_path: Path, kind: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / name
    assert run(capsys, "export", "--project", old / "old.boxscout", "--format", kind, "--out", out)[0] == 0
    if kind == "coco":  # which says by now what a person has said of an image
        content = json.loads(out.read_text())
        said = [image.pop("status", None) for image in content["images"]]
        assert sorted(filter(None, said)) == ["accepted"] * 3
        reviewed = {image["file_name"] for image in content["images"] if image.pop("reviewed", False)}
        with (old / "boxes.csv").open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        wanted = {r["filename"] for r in rows if r["source"] == "edited" or r["status"] == "accepted"}
        assert reviewed == wanted != set()
        assert content == json.loads((old / name).read_text())
        return
    assert out.read_bytes() == (old / name).read_bytes()


def test_one_that_may_only_be_read_shows_the_same(old: Path) -> None:
    with Project.open(old / "old.boxscout") as project:
        boxes = project.all_boxes()
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(old, filter="data")
    path = old / "old.boxscout"
    with Project(path, connect_to_copy(path), is_copy=True) as project:
        assert project.all_boxes() == boxes and [one.name for one in runs(project)] == ["Run 1"]
    assert _version(path) == 1


def test_its_training_goes_on_and_a_new_run_leaves_it(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, photos = old / "old.boxscout", old / "photos"
    moved = ("relocate", photos, "--from", "/tmp/fx/photos", "--project", path)
    assert run(capsys, *moved)[0] == 0
    code, out, _ = run(capsys, "train", photos, "--project", path, "--resume", "--steps", 6)
    assert code == 0 and "Trained 6 steps" in out
    first = old / "old.boxscout-data" / "checkpoint.pt"
    assert checkpoint.load(first).step == 6
    saved = first.read_bytes()

    with Project.open(path) as project:
        held = {one.id: project.boxes(one.id) for one in project.images()[:2]}
        before = project.all_boxes()
    small = ("--preset", "scratch", "--steps", 2, "--batch-size", 4, "--width", 8, "--device", "cpu")
    code, _, err = run(capsys, "train", photos, "--project", path, *small)
    assert code == 1 and "--restart for a new run beside it" in err
    assert run(capsys, "train", photos, "--project", path, "--restart", *small)[0] == 0
    assert first.read_bytes() == saved
    with Project.open(path) as project:
        assert project.all_boxes() == before
        assert [one.current for one in runs(project)] == [True, False]

    code, out, _ = run(capsys, "localize", photos, "--project", path)
    assert code == 0 and "with Run 2, step 2" in out
    assert "4 edited or accepted images were left alone" in out
    with Project.open(path) as project:
        assert [one.current for one in runs(project)] == [False, True]
        assert {i: project.boxes(i) for i in held} == held and project.all_boxes() != before
    code, out, _ = run(capsys, "runs", "--project", path, "--use", 1)
    assert code == 0 and re.search(r"^Run 1 · [-\d]+ · gan · its boxes are shown$", out, re.MULTILINE)
    with Project.open(path) as project:
        assert project.all_boxes() == before
