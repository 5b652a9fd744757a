"""labelme files, by labelme and by tools that write its format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box
from core.formats import FORMATS
from core.formats.reading import read_truth


def shape(kind: str, *points: tuple[float, float], label: object = "cat", **more: object) -> dict[str, Any]:
    return {"label": label, "points": [list(p) for p in points], "shape_type": kind, "flags": {}, **more}


def written(path: Path, *shapes: object, **more: object) -> Path:
    content = {"version": "5.4.1", "shapes": list(shapes), "imagePath": "a.jpg", "imageData": None}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, "imageHeight": 80, "imageWidth": 100, **more}), encoding="utf-8")
    return path


def test_every_shape_with_an_inside_is_a_box(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.json",
        shape("rectangle", (30, 40), (10, 5)),  # drawn from the lower right
        shape("polygon", (10, 10), (50, 20), (30, 70), label="dog"),
        shape("circle", (50, 40), (53, 44)),
        shape("rectangle", (-5, -5), (200, 20), score=0.5),
        shape("point", (1, 1)),
        shape("linestrip", (1, 1), (9, 9)),
        shape("rectangle", (3, 3), (3, 9)),
    )
    expected = (
        BoxRecord(Box(10, 5, 30, 40), "cat"),
        BoxRecord(Box(10, 10, 50, 70), "dog"),
        BoxRecord(Box(45, 35, 55, 45), "cat"),
        BoxRecord(Box(0, 0, 100, 20), "cat", 0.5),
    )
    assert read_truth(file) == [ImageBoxes("a.jpg", 100, 80, expected)]


def test_images_are_named_by_their_path_from_the_folder_on(tmp_path: Path) -> None:
    written(tmp_path / "10.json", imagePath="10.jpg")
    written(tmp_path / "2.json", imagePath="./2.jpg")
    written(tmp_path / "sub/a.json", imagePath="..\\..\\photos\\Köln.jpg")
    written(tmp_path / "sub/b.json", imagePath="/data/b.jpg")
    written(tmp_path / "sub/c.json", imagePath="C:\\photos\\c.jpg")
    written(tmp_path / "sub/d.json", imagePath="pics/d.jpg")
    written(tmp_path / "sub/e.json", imagePath="../images/e.jpg")
    inside, outside = ["sub/pics/d.jpg", "images/e.jpg"], ["photos/Köln.jpg", "data/b.jpg", "photos/c.jpg"]
    assert [one.name for one in read_truth(tmp_path)] == ["2.jpg", "10.jpg", *outside, *inside]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"shapes": [shape("rectangle", (1, 1), (float("nan"), 2))]}, "numbers cannot be read"),
        ({"shapes": [{"points": "x", "shape_type": "rectangle"}]}, "numbers cannot be read"),
        ({"shapes": [{"points": "x", "shape_type": {}}]}, "numbers cannot be read"),
        ({"shapes": ["x"]}, "numbers cannot be read"),
    ],
)
def test_damage_is_one_sentence_with_the_files_name(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    file = written(tmp_path / "a.json", **more)
    with pytest.raises(FormatError, match=rf"^a\.json .*{words}"):
        FORMATS["labelme"].read(file)


@pytest.mark.parametrize("path", [None, "a/..", "../..", "a\0b"])
def test_a_file_that_names_no_image_belongs_to_its_own_name(tmp_path: Path, path: object) -> None:
    file = written(tmp_path / "IMG_1.json", shape("rectangle", (1, 1), (9, 9)), imagePath=path)
    (found,) = FORMATS["labelme"].read(file)
    assert (found.name, found.boxes[0].box) == ("IMG_1", Box(1, 1, 9, 9))


def test_what_is_not_labelme_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    for place in (tmp_path, tmp_path / "a.json"):
        with pytest.raises(FormatError, match="not valid JSON"):
            FORMATS["labelme"].read(place)
    (tmp_path / "a.json").write_text('{"images": []}')
    with pytest.raises(FormatError, match="no labelme file"):
        FORMATS["labelme"].read(tmp_path)
    (tmp_path / "a.json").unlink()
    with pytest.raises(FormatError, match="no labelme file"):
        FORMATS["labelme"].read(tmp_path)


def test_without_a_size_a_box_is_not_cut(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.json", shape("rectangle", (0, 0), (500, 9)), imageWidth=None, imageHeight=None
    )
    (found,) = read_truth(file)
    assert (found.width, found.height, found.boxes[0].box) == (0, 0, Box(0, 0, 500, 9))
