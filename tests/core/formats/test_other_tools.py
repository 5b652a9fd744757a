"""Files of CVAT, Label Studio, VIA, CreateML, Open Images and MegaDetector, and of something else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.base.annotations import ImageBoxes, Status
from core.base.errors import FormatError
from core.formats import FORMATS
from core.formats.gather import ReadOptions
from core.formats.reading import read_truth

PLAIN = ("a.jpg", [("deer", (10, 20, 40, 60))])


def read(tmp_path: Path, name: str, content: Any) -> tuple[list[ImageBoxes], list[str]]:
    data = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / name).write_text(data, encoding="utf-8")
    options = ReadOptions()
    return read_truth(tmp_path / name, options), options.told.sentences()


def told_of(image: ImageBoxes) -> tuple[str, list[tuple[str, tuple[float, ...]]]]:
    boxes = [(one.label, (one.box.x0, one.box.y0, one.box.x1, one.box.y1)) for one in image.boxes]
    return image.name, [(label, tuple(round(side, 6) for side in sides)) for label, sides in boxes]


# ---- CVAT --------------------------------------------------------------------------------------------


def cvat(*shapes: str) -> str:
    inside = "".join(shapes)
    return f'<annotations><image id="0" name="a.jpg" width="160" height="120">{inside}</image></annotations>'


@pytest.mark.parametrize(
    "shape",
    [
        '<box label="deer" xtl="10" ytl="20" xbr="40" ybr="60" occluded="0"/>',
        '<box label="deer" xtl="5" ytl="25" xbr="45" ybr="55" rotation="90"/>',
        '<polygon label="deer" points="10,20;40,30;25,60"/>',
        '<ellipse label="deer" cx="25" cy="40" rx="15" ry="20"/>',
        '<mask label="deer" left="10" top="20" width="30" height="40" rle="1"/>',
    ],
)
def test_cvat(tmp_path: Path, shape: str) -> None:
    images, told = read(tmp_path, "a.xml", cvat(shape, '<points label="eye" points="1,1"/>'))
    assert ([told_of(one) for one in images], told) == ([PLAIN], [])
    assert (images[0].width, images[0].height) == (160, 120)


def test_a_film_of_cvats_has_an_image_for_each_frame(tmp_path: Path) -> None:
    sides = 'xtl="10" ytl="20" xbr="40" ybr="60"'
    boxes = f'<box frame="3" outside="0" {sides}/><box frame="4" outside="1" {sides}/>'
    images, _ = read(
        tmp_path, "a.xml", f'<annotations><track id="0" label="deer">{boxes}</track></annotations>'
    )
    assert [told_of(one) for one in images] == [("frame_000003", PLAIN[1])]


# ---- Label Studio ------------------------------------------------------------------------------------


def region(**value: Any) -> dict[str, Any]:
    return {"type": "rectanglelabels", "original_width": 160, "original_height": 120, "value": value}


def task(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "data": {"image": "/data/upload/1/0a1b2c3d-a.jpg"},
        "annotations": [{"result": list(results)}],
        **more,
    }


SHARE = {
    "x": 6.25,
    "y": 100 / 6,
    "width": 18.75,
    "height": 100 / 3,
    "rotation": 0,
    "rectanglelabels": ["deer"],
}


def test_label_studio(tmp_path: Path) -> None:
    (image,), told = read(tmp_path, "a.json", [task(region(**SHARE))])
    assert (image.name, image.width, told) == ("data/upload/1/0a1b2c3d-a.jpg", 160, [])
    assert told_of(image)[1] == PLAIN[1]


def test_label_studios_short_json_and_local_files(tmp_path: Path) -> None:
    label = {**SHARE, "original_width": 160, "original_height": 120}
    content = [{"id": 1, "image": "/data/local-files/?d=sub%2Fa.jpg", "label": [label], "annotation_id": 2}]
    (image,), _ = read(tmp_path, "a.json", content)
    assert told_of(image) == ("sub/a.jpg", PLAIN[1])


def test_label_studios_other_shapes(tmp_path: Path) -> None:
    corners = [[6.25, 100 / 6], [25, 100 / 6], [25, 50]]
    polygon = {**region(points=corners, polygonlabels=["deer"]), "type": "polygonlabels"}
    ellipse = {
        **region(x=15.625, y=100 / 3, radiusX=9.375, radiusY=100 / 6, ellipselabels=["deer"]),
        "type": "ellipselabels",
    }
    # A rectangle of 40 x 30 pixels that is turned by a quarter about its upper left corner at (40, 20).
    turned = region(x=25, y=100 / 6, width=25, height=25, rotation=90, rectanglelabels=["deer"])
    (image,), told = read(tmp_path, "a.json", [task(polygon, ellipse, turned)])
    assert told == []
    assert told_of(image)[1] == [("deer", (10, 20, 40, 60))] * 3


def test_label_studio_takes_the_first_of_several_people_and_says_so(tmp_path: Path) -> None:
    other = {"result": [region(**{**SHARE, "x": 50})]}
    content = task(region(**SHARE))
    content["annotations"] = [{"was_cancelled": True, "result": []}, *content["annotations"], other]
    (image,), told = read(tmp_path, "a.json", [content])
    assert told_of(image)[1] == PLAIN[1]
    assert told == ["Several people drew boxes; those of the first are used: 1 image."]


def test_label_studios_predictions_count_where_nobody_has_drawn(tmp_path: Path) -> None:
    content = {**task(), "annotations": [], "predictions": [{"result": [{**region(**SHARE), "score": 0.7}]}]}
    (image,), _ = read(tmp_path, "a.json", [content])
    assert image.boxes[0].score == 0.7


# ---- VIA ---------------------------------------------------------------------------------------------

RECT = {"name": "rect", "x": 10, "y": 20, "width": 30, "height": 40}


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        (RECT, {"class": "deer"}),
        (RECT, {"notes": "", "species": "deer"}),
        (RECT, {"type": {"fox": False, "deer": True}}),
        ({"name": "polygon", "all_points_x": [10, 40, 25], "all_points_y": [20, 30, 60]}, {"name": "deer"}),
        ({"name": "ellipse", "cx": 25, "cy": 40, "rx": 15, "ry": 20}, {"label": "deer"}),
    ],
)
@pytest.mark.parametrize("version", ["list", "by number", "project", "csv", "csv 1"])
def test_via(tmp_path: Path, shape: dict[str, Any], attributes: dict[str, Any], version: str) -> None:
    region = {"shape_attributes": shape, "region_attributes": attributes}
    entry = {"filename": "a.jpg", "size": 9, "regions": {"0": region} if version == "by number" else [region]}
    if version.startswith("csv"):
        cells = ",".join('"' + json.dumps(one).replace('"', '""') + '"' for one in (shape, attributes))
        names = "filename,file_size,region_shape_attributes,region_attributes"
        content: Any = f"{'#' if version == 'csv 1' else ''}{names}\na.jpg,9,{cells}\n"
    else:
        content = {"_via_img_metadata": {"k": entry}} if version == "project" else {"a.jpg9": entry}
    images, told = read(tmp_path, "a.csv" if version.startswith("csv") else "a.json", content)
    assert ([told_of(one) for one in images], told) == ([PLAIN], [])


# ---- CreateML, Open Images ---------------------------------------------------------------------------


@pytest.mark.parametrize(("image", "boxes"), [("image", "annotations"), ("imagefilename", "annotation")])
def test_createml_counts_from_the_centre(tmp_path: Path, image: str, boxes: str) -> None:
    box = {"label": "deer", "coordinates": {"x": 25, "y": 40, "width": 30, "height": 40}}
    images, told = read(tmp_path, "a.json", [{image: "a.jpg", boxes: [box]}, {image: "b.jpg", boxes: []}])
    assert ([told_of(one) for one in images], told) == ([PLAIN, ("b.jpg", [])], [])


def test_open_images(tmp_path: Path) -> None:
    head = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf\n"
    rows = (
        "a,xclick,/m/1,1,.1,.4,.2,.6,0,0,0\na,xclick,/m/1,1,.1,.9,.2,.6,0,0,1\na,,/m/2,.5,.1,.4,.2,.6,0,0,0\n"
    )
    (tmp_path / "class-descriptions-boxable.csv").write_text("/m/1,Deer\n")
    (image,), told = read(tmp_path, "boxes.csv", head + rows)
    assert image.shares
    assert told_of(image) == ("a", [("Deer", (0.1, 0.2, 0.4, 0.6)), ("/m/2", (0.1, 0.2, 0.4, 0.6))])
    assert [one.score for one in image.boxes] == [None, 0.5]
    assert told == ["Left out of “boxes.csv”, since they stand for crowds: 1 box."]


# ---- MegaDetector ------------------------------------------------------------------------------------


def test_megadetector(tmp_path: Path) -> None:
    detections = [
        {"category": "1", "conf": 0.9, "bbox": [0.1, 0.2, 0.3, 0.4]},
        {"category": "2", "conf": 2, "bbox": 5},
    ]
    content = {
        "info": {"format_version": "1.6"},
        "detection_categories": {"1": "animal", "2": "person"},
        "images": [
            {"file": "site1\\a.jpg", "detections": detections},
            {"file": "torn.jpg", "failure": "Failure image access", "detections": None},
            {"file": "blank.jpg", "detections": []},
        ],
    }
    (image, torn, blank), told = read(tmp_path, "a.json", content)
    assert told_of(image) == ("site1\\a.jpg", [("animal", (0.1, 0.2, 0.4, 0.6))])
    assert (image.shares, image.boxes[0].score) == (True, 0.9)
    assert (torn.status, torn.reason, blank.boxes) == (Status.FAILED, "Failure image access", ())
    assert told == ["a.json has a box whose numbers cannot be read (site1\\a.jpg, detection 2)."]


def test_megadetector_as_pytorch_wildlife_writes_it(tmp_path: Path) -> None:
    """A bare list, corners in pixels, classes as words."""
    found = [
        {"category": "animal", "confidence": 0.93, "bbox": [102.4, 88.1, 540.7, 470.2]},
        {"category": "person", "confidence": 0.81, "bbox": [12.0, 40.5]},
    ]
    content = [{"file": "images/a.jpg", "detections": found}, {"file": "images/b.jpg", "detections": []}]
    (image, blank), told = read(tmp_path, "a.json", content)
    assert told_of(image) == ("images/a.jpg", [("animal", (102.4, 88.1, 540.7, 470.2))])
    assert (image.shares, image.boxes[0].score, blank.boxes) == (False, 0.93, ())
    assert told == ["a.json has a box whose numbers cannot be read (images/a.jpg, detection 2)."]


def test_speciesnet(tmp_path: Path) -> None:
    found = [{"category": "1", "label": "animal", "conf": 0.9, "bbox": [0.1, 0.2, 0.3, 0.4]}]
    content = {
        "predictions": [
            {"filepath": "a.jpg", "detections": found, "prediction": "mammal", "prediction_score": 0.8},
            {"filepath": "torn.jpg", "failures": ["DETECTOR"]},
        ]
    }
    (image, torn), told = read(tmp_path, "a.json", content)
    assert told_of(image) == ("a.jpg", [("animal", (0.1, 0.2, 0.4, 0.6))])
    assert (image.shares, torn.status, told) == (True, Status.FAILED, [])


# ---- something else ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b'{"type": "FeatureCollection", "features": []}', "a map"),
        ("a.json", b'{"photoTakenTime": {}}', "Google Takeout"),
        ("a.json", b'{"tags": [], "objects": [], "size": {}}', "Supervisely"),
        ("a.json", b"5", "no box file"),
        ("a.xml", b"<kml xmlns='http://www.opengis.net/kml/2.2'/>", "a map"),
        ("a.csv", b"PK\x03\x04 and so on", "spreadsheet"),
        ("a.csv", b"\xff\xd8\xff\xe0", "a photo"),
        ("a.tfrecord", b"\x01\x02", "TensorFlow"),
        ("a.pkl", b"\x80\x04\x95", "pickle"),
        ("a.bin", b"\x01\x00\x02", "no text file"),
        ("classes.txt", b"deer\nfox\n", "list of classes"),
        ("best.pt", b"PK\x03\x04", "trained network"),
        ("a.json", b'[{"name": "a.jpg", "labels": []}]', "BDD100K"),
    ],
)
def test_a_file_that_is_something_else_is_called_by_its_name(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=f"^{name} is .*{words}"):
        read_truth(tmp_path / name)


def test_a_kind_is_known_by_what_a_file_holds(tmp_path: Path) -> None:
    """Whatever it is called."""
    (tmp_path / "boxes.txt").write_text(cvat('<box label="deer" xtl="10" ytl="20" xbr="40" ybr="60"/>'))
    assert [told_of(one) for one in read_truth(tmp_path / "boxes.txt")] == [PLAIN]


def test_formats_that_are_only_read_are_not_offered_to_write() -> None:
    assert {"cvat", "via", "via3", "label-studio", "createml", "open-images", "tiny-imagenet"} == {
        name for name, one in FORMATS.items() if one.write is None
    }
