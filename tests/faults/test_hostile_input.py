"""Input made to do harm: names, deep or endless texts, pictures that unpack to more than memory holds."""

from __future__ import annotations

import csv
import io
import json
import os
import resource
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from fault_support import Tally, command, forked
from PIL import Image

from core.base.annotations import BoxRecord, Source, Status
from core.base.errors import ImageError
from core.base.geometry import Box
from core.base.preferences import load
from core.formats import FORMATS, WRITTEN
from core.formats.gather import ReadOptions
from core.formats.reading import read_truth
from core.images.decoding import decode, image_size
from core.images.pixels import prepare_pixels
from core.images.scan import scan_folder
from core.project.store import Project

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]
DEPTH = 100_000
MEMORY = 3 << 30  # bytes more than a fork begins with


def bounded(work: Callable[[], object]) -> Callable[[], object]:
    """``work`` within so much memory more than is taken now."""

    def limited() -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        work()

    return limited


# ---- texts ----

LAUGHS = '<!DOCTYPE a [<!ENTITY x0 "ha">{}]><annotation><filename>&x40;</filename></annotation>'
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>'
)


def hostile_texts() -> dict[str, tuple[str, str]]:
    """What is in which file."""
    deep, maps = "[" * DEPTH + "]" * DEPTH, '{"a":' * DEPTH + "1" + "}" * DEPTH
    laughs = LAUGHS.format("".join(f'<!ENTITY x{i + 1} "&x{i};&x{i};">' for i in range(40)))
    long = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "' + "a" * 50_000 + '">]><annotation><filename>'
    aliases = "a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(60))
    nested = "<annotation>" + "<object>" * DEPTH + "</object>" * DEPTH + "</annotation>"
    box = '{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [{"image_id": 1, "bbox": '
    return {
        "deep lists": ("a.json", deep),
        "deep maps": ("a.json", maps),
        "deep COCO": ("a.json", box + deep + "}]}"),
        "deep labelme": ("a.json", '{"imagePath": "a.jpg", "shapes": ' + maps + "}"),
        "numbers without end": ("a.json", box + f"[{'9' * 100_000}, 1e999, -1e999, NaN]" + "}]}"),
        "deep lines": ("metadata.jsonl", f'{{"file_name": "a.jpg", "objects": {deep}}}'),
        "deep cells": ("a.csv", f'image_id,bbox\na,"{deep}"\n'),
        "a cell without end": ("a.csv", "filename,xmin,ymin,xmax,ymax\n" + "a" * 3_000_000 + ",1,1,2,2\n"),
        "billion laughs": ("a.xml", laughs),
        "one long entity": ("a.xml", long + "&x;" * 50_000 + "</filename></annotation>"),
        "another's file": ("a.xml", OUTSIDE),
        "deep elements": ("a.xml", nested),
        "deep CVAT": ("a.xml", nested.replace("annotation>", "annotations>").replace("object>", "image>")),
        "aliases of aliases": ("data.yaml", aliases + "names: *a60\n"),
        "a list within itself": ("data.yaml", "names: &a [*a, *a]\n"),
        "deep YAML": ("data.yaml", "names: " + "[" * 5_000 + "]" * 5_000),
        "a program in YAML": ("data.yaml", 'names: !!python/object/apply:os.system ["touch ran"]\n'),
    }


@pytest.mark.parametrize("what", hostile_texts())
def test_texts(tmp_path: Path, what: str) -> None:
    name, text = hostile_texts()[what]
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg")
    if name == "data.yaml":
        (tmp_path / "images").mkdir()
        (tmp_path / "labels").mkdir()
        Image.new("RGB", (40, 30)).save(tmp_path / "images/a.jpg")
        (tmp_path / "labels/a.txt").write_text("0 .5 .5 .5 .5\n")
    (tmp_path / name).write_text(text)
    tally = Tally(f"text, {what}")
    for path in (tmp_path / name, tmp_path):
        tally.add(forked(bounded(lambda path=path: read_truth(path, ReadOptions()))), path.name)
    tally.close()
    assert not Path("ran").exists()


VALUES = {
    "deep": "[" * DEPTH + "]" * DEPTH,
    "deep within": '{"step":1,"prior":{"images":' + "[" * DEPTH + "]" * DEPTH + "}}",
    "endless": '{"step":1e999,"prior":{"images":Infinity},"sureness":null,"max_boxes":1e999}',
    "large": f'{{"step":{"9" * 400},"prior":null,"sureness":null,"threshold":{"9" * 400}}}',
    "no map": '"text"',
    "maps of none": '{"step":null,"prior":[],"sureness":[],"source":[]}',
    "half a character": '{"source":"\\ud800","order":"\\ud800"}',
}


