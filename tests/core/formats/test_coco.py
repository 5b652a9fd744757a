"""COCO: pycocotools is the judge."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.geometry import Box
from core.formats import FORMATS

FORMAT = FORMATS["coco"]


def _images() -> list[ImageBoxes]:
    rng = np.random.default_rng(0)
    images = [ImageBoxes("empty.png", 10, 10)]
    for i in range(12):
        x, y, w, h = rng.uniform(0, 40, 4)
        boxes = [
            BoxRecord(Box(x, y, x + w + 1, y + h + 1), "cat" if i % 2 else "dog", score=float(rng.uniform()))
        ]
        if i % 3 == 0:
            boxes.append(BoxRecord(Box(90, 90, 99.5, 97.25), "dog", None, Source.EDITED))
        images.append(ImageBoxes(f"sub/漢 {i}.png", 100, 100, tuple(boxes), Status.ACCEPTED))
    return [*images, ImageBoxes("torn.png", 0, 0, (), Status.FAILED, "It is torn.")]


def _quiet(call: Any, *arguments: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return call(*arguments)


def test_pycocotools_gives_the_boxes_ap_1_against_themselves(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    summary = FORMAT.write(_images(), path)
    truth = _quiet(COCO, str(path))
    assert (summary.images, summary.boxes, summary.without_box, summary.failed) == (13, 16, 1, 1)
    assert (len(truth.imgs), len(truth.anns)) == (13, 16)
    results = [
        {
            "image_id": a["image_id"],
            "category_id": a["category_id"],
            "bbox": a["bbox"],
            "score": a.get("score", 1),
        }
        for a in truth.anns.values()
    ]
    evaluation = COCOeval(truth, _quiet(truth.loadRes, results), "bbox")
    for call in (evaluation.evaluate, evaluation.accumulate, evaluation.summarize):
        _quiet(call)
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_the_file_has_what_readers_need(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    FORMAT.write(_images(), path)
    content = json.loads(path.read_bytes(), parse_constant=pytest.fail)
    assert {"info", "licenses", "images", "annotations", "categories"} == set(content)
    for key in ("images", "annotations", "categories"):
        assert [entry["id"] for entry in content[key]] == list(range(1, len(content[key]) + 1))
    assert content["images"][0] == {"id": 1, "file_name": "empty.png", "width": 10, "height": 10}
    assert content["images"][1]["file_name"] == "sub/漢 0.png"
    annotation = content["annotations"][1]
    assert annotation == {
        **{"id": 2, "image_id": 2, "category_id": 1, "bbox": [90.0, 90.0, 9.5, 7.25]},
        **{"area": 68.875, "iscrowd": 0, "segmentation": []},
    }
    assert 0 <= content["annotations"][0]["score"] <= 1
    assert [category["name"] for category in content["categories"]] == ["dog", "cat"]
    assert path.read_bytes().isascii()


def test_an_image_says_how_likely_it_shows_no_object(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    images = [replace(one, no_object=i / 8) for i, one in enumerate(_images()[:4])] + _images()[4:5]
    FORMAT.write(images, path)
    truth = _quiet(COCO, str(path))
    entries = truth.loadImgs(truth.getImgIds())
    assert [entry.get("no_object") for entry in entries] == [0, 0.125, 0.25, 0.375, None]
    assert "no_object" not in entries[4]
    assert [image.no_object for image in FORMAT.read(path)] == [0, 0.125, 0.25, 0.375, None]


def test_an_image_says_what_a_person_has_said_of_it(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    wanted = {"a.png": Status.ACCEPTED, "b.png": Status.NO_OBJECT, "c.png": Status.UNSEEN}
    box = BoxRecord(Box(1, 2, 5, 6), score=0.5)
    images = [
        ImageBoxes(name, 9, 9, boxes=(box,) if status is Status.ACCEPTED else (), status=status)
        for name, status in wanted.items()
    ]
    images.append(ImageBoxes("d.png", 9, 9, boxes=(replace(box, source=Source.EDITED),)))
    FORMAT.write(images, path)
    assert {one.name: one.status for one in FORMAT.read(path)} == {**wanted, "d.png": Status.UNSEEN}
    entries = {one["file_name"]: one for one in json.loads(path.read_text())["images"]}
    assert entries["b.png"]["status"] == "no object" and "status" not in entries["c.png"]
    assert {name: entry.get("reviewed", False) for name, entry in entries.items()} == {
        "a.png": True,
        "b.png": True,
        "c.png": False,
        "d.png": True,
    }


def test_no_box_at_all_is_still_a_coco_file(tmp_path: Path) -> None:
    FORMAT.write([ImageBoxes("a.png", 3, 3)], tmp_path / "x.json")
    truth = _quiet(COCO, str(tmp_path / "x.json"))
    assert [category["name"] for category in truth.cats.values()] == ["object"]
    assert FORMAT.read(tmp_path / "x.json") == [ImageBoxes("a.png", 3, 3)]


_number = st.floats(-50, 150)
_records = st.builds(
    BoxRecord,
    box=st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), _number, _number, _number, _number),
    label=st.text(st.characters(exclude_categories=["Cs"])),
    score=st.none() | st.floats(0, 1),
)
_part = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8
).filter(lambda part: part not in (".", ".."))


@settings(max_examples=60)
@given(
    images=st.lists(
        st.builds(
            ImageBoxes,
            name=st.lists(_part, min_size=1, max_size=3).map("/".join),
            width=st.integers(0, 100),
            height=st.integers(0, 100),
            boxes=st.lists(_records, max_size=3).map(tuple),
        ),
        max_size=4,
        unique_by=lambda image: image.name,
    )
)
def test_what_is_read_is_what_was_written(images: list[ImageBoxes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        summary = FORMAT.write(images, Path(folder) / "x.json")
        back = FORMAT.read(Path(folder) / "x.json")
    assert [(a.name, a.width, a.height) for a in back] == [(a.name, a.width, a.height) for a in images]
    for before, after in zip(images, back, strict=True):
        cut = [
            (r.box.clamped(before.width, before.height) if before.width and before.height else r.box, r)
            for r in before.boxes
        ]
        kept = [(box, record) for box, record in cut if min(box.width, box.height) >= 0.001]
        assert len(after.boxes) == len(kept)
        for got, (box, record) in zip(after.boxes, kept, strict=True):
            assert (got.label, got.score) == (record.label, record.score)
            assert (got.box.x0, got.box.y0) == (box.x0, box.y0)
            assert (got.box.x1, got.box.y1) == pytest.approx((box.x1, box.y1))
    assert summary.boxes == sum(len(image.boxes) for image in back)


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "a/../../b.png"])
def test_a_name_that_leaves_the_folder_is_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    FORMAT.write([ImageBoxes("a.png", 3, 3)], tmp_path / "x.json")
    text = (tmp_path / "x.json").read_text()
    (tmp_path / "x.json").write_text(text.replace("a.png", name))
    (image,) = FORMAT.read(tmp_path / "x.json")
    assert image.name == Path(name).name


def test_numbers_from_numpy_can_be_written(tmp_path: Path) -> None:
    box = Box(*np.array([1, 2, 3.5, 4], dtype=np.float32))  # type: ignore[arg-type]
    image = ImageBoxes("a.png", np.int32(9), np.int32(9), (BoxRecord(box, score=np.float32(0.5)),))  # type: ignore[arg-type]
    for one in (FORMATS["csv"], FORMATS["coco"]):
        one.write([image], tmp_path / "x")
        assert one.read(tmp_path / "x")[0].boxes[0].score == 0.5
