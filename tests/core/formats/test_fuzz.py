"""Whatever a file holds, a reader gives boxes that a picture can have, or one sentence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.base.errors import FormatError
from core.formats import FORMATS
from core.formats.gather import ReadOptions
from core.formats.reading import read_truth

ONE_HUNDRED = settings(
    max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
TEN_THOUSAND = settings(ONE_HUNDRED, max_examples=10_000)

_number = st.integers(-5, 300) | st.floats() | st.sampled_from([0, 1, 0.5, 1e308, 10**400, True])
_word = st.sampled_from(
    ["a.jpg", "b", "../c.jpg", "", "deer", "1", "0.5", "1,5", "nan", "rect", "/x/\\y.png", "%"]
)
_scalar = st.none() | _number | _word | st.text(max_size=5)
_KEYS = {
    "coco": "images annotations categories id image_id category_id file_name width height bbox segmentation "
    "counts size iscrowd score name info status",
    "coco-results": "image_id file_name category_id bbox score",
    "labelme": "shapes imagePath imageWidth imageHeight points label shape_type score boxscout",
    "megadetector": "images detection_categories file detections category conf bbox failure width height "
    "predictions filepath label confidence",
    "via": "_via_img_metadata filename regions shape_attributes region_attributes name x y width height cx "
    "cy r rx ry all_points_x all_points_y class",
    "via3": "project file view metadata fid fname vid xy av fid_list 1",
    "label-studio": "data image annotations predictions result value x y width height rotation points labels "
    "rectanglelabels original_width original_height id type was_cancelled radiusX radiusY",
    "imagefolder": "file_name width height objects bbox categories names label score original_name",
    "createml": "image annotations label coordinates x y width height confidence",
}
_keyed = st.fixed_dictionaries


def _some(one: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(one, max_size=4)


_TOPS: dict[str, Callable[[st.SearchStrategy[Any]], st.SearchStrategy[Any]]] = {
    "coco": lambda some: _keyed(
        {"images": _some(some), "annotations": _some(some)}, optional={"categories": some}
    ),
    "coco-results": lambda some: _some(some).map(lambda a: [{"image_id": "a", "bbox": a}, *a]),
    "labelme": lambda some: _keyed({"shapes": _some(some), "imagePath": some, "imageWidth": some}),
    "megadetector": lambda some: (
        _keyed({"images": _some(some), "detection_categories": some})
        | _some(_keyed({"file": _word, "detections": some}))
        | _keyed({"predictions": _some(_keyed({"filepath": _word, "detections": some}))})
    ),
    "via": lambda some: _keyed({"a": _keyed({"filename": some, "regions": some})}),
    "via3": lambda some: _keyed(
        {"project": some, "metadata": _keyed({"1": _keyed({"vid": st.just("1"), "xy": some, "av": some})})}
        | {"file": _keyed({"1": _keyed({"fname": _word})}), "view": _keyed({"1": _keyed({"fid_list": some})})}
    ),
    "label-studio": lambda some: _some(_keyed({"data": _keyed({"image": _word}), "annotations": some})),
    "imagefolder": lambda some: _keyed({"file_name": _word, "objects": some}),
    "createml": lambda some: _some(_keyed({"image": _word, "annotations": _some(some)})),
}


def _json_of(name: str) -> st.SearchStrategy[bytes]:
    """JSON of a format's own words in any order, and of its own first level."""
    keys = st.sampled_from(_KEYS[name].split())
    anything = st.recursive(
        _scalar,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=6),
        max_leaves=12,
    )
    return (_TOPS[name](anything) | anything).map(
        lambda content: json.dumps(content).encode("utf-8", "replace")
    )


def _lines_of(name: str) -> st.SearchStrategy[bytes]:
    """Lines of JSON, and some that are none."""
    line = _json_of(name) | st.sampled_from([b"", b"{", b"[1]", b"\xff"])
    return st.lists(line, max_size=4).map(b"\n".join)


_TAGS = "annotation annotations object bndbox robndbox polygon pt x y x1 y1 xmin ymin xmax ymax cx cy w h "
_TAGS += "angle name filename size width height image box track label points ellipse mask deleted source"
_ATTRIBUTES = "name width height label xtl ytl xbr ybr rotation points cx cy rx ry left top frame outside"


def _escaped(text: object) -> str:
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _element(tag: str, attributes: dict[str, Any], inside: list[str]) -> str:
    given = "".join(f' {key}="{_escaped(value)}"' for key, value in attributes.items())
    return f"<{tag}{given}>{''.join(inside)}</{tag}>"


def _xml_of(root: str) -> st.SearchStrategy[bytes]:
    attributes = st.dictionaries(st.sampled_from(_ATTRIBUTES.split()), _scalar, max_size=8)
    tags = st.sampled_from(_TAGS.split())
    element = st.recursive(
        _scalar.map(_escaped),
        lambda inner: st.builds(_element, tags, attributes, st.lists(inner, max_size=6)),
        max_leaves=12,
    )
    return st.lists(element, max_size=8).map(
        lambda inner: _element(root, {}, inner).encode("utf-8", "replace")
    )


