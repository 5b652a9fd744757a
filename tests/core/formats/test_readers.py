"""Truth readers, against published figures, an independent parse and pycocotools."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from effort_support import calls_of
from PIL import Image
from pycocotools.coco import COCO

from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box, iou
from core.formats import FORMATS, tiny_imagenet
from core.formats.files import read_json
from core.formats.gather import ReadOptions, Told
from core.formats.reading import read_truth


def image(number: int = 1, name: object = "a.jpg", **more: object) -> dict[str, object]:
    return {"id": number, "file_name": name, "width": 100, "height": 80, **more}


def box(number: int = 1, bbox: object = (10, 20, 30, 40), **more: object) -> dict[str, object]:
    return {"id": 1, "image_id": number, "category_id": 1, "bbox": bbox, "iscrowd": 0, **more}


def written(path: Path, *boxes: object, images: object = None, **more: object) -> Path:
    content = {"images": images or [image()], "annotations": list(boxes), **more}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


# --- Tiny ImageNet ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "train", "val", "whole", "centred"),
    # The whole image's and the centred 80 % box's share of IoU >= 0.5. Three bottles have exactly 0.5.
    [
        ("dog", 3000, 300, 63.7, 71.7),
        ("artiodactyla", 2500, 250, 52.0, 60.0),
        ("bottle", 1000, 100, 38.0, 40.0),
    ],
)
def test_tiny_imagenet_gives_the_known_figures(
    unzipped: Callable[[str], Path], name: str, train: int, val: int, whole: float, centred: float
) -> None:
    folder = unzipped("tiny-imagenet-six")
    truth = tiny_imagenet.read(folder, wnids=tiny_imagenet.SETS[name], split="val")
    assert len(truth) == val
    for fixed, expected in ((Box(0, 0, 64, 64), whole), (Box(6.4, 6.4, 57.6, 57.6), centred)):
        hits = sum(iou(one.boxes[0].box, fixed) >= 0.5 for one in truth)
        assert round(100 * hits / val, 1) == expected
    more = tiny_imagenet.read(folder, wnids=tiny_imagenet.SETS[name], split="train")
    assert train * 0.99 <= len(more) <= train  # a few boxes are degenerate
    both = [*truth, *more]
    assert {one.boxes[0].label for one in both} == set(tiny_imagenet.SETS[name])
    assert all((folder / one.name).is_file() and len(one.boxes) == 1 for one in both)


def test_tiny_imagenets_rows(tmp_path: Path) -> None:
    rows = [
        "val_0.JPEG\tn1\t0\t10\t63\t20",
        "val_1.JPEG\tn1",
        "val_2.JPEG\tn2\t5\t5\t5\t9",
        "val_3.JPEG\tn2\t1\t2\t3\t4",
        "val_4.JPEG\tn2\t64\t0\t65\t1",  # beside the image
    ]
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "val_annotations.txt").write_text("\n".join(rows) + "\n")
    first, second = read_truth(tmp_path)
    assert (first.name, first.width, first.height) == ("val/images/val_0.JPEG", 64, 64)
    assert first.boxes == (BoxRecord(Box(0, 10, 64, 21), label="n1"),)
    assert second.name == "val/images/val_3.JPEG"
    assert tiny_imagenet.read(tmp_path, wnids=["n2"]) == [second]
    assert tiny_imagenet.read(tmp_path, split="train") == []
    with pytest.raises(FormatError, match="splits"):
        tiny_imagenet.read(tmp_path, split="test")
    for bad in ("v.JPEG\tn1\t1\t2\tx\t4", "v.JPEG", "v.JPEG\tn1\t1\t2", "../v.JPEG\tn1\t1\t2\t3\t4"):
        (tmp_path / "val" / "val_annotations.txt").write_text(bad)
        with pytest.raises(FormatError, match=r"^val_annotations\.txt "):
            read_truth(tmp_path)


# --- VOC --------------------------------------------------------------------------------------------


def test_raccoons_are_those_of_an_independent_parse(unzipped: Callable[[str], Path]) -> None:
    folder = unzipped("raccoon")
    truth = {one.name: one for one in read_truth(folder)}
    files = list((folder / "annotations").glob("*.xml"))
    assert len(truth) == len(files) == 200
    assert sum(len(one.boxes) for one in truth.values()) == 217
    for file in files:
        root = ElementTree.parse(file).getroot()
        found = truth[f"images/{root.find('filename').text}"]  # type: ignore[union-attr]
        with Image.open(folder / found.name) as photo:
            assert photo.size == (found.width, found.height)
        corners = [[int(end.text or "") for end in entry] for entry in root.iter("bndbox")]
        assert [(b.box.x0 + 1, b.box.y0 + 1, b.box.x1, b.box.y1) for b in found.boxes] == [
            (left, top, right, bottom) for left, top, right, bottom in corners
        ]


VOC = (
    "<annotation><filename>{name}</filename><size><width>100</width><height>80</height></size>"
    "{objects}</annotation>"
)
OBJECT = (
    "<object><name>cat</name>"
    "<bndbox><ymin>{1}</ymin><xmin>{0}</xmin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object>"
)


def voc_file(path: Path, *boxes: tuple[object, ...], name: str = "a.jpg") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        VOC.format(name=name, objects="".join(OBJECT.format(*box) for box in boxes)), encoding="utf-8"
    )
    return path


def test_voc_counts_from_1_unless_a_0_is_seen(tmp_path: Path) -> None:
    voc_file(tmp_path / "a.xml", (1, 5, 100, 80))
    assert read_truth(tmp_path)[0].boxes == (BoxRecord(Box(0, 4, 100, 80), label="cat"),)
    voc_file(tmp_path / "b.xml", (0, 5, 50, 60), name="b.jpg")
    assert [one.boxes[0].box for one in read_truth(tmp_path)] == [Box(1, 5, 100, 80), Box(0, 5, 50, 60)]


def test_voc_boxes_are_clamped_and_empty_ones_dropped(tmp_path: Path) -> None:
    file = voc_file(
        tmp_path / "a.xml", (90, 70, 120, 90), (120, 90, 130, 95), (50, 50, 40, 60), (2.5, 3, 9, 9)
    )
    told = Told()
    (found,) = FORMATS["voc"].read(file, ReadOptions(told=told))
    # The third one was drawn from right to left.
    expected = [Box(89, 69, 100, 80), Box(39, 49, 50, 60), Box(1.5, 2, 9, 9)]
    assert [record.box for record in found.boxes] == expected
    assert told.sentences() == ["a.xml has a box without area, or outside its image (a.jpg)."]
    assert FORMATS["voc"].read(voc_file(tmp_path / "none.xml"))[0].boxes == ()


def test_voc_names_images_as_they_lie(tmp_path: Path) -> None:
    for name in ("JPEGImages/a.jpg", "JPEGImages/right.png", "x/twice.jpg", "y/twice.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    given = {"a": "a.jpg", "right": "wrong.png", "t": "y/twice.jpg", "u": "twice.jpg", "v": "nowhere.jpg"}
    for stem, name in given.items():
        voc_file(tmp_path / "Annotations" / f"{stem}.xml", name=name)
    assert [one.name for one in read_truth(tmp_path)] == [
        *("JPEGImages/a.jpg", "JPEGImages/right.png", "y/twice.jpg", "twice.jpg", "nowhere.jpg")
    ]


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation><filename>&b;</filename></annotation>'
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<annotation>", "not valid XML"),
        ("", "not valid XML"),
        ("<kml/>", "a map"),
        ("<notes/>", "starts with <notes>"),
        (BOMB, "may do harm"),
        (VOC.format(name="a.jpg", objects=OBJECT.format(1, 2, "nan", 4)), "numbers cannot be read"),
        (VOC.format(name="a.jpg", objects="<object><bndbox/></object>"), "numbers cannot be read"),
    ],
)
def test_bad_voc_is_a_sentence_that_names_the_file(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "bad.xml").write_text(content)
    with pytest.raises(FormatError, match=rf"^bad\.xml .*{reason}.*\.$"):
        read_truth(tmp_path)


# --- COCO -------------------------------------------------------------------------------------------


def test_coco_is_that_of_pycocotools(tmp_path: Path) -> None:
    images = [image(1, "b/1.jpg"), image(7, "2.jpg"), image(3, "none.jpg")]
    boxes = [
        box(1),
        {**box(7, (0.5, 1.25, 10, 20.5)), "id": 2},
        {**box(7, (40, 40, 5, 5)), "id": 3, "category_id": 9},
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 9, "name": "dog"}]
    path = written(tmp_path / "x.json", *boxes, images=images, categories=categories)
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(str(path))
    found = read_truth(path)
    assert [one.name for one in found] == [one["file_name"] for one in reference.dataset["images"]]
    for one, key in zip(found, (1, 7, 3), strict=True):
        expected = reference.loadAnns(reference.getAnnIds(imgIds=[key]))
        assert [[b.box.x0, b.box.y0, b.box.width, b.box.height] for b in one.boxes] == [
            a["bbox"] for a in expected
        ]
        names = [reference.loadCats(a["category_id"])[0]["name"] for a in expected]
        assert [b.label for b in one.boxes] == names


def test_coco_keeps_what_our_export_adds(tmp_path: Path) -> None:
    added = {"score": 0.25, "source": "edited", "threshold": 0.2, "rule": "component"}
    path = written(tmp_path / "x.json", box(**added), images=[image(status="accepted", reason="r")])
    (found,) = FORMATS["coco"].read(path)
    (record,) = found.boxes
    assert (found.status, found.reason) == (Status.ACCEPTED, "r")
    assert record == BoxRecord(Box(10, 20, 40, 60), "1", 0.25, Source.EDITED, 0.2, "component")
    odd = {"score": True, "source": 7, "threshold": "x", "rule": 3}
    (found,) = FORMATS["coco"].read(
        written(path, box(**odd), images=[image(status=["?"], width="wide", height=None)])
    )
    assert found.boxes == (BoxRecord(Box(10, 20, 40, 60), "1"),)
    assert (found.status, found.width, found.height) == (Status.UNSEEN, 0, 0)


def test_coco_drops_crowds_and_empty_boxes_and_clamps(tmp_path: Path) -> None:
    boxes = [
        box(bbox=(1, 1, 0, 5)),
        box(bbox=(200, 1, 5, 5)),
        box(iscrowd=1),
        box(bbox=(90, 70, 50, 50)),
    ]
    (found,) = FORMATS["coco"].read(written(tmp_path / "x.json", *boxes))
    assert [record.box for record in found.boxes] == [Box(90, 70, 100, 80)]


@pytest.mark.parametrize(
    "name", ["with space.jpg", "фото/写真.jpg", "<b>&amp;.jpg", "a..b.jpg", "...jpg", "-x.jpg"]
)
def test_odd_but_honest_names_are_kept(tmp_path: Path, name: str) -> None:
    assert FORMATS["coco"].read(written(tmp_path / "x.json", images=[image(name=name)]))[0].name == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("/etc/passwd", "etc/passwd"), ("../a.jpg", "a.jpg"), ("a/../../b.jpg", "b.jpg"), ("../../c/d", "c/d")],
)
def test_names_that_leave_the_folder_stay_inside_it(tmp_path: Path, name: str, expected: str) -> None:
    assert FORMATS["coco"].read(written(tmp_path / "x.json", images=[image(name=name)]))[0].name == expected


@pytest.mark.parametrize("name", ["a/..", "", None, 5, "a\0b"])
def test_what_is_no_name_is_told(tmp_path: Path, name: object) -> None:
    with pytest.raises(FormatError, match=r"^x\.json names an image"):
        FORMATS["coco"].read(written(tmp_path / "x.json", images=[image(name=name)]))


ONE_BOX = '{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "bbox": %s}]}'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 200_000, "not valid JSON"),
        ("\udcff", "not valid JSON"),
        ("5", "no COCO file"),
        ('{"images": {}}', "no COCO file"),
        ('{"images": [5]}', "damaged: 'images'"),
        ('{"images": [], "annotations": 7}', "damaged: 'annotations'"),
        ('{"images": [{"file_name": "a.jpg"}]}', "no usable 'id'"),
        ('{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}]}', "twice"),
        ('{"images": [{"id": 1, "file_name": "a"}, {"id": 2, "file_name": "a"}]}', "twice"),
        ('{"images": [], "annotations": [{"image_id": 4}]}', "does not list"),
        (ONE_BOX % "[1, 2, 3]", "numbers cannot be read"),
        (ONE_BOX % "[1, 2, NaN, 3]", "numbers cannot be read"),
        (ONE_BOX % "[1, 2, true, 3]", "numbers cannot be read"),
        (ONE_BOX % '"1234"', "numbers cannot be read"),
    ],
)
def test_bad_coco_is_a_sentence_that_names_the_file(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "bad.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(FormatError, match=rf"^bad\.json .*{reason}.*\.$"):
        FORMATS["coco"].read(tmp_path / "bad.json")


def test_a_results_list_of_numbers_names_no_image(tmp_path: Path) -> None:
    """Photos may be called 1.jpg and be in another order than those that got the number 1."""
    (tmp_path / "bad.json").write_text('[{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 1}]')
    with pytest.raises(FormatError, match=r"^bad\.json .*results list"):
        read_truth(tmp_path / "bad.json")


def test_a_sentence_on_a_file_is_no_longer_than_a_person_reads(tmp_path: Path) -> None:
    long = "x" * 100_000
    once = {"id": 1, "file_name": long}
    for content in (
        {"images": [once, once]},
        {"images": [], "annotations": [{"image_id": long}]},
        {"images": [], "annotations": [{"image_id": 10**4000}]},
    ):
        (tmp_path / "bad.json").write_text(json.dumps(content))
        with pytest.raises(FormatError) as error:
            FORMATS["coco"].read(tmp_path / "bad.json")
        assert len(str(error.value)) < 300


_SIDES = "<xmin>1</xmin><ymin>1</ymin><xmax>1e308</xmax><ymax>9</ymax>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps({"images": [image(width=0)], "annotations": [box(bbox=(1e308, 0, 1e308, 9))]})),
        ("a.json", json.dumps({"images": [image(width=1e308)], "annotations": [box()]})),
        ("a.csv", "filename,xmin,ymin,xmax,ymax\na.jpg,-1e308,0,1e308,9\n"),
        ("a.xml", f"<annotation><object><bndbox>{_SIDES}</bndbox></object></annotation>"),
    ],
)
def test_boxes_that_no_picture_has_are_refused(tmp_path: Path, name: str, content: str) -> None:
    """Their areas would be no numbers, and so would what is told of all others."""
    (tmp_path / name).write_text(content)
    with pytest.raises(FormatError, match=rf"^{name} has a (size|box) that no picture has "):
        read_truth(tmp_path / name)


# --- which is which ---------------------------------------------------------------------------------


def test_a_folder_with_one_coco_file_is_truth(tmp_path: Path) -> None:
    written(tmp_path / "truth.json", box())
    assert len(read_truth(tmp_path)[0].boxes) == 1
    written(tmp_path / "other.json", box())
    with pytest.raises(FormatError, match=r"several COCO files .*other\.json"):
        read_truth(tmp_path)


def test_what_is_no_truth(tmp_path: Path) -> None:
    (tmp_path / "x.txt").touch()
    for path, reason in (
        (tmp_path, "holds no true boxes"),
        (tmp_path / "x.txt", "no column filename"),
        (tmp_path / "y", "exist"),
    ):
        with pytest.raises(FormatError, match=reason):
            read_truth(path)
    with pytest.raises(FormatError, match="no COCO file"):
        FORMATS["coco"].read(tmp_path)
    with pytest.raises(FormatError, match="no Pascal VOC file"):
        FORMATS["voc"].read(tmp_path)
    with pytest.raises(FormatError, match="no Tiny ImageNet folder"):
        tiny_imagenet.read(tmp_path)


# --- large files -------------------------------------------------------------------------------------


def test_other_threads_have_their_turn_while_a_large_file_is_read(tmp_path: Path) -> None:
    """Where a function of Python's begins, a thread lets others run: one is called for every annotation.

    Python's own reader, which keeps the window waiting, calls none.
    """
    path = written(tmp_path / "large.json", *(box(bbox=[i, 1, 2, 3]) for i in range(5000)))
    assert read_json(path) == json.loads(path.read_bytes())
    assert calls_of(lambda: read_json(path)) > 5000
    assert calls_of(lambda: json.loads(path.read_bytes())) < 100
