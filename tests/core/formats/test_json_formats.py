"""COCO results, MegaDetector and labelme: what their own loaders ask for."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest
from formats_support import files_of, full_disk, image, image_lists, record, saved
from hypothesis import given, settings
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from core.base.annotations import ImageBoxes, Status
from core.base.errors import FormatError
from core.formats import FORMATS, Selection, WriteOptions, export
from core.formats.reading import read_truth

ROOMY = settings(max_examples=25, deadline=None)
IMAGES = [
    image(
        "sub/a.png",
        record(1, 2, 20, 25, label="cat", score=0.75),
        record(5, 5, 9, 9, label="dog", score=None),
    ),
    image("b.png"),
    image("c.png", record(3, 3, 30, 30, label="dog", score=0.25)),
]


def _quiet(call: Any, *arguments: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return call(*arguments)


# ---- COCO results --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "selection", [Selection(), Selection(min_score=0.5), Selection(classes=frozenset({"dog"}))]
)
def test_results_fit_the_ground_truth_of_the_same_choice(tmp_path: Path, selection: Selection) -> None:
    truth, results = tmp_path / "truth.json", tmp_path / "results.json"
    export(IMAGES, truth, format=FORMATS["coco"], selection=selection)
    summary = export(IMAGES, results, format=FORMATS["coco-results"], selection=selection)
    content = json.loads(results.read_bytes())
    assert isinstance(content, list)
    assert {frozenset(one) for one in content} == {frozenset(("image_id", "category_id", "bbox", "score"))}
    assert len(content) == summary.boxes
    known = _quiet(COCO, str(truth))
    judge = COCOeval(known, _quiet(known.loadRes, str(results)), "bbox")
    for call in (judge.evaluate, judge.accumulate, judge.summarize):
        _quiet(call)
    assert judge.stats[0] == pytest.approx(1.0)


def test_a_persons_box_is_sure(tmp_path: Path) -> None:
    FORMATS["coco-results"].write(IMAGES, tmp_path / "x.json")
    assert [one["score"] for one in json.loads((tmp_path / "x.json").read_bytes())] == [0.75, 1.0, 0.25]


# ---- MegaDetector ----------------------------------------------------------------------------------------


def check_megadetector(content: dict[str, Any]) -> None:
    """The rules of lila.science/megadetector-output-format, as its validator has them."""
    version = content["info"]["format_version"]
    assert isinstance(version, str)
    assert float(version) >= 1.3
    assert all(isinstance(key, str) and int(key) >= 1 for key in content["detection_categories"])
    assert all(name.strip() for name in content["detection_categories"].values())
    for one in content["images"]:
        assert isinstance(one["file"], str)
        assert "\\" not in one["file"]
        if one.get("failure") is not None:
            assert isinstance(one["failure"], str)
            assert one["detections"] is None
            continue
        assert isinstance(one["detections"], list)
        for found in one["detections"]:
            assert found["category"] in content["detection_categories"]
            assert 0 <= found["conf"] <= 1
            x, y, width, height = found["bbox"]
            assert min(x, y, width, height) >= 0
            assert max(x + width, y + height) <= 1


def test_megadetector_lists_empty_and_failed_images(tmp_path: Path) -> None:
    images = [*IMAGES, ImageBoxes("torn.png", 0, 0, (), Status.FAILED, "It is torn.")]
    summary = FORMATS["megadetector"].write(images, tmp_path / "x.json")
    content = json.loads((tmp_path / "x.json").read_bytes(), parse_constant=pytest.fail)
    check_megadetector(content)
    assert content["info"]["format_version"] == "1.6"
    assert content["detection_categories"] == {"1": "cat", "2": "dog"}
    assert [one["file"] for one in content["images"]] == ["sub/a.png", "b.png", "c.png", "torn.png"]
    assert content["images"][0]["detections"][0]["bbox"] == pytest.approx([1 / 40, 2 / 30, 19 / 40, 23 / 30])
    assert content["images"][1] == {"file": "b.png", "detections": []}
    assert content["images"][3] == {"file": "torn.png", "failure": "It is torn.", "detections": None}
    assert "1 image could not be used: listed as such." in summary.notes


def test_megadetectors_boxes_without_a_class_are_animals_where_wanted(tmp_path: Path) -> None:
    boxes = (record(1, 2, 20, 25), record(3, 3, 9, 9, label="animal"), record(3, 3, 9, 9, label="fox"))
    for animal, expected in ((True, ["animal", "fox"]), (False, ["object", "animal", "fox"])):
        options = WriteOptions(animal=animal)
        FORMATS["megadetector"].write([image("a.png", *boxes)], tmp_path / "x.json", options)
        content = json.loads((tmp_path / "x.json").read_bytes())
        check_megadetector(content)
        assert list(content["detection_categories"].values()) == expected
        metadata = content["info"]["detector_metadata"]
        assert 0 < metadata["conservative_detection_threshold"] <= metadata["typical_detection_threshold"] < 1


def test_megadetector_comes_back_as_shares(tmp_path: Path) -> None:
    FORMATS["megadetector"].write(IMAGES, tmp_path / "x.json")
    back = read_truth(tmp_path / "x.json")
    assert [one.name for one in back] == [one.name for one in IMAGES]
    for found, written in zip(back, IMAGES, strict=True):
        assert found.shares is bool(found.boxes)
        pixels = found.in_pixels(written.width, written.height)
        expected = [one.box.clamped(written.width, written.height) for one in written.boxes]
        for one, box in zip(pixels.boxes, expected, strict=True):
            sides = (one.box.x0, one.box.y0, one.box.x1, one.box.y1)
            assert sides == pytest.approx((box.x0, box.y0, box.x1, box.y1))


@ROOMY
@given(image_lists())
def test_megadetector_is_valid_whatever_the_boxes(images: list[ImageBoxes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        FORMATS["megadetector"].write(images, Path(folder) / "x.json")
        check_megadetector(json.loads((Path(folder) / "x.json").read_bytes()))


def test_shares_need_a_size(tmp_path: Path) -> None:
    images = [*IMAGES, ImageBoxes("unknown.png", 0, 0, (record(1, 1, 5, 5),))]
    summary = FORMATS["megadetector"].write(images, tmp_path / "x.json")
    assert [one.name for one in summary.skipped] == ["unknown.png"]
    assert "size is not known" in summary.skipped[0].reason


# ---- labelme -----------------------------------------------------------------------------------------------


def load_as_labelme(file: Path) -> tuple[Path, list[dict[str, Any]]]:
    """What labelme 6.3's ``read_label_file`` asks of a file, without its dependencies."""
    raw = json.loads(file.read_text(encoding="utf-8"))
    path = file.parent / PureWindowsPath(raw["imagePath"]).as_posix()
    assert raw["imageData"] is None
    assert path.is_file()
    assert isinstance(raw["version"], str)
    assert raw["flags"] == {}
    for shape in raw["shapes"]:
        assert shape["shape_type"] == "rectangle"
        assert isinstance(shape["label"], str)
        assert len(shape["points"]) == 2
        assert all(len(p) == 2 and all(isinstance(v, float) for v in p) for p in shape["points"])
        assert shape["flags"] == {}
        assert shape["group_id"] is None
    return path, raw["shapes"]