_HEADS = (
    *("filename width height class xmin ymin xmax ymax score", "image x y w h label", "image_id bbox source"),
    *("ImageID Source LabelName Confidence XMin XMax YMin YMax IsGroupOf", "", "file cx cy w h"),
    "filename region_shape_attributes region_attributes",
)


@st.composite
def _csv(draw: st.DrawFn) -> bytes:
    mark = draw(st.sampled_from([",", ";", "\t"]))
    cell = _scalar | st.sampled_from(["[1, 2, 3, 4]", '{"name": "rect", "x": 1}', '"a', "a\x00"])
    rows = draw(st.lists(st.lists(cell.map(str), min_size=1, max_size=11), max_size=6))
    head = draw(st.sampled_from(_HEADS)).split()
    return "\n".join(mark.join(row) for row in [head, *rows]).encode("utf-8", "replace")


@st.composite
def _observations(draw: st.DrawFn) -> bytes:
    """Rows of a package's observations, of which some name the image that it lists."""
    names = (
        "mediaID observationType scientificName bboxX bboxY bboxWidth bboxHeight classificationProbability"
    )
    head = draw(st.lists(st.sampled_from(names.split()), unique=True, max_size=8)) or names.split()
    cell = _scalar | st.sampled_from(["m1", "animal", "blank", "0.5", '"a'])
    rows = draw(st.lists(st.lists(cell.map(str), max_size=9), max_size=6))
    return "\n".join(",".join(row) for row in [head, *rows]).encode("utf-8", "replace")


_row = st.lists(_number.map(str) | _word, min_size=1, max_size=18).map(" ".join)
_text = st.lists(_row, max_size=6).map(lambda rows: "\n".join(rows).encode("utf-8", "replace"))
_CONFIGS = (b"names: [a, b]", b"names: {0: a}\nkpt_shape: [2, 3]", b"names: [", b"x")
_yaml = st.sampled_from(_CONFIGS) | st.binary(max_size=40)
_val_row = st.lists(_scalar.map(str), max_size=6).map("\t".join)
_val = st.lists(_val_row, max_size=4).map(lambda rows: "\n".join(rows).encode("utf-8", "replace"))

FILES: dict[str, tuple[str, st.SearchStrategy[bytes]]] = {
    **{name: ("a.json", _json_of(name)) for name in _KEYS},
    "imagefolder": ("metadata.jsonl", _lines_of("imagefolder")),
    "voc": ("a.xml", _xml_of("annotation")),
    "cvat": ("a.xml", _xml_of("annotations")),
    "csv": ("a.csv", _csv()),
    "open-images": ("a.csv", _csv()),
    "yolo": ("labels/a.txt", _text),
    "yolo-names": ("data.yaml", _yaml),
    "tiny-imagenet": ("val/val_annotations.txt", _val),
    "camtrap-dp": ("observations.csv", _observations()),
    "anything": ("a.json", st.binary(max_size=200)),
    "any-xml": ("a.xml", st.binary(max_size=200).map(lambda data: b"<annotation>" + data)),
}


def laid_out(folder: Path, place: str) -> Path:
    """The file to be filled, in a folder with an image for it where the format wants one."""
    if place.endswith((".txt", ".yaml")):
        (folder / "images").mkdir()
        (folder / "labels").mkdir()
        Image.new("RGB", (40, 30)).save(folder / "images/a.jpg")
        if place == "data.yaml":
            (folder / "labels/a.txt").write_text("0 .5 .5 .5 .5\n")
    if place == "observations.csv":
        (folder / "datapackage.json").write_text("{}")
        (folder / "media.csv").write_text("mediaID,filePath\nm1,a.jpg\n")
    file = folder / place
    file.parent.mkdir(exist_ok=True)
    return file


def check(folder: Path, file: Path, data: bytes) -> None:
    file.write_bytes(data)
    for path in (folder, file):
        options = ReadOptions()
        try:
            images = read_truth(path, options)
        except FormatError as error:
            assert str(error).endswith(".")
            assert 5 < len(str(error)) < 900
            continue
        for image in images:
            assert image.name
            for one in image.boxes:
                sides = (one.box.x0, one.box.y0, one.box.x1, one.box.y1)
                assert all(map(math.isfinite, sides))
                assert one.box.area > 0
                assert one.score is None or math.isfinite(one.score)
        assert all(isinstance(sentence, str) for sentence in options.told.sentences())


def tried(tmp_path: Path, name: str, how: settings) -> None:
    place, contents = FILES[name]
    file = laid_out(tmp_path, place)
    how(given(contents)(lambda data: check(tmp_path, file, data)))()


def test_every_format_that_is_read_is_tried() -> None:
    read = {name for name, one in FORMATS.items() if one.begin is not None or one.layout is not None}
    assert read <= FILES.keys()


@pytest.mark.parametrize("name", FILES)
def test_a_hundred_files_of_each_kind(tmp_path: Path, name: str) -> None:
    tried(tmp_path, name, ONE_HUNDRED)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", FILES)
def test_ten_thousand_files_of_each_kind(tmp_path: Path, name: str) -> None:
    tried(tmp_path, name, TEN_THOUSAND)
