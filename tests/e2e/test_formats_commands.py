"""Boxes in and out by command: real photos with true boxes, every format, and back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from command_support import run
from PIL import Image

from core.base.annotations import BoxRecord, Source
from core.base.geometry import Box
from core.formats import WRITTEN
from core.formats.reading import read_truth
from core.project.store import Project
from core.project.workflow import add_folders


@pytest.fixture
def raccoons(tmp_path: Path, unzipped: Callable[[str], Path]) -> tuple[Path, Path]:
    """A project of 200 real photos without a box, and the folder of their truth in VOC."""
    folder = unzipped("raccoon")
    path = tmp_path / "r.boxscout"
    with Project.open_or_create(path) as project:
        add_folders(project, [folder / "images"])
    return path, folder


def test_truth_comes_in_leaves_in_every_format_and_scores_one(
    raccoons: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, folder = raccoons
    code, out, _ = run(capsys, "import", "boxes", folder, "--project", project, "--status", "accepted")
    assert code == 0
    assert "Imported 217 boxes into 200 images" in out
    for name, format in WRITTEN.items():
        place = tmp_path / f"{name}{format.suffix}"
        more = ["--link"] if name == "yolo" else []
        code, out, err = run(
            capsys, "export", "--project", project, "--format", name, "--out", place, "--json", *more
        )
        assert code == 0, err
        assert (json.loads(out)["boxes"], json.loads(out)["images"]) == (217, 200)
    for name in ("coco", "csv", "voc", "labelme"):
        place = tmp_path / f"{name}{WRITTEN[name].suffix}"
        report = tmp_path / "report.json"
        assert run(capsys, "evaluate", place, "--truth", folder, "--json", report)[0] == 0
        rows = json.loads(report.read_text())
        assert rows["n"] == 200
        assert "100.0%" in run(capsys, "evaluate", place, "--truth", folder)[1]
        assert len(read_truth(place)) == 200
    other = tmp_path / "other.boxscout"
    with Project.open_or_create(other) as made:
        add_folders(made, [folder / "images"])
    code, out, _ = run(capsys, "import", "boxes", tmp_path / "yolo/data.yaml", "--project", other)
    assert "Imported 217 boxes into 200 images" in out


def test_nothing_of_a_persons_is_written_over(
    raccoons: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, folder = raccoons
    assert run(capsys, "import", "boxes", folder, "--project", project)[0] == 0
    photo = tmp_path / "photo.jpg"
    shutil.copyfile(folder / "images/raccoon-1.jpg", photo)
    boxes = tmp_path / "boxes.csv"
    assert run(capsys, "export", "--project", project, "--format", "csv", "--out", boxes)[0] == 0
    before = {path: path.read_bytes() for path in (project, photo)}
    for place in before:
        for name in ("csv", "coco", "coco-results", "megadetector"):
            code, _, err = run(capsys, "export", "--project", project, "--format", name, "--out", place)
            assert (code, "a file of another kind is there already" in err) == (1, True)
        code, _, err = run(capsys, "evaluate", boxes, "--truth", folder, "--json", place)
        assert (code, "a file of another kind is there already" in err) == (1, True)
    assert {path: path.read_bytes() for path in before} == before
    assert run(capsys, "export", "--project", project, "--format", "csv", "--out", boxes)[0] == 0


def test_flat_names_are_for_yolo(
    raccoons: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, folder = raccoons
    for name in ("a", "b"):
        shutil.copytree(folder / "images", tmp_path / "twice" / name)
    with Project.open_or_create(tmp_path / "two.boxscout") as made:
        add_folders(made, [tmp_path / "twice"])
        for one in made.images():
            made.set_boxes(one.id, [BoxRecord(Box(1, 2, 30 + (one.name < "b"), 40), source=Source.EDITED)])
        wanted = {one.name: one.boxes[0].box.x1 for one in made.image_boxes()}
    export = ("export", "--project", tmp_path / "two.boxscout", "--out", tmp_path / "out", "--flat")
    code, _, err = run(capsys, *export, "--format", "voc")
    assert code != 0
    assert "--flat is not for --format voc" in err
    assert run(capsys, *export, "--format", "yolo", "--link")[0] == 0
    assert len(list((tmp_path / "out/images/train").glob("*.jpg"))) == 400
    assert len(list((tmp_path / "out/labels/train").glob("*.txt"))) == 400
    with Project.open_or_create(tmp_path / "new.boxscout") as made:
        add_folders(made, [tmp_path / "twice"])
    code, out, _ = run(capsys, "import", "boxes", tmp_path / "out", "--project", tmp_path / "new.boxscout")
    assert "Imported 400 boxes into 400 images" in out
    with Project.open(tmp_path / "new.boxscout") as made:
        found = {one.name: one.boxes[0].box.x1 for one in made.image_boxes()}
    assert found == pytest.approx(wanted, abs=1e-3)


def test_a_chosen_part_of_it_leaves(
    raccoons: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, folder = raccoons
    assert run(capsys, "import", "boxes", folder, "--project", project)[0] == 0
    base = ("export", "--project", project, "--format", "csv", "--out", tmp_path / "x.csv")
    code, _, err = run(capsys, *base, "--images", "accepted")
    assert code == 1
    assert "No box is left to export" in err
    assert run(capsys, *base, "--class", "cat")[0] == 1
    assert run(capsys, *base, "--class", "raccoon", "--val", "0.25", "--seed", "4")[0] == 0
    tables = [pd.read_csv(tmp_path / f"x-{part}.csv") for part in ("train", "val")]
    assert [table["filename"].nunique() for table in tables] == [150, 50]
    assert sum(map(len, tables)) == 217


@pytest.mark.parametrize(
    "arguments",
    [
        ["import", "boxes", "x"],
        ["import", "cifar10", "x"],
        ["import", "letters", "x", "--out", "y"],
        ["import", "boxes", "x", "--project", "p", "--status", "rejected"],
        ["export", "--project", "p", "--format", "csv", "--out", "o", "--link"],
        ["export", "--project", "p", "--format", "csv", "--out", "o", "--min-score", "2"],
        ["export", "--project", "p", "--format", "csv", "--out", "o", "--val", "1"],
        ["export", "--project", "p", "--format", "csv", "--out", "o", "--images", "some"],
    ],
)
def test_wrong_use_exits_with_two(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert err


def test_errors_are_one_sentence(
    raccoons: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, folder = raccoons
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert run(capsys, "import", "boxes", folder, "--project", project)[0] == 0
    for arguments, words in (
        (("import", "boxes", tmp_path / "x.csv", "--project", project), "no column"),
        (("import", "boxes", tmp_path / "no.csv", "--project", project), "does not exist"),
        (("import", "boxes", folder, "--project", tmp_path / "no.boxscout"), "no project"),
        (("export", "--project", project, "--format", "yolo", "--out", folder), "already exists"),
    ):
        code, _, err = run(capsys, *arguments)
        assert code == 1, err
        assert words in err
        assert "Traceback" not in err


def test_camera_traps_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A detector's boxes in, blanks as such, and a package out that says where only if asked."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 06:30:12"
    exif.get_ifd(0x8825).update({1: "N", 2: (52, 31, 12), 3: "E", 4: (13, 24, 18)})
    for name in ("fox/1.jpg", "fox/2.jpg", "deer/3.jpg"):
        (tmp_path / "traps" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "traps" / name, exif=exif)
    project = tmp_path / "p.boxscout"
    with Project.open_or_create(project) as made:
        add_folders(made, [tmp_path / "traps"])
    found = [{"category": "1", "conf": conf, "bbox": [0.25, 0.25, 0.5, 0.5]} for conf in (0.9, 0.1)]
    images = [
        {"file": "fox/1.jpg", "detections": found},
        {"file": "fox/2.jpg", "detections": found[1:]},
        {"file": "deer/3.jpg", "detections": found[:1]},
    ]
    content = {"detection_categories": {"1": "object"}, "images": images}
    (tmp_path / "md.json").write_text(json.dumps(content))
    wanted = ("--min-score", 0.2, "--blanks", "--folder-classes")
    code, out, err = run(capsys, "import", "boxes", tmp_path / "md.json", "--project", project, *wanted)
    assert (code, "Imported 2 boxes into 3 images" in out) == (0, True), err
    for more in ((), ("--with-gps",)):
        place = tmp_path / f"package{len(more)}"
        export = ("export", "--project", project, "--format", "camtrap-dp", "--out", place, *more)
        code, out, err = run(capsys, *export)
        assert (code, "Complete the package" in out) == (0, True), err
        deployments = pd.read_csv(place / "deployments.csv")
        assert list(deployments["deploymentID"]) == ["deer", "fox"]
        assert list(deployments["latitude"].round(2)) == ([52.52] * 2 if more else [0, 0])
        observations = pd.read_csv(place / "observations.csv")
        assert sorted(observations["observationType"]) == ["animal", "animal", "blank"]
        assert set(observations["observationTags"].dropna()) == {"class:fox", "class:deer"}
    code, _, err = run(capsys, "export", "--project", project, "--format", "voc", "--out", "x", "--with-gps")
    assert (code, "--with-gps is not for --format voc" in err) == (2, True)
