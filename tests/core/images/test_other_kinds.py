"""Files of every common kind but TIFF, written by other programs: the right picture, or one true sentence.

A sound file is never called damaged. The writers are imagecodecs (libjpeg-turbo, CharLS, OpenJPEG, libjxl,
libavif, libwebp, lodepng), OpenCV and Pillow; the picture that was written is the judge.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image

from core.base.errors import ImageError
from core.images.decoding import NOT_AN_IMAGE, decode
from core.images.unread import ODD_BMP, ODD_JPEG, ODD_PNG

HEIGHT, WIDTH = 48, 64
ACROSS, DOWN = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
RGB = np.stack([4 * ACROSS, 5 * DOWN, 2 * (ACROSS + DOWN)], axis=-1).astype(np.uint8)
GREY = np.ascontiguousarray(RGB[..., 0])
RGBA = np.dstack([RGB, np.full((HEIGHT, WIDTH), 255, np.uint8)])
DEEP = RGB.astype(np.uint16) * 257


def saved(picture: np.ndarray | Image.Image, kind: str, **options: Any) -> bytes:
    """As Pillow writes it."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def by_opencv(ending: str, picture: np.ndarray) -> bytes:
    """As OpenCV writes it, which keeps blue first."""
    return bytes(cv2.imencode(ending, picture if picture.ndim == 2 else picture[..., 2::-1])[1])


def several(kind: str, **options: Any) -> bytes:
    return saved(RGB, kind, save_all=True, append_images=[Image.fromarray(255 - RGB)], **options)