def test_labelme_in_a_folder_of_its_own_finds_the_images(tmp_path: Path) -> None:
    options = saved(tmp_path / "photos", IMAGES)
    FORMATS["labelme"].write(IMAGES, tmp_path / "out", options)
    assert files_of(tmp_path / "out") == {"sub/a.json", "b.json", "c.json"}
    path, shapes = load_as_labelme(tmp_path / "out/sub/a.json")
    assert path.samefile(options.sources["sub/a.png"])
    assert [(one["label"], one["points"]) for one in shapes] == [
        ("cat", [[1.0, 2.0], [20.0, 25.0]]),
        ("dog", [[5.0, 5.0], [9.0, 9.0]]),
    ]
    raw = json.loads((tmp_path / "out/sub/a.json").read_bytes())
    assert (raw["imageWidth"], raw["imageHeight"]) == (40, 30)


def test_labelme_beside_the_images_spares_what_others_wrote(tmp_path: Path) -> None:
    options = saved(tmp_path / "photos", IMAGES, beside_images=True)
    foreign = tmp_path / "photos/c.json"
    foreign.write_text('{"shapes": [], "imagePath": "c.png"}')
    summary = FORMATS["labelme"].write(IMAGES, tmp_path / "ignored", options)
    assert files_of(tmp_path / "photos") == {"sub/a.png", "b.png", "c.png", "sub/a.json", "b.json", "c.json"}
    assert foreign.read_text() == '{"shapes": [], "imagePath": "c.png"}'
    assert [one.name for one in summary.skipped] == ["c.png"]
    assert summary.images == 2
    assert load_as_labelme(tmp_path / "photos/sub/a.json")[0] == tmp_path / "photos/sub/a.png"
    assert not (tmp_path / "ignored").exists()

    again = FORMATS["labelme"].write(IMAGES, tmp_path / "ignored", options)
    assert again.images == 2  # its own files are replaced without asking

    replacing = saved(tmp_path / "photos", IMAGES, beside_images=True, replace_foreign=True)
    told = FORMATS["labelme"].write(IMAGES, tmp_path / "ignored", replacing)
    assert told.images == 3
    assert "1 files that were not made here" in " ".join(told.notes)
    assert len(load_as_labelme(foreign)[1]) == 1


