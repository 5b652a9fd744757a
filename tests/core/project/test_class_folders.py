"""Images sorted into folders by class, and images that a file shows blank."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.annotations import BoxRecord, Status
from core.base.geometry import Box
from core.formats import WRITTEN, Selection, Which, WriteOptions, export
from core.formats.reading import read_truth
from core.project.exchange import (
    classes_by_name,
    exportable,
    import_boxes,
    import_truth,
    outdated_images,
    plan_import,
)
from core.project.queries import held_among
from core.project.store import Project
from core.project.workflow import add_folders

NAMES = ("fox/1.png", "fox/2.png", "red deer/sub/1.png", "loose.png")
BOX = Box(2, 3, 20, 24)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for name in NAMES:
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((30, 40, 3), len(name), np.uint8)).save(path)
    with Project.open_or_create(tmp_path / "p.boxscout") as made:
        add_folders(made, [tmp_path / "photos"])
        yield made


def _boxed(project: Project, **labels: str) -> None:
    for record in project.images():
        label = labels.get(record.name.partition("/")[0], "object")
        project.set_boxes(record.id, [BoxRecord(BOX, label)])
        project.set_sizes({record.id: (40, 30)})


def test_a_folder_names_the_boxes_that_have_no_class(project: Project, tmp_path: Path) -> None:
    _boxed(project)
    first = next(one for one in project.images() if one.name == "fox/1.png")
    project.set_boxes(first.id, [BoxRecord(BOX, "vixen"), BoxRecord(Box(0, 0, 5, 5))])
    images, sources = exportable(project)
    for by_folder in (False, True):
        out = tmp_path / f"{by_folder}.json"
        folders = classes_by_name(project) if by_folder else {}
        export(images, out, format=WRITTEN["coco"], options=WriteOptions(sources=sources), folders=folders)
    plain, named = (
        {one.name: [box.label for box in one.boxes] for one in read_truth(tmp_path / f"{kind}.json")}
        for kind in (False, True)
    )
    assert {label for labels in plain.values() for label in labels} == {"vixen", "object"}
    assert named == {
        "fox/1.png": ["vixen", "fox"],
        "fox/2.png": ["fox"],
        "red deer/sub/1.png": ["red deer"],
        "loose.png": ["object"],
    }


def test_boxes_without_a_class_come_in_under_their_folders_name(project: Project, tmp_path: Path) -> None:
    rows = ["filename,xmin,ymin,xmax,ymax", *(f"{name},2,3,20,24" for name in NAMES)]
    (tmp_path / "b.csv").write_text("\n".join(rows))
    plan = plan_import(project, tmp_path / "b.csv")
    assert plan.labels() == {"object": 4}
    assert plan.by_folder().labels() == {"fox": 2, "red deer": 1, "object": 1}
    import_boxes(project, plan.by_folder().only(Selection(classes=frozenset({"fox"}))))
    assert {one.name: len(one.boxes) for one in project.image_boxes()} == {
        "fox/1.png": 1, "fox/2.png": 1, "red deer/sub/1.png": 0, "loose.png": 0
    }  # fmt: skip


def _results(path: Path) -> Path:
    """MegaDetector's: a sure animal, an unsure one, nothing, and a failure."""
    box = [0.1, 0.1, 0.5, 0.5]
    found = {"fox/1.png": [0.9], "fox/2.png": [0.05], "red deer/sub/1.png": []}
    images = [
        {"file": name, "detections": [{"category": "1", "conf": one, "bbox": box} for one in scores]}
        for name, scores in found.items()
    ]
    images.append({"file": "loose.png", "failure": "Failure image access", "detections": None})
    content = {"info": {"format_version": "1.4"}, "detection_categories": {"1": "animal"}, "images": images}
    path.write_text(json.dumps(content))
    return path


def test_images_that_a_detector_left_blank_are_so_where_wanted(project: Project, tmp_path: Path) -> None:
    plan = plan_import(project, _results(tmp_path / "md.json"), Selection(min_score=0.2))
    assert plan.without_box == 2
    import_boxes(project, plan)
    by_name = {one.name: one for one in project.image_boxes()}
    assert [by_name[name].status for name in NAMES] == [Status.UNSEEN] * 4
    summary = import_boxes(project, plan.with_blanks(), replace_held=True)
    assert (summary.images, summary.boxes) == (3, 1)
    records = project.images()
    assert {one.name: one.status for one in records} == {
        "fox/1.png": Status.UNSEEN,
        "fox/2.png": Status.NO_OBJECT,
        "red deer/sub/1.png": Status.NO_OBJECT,
        "loose.png": Status.UNSEEN,  # its file failed there: nobody knows
    }
    blank = {one.id for one in records if one.status is Status.NO_OBJECT}
    assert held_among(project, [one.id for one in records]) >= blank
    assert not any(project.boxes(i) for i in blank)
    assert project.set_auto_boxes({i: [BoxRecord(BOX)] for i in blank}) == 2  # no run gives them one


def test_a_person_keeps_their_boxes_of_images_that_a_file_shows_blank(
    project: Project, tmp_path: Path
) -> None:
    _boxed(project)
    plan = plan_import(project, _results(tmp_path / "md.json"), Selection(min_score=0.2)).with_blanks()
    assert plan.count(replace_held=False) == (0, 0)
    summary = import_boxes(project, plan)
    assert (summary.images, summary.kept) == (0, 3)
    assert all(len(one.boxes) == 1 for one in project.image_boxes())
    assert import_truth(project, plan_import(project, tmp_path / "md.json")).images == 2


def test_copies_lie_in_a_folder_of_their_class(project: Project, tmp_path: Path) -> None:
    _boxed(project, fox="Vulpes/vulpes")
    deer = next(one for one in project.images() if one.name.startswith("red"))
    project.set_boxes(deer.id, [])
    project.set_statuses({deer.id: Status.NO_OBJECT})
    images, sources = exportable(project)
    out = tmp_path / "sorted"
    summary = export(
        images, out, format=WRITTEN["class-folders"], selection=Selection(which=Which.ALL),
        options=WriteOptions(sources=sources), outdated=outdated_images(project),
    )  # fmt: skip
    files = {file.relative_to(out).as_posix() for file in out.rglob("*.png")}
    assert files == {
        "Vulpes_vulpes/fox/1.png", "Vulpes_vulpes/fox/2.png", "blank/red deer/sub/1.png", "object/loose.png"
    }  # fmt: skip
    assert summary.images == 4
    assert (out / "object/loose.png").read_bytes() == (tmp_path / "photos/loose.png").read_bytes()
