"""Previews are no photos, and a sound TIFF of an odd kind is not called damaged."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from core.base.errors import ImageError
from core.images.decoding import decode, holds_position, image_size, read_taken
from core.images.unplaced import without_position


def picture(width: int, height: int, level: int) -> Image.Image:
    return Image.fromarray(np.full((height, width, 3), level, np.uint8))


def page(kind: int, **more: int) -> TiffImagePlugin.ImageFileDirectory_v2:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = kind
    for name, value in more.items():
        tags[int(name.removeprefix("tag"))] = value
    return tags


def test_a_preview_before_the_photo_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    with TiffImagePlugin.AppendingTiffWriter(path, new=True) as writer:
        for size, level, kind in (((16, 12), 250, 1), ((160, 120), 40, 0)):
            picture(*size, level).save(writer, format="TIFF", tiffinfo=page(kind))
            writer.newFrame()
    found = decode(path)
    assert (found.width, found.height) == image_size(path) == (160, 120)
    assert (found.pixels == 40).all()


@pytest.mark.parametrize("tags", [{"tag50706": 1}, {"tag330": 8}])
@pytest.mark.parametrize("extra", [True, False])
def test_a_raw_file_is_told_and_its_preview_is_not_used(
    tags: dict[str, int], extra: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of both files there is nothing but the preview, so that they cannot be developed either."""
    if not extra:
        monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / "IMG_0001.nef"
    picture(160, 120, 90).save(path, format="TIFF", tiffinfo=page(1, **tags))
    for read in (decode, image_size):
        with pytest.raises(ImageError, match="raw file cannot be read" if extra else "need the extra “raw”"):
            read(path)


def test_a_reduced_page_alone_is_all_there_is(tmp_path: Path) -> None:
    path = tmp_path / "small.tif"
    picture(32, 24, 90).save(path, format="TIFF", tiffinfo=page(1))
    assert decode(path).pixels.shape == (24, 32, 3)


def grey_tiff(*, first_page: int, after_header: bytes) -> bytes:
    """Of 16 x 12 pixels, whose tags begin at byte ``first_page``."""
    count = 16 * 12
    at = first_page + 2 + 8 * 12 + 4
    entries = [
        *((256, 3, 1, 16), (257, 3, 1, 12), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)),
        *((273, 4, 1, at), (278, 4, 1, 12), (279, 4, 1, count)),
    ]
    tags = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *one) for one in entries)
    head = struct.pack("<2sHI", b"II", 42, first_page) + after_header
    return head.ljust(first_page, b"\0") + tags + bytes(4) + bytes(range(count))


def test_a_canon_raw_is_told_by_its_letters_and_a_photo_with_these_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    path = tmp_path / "IMG_0001.CR2"
    path.write_bytes(grey_tiff(first_page=16, after_header=b"CR\x02\0"))
    with pytest.raises(ImageError, match="Camera raw files need the extra"):
        decode(path)
    path.write_bytes(grey_tiff(first_page=64, after_header=b"CRxx"))  # as pixels may begin
    assert decode(path).pixels.shape == (12, 16, 3)


def test_colours_of_12_bits_are_spread_as_grey_of_16_is(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(100, 500, (40, 60, 3), np.uint16)
    values[10:30, 20:40] = (4000, 2000, 1000)
    path = tmp_path / "a.tif"
    assert cv2.imwrite(str(path), values[..., ::-1])
    found = decode(path).pixels
    assert found[10:30, 20:40].reshape(-1, 3).std(axis=0).max() == 0
    red, green, blue = found[20, 30].tolist()
    assert red == 255 and red > green > blue > found[:10].mean() + 20


@pytest.mark.parametrize("cover", [False, True])
def test_a_png_of_a_12_bit_camera_is_not_black(cover: bool, tmp_path: Path) -> None:
    values = np.full((40, 60, 3 + cover), 200, np.uint16)
    values[10:30, 20:40] = (1000, 2000, 4000, 65535)[: 3 + cover]  # blue, green, red
    if cover:
        values[..., 3] = 65535
        values[:5, ..., 3] = 0
    path = tmp_path / "a.png"
    assert cv2.imwrite(str(path), values)
    found = decode(path).pixels
    assert found[20, 30].tolist() == [255, 121, 54]
    assert (found[35, 5] == 0).all() and (found[2, 2] == (255 if cover else 0)).all()


def test_a_deep_tiff_says_when_and_where_it_was_taken(tmp_path: Path) -> None:
    path, exif = tmp_path / "a.tif", Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:05:04 06:30:12"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 30.0, 0.0), 3: "E", 4: (8.0, 15.0, 0.0)})
    Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30)).save(path, exif=exif.tobytes())
    taken = read_taken(path)
    assert (taken.time, taken.position) == ("2026-05-04T06:30:12", (47.5, 8.25))
    assert holds_position(path) and decode(path).taken == taken
    path.write_bytes(without_position(path.read_bytes()))
    assert not holds_position(path) and read_taken(path).time == taken.time
