"""Corrections by commands: what reviewed images teach, where it goes, and every way it can go wrong."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from command_support import run
from learn_support import copy_of, find_boxes
from safetensors.numpy import save_file

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.geometry import Box
from core.formats import coco
from core.formats import csv as box_table
from core.formats.reading import read_truth
from core.images.sample import draw_sample
from core.maps.localizer import load_localizer
from core.project.corrections import lessons_of, prior_unit
from core.project.learning import saved_unit
from core.project.rows import Kept
from core.project.runs import current_run, runs
from core.project.store import Project


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 24 drawn photos, their truth, and a project that has found boxes in them."""
    folder = tmp_path_factory.mktemp("learned")
    truth = draw_sample(folder / "photos", count=24, seed=1)
    project = folder / "a.boxscout"
    find_boxes(truth.parent / "images", project)
    return folder


@pytest.fixture
def folder(learned: Path, tmp_path: Path) -> Path:
    return copy_of(learned, tmp_path)


def truth_of(folder: Path) -> list[ImageBoxes]:
    return read_truth(folder / "photos" / "truth.json")


def corrected(folder: Path, count: int) -> Path:
    """A file with the true boxes of the first images."""
    out = folder / "corrected.csv"
    box_table.write(truth_of(folder)[:count], out)
    return out


def boxes_of(project: Path) -> dict[str, tuple[object, ...]]:
    with Project.open_to_read(project) as opened:
        return {image.name: (image.status, *image.boxes) for image in opened.image_boxes()}


def test_corrections_of_a_file_teach_the_rest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, photos = folder / "a.boxscout", (folder / "photos" / "images").resolve()
    before = boxes_of(project)
    code, said, err = run(capsys, "learn", "--project", project, "--from", corrected(folder, 8), "--json")
    assert code == 0, err
    result = json.loads(said)
    assert (result["images"], result["empty"], result["rejected"]) == (8, 0, 0)
    unchanged = {name: own for name, own in boxes_of(project).items() if own == before[name]}
    assert len(unchanged) == 16, "only what was corrected has changed until boxes are found"
    with Project.open(project) as opened:
        first, second = runs(opened)
        assert second.preset == "corrections" and second.finished and not second.current
        unit, prior = saved_unit(second), saved_unit(first)
        assert unit.taught.prior == prior.digest and unit.method == "corrections"
        assert not np.array_equal(unit.weights, prior.weights)
    reviewed = {name: own for name, own in boxes_of(project).items() if own[0] is Status.ACCEPTED}
    code, said, err = run(capsys, "localize", photos, "--project", project, "--json")
    assert code == 0, err
    assert json.loads(said)["run"] == result["run"] and json.loads(said)["edited"] == 8
    after = boxes_of(project)
    assert {name: after[name] for name in reviewed} == reviewed
    assert sum(after[name] != before[name] for name in before) > 8, "others have moved"
    with Project.open(project) as opened:
        assert current_run(opened).id == result["run"]
        assert prior_unit(opened).digest == prior.digest, "the next corrections depart from the same unit"


def test_what_was_reviewed_does_not_measure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, truth = folder / "a.boxscout", folder / "photos" / "truth.json"
    report = folder / "report.json"
    words = ("evaluate", "--project", project, "--truth", truth, "--json", report)
    code, said, err = run(capsys, *words)
    assert code == 0 and "reviewed" not in said, err
    assert json.loads(report.read_text())["rows"][0]["n"] == 24
    assert run(capsys, "learn", "--project", project, "--from", corrected(folder, 8))[0] == 0
    code, said, err = run(capsys, *words)
    assert code == 0, err
    assert "left out: 8 images" in said
    assert json.loads(report.read_text())["rows"][0]["n"] == 16
    code, _, err = run(capsys, "evaluate", "--truth", truth)
    assert code == 2 and "one of the two" in err


def test_what_teaches_and_what_does_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = folder / "a.boxscout"
    with Project.open(project) as opened:
        ids = [image.id for image in opened.images()]
        opened.set_statuses(dict.fromkeys(ids[:4], Status.ACCEPTED) | {ids[4]: Status.REJECTED})
        opened.set_kept({ids[5]: Kept((), edited=True)})
        lessons = lessons_of(opened)
        assert list(lessons.boxes) == [*ids[:4], ids[5]]
        assert (lessons.with_box, lessons.empty, lessons.rejected) == (4, 1, 1)
        zero = BoxRecord(Box(3, 3, 3, 9), source=Source.EDITED)
        opened.set_kept({ids[6]: Kept((zero,), edited=True)})
        opened.set_statuses({ids[7]: Status.ACCEPTED})
        with opened.transaction() as db:  # as a damaged file leaves it
            db.execute("DELETE FROM box WHERE image_id = ?", (ids[7],))
        assert lessons_of(opened) == lessons, "neither of the two says that there is no object"
    code, said, err = run(capsys, "learn", "--project", project)
    assert code == 0, err
    assert "learned from 5 reviewed images, 1 of them without an object" in said
    assert "Rejected images teach nothing: 1" in said


