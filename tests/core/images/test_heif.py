"""Phones' pictures: HEIC by pi-heif, and AVIF by Pillow, upright, in 8 bits, and damaged."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from core.base.errors import ImageError
from core.images.decoding import decode, image_size
from core.images.scan import scan_folder

pytest.importorskip("pi_heif")

RED, GREEN, BLUE = (200, 40, 40), (40, 200, 60), (40, 60, 200)
#: 64 x 48 pixels: red on the left; on the right green above blue. Written once by pillow-heif 1.8.1, whose
#: encoder this project does not bring. This one has to be turned by a quarter to the right (irot).
TURNED = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAchtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA"
    "AAAAADRpbG9jAAAAAERAAAIAAQAAAAAB7AABAAAAAAAAAH4AAgAAAAACagABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVp"
    "bmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAABB2lwcnAAAADmaXBjbwAAAHZo"
    "dmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAA"
    "AwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAA"
    "AAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAAAlpcm90"
    "AwAAABlpcG1hAAAAAAAAAAEAAQaBAgMFhIYAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAKptZGF0AAAAeigBrwngOSMk"
    "v//40n//9/QeQ/YJyIxhb6ce/bH/Ne//Wf35ireYsrxnH4fP7vHItTG/kJ2OOR/2kbYB1wyrrKki/7RQXiahHyCc9MVgSjU0"
    "C2nJa3vj2bSkfDJpFe5iBzBcioT6lYaogUVTgH/a5hI31aLXOBjw1xwgAAAABkV4aWYAAE1NACoAAAAIAAEBEgADAAAAAQAG"
    "AAAAAAAA"
)
#: The same as it is, with 10 bits a colour.
DEEP = (
    "AAAAHGZ0eXBoZWl4AAAAAG1pZjFoZWl4bWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAA"
    "AAAAACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAAGAAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAA"
    "AA5waXRtAAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQQIAAAAnbgAAAAAHvAA/P36+gAADwNgAAEAF0ABDAH//wQI"
    "AAADAJ24AAADAAAeugJAYQABACpCAQEECAAAAwCduAAAAwAAHqAggQTZbq5Ka5uAhoMCAAADADIAAAMAAhBiAAEABkQBwXPA"
    "iQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAQAAAAAEAAAAwAAAAAQAAAAAAAAAC"
    "////8AAAAAIAAAAQcGl4aQAAAAADCgoKAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAaG1kYXQAAABcKAGvDuBXhgOTr/aW"
    "n//5KO5D+RPTOIM79NVf/oj//7k5TQpwLFufZWXdnkPWMNfTEiATnP/VjIcFGIwCFxXWqCtPl3Leml4GlWp/jGbIfkqYb3aW"
    "Nw+w2hhp+QQ="
)


def picture() -> Image.Image:
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, :32], pixels[:24, 32:], pixels[24:, 32:] = RED, GREEN, BLUE
    return Image.fromarray(pixels)


def saved(folder: Path, data: str, name: str = "a.heic") -> Path:
    path = folder / name
    path.write_bytes(base64.b64decode(data))
    return path


def is_picture(pixels: np.ndarray, wanted: Image.Image) -> bool:
    away = np.abs(pixels.astype(int) - np.asarray(wanted).astype(int))
    return pixels.shape == np.asarray(wanted).shape and np.median(away) <= 3 and away.mean() < 8


def test_a_phones_picture_is_upright(tmp_path: Path) -> None:
    path = saved(tmp_path, TURNED)
    assert image_size(path) == (48, 64)
    found = decode(path)
    assert (found.width, found.height, found.truncated) == (48, 64, False)
    assert is_picture(found.pixels, picture().transpose(Image.Transpose.ROTATE_270))
    assert decode(path, max_side=32).pixels.shape == (32, 24, 3)


def test_ten_bits_become_eight(tmp_path: Path) -> None:
    assert is_picture(decode(saved(tmp_path, DEEP)).pixels, picture())


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow was built without AVIF")
def test_avif_is_read_and_turned(tmp_path: Path) -> None:
    path, exif = tmp_path / "a.avif", Image.Exif()
    exif[0x0112] = 6
    picture().save(path, quality=95, exif=exif)
    assert image_size(path) == (48, 64)
    assert is_picture(decode(path).pixels, picture().transpose(Image.Transpose.ROTATE_270))


def test_a_folder_has_them_whatever_they_are_called(tmp_path: Path) -> None:
    for name in ("a.heic", "b.HEIF", "c.hif", "no ending", "wrong.jpg"):
        saved(tmp_path, TURNED, name)
    (tmp_path / "film.mov").write_bytes(b"\0\0\0\x14ftypqt  " + bytes(40))
    found = scan_folder([tmp_path])
    assert {one.name for one in found.images} == {"a.heic", "b.HEIF", "c.hif", "no ending", "wrong.jpg"}
    assert [one.path.name for one in found.rejected] == ["film.mov"]


@pytest.mark.parametrize("share", [0.05, 0.4, 0.97])
def test_a_damaged_one_is_a_sentence(tmp_path: Path, share: float) -> None:
    path = saved(tmp_path, TURNED)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ImageError, match=r"^Damaged: .*\.$"):
        decode(path)