def bitmap(bits: int, compression: int, body: bytes, masks: bytes = b"") -> bytes:
    """A BMP of 8 x 8 pixels by its specification."""
    start = 14 + 40 + len(masks)
    sizes = struct.pack("<IiiHHIIiiII", 40, 8, 8, 1, bits, compression, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + sizes + masks + body


def of_an_iphone_app() -> bytes:
    """A PNG as Apple's build tools leave it: a chunk before all others, and pixels without zlib's frame."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    pixels = packer.compress((b"\0" + bytes(4 * WIDTH)) * HEIGHT) + packer.flush()
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 6, 0, 0, 0)
    parts = (b"CgBI", b"\x50\0\x20\x06"), (b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


#: How a kind is written, the picture that it shows, and how far a level may be off on average.
READ: dict[str, tuple[Callable[[], bytes], np.ndarray, float]] = {
    "png, lodepng": (lambda: imagecodecs.png_encode(RGB), RGB, 0),
    "png, grey of 16 bits": (lambda: by_opencv(".png", np.ascontiguousarray(DEEP[..., 0])), GREY, 2),
    "png, colours of 16 bits": (lambda: by_opencv(".png", DEEP), RGB, 2),
    "png, 256 colours": (lambda: saved(Image.fromarray(RGB).quantize(256), "PNG"), RGB, 5),
    "png, animated": (lambda: several("PNG"), RGB, 0),
    "jpeg, progressive": (lambda: saved(RGB, "JPEG", progressive=True, quality=95), RGB, 1),
    "jpeg, opencv": (lambda: by_opencv(".jpg", RGB), RGB, 1),
    "jpeg, inks": (lambda: saved(Image.fromarray(RGB).convert("CMYK"), "JPEG", quality=95), RGB, 1),
    "jpeg, grey": (lambda: saved(GREY, "JPEG", quality=95), GREY, 1),
    "jpeg, red green blue": (lambda: imagecodecs.jpeg8_encode(RGB, level=95, outcolorspace="rgb"), RGB, 1),
    "jpeg, two in one": (lambda: several("MPO", quality=95), RGB, 1),
    "gif": (lambda: saved(Image.fromarray(RGB).quantize(256), "GIF"), RGB, 5),
    "gif, grey": (lambda: imagecodecs.gif_encode(GREY), GREY, 0),
    "bmp": (lambda: imagecodecs.bmp_encode(RGB), RGB, 0),
    "bmp, with cover": (lambda: saved(RGBA, "BMP"), RGB, 0),
    "webp, without loss": (lambda: imagecodecs.webp_encode(RGB, lossless=True), RGB, 0),
    "webp, with cover": (lambda: saved(RGBA, "WEBP", lossless=True), RGB, 0),
    "webp, animated": (lambda: several("WEBP", lossless=True), RGB, 0),
    "avif": (lambda: imagecodecs.avif_encode(RGB, level=95), RGB, 2),
    "avif, 10 bits": (
        lambda: imagecodecs.avif_encode(RGB.astype(np.uint16) * 4, bitspersample=10, level=95),
        RGB,
        2,
    ),
    "avif, 12 bits": (
        lambda: imagecodecs.avif_encode(RGB.astype(np.uint16) * 16, bitspersample=12, level=95),
        RGB,
        2,
    ),
    "avif, grey": (lambda: imagecodecs.avif_encode(GREY, level=95), GREY, 2),
    "avif, with cover": (lambda: saved(RGBA, "AVIF", quality=95), RGB, 2),
}
TOLD: dict[str, tuple[Callable[[], bytes], str]] = {
    "jpeg, 12 bits grey": (
        lambda: imagecodecs.jpeg8_encode(GREY.astype(np.uint16) * 16, level=95, bitspersample=12),
        ODD_JPEG,
    ),
    "jpeg, 12 bits": (
        lambda: imagecodecs.jpeg8_encode(RGB.astype(np.uint16) * 16, level=95, bitspersample=12),
        ODD_JPEG,
    ),
    "jpeg, 12 bits without loss": (
        lambda: imagecodecs.ljpeg_encode(GREY.astype(np.uint16) * 16, bitspersample=12),
        ODD_JPEG,
    ),
    "jpeg-ls": (lambda: imagecodecs.jpegls_encode(RGB), ODD_JPEG),
    "jpeg 2000": (lambda: imagecodecs.jpeg2k_encode(RGB, level=0), NOT_AN_IMAGE),
    "jpeg xl": (lambda: imagecodecs.jpegxl_encode(RGB), NOT_AN_IMAGE),
    "jpeg xr": (lambda: imagecodecs.jpegxr_encode(RGB), NOT_AN_IMAGE),
    "qoi": (lambda: imagecodecs.qoi_encode(RGB), NOT_AN_IMAGE),
    "radiance": (lambda: by_opencv(".hdr", RGB.astype(np.float32) / 255), NOT_AN_IMAGE),
    "portable pixmap": (lambda: saved(RGB, "PPM"), NOT_AN_IMAGE),
    "png, of an iphone app": (of_an_iphone_app, ODD_PNG),
    "bmp, 2 bits": (lambda: bitmap(2, 0, bytes(32), bytes(16)), ODD_BMP),
    "bmp, 10 bits a colour": (
        lambda: bitmap(32, 3, bytes(256), struct.pack("<III", 0x3FF00000, 0xFFC00, 0x3FF)),
        ODD_BMP,
    ),
    "bmp, a jpeg inside": (lambda: bitmap(0, 4, saved(RGB, "JPEG")), ODD_BMP),
}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("ending", ["", ".jpg"])
def test_a_common_kind_is_the_picture_that_was_written(tmp_path: Path, kind: str, ending: str) -> None:
    write, picture, most = READ[kind]
    path = tmp_path / f"photo{ending or '.bin'}"
    path.write_bytes(write())
    found = decode(path)
    wanted = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    assert found.pixels.shape == wanted.shape and not found.truncated
    assert np.abs(found.pixels.astype(int) - wanted.astype(int)).mean() <= most


@pytest.mark.parametrize("kind", TOLD)
def test_a_sound_file_that_is_not_read_is_told_as_what_it_is(tmp_path: Path, kind: str) -> None:
    write, sentence = TOLD[kind]
    path = tmp_path / "photo.jpg"
    path.write_bytes(write())
    with pytest.raises(ImageError) as told:
        decode(path)
    assert str(told.value) == sentence


@pytest.mark.parametrize("cut", [3, 8, 20, 160])
def test_a_jpeg_without_a_frame_is_damaged(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(RGB, "JPEG")[:cut])
    with pytest.raises(ImageError, match="Damaged"):
        decode(path)
