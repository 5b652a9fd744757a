"""Any folder of odd images: no crash, and no wrong picture without a word.

``BOXSCOUT_ODD=FOLDER main.py test tests/core/images/test_odd_images.py`` tries another folder, such as
``Tests/images`` of Pillow's source archive.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from core.base.errors import ImageError
from core.images.decoding import Decoded, decode, decode_squashed, image_size
from core.images.scan import iter_scan

MOST = 4_000_000  # pixels that are compared; larger ones are only decoded small
OPAQUE = 0.999
#: Colours that each decoder turns to red, green and blue in its own way: compared with Pillow's.
OWN_COLOURS = {"CMYK", "LAB", "YCbCr", "PA"}
Picture = tuple[np.ndarray, np.ndarray]  # as displayed (H, W, 3) or (H, W, 1), and how much of it is there


@pytest.fixture
def odd(unzipped: Callable[[str], Path]) -> Path:
    chosen = os.environ.get("BOXSCOUT_ODD")
    return Path(chosen) if chosen else unzipped("odd-images")


def stretched(values: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """By the documented rule, where a picture has more than 8 bits."""
    if values.dtype == np.uint8:
        return values.astype(float)
    values = values.astype(float)
    values = np.where(np.isfinite(values), values, np.nan)
    counted = values[cover > 0] if (cover > 0).any() else values
    low, high = np.nanpercentile(counted, (0.5, 99.5))
    if high <= low:
        low, high = np.nanmin(counted), np.nanmax(counted)
    if high <= low:
        return np.full(values.shape, 128.0)
    return np.clip((np.nan_to_num(values, nan=low) - low) / (high - low), 0, 1) * 255


def by_opencv(path: Path) -> Picture | None:
    values = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if values is None or values.dtype not in (np.uint8, np.uint16, np.float32):
        return None
    values = values if values.ndim == 3 else values[..., None]
    cover = np.ones(values.shape[:2])
    if values.shape[2] in (2, 4):
        cover = values[..., -1] / np.iinfo(values.dtype).max if values.dtype.kind == "u" else cover
        values = values[..., :-1]
    return stretched(values[..., ::-1], cover), cover


def by_tifffile(path: Path) -> Picture | None:
    with tifffile.TiffFile(path) as tiff:
        page = next((one for one in tiff.pages if not one.is_reduced), tiff.pages[0])
        if page.photometric not in (0, 1, 2) or page.samplesperpixel > 3:
            return None
        values = page.asarray()
        if page.planarconfig == 2 and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
    if values.dtype == bool or page.bitspersample < 8:
        values = (values.astype(float) * 255 / (2**page.bitspersample - 1)).round().astype(np.uint8)
    values = values if values.ndim == 3 else values[..., None]
    values = values if values.shape[2] == 3 else values[..., :1]
    if page.photometric == 0:
        values = 255 - values if values.dtype == np.uint8 else -values.astype(float)
    cover = np.ones(values.shape[:2])
    return stretched(values, cover), cover


def by_pillow(path: Path) -> Picture | None:
    with Image.open(path) as image:
        image.load()
        if image.mode in ("I", "F", "I;16", "I;16B"):
            values = np.asarray(image)[..., None]
            return stretched(values, np.ones(values.shape[:2])), np.ones(values.shape[:2])
        rgba = np.asarray(
            image.convert("RGBA") if image.mode != "LAB" else image.convert("LAB").convert("RGBA")
        )
    return rgba[..., :3].astype(float), rgba[..., 3] / 255


def others(path: Path) -> Iterator[Picture]:
    """What other decoders make of a file."""
    mode = ""
    try:
        with Image.open(path) as image:
            mode = image.mode
    except Exception:
        pass
    readers = (
        [by_tifffile, by_opencv, by_pillow]
        if path.read_bytes()[:2] in (b"II", b"MM")
        else [by_opencv, by_pillow]
    )
    for reader in readers[-1:] if mode in OWN_COLOURS else readers:
        try:
            picture = reader(path)
        except Exception:
            continue
        if picture is not None:
            yield picture


def upright(values: np.ndarray, path: Path) -> np.ndarray:
    """Turned as the file says; Pillow has turned a TIFF itself."""
    try:
        with Image.open(path) as image:
            orientation = image.getexif().get(0x0112, 1)
    except Exception:
        orientation = 1
    turned = {
        2: lambda v: v[:, ::-1],
        3: lambda v: v[::-1, ::-1],
        4: lambda v: v[::-1],
        5: lambda v: v.swapaxes(0, 1),
        6: lambda v: np.rot90(v, -1),
        7: lambda v: v[::-1, ::-1].swapaxes(0, 1),
        8: lambda v: np.rot90(v),
    }
    return turned.get(orientation, lambda v: v)(values)


def difference(ours: Decoded, picture: Picture, path: Path) -> float:
    """The mean distance where both have something to show; infinite where sizes differ."""
    best = np.inf
    for turn in (True, False):
        values, cover = (upright(one, path) if turn else one for one in picture)
        if values.shape[:2] == ours.pixels.shape[:2]:
            there = cover >= OPAQUE
            away = np.abs(ours.pixels - values)[there]
            best = min(best, float(away.mean()) if away.size else 0.0)
    return best


def fault(path: Path) -> str:
    """What is wrong with how a file is read; empty where nothing is."""
    try:
        width, height = image_size(path)
        if width * height > MOST:
            decode_squashed(path, size=64)
            return ""
        ours = decode(path)
    except ImageError as error:
        return "" if str(error).endswith(".") else f"no sentence: {error}"
    except BaseException as error:
        return f"crash: {error!r}"
    if (ours.width, ours.height) != (width, height) or ours.pixels.shape != (height, width, 3):
        return "sizes differ"
    if ours.truncated:
        return ""
    found = [difference(ours, picture, path) for picture in others(path)]
    return "" if not found or min(found) < 8 else f"differs from other decoders by {min(found):.1f}"


@pytest.mark.timeout(3600)
def test_a_folder_of_odd_images_gives_no_crash_and_no_wrong_picture(odd: Path) -> None:
    list(iter_scan([odd]))
    faults = {}
    files = [path for path in sorted(odd.rglob("*")) if path.is_file()]
    assert files
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in files:
            if found := fault(path):
                faults[str(path.relative_to(odd))] = found
    assert not faults, "\n".join(f"{name}: {found}" for name, found in faults.items())