def test_what_a_file_says_to_show_no_object_teaches_background(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, out = folder / "a.boxscout", folder / "reviewed.json"
    images = truth_of(folder)[:7]
    empty = [replace(one, boxes=(), status=Status.NO_OBJECT) for one in images[4:6]]
    coco.write([*images[:4], *empty, replace(images[6], boxes=())], out)
    code, said, err = run(capsys, "learn", "--project", project, "--from", out, "--json")
    assert code == 0, err
    assert (json.loads(said)["images"], json.loads(said)["empty"]) == (6, 2)
    found = list(boxes_of(project).values())
    assert [own[0] for own in found[:7]] == [Status.ACCEPTED] * 4 + [Status.NO_OBJECT] * 2 + [Status.UNSEEN]
    assert found[4] == (Status.NO_OBJECT,)


@pytest.mark.parametrize("reviewed", ["none", "rejected", "empty"])
def test_too_little_is_one_sentence_and_leaves_no_run(
    folder: Path, capsys: pytest.CaptureFixture[str], reviewed: str
) -> None:
    project = folder / "a.boxscout"
    with Project.open(project) as opened:
        ids = [image.id for image in opened.images()]
        if reviewed == "rejected":
            opened.set_statuses(dict.fromkeys(ids, Status.REJECTED))
        if reviewed == "empty":
            opened.set_kept(dict.fromkeys(ids, Kept((), edited=True)))
    code, _, err = run(capsys, "learn", "--project", project)
    assert code == 1 and "at least 3 images" in err and err.count("\n") <= 2
    with Project.open(project) as opened:
        assert len(runs(opened)) == 1


def test_what_a_file_rejects_is_not_enough_to_learn_from(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, out = folder / "a.boxscout", folder / "reviewed.json"
    images = truth_of(folder)[:6]
    coco.write([*images[:2], *(replace(one, status=Status.REJECTED) for one in images[2:])], out)
    before = boxes_of(project)
    code, _, err = run(capsys, "learn", "--project", project, "--from", out)
    assert code == 1 and "at least 3 images" in err
    assert boxes_of(project) == before


def test_a_localizer_goes_to_other_photos(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, file = folder / "a.boxscout", folder / "taught.safetensors"
    assert run(capsys, "learn", "--project", project, "--from", corrected(folder, 8))[0] == 0
    code, said, err = run(capsys, "localizer", "save", "--project", project, "--out", file)
    assert code == 0 and "8 reviewed images" in said, err
    assert file.stat().st_size < 20_000
    truth = draw_sample(folder / "next month", count=6, seed=9)
    other, photos = folder / "b.boxscout", truth.parent / "images"
    code, said, err = run(capsys, "localizer", "use", file, "--project", other)
    assert code == 0 and "8 reviewed images" in said, err
    code, said, err = run(capsys, "localize", photos, "--project", other, "--json")
    assert code == 0 and json.loads(said)["boxes"] == 6, err
    out = folder / "b.csv"
    assert run(capsys, "export", "--project", other, "--format", "csv", "--out", out)[0] == 0
    with out.open(newline="", encoding="utf-8-sig") as text:
        assert len(list(csv.DictReader(text))) == 6


@pytest.mark.parametrize("what", ["missing", "text", "cut", "other weights", "odd counts", "other features"])
def test_a_localizer_that_is_none_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    project, file = folder / "a.boxscout", folder / "taught.safetensors"
    assert run(capsys, "learn", "--project", project, "--from", corrected(folder, 5))[0] == 0
    assert run(capsys, "localizer", "save", "--project", project, "--out", file)[0] == 0
    unit = load_localizer(file)
    if what == "missing":
        file.unlink()
    elif what == "text":
        file.write_text("{}")
    elif what == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif what == "other weights":
        save_file({"weights": unit.weights.astype(np.float64)}, file, {"boxscout": "{}"})
    else:
        data = file.read_bytes()
        odd = {"odd counts": (b'\\"images\\": 5', b'\\"images\\":-5'), "other features": (b"lite0", b"lite9")}
        assert odd[what][0] in data
        file.write_bytes(data.replace(*odd[what]))
    other = folder / "b.boxscout"
    code, _, err = run(capsys, "localizer", "use", file, "--project", other)
    assert not other.exists(), "it leaves no project behind"
    assert code == 1 and len(err.strip().splitlines()) == 1 and "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "out"),
    [("coco", "o.json"), ("megadetector", "o.json"), ("yolo", "o"), ("voc", "o"), ("csv", "o.csv")],
)
def test_an_export_says_what_taught_its_boxes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, out: str
) -> None:
    project, photos = folder / "a.boxscout", (folder / "photos" / "images").resolve()

    def exported(place: str) -> Path:
        (tmp_path / place).mkdir()
        words = ("export", "--project", project, "--format", name, "--out", tmp_path / place / out)
        assert run(capsys, *words)[0] == 0
        return tmp_path / place / out

    def said(out: Path) -> list[str]:
        files = [out] if out.is_file() else [one for one in out.rglob("*") if one.is_file()]
        return [one.name for one in files if b'"taught"' in one.read_bytes() or one.name == "boxscout.json"]

    assert said(exported("untaught")) == []
    assert run(capsys, "learn", "--project", project, "--from", corrected(folder, 8))[0] == 0
    assert said(exported("not in use")) == [], "its boxes are not in the project yet"
    assert run(capsys, "localize", photos, "--project", project)[0] == 0
    taught = exported("taught")
    wanted = {"run": "Run 2", "features": "efficientnet-lite0", "reviewed_images": 8, "without_object": 0}
    wanted["classes"] = ["beetle"]
    if name in ("coco", "megadetector"):
        assert json.loads(taught.read_text())["info"]["taught"] == wanted
    elif name == "csv":
        with taught.open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        assert list(rows[0])[-2:] == ["run", "reviewed_images"]
        origins = {(row["source"], row["run"], row["reviewed_images"]) for row in rows}
        assert origins == {("auto", "Run 2", "8"), ("edited", "", "")}
    else:
        assert json.loads((taught / "boxscout.json").read_text()) == {"taught": wanted}
    read = {Path(one.name).stem: one.boxes for one in read_truth(taught)}
    assert len(read) == 24 and all(read.values()), "readers pass it over"
