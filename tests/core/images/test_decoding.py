"""Decoding: every odd file has a stated fate, and colours are compared with something independent."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from core.base.errors import ImageError
from core.images.colours import stretch
from core.images.decoding import EMPTY, GONE, NOT_A_FILE, NOT_AN_IMAGE, decode, decode_squashed, image_size

# What Pillow warns of is not what is tested; a person's run passes over it too.
pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning"
)

REPOSITORY = Path(__file__).parents[3]
TOO_LARGE = "Too large: it has more than 179 million pixels."
HEADER = "Damaged: its header cannot be read."

# name -> (width, height, truncated), or the reason against it
ODD: dict[str, tuple[int, int, bool] | str] = {
    "12in16bit.tif": (100, 100, False),
    "16bit.cropped.tif": (64, 64, False),
    "1_trns.png": (64, 64, False),
    "LICENSE": NOT_AN_IMAGE,
    "apng_chunk_no_fctl.png": (128, 64, True),
    "bmp_b_badwidth.bmp": TOO_LARGE,
    "bmp_b_reallybig.bmp": TOO_LARGE,
    "bmp_b_shortfile.bmp": (127, 64, True),
    "bmp_q_pal8oversizepal.bmp": "Damaged: invalid palette size.",
    "broken.png": HEADER,
    "broken_data_stream.png": (128, 128, True),
    "crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif": "Damaged: its pixels cannot be decoded.",
    "decompression_bomb.gif": TOO_LARGE,
    "exif_gps_typeerror.jpg": (800, 531, False),
    "g4_orientation_5.tif": (590, 88, False),
    "hopper.Lab.tif": (128, 128, False),
    "hopper.gif": (128, 128, False),
    "hopper.jpg": (128, 128, False),
    "hopper.png": (128, 128, False),
    "hopper.webp": (128, 128, False),
    **{f"hopper_orientation_{n}.jpg": (128, 128, False) for n in range(2, 9)},
    "i_trns.png": (64, 64, False),
    "iss634.apng": (245, 245, False),
    "libtiff_segfault.tif": HEADER,
    "multipage.tiff": (10, 10, False),
    "oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif": HEADER,
    "p_trns_single.png": (64, 64, False),
    "pil_sample_cmyk.jpg": (100, 100, False),
    "png_decompression_dos.png": "Damaged: a text hidden in it is unreasonably long.",
    "seek_too_large.tif": "Damaged: Unable to seek to frame.",
    "truncated_end_chunk.png": (128, 128, True),
    "truncated_image.png": (640, 480, True),
    "truncated_jpeg.jpg": (100, 100, True),
    "zero_width.gif": HEADER,
}


@pytest.fixture(scope="module")
def odd(unzipped: Callable[[str], Path]) -> Path:
    return unzipped("odd-images")


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def by_opencv(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def test_the_table_names_every_odd_file(odd: Path) -> None:
    assert {path.name for path in odd.iterdir()} == set(ODD)


@pytest.mark.parametrize("name", ODD)
def test_every_odd_file_has_its_fate(odd: Path, name: str) -> None:
    expected = ODD[name]
    if isinstance(expected, str):
        with pytest.raises(ImageError) as failure:
            decode(odd / name)
        assert str(failure.value) == expected
        return
    decoded = decode(odd / name)
    assert (decoded.width, decoded.height, decoded.truncated) == expected
    assert decoded.pixels.shape == (decoded.height, decoded.width, 3)
    assert decoded.pixels.dtype == np.uint8
    assert decoded.pixels.flags.c_contiguous and decoded.pixels.flags.writeable
    assert image_size(odd / name) == expected[:2]
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("name", ["hopper.png", "hopper.jpg", "hopper.webp", "exif_gps_typeerror.jpg"])
def test_plain_colours_are_those_of_opencv(odd: Path, name: str) -> None:
    assert difference(decode(odd / name).pixels, by_opencv(odd / name)) < 1.0


@pytest.mark.parametrize("number", range(2, 9))
def test_exif_orientation_stands_every_photo_upright(odd: Path, number: int) -> None:
    upright = decode(odd / "hopper.jpg").pixels
    turned = decode(odd / f"hopper_orientation_{number}.jpg").pixels
    assert difference(upright, turned) < 6  # each was compressed anew
    assert difference(upright, by_opencv(odd / f"hopper_orientation_{number}.jpg")) < 6


def test_orientation_of_a_tiff_is_opencvs(odd: Path) -> None:
    ours = decode(odd / "g4_orientation_5.tif").pixels
    with Image.open(odd / "g4_orientation_5.tif") as image:
        assert difference(ours, np.asarray(ImageOps.exif_transpose(image).convert("RGB"))) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("max_side", [None, 40])
def test_size_and_pixels_agree_whichever_way_a_photo_lies(
    tmp_path: Path, orientation: int, max_side: int | None
) -> None:
    pixels = np.zeros((200, 600, 3), np.uint8)
    pixels[:100, :200] = 255, 0, 0
    upright = Image.fromarray(pixels)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposes by which exif_transpose is undone
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "x.jpg", exif=exif, quality=95)
    decoded = decode(tmp_path / "x.jpg", max_side=max_side)
    assert (decoded.width, decoded.height) == image_size(tmp_path / "x.jpg") == (600, 200)
    scale = 1 if max_side is None else 15
    assert decoded.pixels.shape[:2] == (round(200 / scale), round(600 / scale))
    assert decoded.pixels[2, 2, 0] > 200 and decoded.pixels[-2, -2].max() < 30
    squashed = decode_squashed(tmp_path / "x.jpg", size=16)
    assert squashed.pixels.shape == (16, 16, 3) and (squashed.width, squashed.height) == (600, 200)
    assert squashed.pixels[1, 1, 0] > 200 and squashed.pixels[-2, -2].max() < 30


def test_cmyk_is_pillows(odd: Path) -> None:
    with Image.open(odd / "pil_sample_cmyk.jpg") as image:
        expected = np.asarray(image.convert("RGB"))
    assert difference(decode(odd / "pil_sample_cmyk.jpg").pixels, expected) == 0


def test_lab_looks_like_the_same_photo_in_rgb(odd: Path) -> None:
    assert difference(decode(odd / "hopper.Lab.tif").pixels, decode(odd / "hopper.png").pixels) < 4


@pytest.mark.parametrize("name", ["12in16bit.tif", "16bit.cropped.tif"])
def test_16_bit_is_scaled_by_percentiles(odd: Path, name: str) -> None:
    values = cv2.imdecode(np.fromfile(odd / name, np.uint8), cv2.IMREAD_UNCHANGED).astype(float)
    low, high = np.percentile(values, (0.5, 99.5))
    expected = np.clip((values - low) / (high - low), 0, 1) * 255
    grey = decode(odd / name).pixels
    assert np.abs(grey[..., 0] - expected).max() <= 0.51
    assert (grey == grey[..., :1]).all()


def test_transparent_pixels_are_white(odd: Path, tmp_path: Path) -> None:
    for name in ("p_trns_single.png", "i_trns.png"):
        with Image.open(odd / name) as image:
            hidden = np.asarray(image) == image.info["transparency"]
        assert hidden.any() and not hidden.all()
        pixels = decode(odd / name).pixels
        assert (pixels[hidden] == 255).all() and pixels[~hidden].std() > 10
    for mode in ("RGBA", "LA"):
        Image.new("RGBA", (3, 3), (10, 10, 10, 0)).convert(mode).save(tmp_path / "x.png")
        assert (decode(tmp_path / "x.png").pixels == 255).all()
    half = Image.new("RGBA", (3, 3), (0, 0, 0, 128))
    half.save(tmp_path / "half.png")
    assert abs(int(decode(tmp_path / "half.png").pixels[0, 0, 0]) - 127) <= 1


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for suffix in ("gif", "png", "webp", "tiff"):
        path = tmp_path / f"x.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        assert decode(path).pixels[0, 0, 0] > 250 and decode(path).pixels[0, 0, 2] < 5


@pytest.mark.parametrize(
    "values",
    [
        np.full((5, 6), 1234.5, np.float32),
        np.array([[np.nan, np.inf], [-np.inf, 3.0]], np.float32),
        np.array([[np.nan, np.nan]], np.float32),
        np.array([[-3e38, 3e38, 0.0]], np.float32),
        np.array([[0, 2**31 - 1, -(2**31)]], np.int32),
    ],
)
def test_float_and_32_bit_images_of_any_value(tmp_path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(tmp_path / "x.tif")
    assert decode(tmp_path / "x.tif").pixels.shape == (*values.shape, 3)


def test_stretch_shows_a_few_bright_pixels_on_a_constant() -> None:
    values = np.zeros((100, 100), np.uint16)
    values[0, 0] = 60000
    assert stretch(values)[0, 0] == 255 and stretch(values)[1, 1] == 0
    assert (stretch(np.full((4, 4), 7, np.uint16)) == 128).all()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_truncated_jpeg_is_used_as_far_as_it_decodes(
    tmp_path: Path, share: float, progressive: bool
) -> None:
    rng = np.random.default_rng(1)
    whole = cv2.resize(rng.integers(0, 255, (12, 12, 3), np.uint8), (400, 300), interpolation=cv2.INTER_CUBIC)
    file = io.BytesIO()
    Image.fromarray(whole).save(file, "JPEG", quality=90, progressive=progressive)
    (tmp_path / "x.jpg").write_bytes(file.getvalue()[: int(len(file.getvalue()) * share)])
    decoded = decode(tmp_path / "x.jpg")
    assert decoded.truncated and decoded.pixels.shape == whole.shape
    kept = 300 if progressive else int(300 * share * 0.7)
    limit = 40 if progressive else 4
    assert difference(decoded.pixels[:kept], whole[:kept]) < limit
    small = decode(tmp_path / "x.jpg", max_side=100)
    assert (
        small.truncated and small.pixels.shape == (75, 100, 3) and (small.width, small.height) == (400, 300)
    )


def test_a_truncated_png_keeps_its_upper_part(odd: Path, tmp_path: Path) -> None:
    data = (odd / "hopper.png").read_bytes()
    (tmp_path / "x.png").write_bytes(data[: len(data) // 2])
    decoded = decode(tmp_path / "x.png")
    assert decoded.truncated
    assert difference(decoded.pixels[:40], decode(odd / "hopper.png").pixels[:40]) == 0


def test_a_file_of_which_nothing_decodes_is_refused(odd: Path, tmp_path: Path) -> None:
    for name, count in (("hopper.png", 120), ("hopper.jpg", 405)):
        (tmp_path / name).write_bytes((odd / name).read_bytes()[:count])
        with pytest.raises(ImageError, match="Damaged: "):
            decode(tmp_path / name)


def _rows_of_a_jpeg(image: Image.Image, share: float) -> bytes:
    """So much of a JPEG: it says after each row of blocks that it begins anew, and is cut there."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90, restart_marker_rows=1)
    data = file.getvalue()
    ends = [match.start() for match in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    return data[: ends[round(share * (len(ends) + 1)) - 1]]


def _rows_of_a_file(kind: str) -> Callable[[Image.Image, float], bytes]:
    """So much of a file that holds its pixels as they are, behind a header."""

    def cut(image: Image.Image, share: float) -> bytes:
        file = io.BytesIO()
        image.save(file, kind)
        pixels = 3 * image.width * image.height
        header = len(file.getvalue()) - pixels
        return file.getvalue()[: header + round(share * pixels)]

    return cut


@pytest.mark.parametrize(
    "cut", [_rows_of_a_jpeg, _rows_of_a_file("TIFF"), _rows_of_a_file("BMP")], ids=["jpeg", "tiff", "bmp"]
)
def test_a_sliver_of_a_photo_is_no_picture(
    tmp_path: Path, cut: Callable[[Image.Image, float], bytes]
) -> None:
    photo = Image.fromarray(np.random.default_rng(0).integers(1, 255, (640, 320, 3), np.uint8))
    path = tmp_path / "x"
    for share in (0.03, 0.05, 0.08):
        path.write_bytes(cut(photo, share))
        for decoded in (decode, partial(decode, max_side=80), partial(decode_squashed, size=64)):
            with pytest.raises(ImageError, match="Damaged: "):
                decoded(path)
    for share in (0.15, 0.3, 0.9):
        path.write_bytes(cut(photo, share))
        for decoded in (decode, partial(decode, max_side=80), partial(decode_squashed, size=64)):
            assert decoded(path).truncated


def test_what_pillow_logs_of_an_odd_file_reaches_nobody(odd: Path) -> None:
    """In a process of its own: pytest listens to the log."""
    program = "import sys; from core.images.decoding import decode; decode(sys.argv[1])"
    file = odd / "libtiff_segfault.tif"
    done = subprocess.run(
        [sys.executable, "-c", program, file], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.stderr.startswith("Traceback") and done.stderr.endswith(f"ImageError: {HEADER}\n")


def test_every_cut_of_every_format_ends_well(tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 20, 3), np.uint8))
    for kind in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"):
        file = io.BytesIO()
        image.save(file, kind)
        for cut in range(1, len(file.getvalue()), 37):
            (tmp_path / "x").write_bytes(file.getvalue()[:cut])
            try:
                assert decode(tmp_path / "x").pixels.shape == (20, 20, 3)
            except ImageError as error:
                assert str(error).endswith(".") and str(tmp_path) not in str(error)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (9000, 1), (1, 9000), (1000, 3)])
