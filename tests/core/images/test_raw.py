"""Cameras' raw files are developed in full, where LibRaw is there; a DNG is made here."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile

from core.base.errors import ImageError
from core.images.decoding import decode, image_size
from core.images.scan import scan_folder

WIDTH, HEIGHT = 320, 240


def saved_dng(path: Path, *, orientation: int = 1) -> Path:
    """What a sensor with a Bayer pattern saw of a red field with a bright block, and a preview before it."""
    scene = np.zeros((HEIGHT, WIDTH, 3))
    scene[:] = (9000, 2500, 2500)
    scene[60:160, 80:200] = (40000, 42000, 41000)
    mosaic = np.zeros((HEIGHT, WIDTH), np.uint16)
    for (down, across), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        mosaic[down::2, across::2] = scene[down::2, across::2, channel]
    matrix = tuple(
        side for row in np.eye(3, dtype=int).tolist() for one in row for side in (10000 * one, 10000)
    )
    own = [
        (33421, "H", 2, (2, 2), True),
        (33422, "B", 4, (0, 1, 1, 2), True),
        (50714, "H", 1, 0, True),
        (50717, "H", 1, 65535, True),
    ]
    camera = [
        (271, "s", 0, "Boxscout", True),
        (272, "s", 0, "Test camera", True),
        (274, "H", 1, orientation, True),
        (50706, "B", 4, (1, 4, 0, 0), True),
        (50708, "s", 0, "Boxscout Test camera", True),
        (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, (1, 1, 1, 1, 1, 1), True),
        (50778, "H", 1, 21, True),
    ]
    preview = np.full((30, 40, 3), 99, np.uint8)
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            preview,
            photometric="rgb",
            subfiletype=1,
            subifds=1,
            extratags=camera,
            metadata=None,
            software=False,
        )
        writer.write(mosaic, photometric="cfa", subfiletype=0, extratags=own, metadata=None, software=False)
    return path


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_dng_is_developed_in_full_and_upright(tmp_path: Path, orientation: int) -> None:
    path = saved_dng(tmp_path / "a.dng", orientation=orientation)
    with rawpy.imread(str(path)) as raw:
        expected = raw.postprocess(use_camera_wb=True)
    decoded = decode(path)
    upright = (WIDTH, HEIGHT) if orientation == 1 else (HEIGHT, WIDTH)
    assert (decoded.width, decoded.height) == image_size(path) == upright
    assert np.array_equal(decoded.pixels, expected)
    middle, corner = decoded.pixels[110, 115].astype(int), decoded.pixels[20, 20].astype(int)
    assert middle.sum() > corner.sum() + 150 and corner[0] > corner[1] + 30


def test_a_small_picture_of_a_dng_is_the_same_picture(tmp_path: Path) -> None:
    path = saved_dng(tmp_path / "a.dng")
    small, whole = decode(path, max_side=80).pixels.astype(int), decode(path).pixels[2::4, 2::4].astype(int)
    assert small.shape == (60, 80, 3)
    assert np.median(np.abs(small - whole)) <= 4


def test_a_folder_of_raw_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_dng(tmp_path / "a.dng")
    (tmp_path / "b.orf").write_bytes(b"IIRO\x08\0\0\0" + bytes(200))
    (tmp_path / "c.cr3").write_bytes(b"\0\0\0\x18ftypcrx " + bytes(200))
    assert [one.name for one in scan_folder([tmp_path]).images] == ["a.dng", "b.orf", "c.cr3"]
    with pytest.raises(ImageError, match=r"^This camera raw file cannot be read \(.+\): export it as"):
        decode(tmp_path / "b.orf")
    monkeypatch.setitem(sys.modules, "rawpy", None)
    assert [one.name for one in scan_folder([tmp_path]).images] == ["a.dng"]
    for name in ("a.dng", "b.orf", "c.cr3"):
        with pytest.raises(ImageError, match=r"^Camera raw files need the extra “raw”: .*pip install rawpy"):
            decode(tmp_path / name)


def test_a_cut_dng_is_a_sentence(tmp_path: Path) -> None:
    path = saved_dng(tmp_path / "a.dng")
    content = path.read_bytes()
    for share in (0.02, 0.3, 0.7):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(ImageError, match=r"\.$"):
            decode(path)
