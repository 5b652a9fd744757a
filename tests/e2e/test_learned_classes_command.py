"""Classes by commands: two kinds of objects in one folder, some named, and the boxes of all others."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest
from command_support import run
from learn_support import copy_of, find_boxes

from core.base.annotations import ImageBoxes, Source, Status
from core.formats import csv as box_table
from core.formats.reading import read_truth
from core.images.sample import draw_sample
from core.maps.localizer import load_localizer
from core.project.learning import saved_unit
from core.project.queries import class_maps, labelled
from core.project.results import take
from core.project.rows import Kept
from core.project.runs import current_run, runs
from core.project.store import Project

KINDS = ("beetle", "ball")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 photos, a striped ball in every second one in the beetle's place, and a project with their boxes."""
    folder = tmp_path_factory.mktemp("classes")
    truth = draw_sample(folder / "photos", count=24, seed=1)
    for image in read_truth(truth)[1::2]:
        file = truth.parent / image.name
        pixels = cv2.imread(str(file))
        x0, y0, x1, y1 = (int(side) for side in image.boxes[0].box.sides)
        ball = np.zeros(pixels.shape[:2], np.uint8)
        middle = (x0 + x1) / 2, (y0 + y1) / 2
        cv2.ellipse(ball, (middle, (x1 - x0, y1 - y0), 0), 1, -1)
        stripes = np.where(np.arange(pixels.shape[1]) // 5 % 2, 255, 30)[None, :, None]
        cv2.imwrite(
            str(file), np.where(ball[..., None] > 0, stripes * [1, 0.9, 0.1], pixels).astype(np.uint8)
        )
    project = folder / "a.boxscout"
    find_boxes(truth.parent / "images", project)
    return folder


@pytest.fixture
def folder(learned: Path, tmp_path: Path) -> Path:
    return copy_of(learned, tmp_path)


def truth_of(folder: Path, kinds: tuple[str, str] = KINDS) -> list[ImageBoxes]:
    """The true boxes, of these two classes."""
    found = read_truth(folder / "photos" / "truth.json")
    return [
        replace(one, boxes=tuple(replace(box, label=kinds[place % 2]) for box in one.boxes))
        for place, one in enumerate(found)
    ]


def teach(folder: Path, capsys: pytest.CaptureFixture[str], *images: ImageBoxes) -> dict[str, object]:
    """Learn from the boxes of some images and find the others' anew; what ``learn`` said."""
    out, project = folder / "corrected.csv", folder / "a.boxscout"
    box_table.write(list(images), out)
    code, said, err = run(capsys, "learn", "--project", project, "--from", out, "--json")
    assert code == 0, err
    photos = (folder / "photos" / "images").resolve()
    assert run(capsys, "localize", photos, "--project", project)[0] == 0
    return json.loads(said)


def labels_of(project: Path) -> dict[str, list[str]]:
    with Project.open_to_read(project) as opened:
        return {Path(one.name).name: [box.label for box in one.boxes] for one in opened.image_boxes()}


def counted(project: Path) -> Counter[str]:
    return Counter(chain.from_iterable(labels_of(project).values()))


def right(folder: Path, taught: list[ImageBoxes]) -> float:
    """The share of images that taught nothing whose box has their class."""
    known = {Path(one.name).name for one in taught}
    wanted = {Path(one.name).name: one.boxes[0].label for one in truth_of(folder)}
    found = labels_of(folder / "a.boxscout")
    return float(np.mean([found[name] == [wanted[name]] for name in found if name not in known]))


def test_named_boxes_teach_the_classes_of_all_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project, taught = folder / "a.boxscout", truth_of(folder)[:10]
    assert set(counted(project)) == {"object"}
    assert teach(folder, capsys, *taught)["classes"] == ["ball", "beetle"]
    assert right(folder, taught) > 0.9
    assert set(counted(project)) == set(KINDS)
    with Project.open(project) as opened:
        mine = {one.id for one in opened.images() if one.status is Status.ACCEPTED}
        boxes = opened.all_boxes()
        assert all(box.source is Source.EDITED for i in mine for box in boxes[i])
        assert len(mine) == 10 and len(labelled(opened, "ball")) == 12, "filters go by them"


def test_boxes_that_are_cut_anew_have_a_class(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taught = truth_of(folder)[:10]
    teach(folder, capsys, *taught)
    before = labels_of(folder / "a.boxscout")
    photos, project = (folder / "photos" / "images").resolve(), folder / "a.boxscout"
    words = ("localize", photos, "--project", project, "--threshold", "0.3", "--json")
    code, said, err = run(capsys, *words)
    assert code == 0 and json.loads(said)["edited"] == 10, err
    assert right(folder, taught) > 0.9
    assert before.keys() == labels_of(project).keys()


def test_exports_have_the_classes(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = folder / "a.boxscout"
    teach(folder, capsys, *truth_of(folder)[:10])
    wanted = counted(project)
    outs = {"coco": "o.json", "yolo": "yolo", "voc": "voc", "csv": "o.csv"}
    for name, out in outs.items():
        words = ("export", "--project", project, "--format", name, "--out", tmp_path / out)
        assert run(capsys, *words)[0] == 0
        assert Counter(box.label for one in read_truth(tmp_path / out) for box in one.boxes) == wanted, name
    coco = json.loads((tmp_path / "o.json").read_text())
    assert coco["info"]["taught"]["classes"] == ["ball", "beetle"]
    assert sorted(one["name"] for one in coco["categories"]) == ["ball", "beetle"]


def test_one_class_alone_is_that_of_all_boxes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = folder / "a.boxscout"
    result = teach(folder, capsys, *truth_of(folder, ("beetle", "beetle"))[:4])
    assert result["classes"] == ["beetle"]
    assert counted(project) == {"beetle": 24}


def test_without_a_name_boxes_stay_objects(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = folder / "a.boxscout"
    assert teach(folder, capsys, *truth_of(folder, ("object", "object"))[:4])["classes"] == []
    assert counted(project) == {"object": 24}
    with Project.open(project) as opened:
        unit = saved_unit(current_run(opened))
        assert unit.classes is None and not class_maps(opened, [one.id for one in opened.images()])


def test_a_class_with_one_example_is_learned(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    true = truth_of(folder)
    taught = [*true[0:8:2], true[1]]
    assert teach(folder, capsys, *taught)["classes"] == ["ball", "beetle"]
    assert right(folder, taught) > 0.8


def test_more_classes_than_can_be_learned_change_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = folder / "a.boxscout"
    with Project.open(project) as opened:
        image = opened.images()[0]
        box = opened.boxes(image.id)[0]
        many = tuple(replace(box, label=f"kind {number}", source=Source.EDITED) for number in range(300))
        ids = [one.id for one in opened.images()[1:4]]
        opened.set_kept({image.id: Kept(many, edited=True)})
        opened.set_statuses(dict.fromkeys(ids, Status.ACCEPTED))
    code, _, err = run(capsys, "learn", "--project", project)
    assert code == 1 and "300 classes" in err and len(err.strip().splitlines()) == 1
    with Project.open(project) as opened:
        assert len(runs(opened)) == 1


def test_classes_go_with_the_localizer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project, file, other = folder / "a.boxscout", folder / "taught.safetensors", folder / "b.boxscout"
    teach(folder, capsys, *truth_of(folder)[:10])
    code, said, err = run(capsys, "localizer", "save", "--project", project, "--out", file)
    assert code == 0 and "classes: ball, beetle" in said, err
    assert load_localizer(file).classes is not None
    code, said, err = run(capsys, "localizer", "use", file, "--project", other)
    assert code == 0 and "classes: ball, beetle" in said, err
    photos = (folder / "photos" / "images").resolve()
    assert run(capsys, "localize", photos, "--project", other)[0] == 0
    wanted = [[one.boxes[0].label] for one in truth_of(folder)]
    assert np.mean([a == b for a, b in zip(labels_of(other).values(), wanted, strict=True)]) > 0.9


def test_taking_another_run_takes_its_classes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = folder / "a.boxscout"
    teach(folder, capsys, *truth_of(folder)[:10])
    with Project.open(project) as opened:
        first, second = runs(opened)
        after = opened.all_boxes()
        mine = {one.id for one in opened.images() if one.status is Status.ACCEPTED}
        take(opened, first)
        assert {b.label for i, own in opened.all_boxes().items() if i not in mine for b in own} == {"object"}
        assert not class_maps(opened, list(after))
        take(opened, second)
        assert opened.all_boxes() == after
        assert len(class_maps(opened, list(after))) == 24
