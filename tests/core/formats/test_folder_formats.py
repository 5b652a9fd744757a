"""YOLO, VOC, drawn images and crops: what is in the folder, judged without our own readers."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from formats_support import files_of, image, image_lists, record, saved
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.formats import FORMATS, WriteOptions
from core.formats.common import whole_pixels
from core.formats.crops import class_folders
from core.formats.folders import unique_stems

ROOMY = settings(max_examples=25, deadline=None)


# ---- YOLO --------------------------------------------------------------------------------------------


def ultralytics_label_path(image_path: str) -> str:
    """The rule of Ultralytics (``img2label_paths``): the last ``/images/`` becomes ``/labels/``."""
    images, labels = f"{os.sep}images{os.sep}", f"{os.sep}labels{os.sep}"
    return labels.join(image_path.rsplit(images, 1)).rsplit(".", 1)[0] + ".txt"


def test_yolo_is_what_ultralytics_looks_for(tmp_path: Path) -> None:
    images = [
        image("images/x.png", record(10, 6, 30, 24, label="cat")),
        image("labels/x.png", record(0, 0, 40, 30, label="dog"), record(-3, -3, 4, 4, label="cat")),
        image("x.png"),
    ]
    options = saved(tmp_path / "photos", images, val=frozenset({"x.png"}))
    FORMATS["yolo"].write(images, tmp_path / "out", options)
    config = yaml.safe_load((tmp_path / "out" / "data.yaml").read_text("ascii", "replace").split("\n", 1)[1])
    assert config == {
        "path": str(tmp_path / "out"),
        "train": "images/train",
        "val": "images/val",
        "names": {0: "cat", 1: "dog"},
    }
    rows = {}
    for kind in ("train", "val"):
        for path in sorted((tmp_path / "out" / "images" / kind).rglob("*.png")):
            label = Path(ultralytics_label_path(str(path)))
            rows[f"{kind}/{label.parent.name}"] = label.read_text().splitlines()
    assert rows["val/val"] == []
    assert rows["train/images_"] == ["0 0.5000000000 0.5000000000 0.5000000000 0.6000000000"]
    assert len(rows["train/labels_"]) == 2
    for line in (line for lines in rows.values() for line in lines):
        number, *shares = line.split(" ")
        assert number in ("0", "1")
        assert len(shares) == 4
        assert all(0 <= float(share) <= 1 for share in shares)


def test_every_file_of_a_yolo_folder_is_one_that_ultralytics_takes_up(tmp_path: Path) -> None:
    # ultralytics 8.3, data/utils.py: the files that its loader does not pass over.
    taken_up = {"bmp", "dng", "jpeg", "jpg", "mpo", "png", "tif", "tiff", "webp", "pfm", "heic"}
    kinds = {"a.JFIF": "JPEG", "b.jpe": "JPEG", "c.apng": "PNG", "c.png": "PNG", "d.dib": "BMP", "e": "PNG"}
    kinds["f.gif"] = "GIF"
    images, sources = [], {}
    for number, (name, kind) in enumerate(kinds.items()):
        Image.new("RGB", (40, 30), (0, 0, 9 * number)).save(tmp_path / name, kind)
        images.append(image(name, record(number, 0, 10, 10)))
        sources[name] = tmp_path / name
    summary = FORMATS["yolo"].write(images, tmp_path / "out", WriteOptions(sources=sources))
    found = {}
    for path in (tmp_path / "out/images/train").iterdir():
        if path.suffix.removeprefix(".").lower() in taken_up:
            row = Path(ultralytics_label_path(str(path))).read_text().split()
            found[path.name] = round((float(row[1]) - float(row[3]) / 2) * 40)
            assert Image.open(path).getpixel((0, 0))[2] == pytest.approx(9 * found[path.name], abs=3)
    assert found == {"a.jpg": 0, "b.jpg": 1, "c.png": 2, "c-2.png": 3, "d.bmp": 4}
    told = " ".join(summary.notes)
    assert "1 GIF: YOLO's own tools do not read" in told
    assert "1 without an ending: YOLO's own tools do not read" in told
    back = {one.name: round(one.boxes[0].box.x0) for one in FORMATS["yolo"].read(tmp_path / "out")}
    assert back == {name: number for number, name in enumerate(kinds)}


def test_yolo_keeps_images_of_one_stem_apart(tmp_path: Path) -> None:
    images = [
        image("a.png", record(0, 0, 10, 10)),
        image("a.bmp", record(20, 20, 30, 30)),
        image("A.jpg", record(5, 5, 9, 9)),
    ]
    options = saved(tmp_path / "photos", images)
    summary = FORMATS["yolo"].write(images, tmp_path / "out", options)
    labels = files_of(tmp_path / "out" / "labels")
    assert labels == {"train/a.txt", "train/a-2.txt", "train/A-3.txt"}
    assert summary.collisions == 2
    assert "2 images got another file name" in " ".join(summary.notes)
    assert len({(tmp_path / "out" / "labels" / one).read_text() for one in labels}) == 3


def test_yolo_in_one_flat_folder_knows_what_each_image_was_called(tmp_path: Path) -> None:
    names = ("a/x.png", "b/x.png", "x.png", "a_x.png", "A/X.png", "images/train/x.png", ".h/x.png")
    images = [image(name, record(n, 0, 30, 24, label="cat")) for n, name in enumerate(names)]
    options = saved(tmp_path / "photos", images, val=frozenset({"b/x.png"}), flat=True)
    summary = FORMATS["yolo"].write(images, tmp_path / "out", options)
    files = files_of(tmp_path / "out/images")
    assert files == {
        *("train/a_x.png", "val/b_x.png", "train/x.png", "train/a_x-2.png", "train/A_X-3.png"),
        *("train/images_train_x.png", "train/_.h_x.png"),
    }
    assert not any("subfolder" in note for note in summary.notes)
    originals = json.loads((tmp_path / "out/original-names.json").read_text())
    for place in (f"images/{file}" for file in files):
        path = tmp_path / "out" / place
        assert path.read_bytes() == options.sources[originals[place]].read_bytes()
        left = names.index(originals[place]) / 40
        _, x, _, width, _ = Path(ultralytics_label_path(str(path))).read_text().split()
        assert float(x) - float(width) / 2 == pytest.approx(left)
    back = {one.name: one.boxes[0].box.x0 for one in FORMATS["yolo"].read(tmp_path / "out")}
    assert back == pytest.approx({name: n for n, name in enumerate(names)})


@pytest.mark.parametrize("content", ["{", "[]", '{"images/train/a.png": "../a.png"}', '{"x": 3}'])
def test_yolo_takes_no_name_that_leads_elsewhere(tmp_path: Path, content: str) -> None:
    images = [image("a.png", record(0, 0, 10, 10))]
    FORMATS["yolo"].write(images, tmp_path / "out", saved(tmp_path / "photos", images))
    assert not (tmp_path / "out/original-names.json").exists()  # every name is its own
    (tmp_path / "out/original-names.json").write_text(content)
    with pytest.raises(FormatError, match=r"original-names\.json"):
        FORMATS["yolo"].read(tmp_path / "out")


def test_yolo_copies_or_links_the_files_as_they_are(tmp_path: Path) -> None:
    images = [image("a.png", record(0, 0, 10, 10))]
    for link in (False, True):
        options = saved(tmp_path / "photos", images, link=link)
        FORMATS["yolo"].write(images, tmp_path / f"out{link}", options)
        placed = tmp_path / f"out{link}" / "images/train/a.png"
        assert placed.read_bytes() == options.sources["a.png"].read_bytes()
        assert placed.samefile(options.sources["a.png"]) is link


def test_yolo_copies_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    images = [image("a.png", record(0, 0, 10, 10))]
    summary = FORMATS["yolo"].write(images, tmp_path / "out", saved(tmp_path / "photos", images, link=True))
    assert (tmp_path / "out/images/train/a.png").is_file()
    assert (
        "Copied, since a link is not possible or would say where they were taken (GPS): 1." in summary.notes
    )


def test_yolo_leaves_out_files_that_are_gone_or_have_changed(tmp_path: Path) -> None:
    images = [image(f"{name}.png", record(0, 0, 10, 10)) for name in ("good", "gone", "other", "torn")]
    options = saved(tmp_path / "photos", images)
    options.sources["gone.png"].unlink()
    Image.new("RGB", (7, 8)).save(options.sources["other.png"])
    options.sources["torn.png"].write_bytes(b"not an image")
    summary = FORMATS["yolo"].write(images, tmp_path / "out", options)
    reasons = {one.name: one.reason for one in summary.skipped}
    assert set(reasons) == {"gone.png", "other.png", "torn.png"}
    assert "no longer there" in reasons["gone.png"]
    assert "7 x 8" in reasons["other.png"]
    assert files_of(tmp_path / "out" / "labels") == {"train/good.txt"}
    assert any("Left out “gone.png”" in line for line in summary.lines())


@ROOMY
@given(image_lists(), st.booleans())
def test_yolo_gives_every_box_back(images: list[ImageBoxes], flat: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        options = saved(Path(folder) / "photos", images, flat=flat)
        FORMATS["yolo"].write(images, Path(folder) / "out", options)
        back = FORMATS["yolo"].read(Path(folder) / "out")
    assert len(back) == len(images)
    if flat:
        names = {one.name for one in images}
        assert {one.name for one in back} in (names, {f"images/train/{name}" for name in names})
    want = sorted(_sides(one) for one in images)
    for got, expected in zip(sorted(_sides(one) for one in back), want, strict=True):
        assert np.allclose(got, expected, atol=1e-6)


def _sides(one: ImageBoxes) -> list[float]:
    cut = [r.box.clamped(one.width, one.height) for r in one.boxes]
    return [round(side, 7) for box in cut for side in (box.x0, box.y0, box.x1, box.y1)]


# ---- VOC ---------------------------------------------------------------------------------------------

OBJECT = ["name", "pose", "truncated", "difficult", "bndbox"]
ANNOTATION = ["folder", "filename", "source", "size", "segmented"]


def check_voc(root: ElementTree.Element) -> None:
    """The schema of the VOC development kit as its readers by position need it."""
    assert root.tag == "annotation"
    objects = root.findall("object")
    assert [child.tag for child in root] == [*ANNOTATION, *["object"] * len(objects)]
    size = root.find("size")
    assert size is not None
    assert [child.tag for child in size] == ["width", "height", "depth"]
    for one in objects:
        assert [child.tag for child in one] == OBJECT
        assert one.findtext("truncated") in ("0", "1")
        assert one.findtext("difficult") in ("0", "1")
        bounds = one.find("bndbox")
        assert bounds is not None
        assert [child.tag for child in bounds] == ["xmin", "ymin", "xmax", "ymax"]
        xmin, ymin, xmax, ymax = (int(child.text or "") for child in bounds)
        assert xmin < xmax or ymin <= ymax


@pytest.mark.parametrize(("one_based", "sides"), [(False, [10, 6, 30, 25]), (True, [11, 7, 30, 25])])
def test_voc_is_in_whole_pixels_and_in_order(tmp_path: Path, one_based: bool, sides: list[int]) -> None:
    images = [image("sub/a.png", record(10.4, 6.2, 29.6, 24.7, label="cat & <dog>")), image("empty.png")]
    FORMATS["voc"].write(images, tmp_path / "out", WriteOptions(one_based=one_based))
    assert files_of(tmp_path / "out") == {"sub/a.xml", "empty.xml"}
    roots = [ElementTree.parse(path).getroot() for path in sorted((tmp_path / "out").rglob("*.xml"))]
    for root in roots:
        check_voc(root)
    root = ElementTree.parse(tmp_path / "out/sub/a.xml").getroot()
    assert [root.findtext(key) for key in ("folder", "filename", "size/width")] == ["sub", "sub/a.png", "40"]
    assert root.findtext("object/name") == "cat & <dog>"
    assert [int(end.text or "") for end in root.iter() if end.tag[1:] in ("min", "max")] == sides


@pytest.mark.parametrize("one_based", [False, True])
@ROOMY
@given(images=image_lists())
def test_voc_gives_whole_boxes_back_however_it_counts(one_based: bool, images: list[ImageBoxes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        FORMATS["voc"].write(images, Path(folder) / "out", WriteOptions(one_based=one_based))
        back = {one.name: one for one in FORMATS["voc"].read(Path(folder) / "out")}
        for path in Path(folder, "out").rglob("*.xml"):
            check_voc(ElementTree.parse(path).getroot())
    assert set(back) == {one.name for one in images}
    for one in images:
        cut = whole_pixels(
            ImageBoxes(one.name, 40, 30, tuple(record(*_four(r, one), label=r.label) for r in one.boxes))
        )
        assert [(r.box, r.label) for r in back[one.name].boxes] == [(r.box, r.label) for r in cut.boxes]


def _four(one, of: ImageBoxes) -> tuple[float, ...]:  # type: ignore[no-untyped-def]
    box = one.box.clamped(of.width, of.height)
    return box.x0, box.y0, box.x1, box.y1


# ---- pictures ----------------------------------------------------------------------------------------


def test_crops_hold_the_pixels_of_their_box(tmp_path: Path) -> None:
    images = [
        image("s/a.png", record(3.2, 4, 11.1, 9.4, label="cat"), record(0, 0, 40, 30, label="a/b")),
        image("s/a.bmp", record(1, 1, 2, 2, label="cat")),
        image("none.png"),
    ]
    options = saved(tmp_path / "photos", images)
    summary = FORMATS["crops"].write(images, tmp_path / "out", options)
    assert files_of(tmp_path / "out") == {"cat/s/a-1.png", "a_b/s/a-2.png", "cat/s/a-2-1.png"}
    whole = np.asarray(Image.open(options.sources["s/a.png"]))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out/cat/s/a-1.png")), whole[4:9, 3:11])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out/a_b/s/a-2.png")), whole)
    assert (summary.images, summary.boxes) == (2, 3)


def test_folders_of_classes_are_names_that_every_system_takes() -> None:
    odd = ["", "..", "a/b", "a\\b", "Cat", "cat", 'x:*?"<>|', "x\udcff\n", "z" * 300]
    found = class_folders(odd)
    assert len({name.casefold() for name in found.values()}) == len(odd)
    for name in found.values():
        assert not set(name) & set('/\\:*?"<>|\n')
        assert name.strip(". ") == name != ""
        assert len(name) < 80


def test_drawn_images_differ_only_on_the_lines_and_the_label(tmp_path: Path) -> None:
    images = [image("a.png", record(5, 6, 25, 26, score=None), size=(40, 30)), image("b.png")]
    options = saved(tmp_path / "photos", images)
    before = options.sources["a.png"].read_bytes()
    FORMATS["drawn"].write(images, tmp_path / "out", options)
    assert files_of(tmp_path / "out") == {"a.png", "b.png"}
    plain, drawn = (
        np.asarray(Image.open(place)).astype(int)
        for place in (options.sources["a.png"], tmp_path / "out/a.png")
    )
    changed = (plain != drawn).any(axis=2)
    inside = np.zeros_like(changed)
    inside[6:26, 5:25] = True
    hole = np.zeros_like(changed)
    hole[8:24, 7:23] = True
    assert changed[inside & ~hole].mean() > 0.95
    assert not changed[~inside].any()
    assert not changed[hole].any()
    assert options.sources["a.png"].read_bytes() == before


def test_a_damaged_image_is_left_out_of_pictures(tmp_path: Path) -> None:
    images = [image("good.png", record(0, 0, 9, 9)), image("torn.png", record(0, 0, 9, 9))]
    options = saved(tmp_path / "photos", images)
    torn = options.sources["torn.png"]
    torn.write_bytes(torn.read_bytes()[:60])  # the header is whole, no pixel is
    for name in ("drawn", "crops"):
        summary = FORMATS[name].write(images, tmp_path / name, options)
        assert [one.name for one in summary.skipped] == ["torn.png"]
        assert summary.boxes == 1
        assert len(files_of(tmp_path / name)) == 1


def test_long_and_hidden_names_get_one_that_works() -> None:
    names = ["x" * 251 + ".png", "é" * 125 + ".png", ".hidden/.a.png", "a.png"]
    stems = unique_stems(names)
    assert all(len(os.fsencode(part)) <= 204 for stem in stems.values() for part in stem.split("/"))
    assert stems[".hidden/.a.png"] == "_.hidden/_.a"
    assert stems["a.png"] == "a"
