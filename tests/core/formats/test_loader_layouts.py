"""Folders for loaders, imagefolder and FiftyOne: what is in them, judged without our own readers.

The loaders themselves are run by benchmarks/foreign, in an environment of their own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from formats_support import files_of, image, record, saved
from PIL import Image

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box
from core.formats import FORMATS
from core.formats.gather import ReadOptions
from core.formats.reading import read_truth

IMAGES = [
    image("test/a.png", record(1, 2, 11.5, 22, label="cat", score=0.75)),
    image("test_a.png", record(0, 0, 40, 30, label="dog", score=None), record(3, 3, 9, 9, label="cat")),
    image("__b.png"),
    image("c.png", record(-5, 0, 10, 10, label="dog")),
]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def plain(images: list[ImageBoxes]) -> dict[str, list[tuple[str, float | None, Box]]]:
    return {one.name: [(box.label, box.score, box.box) for box in one.boxes] for one in images}


def test_imagefolder_is_what_its_guide_says(tmp_path: Path) -> None:
    options = saved(tmp_path / "photos", IMAGES, val=frozenset({"c.png"}))
    FORMATS["imagefolder"].write(IMAGES, tmp_path / "out", options)
    out = tmp_path / "out"
    train, validation = (lines(out / part / "metadata.jsonl") for part in ("train", "validation"))
    by_name = {row["original_name"]: row for row in [*train, *validation]}
    assert by_name.keys() == {one.name for one in IMAGES}
    assert [row["original_name"] for row in validation] == ["c.png"]
    assert by_name["test/a.png"]["objects"] == {
        "bbox": [[1.0, 2.0, 10.5, 20.0]], "categories": [0], "names": ["cat"], "scores": [0.75],
    }  # fmt: skip
    assert by_name["test_a.png"]["objects"]["categories"] == [1, 0]
    assert by_name["__b.png"]["objects"] == {"bbox": [], "categories": [], "names": [], "scores": []}
    assert by_name["c.png"]["objects"]["bbox"] == [[0.0, 0.0, 10.0, 10.0]]
    for part, rows in (("train", train), ("validation", validation)):
        for row in rows:
            name = row["file_name"]  # flat, so that no folder is taken for a split; not hidden
            assert "/" not in name
            assert not name.startswith((".", "__"))
            source = options.sources[row["original_name"]]
            assert (tmp_path / "out" / part / name).read_bytes() == source.read_bytes()
    names = [row["file_name"] for row in train]
    assert len(set(names)) == len(names) == 3


def test_imagefolder_comes_back_under_its_old_names(tmp_path: Path) -> None:
    options = saved(tmp_path / "photos", IMAGES, val=frozenset({"c.png"}))
    FORMATS["imagefolder"].write(IMAGES, tmp_path / "out", options)
    found = plain(read_truth(tmp_path / "out"))
    wanted = plain([*IMAGES[:3], image("c.png", record(0, 0, 10, 10, label="dog"))])
    assert found == wanted


@pytest.mark.parametrize(
    ("objects", "label", "score"),
    [
        ({"bbox": [[1, 2, 3, 4]], "categories": [3]}, "3", None),
        ({"bbox": [[1, 2, 3, 4]], "category": ["cat"], "score": [0.5]}, "cat", 0.5),
        ({"bbox": [[1, 2, 3, 4]], "names": [], "label": ["cat"]}, "cat", None),
        ([{"bbox": [1, 2, 3, 4], "category": "cat", "score": 0.25}], "cat", 0.25),
    ],
)
def test_imagefolder_of_others_is_read(tmp_path: Path, objects: Any, label: str, score: float | None) -> None:
    (tmp_path / "data" / "train").mkdir(parents=True)
    rows = [{"file_name": "sub/0001.png", "objects": objects}, {"file_name": "0002.png", "text": "no box"}]
    text = "\n".join(map(json.dumps, rows))
    (tmp_path / "data" / "train" / "metadata.jsonl").write_text(f"{text}\n\n[1]\n", encoding="utf-8")
    options = ReadOptions()
    found = plain(read_truth(tmp_path, options))
    assert found == {"sub/0001.png": [(label, score, Box(1, 2, 4, 6))], "0002.png": []}
    assert options.told.sentences() == ["metadata.jsonl, line 4 is no JSON object."]
    assert plain(read_truth(tmp_path / "data" / "train" / "metadata.jsonl")) == found


def test_imagefolder_without_any_box_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metadata.jsonl").write_text("{\n", encoding="utf-8")
    with pytest.raises(FormatError, match="line 1 is no JSON object"):
        read_truth(tmp_path)


def test_fiftyone_is_what_its_guide_says(tmp_path: Path) -> None:
    images = [*IMAGES, image("TEST/A.png", record(1, 1, 9, 9, label="cat"))]
    options = saved(tmp_path / "photos", images)
    FORMATS["fiftyone"].write(images, tmp_path / "out", options)
    content = json.loads((tmp_path / "out" / "labels.json").read_text("ascii"))
    named = {one["file_name"] for one in content["images"]}
    on_disk = files_of(tmp_path / "out")
    assert on_disk == {"labels.json", *(f"data/{name}" for name in named)}
    assert {"test/a.png", "test_a.png", "__b.png", "c.png"} < named  # and one that differs by capitals alone
    for one in content["images"]:
        with Image.open(tmp_path / "out" / "data" / one["file_name"]) as picture:
            assert picture.size == (one["width"], one["height"]) == (40, 30)
    assert [one["score"] for one in content["annotations"] if "score" in one] == [0.75, 0.5, 0.5, 0.5]
    assert {one["name"] for one in content["categories"]} == {"cat", "dog"}
    assert len(plain(read_truth(tmp_path / "out"))) == 5
