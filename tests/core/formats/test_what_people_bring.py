"""Kinds of files that were read wrongly once, each with the value that is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.formats.gather import ReadOptions
from core.formats.reading import read_truth
from core.project.exchange import plan_import
from core.project.store import Project
from core.project.workflow import add_folders

LINE = "0 0.4 0.4 0.4 0.4"
DEER = [("deer", 8, 6, 24, 18)]
BOX = [8, 6, 16, 12]
IMAGES = [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}]
COCO = {"images": IMAGES, "annotations": [], "categories": [{"id": 1, "name": "deer"}]}
MASK = [[8, 6, 24, 6, 24, 18, 8, 18]]
VIA3 = {
    "project": {"pid": "x"},
    "file": {"1": {"fid": "1", "fname": "a.jpg"}},
    "view": {"1": {"fid_list": ["1"]}},
    "metadata": {
        "1_a": {"vid": "1", "xy": [2, *BOX], "av": {"1": "deer"}},
        "1_b": {"vid": "1", "xy": [7, 8, 6, 24, 6, 24, 18], "av": {}},
        "1_c": {"vid": "1", "xy": [1, 8, 6], "av": {}},
        "1_d": {"vid": "7", "xy": [2, *BOX], "av": {}},
    },
}
VIA3_TABLE = """# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)
# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata
"1_x","[""a.jpg""]",0,"[]","[2,8,6,16,12]","{""1"":""deer""}"
"1_y","[""a.jpg""]",0,"[]","[3,16,12,6]","{""1"":""fox""}"
"""


def found(
    folder: Path, files: dict[str, Any], *, image: str = "a.jpg", at: str = "."
) -> tuple[Any, list[str]]:
    """Class and box, in pixels of an image of 40 x 30, of all boxes; and what was told."""
    (folder / image).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30)).save(folder / image)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    options = ReadOptions()
    images = [one.in_pixels(40, 30) for one in read_truth(folder / at, options)]
    return [(box.label, *box.box.sides) for one in images for box in one.boxes], options.told.sentences()


def close(got: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> bool:
    return [one[0] for one in got] == [one[0] for one in wanted] and all(
        a[1:] == pytest.approx(b[1:]) for a, b in zip(got, wanted, strict=True)
    )


@pytest.mark.parametrize("names", ["[fox]", "{0: fox}"])
def test_a_class_that_no_file_of_yolos_names_is_told(tmp_path: Path, names: str) -> None:
    config = f"path: .\ntrain: images\nval: images\nnames: {names}\n"
    lines = f"{LINE}\n9{LINE[1:]}\n9{LINE[1:]}\n"
    got, told = found(tmp_path, {"data.yaml": config, "labels/a.txt": lines}, image="images/a.jpg")
    assert [one[0] for one in got] == ["fox", "9", "9"]
    assert told == ["No file names the class of 2 boxes: its number is taken."]


def test_yolos_names_as_a_western_windows_writes_them(tmp_path: Path) -> None:
    config = "path: .\ntrain: images\nval: images\nnames: [fähe]\n".encode("cp1252")
    got, told = found(tmp_path, {"data.yaml": config, "labels/a.txt": LINE}, image="images/a.jpg")
    assert close(got, [("fähe", *DEER[0][1:])])
    assert told == ["data.yaml is not in UTF-8, and was read as Windows-1252."]


@pytest.mark.parametrize("bbox", [[0, 0, 0, 0], [], None])
def test_a_box_without_area_is_that_of_its_mask(tmp_path: Path, bbox: Any) -> None:
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": bbox, "segmentation": MASK}
    got, told = found(tmp_path, {"a.json": {**COCO, "annotations": [annotation]}})
    assert close(got, DEER)
    assert told == []


def test_results_by_number_take_the_names_of_classes_too(tmp_path: Path) -> None:
    results = [{"image_id": 1, "category_id": one, "bbox": BOX, "score": 0.9} for one in (1, 5)]
    got, _ = found(tmp_path, {"truth.json": COCO, "r.json": results}, at="r.json")
    assert close(got, [*DEER, ("5", *DEER[0][1:])])


def test_via_3(tmp_path: Path) -> None:
    got, told = found(tmp_path / "project", {"a.json": VIA3})
    assert close(got, [*DEER, ("object", *DEER[0][1:])])
    assert told == ["Without a class in “a.json”, imported as “object”: 1 box."]
    got, told = found(tmp_path / "table", {"a.csv": VIA3_TABLE})
    assert close(got, [*DEER, ("fox", 10, 6, 22, 18)])
    assert told == []


NAMES = ("site A/1.JPG", "site B/1.JPG", "Köln/é.jpg", "100%/x y.png", "deep/er/z.jpg", "solo.jpeg")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("site A\\1.JPG", "site A/1.JPG"),
        ("../photos/site A/1.JPG", "site A/1.JPG"),
        ("C:\\Users\\u\\site B\\1.JPG", "site B/1.JPG"),
        ("\\\\nas\\share\\site A\\1.JPG", "site A/1.JPG"),
        ("https://x.org/d/site%20B/1.JPG?token=1", "site B/1.JPG"),
        ("Ko\u0308ln/e\u0301.jpg", "Köln/é.jpg"),
        ("K%C3%B6ln/%C3%A9.jpg", "Köln/é.jpg"),
        ("100%/x y.png", "100%/x y.png"),
        ("100%25/x%20y.png", "100%/x y.png"),
        ("SITE a/1.jpg", "site A/1.JPG"),
        ("site A/1", "site A/1.JPG"),
        ("solo.jpg", "solo.jpeg"),
    ],
)
def test_an_import_finds_the_one_image_that_fits(tmp_path: Path, given: str, wanted: str) -> None:
    for name in NAMES:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30)).save(tmp_path / "photos" / name)
    rows = f'filename,xmin,ymin,xmax,ymax,class\n"{given}",8,6,24,18,deer\n"1.jpg",8,6,24,18,deer\n'
    (tmp_path / "b.csv").write_text(rows, "utf-8")
    with Project.open_or_create(tmp_path / "p.boxscout") as project:
        records = add_folders(project, [tmp_path / "photos"])
        plan = plan_import(project, tmp_path / "b.csv")
        assert [one.name for one in records if one.id in plan.boxes] == [wanted]
    assert any("More than one image fits the name “1.jpg”" in line for line in plan.told)
