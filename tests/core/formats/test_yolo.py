"""YOLO truth, in the layouts that people have."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.annotations import ImageBoxes, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.evaluate.report import evaluate
from core.formats import yolo_reading as yolo
from core.formats.gather import ReadOptions, Told
from core.formats.reading import read_truth


def _image(path: Path, width: int = 200, height: int = 100, **save: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(path, **save)


def _label(path: Path, *rows: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def _only(truth: list[ImageBoxes], name: str) -> ImageBoxes:
    (found,) = [image for image in truth if image.name == name]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("train/2.jpg", "train/10.jpg", "val/a.png", "val/empty.png", "val/none.png"):
        _image(tmp_path / "images" / name)
    _label(tmp_path / "labels/train/2.txt", "0 0.5 0.5 0.2 0.4", "1 0.1 0.1 0.4 0.4")
    _label(tmp_path / "labels/train/10.txt", "0 0.25 0.5 0.5 1")
    _label(tmp_path / "labels/val/a.txt", "7 .5 .5 1 1 .75")
    _label(tmp_path / "labels/val/empty.txt")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images/train\nnames:\n  0: cat\n  1: big dog\n")
    return tmp_path


def test_boxes_are_shares_of_the_image(folder: Path) -> None:
    truth = read_truth(folder)
    assert [image.name for image in truth] == [
        *("images/train/2.jpg", "images/train/10.jpg"),
        *("images/val/a.png", "images/val/empty.png", "images/val/none.png"),
    ]
    first, second = truth[0].boxes
    assert (truth[0].width, truth[0].height) == (200, 100)
    assert first.box == Box(80, 30, 120, 70)
    x0, y0, x1, y1 = second.box.x0, second.box.y0, second.box.x1, second.box.y1
    assert (x0, y0, x1, y1) == pytest.approx((0, 0, 60, 30))  # -20..60 by -10..30, cut at the image
    assert [first.label, second.label] == ["cat", "big dog"]
    scored = _only(truth, "images/val/a.png").boxes[0]
    assert (scored.box, scored.label, scored.score) == (Box(0, 0, 200, 100), "7", 0.75)
    assert truth[3].boxes == truth[4].boxes == ()


def test_every_way_in_is_the_same_truth(folder: Path) -> None:
    truth = read_truth(folder)
    for path in (folder / "data.yaml", folder / "labels", folder / "images"):
        assert read_truth(path) == truth
    report = evaluate(truth, truth)
    assert (report.n, report.rows[0].correct, report.several) == (3, 3, 1)


def test_splits_may_hold_both_folders(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        _image(tmp_path / split / "images" / "a.jpg")
        _label(tmp_path / split / "labels" / "a.txt", "1 0.5 0.5 0.5 0.5")
    _image(tmp_path / "runs" / "plot.png")
    (tmp_path / "data.yaml").write_text("train: ../train/images\nnc: 2\nnames: ['x', 'y: z']\n")
    truth = read_truth(tmp_path)
    assert [image.name for image in truth] == ["train/images/a.jpg", "valid/images/a.jpg"]
    assert {image.boxes[0].label for image in truth} == {"y: z"}


def test_the_last_folder_images_is_the_one_with_labels_beside(tmp_path: Path) -> None:
    _image(tmp_path / "images" / "day" / "images" / "a.jpg")
    _label(tmp_path / "images" / "day" / "labels" / "a.txt", "0 .5 .5 .5 .5")
    (tmp_path / "labels").mkdir()
    assert len(_only(read_truth(tmp_path), "images/day/images/a.jpg").boxes) == 1


def test_names_come_from_classes_txt_too(tmp_path: Path) -> None:
    _image(tmp_path / "images" / "a.jpg")
    _label(tmp_path / "labels" / "a.txt", "1 .5 .5 .5 .5")
    _label(tmp_path / "classes.txt", "bus", "lorry")
    assert read_truth(tmp_path)[0].boxes[0].label == "lorry"


def test_a_polygon_is_its_box_and_an_empty_box_is_none(tmp_path: Path) -> None:
    _image(tmp_path / "images" / "a.jpg")
    _label(tmp_path / "labels" / "a.txt", "0 .1 .2 .3 .9 .2 .4 .25 .1", "0 .5 .5 0 .5", "0 2 2 .1 .1")
    (record,) = read_truth(tmp_path)[0].boxes
    box = record.box
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((20, 10, 60, 90))


def test_size_is_that_of_the_displayed_image(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    _image(tmp_path / "images" / "a.jpg", 200, 100, exif=exif)
    _label(tmp_path / "labels" / "a.txt", "0 .5 .5 1 .5")
    (image,) = read_truth(tmp_path)
    assert (image.width, image.height) == (100, 200)
    assert image.boxes[0].box == Box(0, 50, 100, 150)


def test_an_image_that_cannot_be_opened_stops_nothing(folder: Path) -> None:
    (folder / "images" / "train" / "2.jpg").write_bytes(b"\xff\xd8\xff no image")
    broken, *others = read_truth(folder)
    assert broken.status is Status.FAILED
    assert broken.reason
    assert broken.boxes == ()
    assert sum(len(image.boxes) for image in others) == 2


@pytest.mark.parametrize(
    "row",
    [
        "0 .1 .2 .3",
        "cat .1 .2 .3 .4",
        "0.5 .1 .2 .3 .4",
        "0 nan .2 .3 .4",
        "0 inf .2 .3 .4",
        "0 1 2 3 4 5 6 7",
    ],
)
def test_a_damaged_row_is_named(folder: Path, row: str) -> None:
    """It costs itself alone; where nothing else can be read, the file is refused."""
    _label(folder / "labels/train/2.txt", "0 0.5 0.5 0.2 0.4", row)
    told = Told()
    truth = read_truth(folder, ReadOptions(told=told))
    assert len(_only(truth, "images/train/2.jpg").boxes) == 1
    assert told.boxes == 1
    sentence, unnamed = told.sentences()
    assert unnamed.startswith("No file names the class of ")
    assert sentence.startswith("2.txt, line 2")
    assert len(sentence) < 250
    for file in (folder / "labels").rglob("*.txt"):
        file.unlink()
    _label(folder / "labels/train/2.txt", row)
    with pytest.raises(FormatError, match=r"2\.txt, line 1"):
        read_truth(folder)


@pytest.mark.parametrize("content", ["names: [", "\x00", "a: b: c"])
def test_bad_yaml_is_a_sentence_and_costs_the_names_alone(folder: Path, content: str) -> None:
    (folder / "data.yaml").write_text(content)
    told = Told()
    assert read_truth(folder, ReadOptions(told=told))[0].boxes[0].label == "0"
    assert "data.yaml is not valid YAML" in " ".join(told.sentences())


def test_yaml_runs_nothing(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "it-ran"
    (folder / "data.yaml").write_text(f"!!python/object/apply:os.system ['touch {run}']")
    assert read_truth(folder)[0].boxes[0].label == "0"
    assert not run.exists()


@pytest.mark.parametrize(
    ("names", "label"),
    [
        *(("[!!bool x]", "x"), ("[!!timestamp y]", "y"), (f"[0x{900 * 'f'}]", f"0x{900 * 'f'}")),
        *(("[yes, no]", "yes"), ("[0, 1]", "0"), ("{0: ~}", "~"), ("['007']", "007"), ("[1e3]", "1e3")),
    ],
)
def test_a_class_is_named_as_it_is_written(folder: Path, names: str, label: str) -> None:
    (folder / "data.yaml").write_text(f"names: {names}")
    assert read_truth(folder)[0].boxes[0].label == label


@pytest.mark.parametrize("content", ["", "5", "names: 3", "nc: 2"])
def test_yaml_without_names_leaves_numbers(folder: Path, content: str) -> None:
    (folder / "data.yaml").write_text(content)
    assert read_truth(folder)[0].boxes[0].label == "0"


def test_images_without_labels_are_no_truth(tmp_path: Path) -> None:
    _image(tmp_path / "images" / "a.jpg")
    (tmp_path / "labels").mkdir()
    assert yolo.is_yolo(tmp_path)
    with pytest.raises(FormatError, match="no YOLO labels"):
        read_truth(tmp_path)
    (tmp_path / "labels").rmdir()
    assert not yolo.is_yolo(tmp_path)
    with pytest.raises(FormatError, match="holds no true boxes"):
        read_truth(tmp_path)


def test_names_that_are_no_words_leave_numbers(folder: Path) -> None:
    """Lists that name one another, nine times each: nine to the ninth words, were they written out."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    letters = "abcdefghij"
    lines += [f"{b}: &{b} [{', '.join(9 * ['*' + a])}]" for a, b in pairwise(letters)]
    (folder / "data.yaml").write_text("\n".join([*lines, "names: {0: *j, 1: dog}"]))
    assert {one.label for image in yolo.read(folder) for one in image.boxes} == {"0", "7", "dog"}
