"""True boxes beside a folder's images, in the layouts that public data sets have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.geometry import Box
from core.formats import FORMATS, WriteOptions
from core.project.exchange import exportable, import_truth
from core.project.found_truth import truth_beside
from core.project.store import Project
from core.project.workflow import add_folders

NAMES = ("a.png", "sub/b.png")
VOC = (
    "<annotation><filename>{name}</filename><size><width>40</width><height>30</height><depth>3</depth></size>"
    "<object><name>x</name><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>20</xmax><ymax>25</ymax></bndbox></object>"
    "</annotation>"
)


def _project(
    tmp_path: Path, folder: Path, names: tuple[str, ...] = NAMES, size: tuple[int, int] = (40, 30)
) -> Project:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*size[::-1], 3), number, np.uint8)).save(folder / name)
    made = Project.open_or_create(tmp_path / "p.boxscout")
    add_folders(made, [folder])
    return made


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


def _coco() -> dict[str, object]:
    return {
        "images": [{"id": i, "file_name": n, "width": 40, "height": 30} for i, n in enumerate(NAMES, 1)],
        "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [3, 4, 9, 9]} for i in (1, 2)],
        "categories": [{"id": 1, "name": "x"}],
    }


def _lay_out(kind: str, folder: Path) -> None:
    if kind == "voc":
        for name in NAMES:
            _write(folder / "Annotations" / f"{Path(name).stem}.xml", VOC.format(name=Path(name).name))
    elif kind == "voc beside":
        for name in NAMES:
            _write(folder.parent / "Annotations" / f"{Path(name).stem}.xml", VOC.format(name=Path(name).name))
    elif kind == "labelme":
        for name in NAMES:
            shape = {"label": "x", "points": [[1, 2], [9, 9]], "shape_type": "rectangle"}
            _write((folder / name).with_suffix(".json"), {"shapes": [shape], "imagePath": Path(name).name})
    elif kind == "coco":
        _write(folder / "boxes.json", _coco())
    else:
        _write(folder / "annotations/instances.json", _coco())


@pytest.mark.parametrize("kind", ["voc", "voc beside", "labelme", "coco", "coco in annotations"])
def test_truth_is_found_once(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "set/JPEGImages"
    with _project(tmp_path, folder) as project:
        assert truth_beside(project, [folder]) is None
        _lay_out(kind, folder)
        found = truth_beside(project, [tmp_path / "set/none", folder])
        assert found is not None
        assert (found.folder, found.boxes) == (folder, 2)
        assert not any(one.boxes for one in project.image_boxes())
        import_truth(project, found.plan)
        assert truth_beside(project, [folder]) is None, "it is there already"


def test_yolo_and_tiny_imagenet_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    with _project(tmp_path, folder, ("images/train/a.png", "images/val/b.png")) as project:
        _write(folder / "labels/train/a.txt", "0 .5 .5 .5 .5\n")
        for dropped in (folder, folder / "images"):
            found = truth_beside(project, [dropped])
            assert found is not None
            assert found.boxes == 1
    (tmp_path / "p.boxscout").unlink()
    folder = tmp_path / "tiny"
    names = ("train/n01/images/n01_0.png", "val/images/val_0.png")
    with _project(tmp_path, folder, names, (64, 64)) as project:
        _write(folder / "wnids.txt", "n01\n")
        _write(folder / "train/n01/n01_boxes.txt", "n01_0.png\t1\t2\t9\t9\n")
        _write(folder / "val/val_annotations.txt", "val_0.png\tn01\t1\t2\t9\t9\n")
        found = truth_beside(project, [folder])
        assert found is not None
        assert found.boxes == 2


@pytest.mark.parametrize("name", ["coco", "yolo", "voc", "labelme", "csv", "megadetector"])
def test_what_this_program_found_is_no_truth(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "set"
    with _project(tmp_path, folder) as project:
        images, sources = exportable(project)
        box = BoxRecord(Box(1, 2, 20, 21), score=0.5)
        boxes = [ImageBoxes(one.name, 40, 30, (box,)) for one in images]
        suffix = FORMATS[name].suffix
        FORMATS[name].write(boxes, folder / f"out{suffix}", WriteOptions(sources=sources))
        assert truth_beside(project, [folder]) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"a": 1}', "<annotation>"])
def test_what_is_no_box_file_is_passed_over(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "set"
    with _project(tmp_path, folder) as project:
        _write(folder / ("x.xml" if content.startswith("<") else "x.json"), content)
        assert truth_beside(project, [folder]) is None
