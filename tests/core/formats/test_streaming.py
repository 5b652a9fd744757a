"""Exports one by one: the same files as those of all images at once, and memory that does not grow."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from PIL import Image
from pycocotools.coco import COCO

from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.errors import Cancelled, FormatError, ImageError
from core.base.geometry import Box
from core.formats import FORMATS, WriteOptions, export
from core.formats.selection import EachByItself, Selection, validation_names
from core.formats.streaming import Leaving, Stream, export_stream, names_on_disk

STREAMED = sorted(name for name, one in FORMATS.items() if one.stream)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for image in images():
        if image.status is not Status.FAILED:
            (folder / image.name).parent.mkdir(exist_ok=True)
            Image.new("RGB", (image.width, image.height), "teal").save(folder / image.name, "PNG")
    return folder


def images() -> list[ImageBoxes]:
    """With what formats tell: a failed one, namesakes, capitals, cut boxes, two classes, formulas."""
    boxes = (
        BoxRecord(Box(1.5, 2, 50.25, 60), score=0.5, rule="object", threshold=0.4),
        BoxRecord(Box(1, 2, 5, 160), label="fox", source=Source.EDITED),
        BoxRecord(Box(90, 90, 95, 95), score=0.1),
    )
    return [
        ImageBoxes("=1.png", 30, 20, (BoxRecord(Box(1, 2, 5, 16), score=0.9, label="é"),)),
        ImageBoxes("a/1.png", 100, 80, boxes, no_object=0.25),
        ImageBoxes("b.bmp", 0, 0, status=Status.FAILED, reason="The file is empty."),
        ImageBoxes("b.jfif", 10, 10, no_object=0.5),
        ImageBoxes("b.png", 40, 40, boxes[:1], Status.ACCEPTED),
        ImageBoxes("c.png", 40, 40, boxes[:1], Status.REJECTED),
    ]


def stream_of(some: Sequence[ImageBoxes], folder: Path, **selection: object) -> Stream:
    def opened(name: str):
        @contextmanager
        def file() -> Iterator[Path]:
            yield folder / name

        return file

    return Stream(lambda: (Leaving(one, opened(one.name)) for one in some), Selection(**selection))


def contents(path: Path) -> dict[str, bytes]:
    """What a file or folder holds, but for the name of the folder itself."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return {str(f.relative_to(path)): f.read_bytes().replace(path.name.encode(), b"OUT") for f in files}


@pytest.mark.parametrize("name", STREAMED)
@pytest.mark.parametrize("choice", [{}, {"min_score": 0.3}, {"classes": frozenset({"fox"})}], ids=str)
@pytest.mark.parametrize("taught", [{}, {"run": "run 2", "reviewed_images": 3}], ids=["plain", "taught"])
def test_what_is_streamed_is_what_is_written_at_once(
    name: str, choice: dict[str, object], taught: dict[str, object], folder: Path, tmp_path: Path
) -> None:
    sources = {image.name: folder / image.name for image in images()}
    options = WriteOptions(sources=sources, taught=taught)
    whole = export(
        images(), tmp_path / "whole", format=FORMATS[name], selection=Selection(**choice), options=options
    )
    streamed = export_stream(
        stream_of(images(), folder, **choice), tmp_path / "parts", format=FORMATS[name], options=options
    )
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert FORMATS[name].read(tmp_path / "parts") == FORMATS[name].read(tmp_path / "whole")
    assert streamed.lines()[1:] == whole.lines()[1:]
    counts = ("images", "boxes", "without_box", "clamped", "failed", "skipped")
    assert [getattr(streamed, one) for one in counts] == [getattr(whole, one) for one in counts]


def test_pycocotools_reads_a_streamed_file(folder: Path, tmp_path: Path) -> None:
    export_stream(stream_of(images(), folder), tmp_path / "coco.json", format=FORMATS["coco"])
    coco = COCO(str(tmp_path / "coco.json"))
    assert {one["file_name"] for one in coco.loadImgs(coco.getImgIds())} == {
        "=1.png",
        "a/1.png",
        "b.jfif",
        "b.png",
    }
    found = coco.loadAnns(coco.getAnnIds(catIds=coco.getCatIds(["fox"])))
    assert [one["bbox"] for one in found] == [[1, 2, 4, 78]]


def test_megadetectors_file_lists_failed_images(folder: Path, tmp_path: Path) -> None:
    export_stream(stream_of(images(), folder), tmp_path / "md.json", format=FORMATS["megadetector"])
    entries = {one["file"]: one for one in json.loads((tmp_path / "md.json").read_text())["images"]}
    assert entries["b.bmp"] == {"file": "b.bmp", "failure": "The file is empty.", "detections": None}


