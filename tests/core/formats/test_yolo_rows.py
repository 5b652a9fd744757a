"""Rows of YOLO's as trainers, trackers and other tools write them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from PIL import Image

from core.base.errors import FormatError
from core.base.geometry import Box
from core.formats.gather import ReadOptions, Told
from core.formats.reading import read_truth
from core.formats.yolo_rows import read_row

BOX = (0.375, 0.25, 0.625, 0.75)
CORNERS = "0.375 0.25 0.625 0.25 0.625 0.75 0.375 0.75"
POINTS = "0.45 0.4 2 0.55 0.4 2 0.45 0.6 0"


def sides(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


@pytest.mark.parametrize(
    ("row", "score"),
    [
        ("3 0.5 0.5 0.25 0.5", None),
        ("3 0.5 0.5 0.25 0.5 0.9", 0.9),
        ("3 0.5 0.5 0.25 0.5 0.91 1", 0.91),  # track: confidence and number
        ("3 0.5 0.5 0.25 0.5 0.91 17", 0.91),
        ("3 0.5 0.5 0.25 0.5 17", None),  # a track without its confidence
        ("3 0.5 0.5 -0.25 0.5", None),
        (f"3 {CORNERS}", None),
        (f"3 {CORNERS} 0.83", 0.83),
        (f"3 {CORNERS} 0.83 12", 0.83),
        (f"3 {CORNERS} 0.83 1", 0.83),
        (f"3 0.5 0.5 0.25 0.5 {POINTS}", None),  # key points, known by their visibilities
        ("3,0.5,0.5,0.25,0.5", None),
        ("3, 0.5, 0.5, 0.25, 0.5", None),
        ("3 0,5 0,5 0,25 0,5", None),
        ("3.0 5e-1 .5 .25 .5", None),
    ],
)
def test_the_box_of_every_kind_of_row(row: str, score: float | None) -> None:
    found = read_row(row)
    assert (found.number, found.score) == (3, score)
    assert sides(found.box) == pytest.approx(BOX)


def test_what_data_yaml_says_of_key_points_counts() -> None:
    row = "0 0.5 0.5 0.25 0.5 0.45 0.4 0.55 0.6"  # without it, four corners
    assert sides(read_row(row, (2, 2)).box) == pytest.approx(BOX)
    assert read_row(row + " 0.7", (2, 2)).score == 0.7
    assert sides(read_row(row).box) != pytest.approx(BOX)


@pytest.mark.parametrize("angle", [-0.3, 2.0])
def test_a_turned_box_is_the_box_around_it(angle: float) -> None:
    found = sides(read_row(f"0 0.5 0.5 0.25 0.5 {angle}").box)
    across = [x * math.cos(angle) - y * math.sin(angle) for x in (-0.125, 0.125) for y in (-0.25, 0.25)]
    down = [x * math.sin(angle) + y * math.cos(angle) for x in (-0.125, 0.125) for y in (-0.25, 0.25)]
    expected = (0.5 + min(across), 0.5 + min(down), 0.5 + max(across), 0.5 + max(down))
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("0 80 60 40 60", "pixels"),
        ("0 0.1 0.2", "class number"),
        ("deer 0.1 0.2 0.3 0.4", "class number"),
        ("-1 0.1 0.2 0.3 0.4", "class number"),
        ("Car 0 0 -1.6 587 173 614 200 1.6 1.6 3.6 -0.6 1.7 46.7 -1.6", "KITTI"),
        ("10 20 30 20 30 40 10 40 ship 0", "DOTA"),
    ],
)
def test_what_is_no_row_says_why(row: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_row(row)


# ---- folders -----------------------------------------------------------------------------------------


def layout(folder: Path, *images: str, **texts: str | bytes) -> Path:
    for name in images:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (160, 120)).save(folder / name)
    return folder


def text(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


ROW = "0 0.5 0.5 0.25 0.5\n"


@pytest.mark.parametrize(
    ("label", "classes", "content"),
    [
        ("labels/a.txt", "classes.txt", "deer\n"),
        ("labels/a.txt", "labels/classes.txt", "deer\n"),
        ("labels/a.txt", "data/obj.names", "deer\n"),
        ("labels/a.txt", "classes.txt", "deer\r\nfüchse\r\n".encode("utf-16")),
        ("labels/a.txt", "dataset.yaml", "names:\n  0: deer\n"),
        ("labels/a.txt", "data.yaml", 'path: "C:\\Users\\me"\nnames: [deer]\nnc: 1\n'),
        ("labels/a.txt", "data.yaml", "path: 'x\nnames:\n- deer\nnc: 1\n"),
        ("labels/a.TXT", "classes.txt", "deer\n"),
    ],
)
def test_names_are_found_wherever_a_tool_writes_them(
    tmp_path: Path, label: str, classes: str, content: str | bytes
) -> None:
    layout(tmp_path, "images/a.jpg")
    text(tmp_path, label, ROW)
    text(tmp_path, classes, content)
    (image,) = read_truth(tmp_path)
    assert [(one.label, sides(one.box)) for one in image.boxes] == [("deer", (60, 30, 100, 90))]


@pytest.mark.parametrize(("content", "label"), [("Füchse\n".encode("cp1252"), "Füchse"), (b"\x81\x8d", "0")])
def test_names_that_are_not_utf_8_are_told(tmp_path: Path, content: bytes, label: str) -> None:
    layout(tmp_path, "images/a.jpg")
    text(tmp_path, "labels/a.txt", ROW)
    text(tmp_path, "classes.txt", content)
    options = ReadOptions()
    assert read_truth(tmp_path, options)[0].boxes[0].label == label
    assert "classes.txt" in options.told.sentences()[0]


def test_labels_in_a_folder_of_another_name_find_their_images(tmp_path: Path) -> None:
    layout(tmp_path, "images/a.jpg", "images/sub/b.jpg", "images/x/twice.jpg", "images/y/twice.jpg")
    for name in ("a", "b", "twice"):
        text(tmp_path, f"annotations/{name}.txt", ROW)
    found = {image.name: len(image.boxes) for image in read_truth(tmp_path)}
    assert [found[name] for name in ("images/a.jpg", "images/sub/b.jpg")] == [1, 1]
    assert found["images/x/twice.jpg"] == found["images/y/twice.jpg"] == 0
    assert found["annotations/twice"] == 1  # of nobody knows which


def test_labels_beside_the_images_are_read(tmp_path: Path) -> None:
    """labelImg and darknet."""
    layout(tmp_path, "day/a.jpg", "day/b.jpg")
    text(tmp_path, "day/a.txt", ROW)
    text(tmp_path, "day/classes.txt", "deer\n")
    text(tmp_path, "train.txt", "data/day/a.jpg\n")
    found = {image.name: [one.label for one in image.boxes] for image in read_truth(tmp_path)}
    assert found == {"day/a.jpg": ["deer"], "day/b.jpg": []}


@pytest.mark.parametrize("path", ["", "labels", "labels/sub/a.txt"])
def test_labels_without_images_are_shares_of_images_elsewhere(tmp_path: Path, path: str) -> None:
    text(tmp_path, "labels/sub/a.txt", ROW)
    text(tmp_path, "classes.txt", "deer\n")
    (image,) = read_truth(tmp_path / path)
    assert image.name.endswith("a")
    assert not image.name.startswith("labels")
    assert (image.shares, image.width) == (True, 0)
    assert sides(image.in_pixels(160, 120).boxes[0].box) == (60, 30, 100, 90)


def test_cvats_folder_of_yolo_1_1(tmp_path: Path) -> None:
    text(tmp_path, "obj.names", "deer\nfox\n")
    text(tmp_path, "obj.data", "classes = 2\nnames = data/obj.names\n")
    text(tmp_path, "train.txt", "data/obj_train_data/sub/a.jpg\n")
    text(tmp_path, "obj_train_data/sub/a.txt", ROW.replace("0 ", "1 ", 1))
    (image,) = read_truth(tmp_path)
    assert (image.name, image.boxes[0].label) == ("sub/a", "fox")


def test_a_hidden_or_stray_file_decides_nothing(tmp_path: Path) -> None:
    layout(tmp_path, "images/a.jpg")
    text(tmp_path, "labels/a.txt", ROW)
    for name in (".idea/misc.xml", "notes.xml", "@eaDir/x.xml", "package.json", "._b.json"):
        text(tmp_path, name, "<project/>" if name.endswith("xml") else "{}")
    assert [len(image.boxes) for image in read_truth(tmp_path)] == [1]


def test_rows_in_pixels_are_counted_and_told(tmp_path: Path) -> None:
    layout(tmp_path, "images/a.jpg", "images/b.jpg")
    text(tmp_path, "labels/a.txt", f"{ROW}0 80 60 40 60\n0 10 10 20 20\n")
    options = ReadOptions()
    assert len(read_truth(tmp_path, options)[0].boxes) == 1
    assert options.told.sentences()[0] == "2 boxes could not be read."
    assert "a.txt, line 2" in options.told.sentences()[1]
    text(tmp_path, "labels/a.txt", "0 80 60 40 60\n")
    with pytest.raises(FormatError, match=r"a\.txt, line 1 .*pixels"):
        read_truth(tmp_path, ReadOptions(told=Told()))
