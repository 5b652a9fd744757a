"""What goes wrong around ``learn``: photos that are away or others, damaged files, a full disk, a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_support import ROOT, interrupt_when, run
from formats_support import full_disk
from learn_support import find_boxes

from core.base.annotations import Status
from core.images.sample import draw_sample
from core.maps.localizer import load_localizer, save_localizer
from core.project.corrections import lessons_of
from core.project.described import FILE
from core.project.runs import current_run, runs
from core.project.store import Project

REVIEWED = 8


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 16 drawn photos and a project with their boxes, of which eight are accepted."""
    folder = tmp_path_factory.mktemp("trouble")
    photos = draw_sample(folder / "photos", count=16, seed=1).parent / "images"
    project = folder / "a.boxscout"
    find_boxes(photos, project)
    with Project.open(project) as opened:
        opened.set_statuses({image.id: Status.ACCEPTED for image in opened.images()[:REVIEWED]})
    return folder


@pytest.fixture
def folder(learned: Path, tmp_path: Path) -> Path:
    """A copy of ``learned`` with photos of its own."""
    for name in ("a.boxscout-data", "photos"):
        shutil.copytree(learned / name, tmp_path / name)
    shutil.copy(learned / "a.boxscout", tmp_path / "a.boxscout")
    with Project.open(tmp_path / "a.boxscout") as opened:
        opened.relocate(learned / "photos" / "images", tmp_path / "photos" / "images")
    return tmp_path


def state(folder: Path) -> list[object]:
    """All that a person has of the project: images with their boxes, and runs."""
    with Project.open_to_read(folder / "a.boxscout") as opened:
        return [*opened.image_boxes(), *runs(opened)]


def learn(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    code, said, err = run(capsys, "learn", "--project", folder / "a.boxscout", "--json")
    assert code == 0, err
    return json.loads(said)


def localize(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("localize", folder / "photos" / "images", "--project", folder / "a.boxscout")
    code, _, err = run(capsys, *words)
    assert code == 0, err


def photos(folder: Path) -> list[Path]:
    return sorted((folder / "photos" / "images").iterdir())


def test_reviewed_photos_that_cannot_be_used_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, cut = photos(folder)[:2]
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:50])
    result = learn(folder, capsys)
    assert result["images"] == REVIEWED - 2
    assert {Path(one["file"]) for one in result["failed"]} == {gone, cut}
    assert result["failed"][0]["reason"] == "The file is no longer there."
    code, said, err = run(capsys, "learn", "--project", folder / "a.boxscout")
    assert code == 0 and f"Left out “{gone}”: The file is no longer there." in said, err
    with Project.open(folder / "a.boxscout") as opened:
        said = [image.status for image in opened.images()[:2]]
        assert said == [Status.ACCEPTED] * 2, "nobody's work is lost"


def test_too_few_photos_that_can_be_used_say_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for photo in photos(folder)[: REVIEWED - 2]:
        photo.unlink()
    code, _, err = run(capsys, "learn", "--project", folder / "a.boxscout")
    said = "6 reviewed images cannot be used, and the others are too few. The file is no longer there."
    assert code == 1 and err.strip().splitlines()[-1] == said
    with Project.open(folder / "a.boxscout") as opened:
        assert len(runs(opened)) == 1


def test_a_photo_that_another_has_overwritten_teaches_once_it_is_accepted_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, project = photos(folder)[0], folder / "a.boxscout"
    shutil.copyfile(photos(folder)[-1], first)
    assert learn(folder, capsys)["images"] == REVIEWED - 1, "before its folder was looked through"
    before = state(folder)[0]
    localize(folder, capsys)
    assert state(folder)[0].boxes == before.boxes, "what a person reviewed stays"
    result = learn(folder, capsys)
    assert result["images"] == REVIEWED - 1, "and after that"
    assert [Path(one["file"]) for one in result["failed"]] == [first]
    assert "accept it again" in result["failed"][0]["reason"]
    with Project.open(project) as opened:
        assert len(lessons_of(opened).replaced) == 1
        opened.set_statuses({opened.images()[0].id: Status.ACCEPTED})
    result = learn(folder, capsys)
    assert (result["images"], result["failed"]) == (REVIEWED, [])


def test_where_all_photos_are_others_one_sentence_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for photo in photos(folder):
        os.utime(photo, ns=(1, 1))
    localize(folder, capsys)
    code, _, err = run(capsys, "learn", "--project", folder / "a.boxscout")
    assert code == 1 and err.strip() == (
        "The files of 8 reviewed images are others now: look at them and accept them again."
    )


