"""What all formats promise: whole or not at all, the old file stays, every count is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from formats_support import AWKWARD, FOLDER_FORMATS, files_of, full_disk, image, read_only_disk, record, saved

from core.base.annotations import ImageBoxes, Status
from core.base.errors import Cancelled, FormatError
from core.formats import WRITTEN, Format, Selection, Which, export, split_paths

IMAGES = [image(f"sub/{i}.png", record(1, 2, 20, 25, label="cat" if i % 2 else "dog")) for i in range(6)]
ALL = pytest.mark.parametrize("name", WRITTEN)


@ALL
def test_every_format_says_what_it_wrote(tmp_path: Path, name: str) -> None:
    images = [
        image("a/x.png", record(-5, 0, 10, 10), record(100, 100, 110, 110)),
        image("b/X.png", record(0, 0, 9, 9)),
        image("none.png"),
        ImageBoxes("torn.png", 0, 0, (), Status.FAILED, "It is torn."),
    ]
    options = saved(tmp_path / "photos", images[:3])
    summary = export(images, tmp_path / "out", format=WRITTEN[name], options=options)
    written = 2 if WRITTEN[name].needs_box else 3
    assert (summary.images, summary.boxes, summary.clamped, summary.failed) == (written, 2, 1, 1)
    assert (summary.without_box, summary.collisions, summary.skipped) == (1, 1, ())
    told = " ".join(summary.lines())
    for words in (
        f"Wrote 2 boxes and {written} images",
        "cut at the edge",
        "wholly outside",
        "could not be used",
    ):
        assert words in told
    json.dumps(summary.to_dict(), allow_nan=False)
    assert (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("fails", "why"), [(full_disk, "the disk is full"), (read_only_disk, "that place is read-only")]
)
@ALL
def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fails: Callable[..., None], why: str
) -> None:
    options = saved(tmp_path / "photos", IMAGES)
    out = tmp_path / "out"
    if name in FOLDER_FORMATS:
        out.mkdir()
    else:
        out.write_text("old")
    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(FormatError, match=rf"could not be written: {why}\.$"):
        export(IMAGES, out, format=WRITTEN[name], options=options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos"]
    assert (list(out.iterdir()) == []) if out.is_dir() else (out.read_text() == "old")


@ALL
def test_a_read_only_folder_is_told_in_one_sentence(unprivileged: Path, name: str) -> None:
    options = saved(unprivileged / "photos", IMAGES)
    locked = unprivileged / "locked"
    locked.mkdir()
    (locked / "out").write_text("old") if name not in FOLDER_FORMATS else (locked / "out").mkdir()
    locked.chmod(0o500)
    with pytest.raises(FormatError, match="you may not write there"):
        export(IMAGES, locked / "out", format=WRITTEN[name], options=options)
    assert [path.name for path in locked.iterdir()] == ["out"]
    locked.chmod(0o700)


@ALL
def test_a_disk_that_is_really_full_keeps_what_was_there(tmp_path: Path, small_disk: Path, name: str) -> None:
    options = saved(tmp_path / "photos", IMAGES)
    out = small_disk / "out"
    if name in FOLDER_FORMATS:
        out.mkdir()
    else:
        out.write_text("old")
    with suppress(OSError), (small_disk / "rest").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with pytest.raises(FormatError, match=r"could not be written: the disk is full\.$"):
        export(IMAGES, out, format=WRITTEN[name], options=options)
    assert sorted(path.name for path in small_disk.iterdir()) == ["out", "rest"]
    assert (list(out.iterdir()) == []) if out.is_dir() else (out.read_text() == "old")


def test_a_split_whose_second_part_fails_leaves_both_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = split_paths(tmp_path / "boxes.csv")
    for path in (first, second):
        path.write_text(f"old {path.name}")
    calls = []

    def second_fails(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 2:  # the first part syncs its file and its folder
            full_disk(descriptor)

    monkeypatch.setattr("os.fsync", second_fails)
    with pytest.raises(FormatError, match="the disk is full"):
        export(IMAGES, tmp_path / "boxes.csv", format=WRITTEN["csv"], selection=Selection(val_share=0.5))
    monkeypatch.undo()
    for path in (first, second):
        assert path.read_text() == f"old {path.name}"
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.name, second.name]


@ALL
def test_a_folder_that_is_missing_is_told(tmp_path: Path, name: str) -> None:
    options = saved(tmp_path / "photos", IMAGES)
    with pytest.raises(FormatError, match="its folder does not exist"):
        export(IMAGES, tmp_path / "no" / "out", format=WRITTEN[name], options=options)


@pytest.mark.parametrize("name", FOLDER_FORMATS)
def test_a_folder_with_something_in_it_is_never_touched(tmp_path: Path, name: str) -> None:
    options = saved(tmp_path / "photos", IMAGES)
    before = files_of(tmp_path)
    for place in (tmp_path / "photos", tmp_path / "photos/sub/0.png"):
        with pytest.raises(FormatError, match=r"already exists\. Choose a new or an empty folder"):
            export(IMAGES, place, format=WRITTEN[name], options=options)
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("name", FOLDER_FORMATS)
def test_stopping_leaves_nothing(tmp_path: Path, name: str) -> None:
    def stop(done: int, total: int) -> None:
        assert total == 6
        if done == 3:
            raise Cancelled("Stopped.")

    options = saved(tmp_path / "photos", IMAGES, on_file=stop)
    with pytest.raises(Cancelled):
        export(IMAGES, tmp_path / "out", format=WRITTEN[name], options=options)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("name", ["yolo", "voc", "labelme"])
def test_what_does_not_read_back_is_not_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(Format, "read", lambda *_: [])
    options = saved(tmp_path / "photos", IMAGES)
    with pytest.raises(FormatError, match="did not read back"):
        export(IMAGES, tmp_path / "out", format=WRITTEN[name], options=options)
    assert not (tmp_path / "out").exists()


@ALL
def test_awkward_names_leave_or_are_listed_with_a_reason(tmp_path: Path, name: str) -> None:
    images = [image(one, record(1, 2, 20, 25)) for one in (*AWKWARD, "\udcff.png", "\x01.png")]
    options = saved(tmp_path / "photos", images)
    summary = export(images, tmp_path / "out", format=WRITTEN[name], options=options)
    left_out = {one.name for one in summary.skipped}
    assert left_out <= {"\udcff.png", "\x01.png"}
    assert summary.images == len(images) - len(left_out)
    assert all(line.isprintable() for line in summary.lines())
    if name == "voc":
        assert left_out == {"\udcff.png", "\x01.png"}
    if name in ("csv", "labelme", "yolo"):
        assert left_out == {"\udcff.png"}
    if name not in ("drawn", "crops", "class-folders", "coco-results"):  # pictures, and boxes without names
        assert sum(len(one.boxes) for one in WRITTEN[name].read(tmp_path / "out")) == summary.boxes


def test_a_format_that_can_hold_no_image_at_all_says_why(tmp_path: Path) -> None:
    images = [image("\udcff.png", record(1, 2, 20, 25))]
    with pytest.raises(FormatError, match="No image can be exported"):
        export(images, tmp_path / "x.csv", format=WRITTEN["csv"])
    gone = [image("a.png", record(1, 2, 20, 25))]
    for name in ("yolo", "drawn", "crops"):
        with pytest.raises(FormatError, match="its file is not known"):
            export(gone, tmp_path / "out", format=WRITTEN[name])
    assert not list(tmp_path.iterdir())


def test_nothing_to_export_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="find boxes first"):
        export([image()], tmp_path / "x.csv", format=WRITTEN["csv"])
    with pytest.raises(FormatError, match="accept some images"):
        export(IMAGES, tmp_path / "x.csv", format=WRITTEN["csv"], selection=Selection(which=Which.ACCEPTED))
    assert not list(tmp_path.iterdir())


def test_a_split_is_two_files_with_the_same_class_numbers(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    # The class that the validation part meets first must not become number 1 there.
    summary = export(IMAGES, path, format=WRITTEN["coco"], selection=Selection(val_share=0.34, seed=3))
    train, val = (json.loads(place.read_bytes()) for place in split_paths(path))
    assert train["categories"] == val["categories"]
    assert [len(one["images"]) for one in (train, val)] == [4, 2]
    assert not {i["file_name"] for i in train["images"]} & {i["file_name"] for i in val["images"]}
    assert [part.images for part in summary.parts] == [4, 2]
    assert summary.lines()[0].endswith("boxes-train.json.")
    assert not path.exists()


def test_an_image_is_in_the_same_part_whatever_the_format(tmp_path: Path) -> None:
    options = saved(tmp_path / "photos", IMAGES)
    selection = Selection(val_share=0.5, seed=11)
    export(IMAGES, tmp_path / "x.csv", format=WRITTEN["csv"], selection=selection)
    export(IMAGES, tmp_path / "yolo", format=WRITTEN["yolo"], selection=selection, options=options)
    export(IMAGES, tmp_path / "voc", format=WRITTEN["voc"], selection=selection)
    for part in ("train", "val"):
        table = {name.removesuffix(".png") for name in pd.read_csv(tmp_path / f"x-{part}.csv")["filename"]}
        yolo = {name.removesuffix(".txt") for name in files_of(tmp_path / "yolo/labels" / part)}
        voc = {name.removesuffix(".xml") for name in files_of(tmp_path / f"voc-{part}")}
        assert table == yolo == voc
        assert len(table) == 3


def test_a_size_that_nobody_looked_at_is_read_from_the_file(tmp_path: Path) -> None:
    options = saved(tmp_path / "photos", [image("a.png")])
    unknown = ImageBoxes("a.png", 0, 0, (record(10, 3, 50, 30),))
    summary = export([unknown], tmp_path / "x.csv", format=WRITTEN["csv"], options=options)
    assert summary.clamped == 1
    assert pd.read_csv(tmp_path / "x.csv")[["width", "height", "xmax"]].to_numpy().tolist() == [[40, 30, 40]]
