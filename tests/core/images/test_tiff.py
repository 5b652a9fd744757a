"""Previews are no photos, and a sound TIFF of an odd kind is not called damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from core.base.errors import ImageError
from core.images.decoding import decode, image_size


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
def test_a_raw_file_is_told_and_its_preview_is_not_used(tags: dict[str, int], tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.nef"
    picture(160, 120, 90).save(path, format="TIFF", tiffinfo=page(1, **tags))
    for read in (decode, image_size):
        with pytest.raises(ImageError, match="Camera raw files"):
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


def test_a_canon_raw_is_told_by_its_letters_and_a_photo_with_these_is_none(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.CR2"
    path.write_bytes(grey_tiff(first_page=16, after_header=b"CR\x02\0"))
    with pytest.raises(ImageError, match="Camera raw files"):
        decode(path)
    path.write_bytes(grey_tiff(first_page=64, after_header=b"CRxx"))  # as pixels may begin
    assert decode(path).pixels.shape == (12, 16, 3)


def test_a_sound_tiff_of_five_channels_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "five.tif"
    pixels = np.zeros((12, 16, 5), np.uint8).tobytes()
    entries = [
        *(
            (256, 3, 1, 16),
            (257, 3, 1, 12),
            (258, 3, 5, 8 + len(pixels) + 126),
            (259, 3, 1, 1),
            (262, 3, 1, 1),
        ),
        *((273, 4, 1, 8), (277, 3, 1, 5), (278, 4, 1, 12), (279, 4, 1, len(pixels)), (284, 3, 1, 1)),
    ]
    tags = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *one) for one in entries)
    bits = struct.pack("<5H", *[8] * 5)  # behind the tags, 126 bytes after the pixels
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + tags + bytes(4) + bits)
    with pytest.raises(ImageError, match="This kind of TIFF cannot be read"):
        decode(path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(ImageError, match="Damaged"):
        decode(path)


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


def test_deep_colours_that_lie_apart_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    cv2.imwrite(str(path), np.full((8, 8, 3), 900, np.uint16), (cv2.IMWRITE_TIFF_COMPRESSION, 1))
    with Image.open(path) as image:
        tags = image.tag_v2
        assert tags[284] == 1
    content = path.read_bytes()
    entry = struct.pack("<HHI", 284, 3, 1)
    path.write_bytes(content.replace(entry + struct.pack("<I", 1), entry + struct.pack("<I", 2)))
    with pytest.raises(ImageError, match="stores its channels separately"):
        decode(path)