@pytest.mark.parametrize("what", VALUES)
def test_values_kept_as_json(tmp_path: Path, what: str) -> None:
    """In a project's view and survey, in the settings and in the index of prepared images."""
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "photos" / "a.png")
    files = scan_folder([tmp_path / "photos"]).images
    path, settings, tally = tmp_path / "a.boxscout", tmp_path / "settings.json", Tally(f"values, {what}")
    with Project.open_or_create(path) as project:
        project.add_images(files)
    prepare_pixels(files, size=32, cache_dir=tmp_path / "pixels")
    [index] = (tmp_path / "pixels").glob("*.json")
    index.write_text(VALUES[what])
    settings.write_text(VALUES[what])
    with closing(sqlite3.connect(path)) as db, db:
        for table in ("view", "survey"):
            db.execute(f"INSERT OR REPLACE INTO {table} VALUES (1, ?)", (VALUES[what],))

    def survey() -> None:
        with Project.open(path) as project:
            project.load_survey(), project.prior()

    def view() -> None:
        with Project.open(path) as project:
            project.save_view(project.load_view())

    tally.add(forked(survey), "survey")
    tally.add(forked(view), "view")
    tally.add(forked(lambda: load(settings)), "settings")
    tally.add(forked(lambda: prepare_pixels(files, size=32, cache_dir=tmp_path / "pixels")), "pixels")
    tally.close()


# ---- pictures ----