def test_tiny_and_elongated_images(tmp_path: Path, width: int, height: int) -> None:
    for suffix in ("png", "jpg"):
        path = tmp_path / f"x.{suffix}"
        Image.new("RGB", (width, height), (200, 100, 50)).save(path, quality=95)
        assert decode(path).pixels.shape == (height, width, 3)
        small = decode(path, max_side=64).pixels
        assert max(small.shape[:2]) == min(64, max(width, height)) and min(small.shape) >= 1
        assert np.abs(decode_squashed(path, size=32).pixels - np.array([200, 100, 50.0])).max() < 6


def test_reduced_decoding_looks_like_resizing_the_whole(odd: Path) -> None:
    path = odd / "exif_gps_typeerror.jpg"
    whole = decode(path).pixels
    expected = cv2.resize(whole, (100, 66), interpolation=cv2.INTER_AREA)
    assert difference(decode(path, max_side=100).pixels, expected) < 3
    assert decode(path, max_side=5000).pixels.shape == whole.shape
    squashed = cv2.resize(whole, (64, 64), interpolation=cv2.INTER_AREA)
    assert difference(decode_squashed(path, size=64).pixels, squashed) < 4


def test_wrong_suffix_and_broken_exif_do_not_matter(odd: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes((odd / "hopper.jpg").read_bytes())
    assert difference(decode(tmp_path / "x.png").pixels, decode(odd / "hopper.jpg").pixels) == 0
    Image.new("RGB", (7, 5)).save(tmp_path / "y.jpg", exif=b"Exif\0\0MM\0*garbage that is no directory")
    assert image_size(tmp_path / "y.jpg") == (7, 5)
    assert decode(tmp_path / "y.jpg").pixels.shape == (5, 7, 3)


def test_what_is_no_image_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def reason(path: Path) -> str:
        with pytest.raises(ImageError) as failure:
            decode(path)
        return str(failure.value)

    (tmp_path / "empty.png").touch()
    assert reason(tmp_path / "empty.png") == EMPTY
    assert reason(tmp_path) == NOT_A_FILE
    assert reason(tmp_path / "gone.png") == GONE
    assert reason(tmp_path / "null\0.png") == NOT_A_FILE
    (tmp_path / "script.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    assert reason(tmp_path / "script.eps") == NOT_AN_IMAGE

    def refuse(path: object, *_: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("builtins.open", refuse)
    assert reason(tmp_path / "script.eps") == "The file cannot be read: permission denied."


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFO")
@pytest.mark.timeout(20)
def test_a_fifo_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.jpg")
    with pytest.raises(ImageError, match="regular"):
        decode(tmp_path / "x.jpg")


def test_the_pixel_limit_is_kept_and_medium_giants_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (100, 100)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6000)  # 10,000 lies between it and twice as much
    assert decode(tmp_path / "x.png").width == 100
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    with pytest.raises(ImageError, match="Too large"):
        decode(tmp_path / "x.png")


def test_big_images_decode_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (60, 60), "red").save(tmp_path / "x.png")
    monkeypatch.setattr("core.images.decoding._BIG", 100)
    inside, most = [0], [0]
    real = Image.Image.resize

    def counted(*args: object, **kwargs: object) -> Image.Image:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        result = real(*args, **kwargs)
        inside[0] -= 1
        return result

    monkeypatch.setattr(Image.Image, "resize", counted)
    threads = [threading.Thread(target=decode_squashed, args=(tmp_path / "x.png",), kwargs={"size": 8})] * 1
    threads += [
        threading.Thread(target=lambda: decode_squashed(tmp_path / "x.png", size=8)) for _ in range(7)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1
