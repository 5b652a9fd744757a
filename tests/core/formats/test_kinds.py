"""COCO, VOC and labelme as people have them, and folders with more in them than boxes."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box
from core.evaluate.matching import match_by_name
from core.formats.gather import ReadOptions
from core.formats.masks import box_of_mask
from core.formats.reading import read_truth

PLAIN = [("deer", (10.0, 20.0, 40.0, 60.0))]


def sides(box: Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


def boxes_of(image: ImageBoxes) -> list[tuple[str, tuple[float, float, float, float]]]:
    return [(one.label, sides(one.box)) for one in image.boxes]


def read(path: Path) -> tuple[list[ImageBoxes], list[str]]:
    options = ReadOptions()
    return read_truth(path, options), options.told.sentences()


def photo(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (160, 120)).save(path)


# ---- COCO --------------------------------------------------------------------------------------------


def coco(
    *boxes: dict[str, Any], name: str = "a.jpg", image_id: Any = 1, category_id: Any = 1
) -> dict[str, Any]:
    return {
        "images": [{"id": image_id, "file_name": name, "width": 160, "height": 120}],
        "annotations": list(boxes) or [box()],
        "categories": [{"id": category_id, "name": "deer"}],
    }


def box(**more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 40], "iscrowd": 0, **more}


def saved(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


_CORNERS = [10, 20, 40, 20, 40, 60, 10, 60]


@pytest.mark.parametrize(
    "content",
    [
        coco(box(category_id="1")),
        coco(image_id="1"),
        coco(image_id=1.0, category_id="1.0"),
        coco(box(image_id="IMG"), image_id="IMG"),
        coco(box(bbox=["10", "20.0", "30", "40"])),
        coco(box(bbox=[40, 60, -30, -40])),
        coco(box(bbox=[0.0625, 1 / 6, 0.1875, 1 / 3])),
        coco(box(bbox=None, segmentation=[_CORNERS])),
        coco(box(bbox=[], segmentation=[_CORNERS[:4], _CORNERS[4:]])),
        {**coco(), "annotations": [{"image_id": 1, "category_id": 1, "segmentation": _CORNERS}]},
        coco(box(), {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1}),
    ],
)
def test_coco_as_other_tools_write_it(tmp_path: Path, content: dict[str, Any]) -> None:
    (image,), _ = read(saved(tmp_path / "c.json", content))
    assert [(label, tuple(round(side, 6) for side in four)) for label, four in boxes_of(image)] == PLAIN


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_the_box_of_a_mask_is_that_of_pycocotools(height: int, width: int, data: st.DataObject) -> None:
    flat = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    pixels = np.asfortranarray(np.array(flat, np.uint8).reshape(height, width))
    packed = coco_mask.encode(pixels)
    text = {"size": [height, width], "counts": packed["counts"].decode()}
    found = box_of_mask(text)
    if not pixels.any():
        assert found is None
        return
    x, y, w, h = coco_mask.toBbox(packed)
    assert found == Box(x, y, x + w, y + h)
    down = pixels.flatten(order="F").astype(int)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], down, [1 - down[-1]]])))
    counts = np.diff(np.concatenate([[0], edges])).tolist()
    assert box_of_mask({"size": [height, width], "counts": counts}) == found


def test_a_stray_annotation_costs_itself(tmp_path: Path) -> None:
    (image,), told = read(saved(tmp_path / "c.json", coco(box(), box(image_id=9), box(bbox="x"))))
    assert boxes_of(image) == PLAIN
    assert told[0] == "2 boxes could not be read."
    assert told[1] == "c.json has a box for an image that it does not list: 9."


def test_a_class_without_a_name_keeps_its_number_and_is_told(tmp_path: Path) -> None:
    (image,), told = read(saved(tmp_path / "c.json", coco(box(category_id=7))))
    assert boxes_of(image)[0][0] == "7"
    assert told == ["“c.json” does not name the class of 1 box: the number of the class is taken."]


def test_the_parts_of_a_split_are_read_together(tmp_path: Path) -> None:
    for part in ("train", "valid"):
        saved(tmp_path / part / "_annotations.coco.json", coco())
        photo(tmp_path / part / "a.jpg")
    saved(tmp_path / "test/_annotations.coco.json", coco(name="b.jpg"))
    (tmp_path / "valid/._annotations.coco.json").write_bytes(b"\0\5\x16\7")
    images, told = read(tmp_path)
    assert [image.name for image in images] == ["b.jpg", "train/a.jpg", "valid/a.jpg"]
    assert told == []


def test_results_by_name_are_read(tmp_path: Path) -> None:
    entry = {"image_id": "a", "category_id": 3, "bbox": [10, 20, 30, 40], "score": 0.5}
    (image,), _ = read(saved(tmp_path / "c.json", [entry, {**entry, "bbox": [1]}]))
    assert (image.name, boxes_of(image), image.boxes[0].score) == ("a", [("3", PLAIN[0][1])], 0.5)


def test_results_by_number_take_the_names_of_the_coco_file_beside(tmp_path: Path) -> None:
    entry = {"image_id": 1, "category_id": 0, "bbox": [10, 20, 30, 40], "score": 0.5}
    saved(tmp_path / "truth.json", coco())
    saved(tmp_path / "other.json", coco(image_id=2))
    (image,), _ = read(saved(tmp_path / "results.json", [entry]))
    assert (image.name, boxes_of(image)) == ("a.jpg", [("0", PLAIN[0][1])])
    saved(tmp_path / "another.json", coco(name="b.jpg"))  # which of the two?
    with pytest.raises(FormatError, match="results list without image names"):
        read(tmp_path / "results.json")


def test_cocos_sentences_on_images_hold_no_boxes(tmp_path: Path) -> None:
    captions = {**coco(), "annotations": [{"image_id": 1, "id": 1, "caption": "A deer."}]}
    saved(tmp_path / "captions.json", captions)
    saved(tmp_path / "instances.json", coco())
    (image,), told = read(tmp_path)
    assert (boxes_of(image), told) == (PLAIN, [])


# ---- VOC ---------------------------------------------------------------------------------------------

BNDBOX = "<bndbox><xmin>11</xmin><ymin>21</ymin><xmax>40</xmax><ymax>60</ymax></bndbox>"


def voc(shape: str = BNDBOX, name: str = "a.jpg", label: str = "deer") -> str:
    size = "<size><width>160</width><height>120</height></size>"
    thing = f"<object><name>{label}</name>{shape}</object>"
    return f"<annotation><filename>{name}</filename>{size}{thing}</annotation>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (voc().upper().replace("DEER", "deer"), PLAIN),
        (voc().replace("annotation", "Annotation"), PLAIN),
        (voc(BNDBOX.replace(">11<", ">?<").replace(">40<", ">11<").replace("?", "40")), PLAIN),
        (voc(BNDBOX.replace("11", "11,0")), PLAIN),
        (voc("<polygon><pt><x>10</x><y>20</y></pt><pt><x>40</x><y>60</y></pt></polygon>"), PLAIN),
        (voc("<polygon><x1>10</x1><y1>20</y1><x2>40</x2><y2>30</y2><x3>15</x3><y3>60</y3></polygon>"), PLAIN),
    ],
)
def test_voc_as_other_tools_write_it(tmp_path: Path, content: str, expected: Any) -> None:
    (tmp_path / "a.XML").write_text(content)
    (image,), told = read(tmp_path)
    assert (boxes_of(image), told) == (expected, [])


def test_a_turned_box_of_roLabelImgs_is_the_box_around_it(tmp_path: Path) -> None:
    turned = "<robndbox><cx>80</cx><cy>60</cy><w>40</w><h>20</h><angle>0.7</angle></robndbox>"
    (tmp_path / "a.xml").write_text(voc(turned))
    (image,), _ = read(tmp_path)
    across, down = 20 * math.cos(0.7) + 10 * math.sin(0.7), 20 * math.sin(0.7) + 10 * math.cos(0.7)
    assert boxes_of(image)[0][1] == pytest.approx((80 - across, 60 - down, 80 + across, 60 + down))


@pytest.mark.parametrize("coding", ["gb2312", "gbk", "Shift_JIS", "euc-kr", "utf-16", "iso-8859-1"])
def test_voc_is_read_in_the_encoding_that_it_declares(tmp_path: Path, coding: str) -> None:
    label = {"iso-8859-1": "Füchse", "euc-kr": "사슴", "Shift_JIS": "鹿"}.get(coding, "鹿")
    text = f'<?xml version="1.0" encoding="{coding}"?>{voc(label=label)}'
    (tmp_path / "a.xml").write_bytes(text.encode(coding))
    (image,), _ = read(tmp_path)
    assert image.boxes[0].label == label


@pytest.mark.parametrize(
    "declared", ["", '<?xml version="1.0" encoding="utf-8"?>', '<?xml version="1.0" encoding="x-9"?>']
)
def test_an_encoding_that_does_not_fit_is_named(tmp_path: Path, declared: str) -> None:
    (tmp_path / "a.xml").write_bytes(f"{declared}{voc(label='Füchse')}".encode("latin-1"))
    with pytest.raises(FormatError, match=r"a\.xml is not valid XML: .*encoding (utf-8|x-9)"):
        read(tmp_path / "a.xml")


def test_an_empty_file_and_a_damaged_one_cost_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(voc())
    (tmp_path / "b.xml").write_text("")
    (tmp_path / "c.xml").write_text("<annotation><object>")
    (tmp_path / "d.xml").write_text(voc("", name="d.jpg"))
    images, told = read(tmp_path)
    assert [(image.name, len(image.boxes)) for image in images] == [("a.jpg", 1), ("d.jpg", 0)]
    assert told == [
        "2 files or entries could not be read.",
        "b.xml is empty, and so not valid XML.",
        "c.xml is not valid XML.",
        "d.xml has a box whose numbers cannot be read (object 1).",
    ]


def test_an_annotation_file_belongs_to_its_own_name_first(tmp_path: Path) -> None:
    """Images and files were renamed together, the names inside were not."""
    (tmp_path / "1.xml").write_text(voc(name="2.jpg", label="first"))
    (tmp_path / "2.xml").write_text(voc(name="2.jpg", label="second"))
    (tmp_path / "old.xml").write_text(voc(name="2.jpg", label="of nobody"))
    saved(tmp_path / "3.json", labelme("2.jpg", "third"))
    known = [ImageBoxes(name, 160, 120) for name in ("1.jpg", "2.jpg", "3.jpg")]
    for beside in (False, True):
        for name in ("1.jpg", "2.jpg", "3.jpg") if beside else ():
            photo(tmp_path / name)
        found = [*read(tmp_path)[0], *read(tmp_path / "3.json")[0]]
        pairs = {ours.name: theirs.boxes[0].label for theirs, ours in match_by_name(found, known).pairs}
        assert pairs == {"1.jpg": "first", "2.jpg": "second", "3.jpg": "third"}


def test_a_name_without_an_ending_is_the_image_of_that_name() -> None:
    known = [ImageBoxes(name, 160, 120) for name in ("n01_2.JPEG", "n01_20.JPEG")]
    (pair,) = match_by_name([ImageBoxes("n01_2", 0, 0)], known).pairs
    assert pair[1].name == "n01_2.JPEG"


# ---- labelme and folders -----------------------------------------------------------------------------


def labelme(name: str, label: str = "deer") -> dict[str, Any]:
    shape = {"label": label, "points": [[10, 20], [40, 60]], "shape_type": "rectangle"}
    return {"version": "5.0.1", "shapes": [shape], "imagePath": name, "imageWidth": 160, "imageHeight": 120}


def test_a_json_file_that_is_no_labelme_file_is_passed_over(tmp_path: Path) -> None:
    saved(tmp_path / ".vscode/settings.json", {})
    saved(tmp_path / "0.json", {"photoTakenTime": {}, "title": "a.jpg"})
    saved(tmp_path / "package.json", {"dependencies": {}})
    saved(tmp_path / "a.json", labelme("a.jpg"))
    (image,), told = read(tmp_path)
    assert (image.name, boxes_of(image), told) == ("a.jpg", PLAIN, [])


def test_of_two_formats_the_fuller_one_counts_and_the_other_is_told(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.xml").write_text(voc(name=f"{name}.jpg"))
    saved(tmp_path / "stray.json", coco())
    images, told = read(tmp_path)
    assert [image.name for image in images] == ["a.jpg", "b.jpg", "c.jpg"]
    assert told == ["Read as Pascal VOC. Boxes of 1 image are also there as COCO and were skipped."]


def test_the_trouble_of_one_format_is_not_anothers(tmp_path: Path) -> None:
    """No labels in ``labels`` beside a COCO file; a broken sidecar beside labels that are empty."""
    (tmp_path / "labels").mkdir()
    photo(tmp_path / "images/a.jpg")
    saved(tmp_path / "coco.json", coco())
    assert boxes_of(read(tmp_path)[0][0]) == PLAIN
    (tmp_path / "coco.json").write_text("{")
    (tmp_path / "labels/a.txt").write_text("")
    images, told = read(tmp_path)
    assert [(image.name, image.boxes) for image in images] == [("images/a.jpg", ())]
    assert told[0].startswith("coco.json is not valid JSON")


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(FormatError, match="not an ordinary file"):
        read(tmp_path / "a.json")