def _png(width: int, height: int, rows: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packed = zlib.compressobj(9)
    data = b"".join(packed.compress(bytes(width + 1)) for _ in range(rows)) + packed.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _tiff(width: int, height: int, samples: int, strip: bytes, compression: int) -> bytes:
    tags = [
        (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, compression), (262, 3, 1),
        (273, 4, 8), (277, 3, samples), (278, 4, height), (279, 4, len(strip)),
    ]  # fmt: skip
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip + body + bytes(4)


def _text_bomb() -> bytes:
    """A PNG of one pixel, whose comment unpacks to a gigabyte."""
    packed = zlib.compressobj(9)
    data = b"a\0\0" + b"".join(packed.compress(bytes(1 << 20)) for _ in range(1024)) + packed.flush()
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    whole = _png(1, 1, 1)
    return whole[:33] + chunk + whole[33:]


def _archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", bytes(300_000_000))
    return content.getvalue()


def _jpeg(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (16, 16)).save(content, "JPEG")
    data = bytearray(content.getvalue())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _gif(frames: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0x80) + bytes(6) + b"\x02\x02\x44\x01\0"
    return head + frame * frames + b";"


def hostile_pictures() -> dict[str, Callable[[], bytes]]:
    large = 2**31 - 1
    pillow = {"webp": (16_383, 16_383), "bmp": (16, 16)}
    assert pillow
    return {
        "png of nothing, 2 billion wide": lambda: _png(16, 1, 1).replace(
            struct.pack(">II", 16, 1), struct.pack(">II", large, large)
        ),
        "png, 2 billion wide, checksum right": lambda: _wide_png(large),
        "png bomb, 900 million pixels": lambda: _png(30_000, 30_000, 30_000),
        "png bomb, 170 million pixels": lambda: _png(13_000, 13_000, 13_000),
        "png, a comment of a gigabyte": _text_bomb,
        "tiff, 4 billion wide": lambda: _tiff(2**32 - 1, 2**32 - 1, 1, b"x", 1),
        "tiff bomb, packed": lambda: _tiff(100_000, 100_000, 3, zlib.compress(bytes(10_000_000)), 8),
        "tiff, 60,000 samples": lambda: _tiff(4_000, 4_000, 60_000, zlib.compress(bytes(10_000_000)), 8),
        "tiff that is its own next page": lambda: _own_page(),
        "jpeg, 65,535 wide": lambda: _jpeg(65_535, 65_535),
        "gif, 65,535 wide, 10,000 frames": lambda: _gif(10_000),
        "bmp, 2 billion wide": lambda: _bmp(large),
        "zip bomb as jpg": _archive,
    }


def _wide_png(side: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    whole = _png(16, 1, 1)
    return whole[:12] + body + struct.pack(">I", zlib.crc32(body)) + whole[33:]


def _own_page() -> bytes:
    return _tiff(16, 16, 1, bytes(256), 1)[:-4] + struct.pack("<I", 8 + 256)


def _bmp(side: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (16, 16)).save(content, "BMP")
    data = bytearray(content.getvalue())
    data[18:26] = struct.pack("<ii", side, side)
    return bytes(data)


@pytest.mark.parametrize("what", hostile_pictures())
def test_pictures(tmp_path: Path, what: str) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    bad = photos / ("a.jpg" if "as jpg" in what else f"a.{what.split()[0].strip(',')}")
    bad.write_bytes(hostile_pictures()[what]())
    good = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    Image.fromarray(good).save(photos / "b.png")
    tally = Tally(f"picture, {what}")
    for look in (lambda: decode(bad), lambda: image_size(bad), lambda: decode(bad, max_side=128)):
        tally.add(forked(bounded(look)), "alone")
    files = scan_folder([photos]).images

    def among_others() -> None:
        pixels = prepare_pixels(files, size=32, cache_dir=tmp_path / "pixels", workers=2)
        assert photos / "b.png" in [file.path for file in pixels.files], "the good one is used"
        assert all(one.reason.strip() for one in pixels.rejected)

    tally.add(forked(bounded(among_others)), "among others")
    tally.close()


# ---- names ----

NAMES = (
    "a\nb.png",
    "a\r\nb,c;d.png",
    "\u202egnp.exe.png",
    "\u200b.png",
    "--out=x.png",
    "-rf.png",
    "a" * 250 + ".png",
    "=cmd|' -C calc'!A0.png",
    "+1+1.png",
    "@SUM(1).png",
    "\t=1+1.png",
    "CON.png",
    "nul.png",
    "a. .png",
    "...png",
    "$(touch ran).png",
    "`touch ran`.png",
    "a'\"<&>\x7f.png",
    "\x1b[31mred.png",
    "%s%n{0}.png",
    "C:\\x.png",
    "é.png",
    "e\u0301.png",
    "\U0001f41d.png",
    "a;b\tc.png",
    "~.png",
    "#a.png",
    "a?b*.png",
    "null.png",
    "true.png",
)
LABELS = (
    "../../evil",
    "/tmp/evil",
    "CON",
    "=1+1",
    "a\nb",
    "\u202eevil",
    "..",
    ".",
    "",
    " ",
    "a" * 300,
    "\x1b[31m",
    "a/b",
    "C:\\evil",
    "{0}",
    "%s",
    "-x",
    "names: [",
    "&amp;<b>",
    "\u2028",
)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A project with images of :data:`NAMES`, one in bytes that are no text, and boxes of :data:`LABELS`."""
    photos = tmp_path / "in" / "photos"
    photos.mkdir(parents=True)
    for name in NAMES:
        Image.new("RGB", (40, 30), "red").save(photos / name, "PNG")
    Image.new("RGB", (40, 30)).save(photos / "x.png")
    os.rename(os.fsencode(photos / "x.png"), os.fsencode(photos) + b"/\xff\xfe.png")  # noqa: PTH104
    path = tmp_path / "in" / "a.boxscout"
    with Project.open_or_create(path) as project:
        project.add_images(scan_folder([photos]).images)
        ids = [image.id for image in project.images()]
        project.set_sizes(dict.fromkeys(ids, (40, 30)))
        for i, image in enumerate(ids):
            label = LABELS[i % len(LABELS)]
            box = Box(5, 5, 20, 25)
            project.set_boxes(image, [BoxRecord(box, label=label, score=None, source=Source.EDITED)])
        project.set_statuses(dict.fromkeys(ids, Status.ACCEPTED))
    return path


@pytest.mark.parametrize("name", WRITTEN)
def test_names_in_each_format(hostile: Path, tmp_path: Path, name: str) -> None:
    """Each is exported or refused in one sentence, lands where it was asked to, and is read back."""
    place = tmp_path / "out"
    place.mkdir()
    out = place / f"set{FORMATS[name].suffix}"
    before = {path for path in tmp_path.rglob("*") if place not in path.parents}
    tally = Tally(f"names, {name}")
    tally.add(
        forked(lambda: command("export", "--project", hostile, "--format", name, "--out", out)), "export"
    )
    tally.close()
    now = {path for path in tmp_path.rglob("*") if place not in path.parents}
    new = {p for p in now - before if not p.name.startswith("a.boxscout")}
    assert not new or name == "labelme", f"written elsewhere: {new}"
    assert not Path("/tmp/evil").exists() and not Path("ran").exists()
    if name == "csv":
        with out.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert len(cells) > 100
        assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]


def test_names_in_commands(hostile: Path, tmp_path: Path) -> None:
    tally = Tally("names, commands")
    for name in (*NAMES, "\udcff\udcfe.png"):
        path = hostile.parent / "photos" / name
        if path.exists():
            tally.add(forked(lambda path=path: _decoded(path)), repr(name))
        tally.add(
            forked(
                lambda name=name: command("localize", "--project", tmp_path / "none.boxscout", "--", name)
            ),
            repr(name),
        )
    tally.close()


def _decoded(path: Path) -> None:
    try:
        decode(path)
    except ImageError as error:
        assert str(error)


def test_json_of_names_is_json(hostile: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    tally = Tally("names, read as JSON")
    tally.add(
        forked(lambda: command("export", "--project", hostile, "--format", "coco", "--out", out)), "coco"
    )
    tally.close()
    names = {image["file_name"] for image in json.loads(out.read_bytes())["images"]}
    assert {"=cmd|' -C calc'!A0.png", "\u202egnp.exe.png", "a\nb.png"} & names