@pytest.mark.parametrize("is_current", [False, True])
def test_a_damaged_run_stands_in_no_others_way(
    folder: Path, capsys: pytest.CaptureFixture[str], is_current: bool
) -> None:
    learn(folder, capsys)
    if is_current:
        localize(folder, capsys)
    with Project.open(folder / "a.boxscout") as opened:
        first, second = runs(opened)
        assert second.current == is_current
        prior = load_localizer(first.file).digest
        second.file.write_bytes(b"no localizer")
    code, said, err = run(capsys, "learn", "--project", folder / "a.boxscout")
    assert code == 0 and "Run 2 is damaged and was passed over." in said, err
    with Project.open(folder / "a.boxscout") as opened:
        assert load_localizer(runs(opened)[2].file).taught.prior == prior
        for one in (first, second):
            one.file.write_bytes(b"no localizer")
        runs(opened)[2].file.unlink()
    code, _, err = run(capsys, "learn", "--project", folder / "a.boxscout")
    assert code == 1 and "is damaged" in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("damage", ["in the middle", "cut", "another table", "no database"])
def test_damaged_kept_features_are_made_again(
    folder: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    learn(folder, capsys)
    localize(folder, capsys)
    kept = folder / "a.boxscout-data" / FILE
    whole = kept.read_bytes()
    wanted = state(folder)[:16]
    rng = np.random.default_rng(0)
    if damage == "in the middle":
        kept.write_bytes(whole[:4096] + rng.bytes(len(whole) - 4096))
    elif damage == "cut":
        kept.write_bytes(whole[: len(whole) // 2])
    elif damage == "no database":
        kept.write_bytes(b"nothing" * 999)
    else:
        assert b"mtime_ns INTEGER" in whole
        kept.write_bytes(whole.replace(b"mtime_ns INTEGER", b"mtime_xx INTEGER"))
    words = ("localize", folder / "photos" / "images", "--project", folder / "a.boxscout", "--again")
    for _ in range(2):
        code, said, err = run(capsys, *words)
        assert code == 0 and "Traceback" not in said + err, err
    found = state(folder)[:16]
    assert [one.name for one in found] == [one.name for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        sides = [np.array([box.box.sides for box in image.boxes]) for image in (one, other)]
        np.testing.assert_allclose(*sides, atol=4)
    assert kept.stat().st_size > len(whole) // 2, "and kept again"


def test_ctrl_c_leaves_the_project_as_it_was(folder: Path) -> None:
    before = state(folder)
    code, _, said = interrupt_when("Learning", "learn", "--project", str(folder / "a.boxscout"))
    assert code == 130 and said[-1] == "Stopped; nothing was learned.", said
    assert state(folder) == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_a_kill_leaves_the_project_as_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the middle of learning, once a run was begun."""
    before = state(folder)
    killed = (
        "import os, signal, sys\nfrom core.project import corrections as c\nfrom core.cli.app import main\n"
        "c.save_localizer = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\nsys.exit(main())"
    )
    words = [sys.executable, "-c", killed, "learn", "--project", str(folder / "a.boxscout")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=False, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert [one for one in state(folder) if one in before] == before, "all of it is there"
    learn(folder, capsys)
    localize(folder, capsys)
    with Project.open(folder / "a.boxscout") as opened:
        assert len(runs(opened)) == 2 and current_run(opened).preset == "corrections"


def test_a_full_disk_is_one_sentence_and_leaves_no_run(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(folder)
    with monkeypatch.context() as patch:
        patch.setattr("core.maps.localizer.write_atomically", full_disk)
        code, _, err = run(capsys, "learn", "--project", folder / "a.boxscout")
    lines = [line for line in err.strip().splitlines() if not line.startswith("Learning")]
    assert code == 1 and lines == ["“localizer.safetensors” cannot be written: the disk is full."], err
    assert state(folder) == before
    learn(folder, capsys)


@pytest.mark.parametrize("what", ["size", "multiple", "weights", "network"])
def test_a_localizer_that_cannot_find_boxes_here_is_refused_at_once(
    folder: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    file, project = folder / "odd.safetensors", folder / "a.boxscout"
    with Project.open(project) as opened:
        unit = load_localizer(runs(opened)[0].file)
    odd = {
        "size": replace(unit, form=replace(unit.form, size=4000)),
        "multiple": replace(unit, form=replace(unit.form, multiple=7)),
        "weights": replace(unit, sha256="0" * 64),
        "network": replace(unit, features="efficientnet-lite9"),
    }
    save_localizer(file, odd[what])
    before = state(folder)
    for place in (project, folder / "new.boxscout"):
        code, _, err = run(capsys, "localizer", "use", file, "--project", place)
        assert code == 1 and len(err.strip().splitlines()) == 1 and "Traceback" not in err
    assert state(folder) == before, "the good run is still the newest"
    assert not (folder / "new.boxscout").exists()
    localize(folder, capsys)