def test_a_file_of_ours_that_was_edited_in_labelme_is_a_persons(tmp_path: Path) -> None:
    options = saved(tmp_path / "photos", IMAGES[:1], beside_images=True)
    FORMATS["labelme"].write(IMAGES[:1], tmp_path, options)
    file = tmp_path / "photos/sub/a.json"
    content = json.loads(file.read_bytes())
    content["shapes"][0]["points"][0] = [0.0, 0.0]  # labelme keeps keys that it does not know, our mark too
    file.write_text(json.dumps(content))
    with pytest.raises(FormatError, match="made or changed by another program"):
        FORMATS["labelme"].write(IMAGES[:1], tmp_path, options)
    assert json.loads(file.read_bytes()) == content


def test_a_full_disk_leaves_every_file_beside_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = saved(tmp_path / "photos", IMAGES, beside_images=True)
    FORMATS["labelme"].write(IMAGES, tmp_path, options)
    before = {path: path.read_bytes() for path in (tmp_path / "photos").rglob("*.json")}
    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(FormatError, match="the disk is full"):
        FORMATS["labelme"].write([image("sub/a.png", record(0, 0, 1, 1))], tmp_path, options)
    assert {path: path.read_bytes() for path in (tmp_path / "photos").rglob("*.json")} == before
    assert not list((tmp_path / "photos").rglob(".*"))


def test_two_images_of_one_stem_do_not_share_a_file_beside_them(tmp_path: Path) -> None:
    images = [image("a.png", record(0, 0, 9, 9)), image("a.bmp", record(1, 1, 5, 5))]
    summary = FORMATS["labelme"].write(images, tmp_path, saved(tmp_path / "p", images, beside_images=True))
    assert [one.name for one in summary.skipped] == ["a.bmp"]
    assert load_as_labelme(tmp_path / "p/a.json")[0].name == "a.png"


def test_files_beside_their_images_cannot_be_split(tmp_path: Path) -> None:
    options = saved(tmp_path / "photos", IMAGES, beside_images=True)
    with pytest.raises(FormatError, match="cannot be split"):
        export(
            IMAGES, tmp_path, format=FORMATS["labelme"], selection=Selection(val_share=0.5), options=options
        )


@ROOMY
@given(image_lists())
def test_labelme_gives_every_box_back(images: list[ImageBoxes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        FORMATS["labelme"].write(images, Path(folder) / "out")
        back = read_truth(Path(folder) / "out")
    assert len(back) == len(images)
    found = sorted(str((r.box, r.label, r.score)) for one in back for r in one.boxes)
    expected = [(r.box.clamped(40.0, 30.0), r.label, r.score) for one in images for r in one.boxes]
    assert found == sorted(map(str, expected))
