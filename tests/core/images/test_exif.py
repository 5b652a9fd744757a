"""When and where photos were taken: read, and taken out of copies, against bytes that are written by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core.base.errors import ImageError
from core.images.decoding import decode, holds_position, read_taken
from core.images.exif import Taken
from core.images.unplaced import without_position

SECONDS = 33.52
PLACE = (-(33 + 51 / 60 + SECONDS / 3600), 151 + 12 / 60 + SECONDS / 3600)
RATIONALS = struct.pack("<6I", 33, 1, 51, 1, 3352, 100)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><d exif:GPSLatitude="33,51.5S" tiff:Make="RECONYX"/></x:xmpmeta>'


def directory(entries: list[tuple[int, int, bytes]], at: int) -> bytes:
    """One EXIF directory that begins at ``at``, with its values behind it: (tag, kind, value)."""
    size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
    behind = at + 2 + 12 * len(entries) + 4
    head, values = struct.pack("<H", len(entries)), b""
    for tag, kind, value in entries:
        count = len(value) // size[kind]
        if len(value) <= 4:
            head += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
        else:
            head += struct.pack("<HHII", tag, kind, count, behind + len(values))
            values += value + b"\0" * (len(value) % 2)
    return head + bytes(4) + values


def exif(
    time: bytes = b"2024:05:01 06:30:12\0",
    *,
    parts: bytes = b"25\0",
    zone: bytes = b"+02:00\0",
    says_gps_at: int = 400,
) -> bytes:
    """EXIF in Intel's order: when, and 33° 51' 33.52" south, 151° 12' 33.52" east."""
    own_at, gps_at = 100, 400
    own = directory([(0x9003, 2, time), (0x9011, 2, zone), (0x9291, 2, parts)], own_at)
    east = struct.pack("<6I", 151, 1, 12, 1, 3352, 100)
    gps = directory([(1, 2, b"S\0"), (2, 5, RATIONALS), (3, 2, b"E\0"), (4, 5, east)], gps_at)
    first = directory(
        [(0x010F, 2, b"RECONYX\0"), (0x0112, 3, struct.pack("<H", 6)),
         (0x8769, 4, struct.pack("<I", own_at)), (0x8825, 4, struct.pack("<I", says_gps_at))], 8,
    )  # fmt: skip
    block = b"II*\0" + struct.pack("<I", 8) + first
    return (block.ljust(own_at, b"\0") + own).ljust(gps_at, b"\0") + gps


def photo(path: Path, **more: object) -> Path:
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    options = {"exif": b"Exif\0\0" + exif(), **more}
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif"])
def test_time_and_place_are_those_of_the_camera(tmp_path: Path, name: str) -> None:
    taken = read_taken(photo(tmp_path / name))
    assert taken.time == "2024-05-01T06:30:12.250+02:00"
    assert taken.position == pytest.approx(PLACE, abs=1e-7)
    assert decode(tmp_path / name, max_side=8).taken == taken


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"parts": b"\0", "zone": b"\0"}, "2024-05-01T06:30:12"),
        ({"parts": b"9999999\0", "zone": b"junk\0"}, "2024-05-01T06:30:12.999"),
        ({"zone": b"-09:30\0", "parts": b"\0"}, "2024-05-01T06:30:12-09:30"),
        ({"time": b"0000:00:00 00:00:00\0"}, ""),
        ({"time": b"                   \0"}, ""),
        ({"time": b"2024:02:30 06:30:12\0"}, ""),
    ],
)
def test_odd_clocks(tmp_path: Path, given: dict[str, bytes], wanted: str) -> None:
    path = photo(tmp_path / "a.jpg", exif=b"Exif\0\0" + exif(**given))
    assert read_taken(path).time == wanted


@pytest.mark.filterwarnings("ignore:Truncated File Read")  # as the program does
def test_no_exif_and_broken_exif_say_nothing(tmp_path: Path) -> None:
    cut, astray = exif()[:60], exif(time=b"", says_gps_at=1 << 31)
    for number, given in enumerate((b"", b"Exif\0\0" + cut, b"Exif\0\0" + astray)):
        path = photo(tmp_path / f"{number}.jpg", exif=given)
        assert read_taken(path) == Taken()
        assert decode(path).width in (40, 30)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.avif"])
def test_a_copy_without_position_is_the_photo_otherwise(tmp_path: Path, name: str) -> None:
    path = photo(tmp_path / name)
    data = path.read_bytes()
    assert RATIONALS in data or name.endswith("avif"), "the test must be able to find it"
    copy = tmp_path / f"copy-{name}"
    copy.write_bytes(without_position(data))
    assert RATIONALS not in copy.read_bytes()
    assert struct.pack("<6I", 151, 1, 12, 1, 3352, 100) not in copy.read_bytes()
    assert len(copy.read_bytes()) == len(data)
    assert (holds_position(path), holds_position(copy)) == (True, False)
    assert read_taken(copy) == Taken(read_taken(path).time)
    assert np.array_equal(decode(copy).pixels, decode(path).pixels)
    with Image.open(copy) as image:
        image.verify()  # a PNG's check sums


def test_a_tiff_and_xmp_lose_their_position_too(tmp_path: Path) -> None:
    """A TIFF with a directory of positions behind its pixels; a JPEG with XMP alone."""
    plain = tmp_path / "a.tif"
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(plain)
    data = bytearray(plain.read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    entries = bytes(data[first + 2 : first + 2 + 12 * count])
    at = len(data) + len(data) % 2
    gps_at = at + 2 + 12 * (count + 1) + 4
    data += b"\0" * (at - len(data)) + struct.pack("<H", count + 1) + entries
    data += struct.pack("<HHII", 0x8825, 4, 1, gps_at) + bytes(4)
    east = struct.pack("<6I", 151, 1, 12, 1, 3352, 100)
    data += directory([(1, 2, b"S\0"), (2, 5, RATIONALS), (3, 2, b"E\0"), (4, 5, east)], gps_at)
    struct.pack_into("<I", data, 4, at)
    plain.write_bytes(data)
    assert read_taken(plain).position == pytest.approx(PLACE, abs=1e-7)
    assert RATIONALS not in without_position(plain.read_bytes())
    with_xmp = photo(tmp_path / "x.jpg", exif=b"", xmp=XMP)
    assert holds_position(with_xmp)
    clean = without_position(with_xmp.read_bytes())
    assert b"33,51.5S" not in clean
    assert b'tiff:Make="RECONYX"' in clean


def test_what_cannot_be_taken_out_is_told(tmp_path: Path) -> None:
    """EXIF as some programs pack it into a PNG, where blanking it would break the packing."""
    info = PngImagePlugin.PngInfo()
    block = b"Exif\0\0" + exif()
    info.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n", zip=True)
    path = photo(tmp_path / "a.png", exif=b"", pnginfo=info)
    assert holds_position(path)
    with pytest.raises(ImageError, match="allow GPS"):
        without_position(path.read_bytes())