def test_an_image_that_cannot_be_fetched_is_left_out_and_told(folder: Path, tmp_path: Path) -> None:
    @contextmanager
    def gone() -> Iterator[Path]:
        raise ImageError("The file is no longer there.")
        yield folder

    source = stream_of(images(), folder).source
    broken = Stream(
        lambda: (Leaving(one.image, gone) if one.image.name == "b.png" else one for one in source())
    )
    summary = export_stream(broken, tmp_path / "yolo", format=FORMATS["yolo"])
    assert [(one.name, one.reason) for one in summary.skipped] == [("b.png", "The file is no longer there")]
    assert summary.images == 3 and len(list((tmp_path / "yolo" / "labels").rglob("*.txt"))) == 3


@pytest.mark.parametrize("name", STREAMED)
def test_nothing_is_left_of_an_export_that_fails(name: str, folder: Path, tmp_path: Path) -> None:
    def interrupted() -> Iterator[Leaving]:
        yield from list(stream_of(images(), folder).source())[: 2 if passes else None]
        passes.append(1)
        if len(passes) > 1:
            raise Cancelled("Stopped.")

    passes: list[int] = []
    with pytest.raises(Cancelled):
        export_stream(Stream(interrupted), tmp_path / "out", format=FORMATS[name])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["coco", "csv", "megadetector"])
def test_a_full_disk_leaves_the_file_of_before(name: str, small_disk: Path) -> None:
    before = b"of before"
    (small_disk / "out").write_bytes(before)
    with pytest.raises(FormatError, match="the disk is full"):
        export_stream(many(3_000), small_disk / "out", format=FORMATS[name])
    assert [file.read_bytes() for file in small_disk.iterdir() if file.is_file()] == [before]


def test_what_cannot_be_streamed_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    some = stream_of(images(), folder)
    with pytest.raises(FormatError, match="Pascal VOC cannot be written from a data set"):
        export_stream(some, tmp_path / "voc", format=FORMATS["voc"])
    split = stream_of(images(), folder, val_share=0.2)
    with pytest.raises(FormatError, match="CSV table cannot be split"):
        export_stream(split, tmp_path / "y", format=FORMATS["csv"])
    none = stream_of(images(), folder, classes=frozenset({"bear"}))
    with pytest.raises(FormatError, match="No box is left"):
        export_stream(none, tmp_path / "x", format=FORMATS["csv"])
    with pytest.raises(FormatError, match="comes after"):
        export_stream(stream_of(images()[::-1], folder), tmp_path / "x", format=FORMATS["csv"])


def test_yolo_keeps_images_for_validation(folder: Path, tmp_path: Path) -> None:
    split = stream_of(images(), folder, val_share=0.5, seed=2)
    summary = export_stream(split, tmp_path / "yolo", format=FORMATS["yolo"])
    labels = tmp_path / "yolo" / "labels"
    parts = {part: list((labels / part).rglob("*.txt")) for part in ("train", "val")}
    assert all(parts.values()) and sum(map(len, parts.values())) == summary.images == 4
    assert f"For training: {len(parts['train'])}, for validation: {len(parts['val'])}." in summary.notes


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_each_name_decided_by_itself_is_nearly_the_counted_split(share: float) -> None:
    names = [f"{i}.jpg" for i in range(2_000)]
    alone, counted = EachByItself(share, seed=7), validation_names(names, share=share, seed=7)
    chosen = {name for name in names if name in alone}
    assert chosen <= counted or counted <= chosen
    deviation = (len(names) * share * (1 - share)) ** 0.5
    assert abs(len(chosen) - share * len(names)) < 4 * deviation


def test_names_on_disk_are_a_set() -> None:
    with names_on_disk() as names:
        for name in ("a", "é", "a", "\udcff"):
            names.add(name)
        assert "a" in names and "é" in names and "\udcff" in names and "b" not in names


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("coco", 1_500),
        *(pytest.param(name, 20_000, marks=pytest.mark.long) for name in ("coco", "csv", "megadetector")),
    ],
)
def test_memory_does_not_grow_with_the_number_of_images(name: str, count: int, tmp_path: Path) -> None:
    def export(count: int) -> None:
        export_stream(many(count), tmp_path / f"{count}", format=FORMATS[name])

    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            export(count)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    export(count)  # what Python keeps of small objects to use again, once
    more = peak(count) - peak(500)
    assert more < 200 * (count - 500), "bytes an image; its name, size and box alone take 600"


def many(count: int) -> Stream:
    box = BoxRecord(Box(1.5, 2.25, 50.125, 60.5), score=0.5)

    def source() -> Iterator[Leaving]:
        for i in range(count):
            yield Leaving(ImageBoxes(f"{i:08d}.jpg", 100, 80, (box,), no_object=0.1), nullcontext)

    return Stream(source)
