"""Every kind of TIFF, made and judged by tifffile: the right picture or one true sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.base.errors import ImageError
from core.images.decoding import decode, image_size

HEIGHT, WIDTH = 70, 90
DTYPES = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "f2", "f4", "f8")
TOPS = {"u1": 255, "u2": 65535, "u4": 2**32 - 1, "u8": 2**64 - 1, "i1": 127, "i2": 2**15 - 1, "i4": 2**31 - 1}


@dataclass(frozen=True)
class Colours:
    """How tifffile is asked for a kind of colours, and how many channels of it there are."""

    channels: int
    photometric: str
    options: dict[str, Any] = field(default_factory=dict)


COLOURS = {
    "grey": Colours(1, "minisblack"),
    "white is zero": Colours(1, "miniswhite"),
    "grey and cover": Colours(2, "minisblack", {"extrasamples": ["unassalpha"]}),
    "rgb": Colours(3, "rgb"),
    "rgb and cover": Colours(4, "rgb", {"extrasamples": ["unassalpha"]}),
    "premultiplied": Colours(4, "rgb", {"extrasamples": ["assocalpha"]}),
    "rgb and more": Colours(4, "rgb", {"extrasamples": ["unspecified"]}),
    "inks": Colours(4, "separated"),
    "three bands": Colours(3, "minisblack"),
    "five bands": Colours(5, "minisblack"),
    "rgb, cover and more": Colours(5, "rgb", {"extrasamples": ["unassalpha", "unspecified"]}),
}
LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 9},
    "one strip, LZW": {"rowsperstrip": HEIGHT, "compression": "lzw"},
    "tiles, big endian": {"tile": (32, 48), "byteorder": ">"},
    "tiles, deflate": {"tile": (16, 32), "compression": "zlib", "predictor": True},
}


def numbers(dtype: str, channels: int) -> np.ndarray:
    """A block on a ramp, (H, W, C), over the whole range of ``dtype`` or of about 0..1; the last channel,
    which may be a cover, has parts of all, none and half."""
    rng = np.random.default_rng(channels)
    across, down = np.meshgrid(np.linspace(0, 0.3, WIDTH), np.linspace(0, 0.2, HEIGHT))
    picture = (across + down)[..., None] + rng.uniform(0, 0.05, (HEIGHT, WIDTH, channels))
    picture[20:50, 30:70] = np.linspace(0.6, 0.95, channels)
    if channels > 1:
        picture[..., min(channels, 4) - 1][:12] = 0
        picture[..., min(channels, 4) - 1][12:20] = 0.5
    kind = np.dtype(dtype).kind
    if kind == "f":
        return picture.astype(dtype)
    top = float(TOPS[dtype])
    return (picture * 0.999 * top if kind == "u" else (2 * picture - 1) * 0.999 * top).astype(dtype)


def stretched(values: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
    """By the rule that the documentation states: percentiles 0.5 and 99.5 become black and white."""
    values = values.astype(np.longdouble)
    low, high = np.percentile(values if counted is None else values[counted], (0.5, 99.5))
    return np.clip((values - low) / (high - low), 0, 1) * 255


def right_picture(values: np.ndarray, kind: str) -> np.ndarray:
    """What a person should see of ``values`` (H, W, C), as floats (H, W, 3)."""
    dtype = values.dtype
    top = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
    values = values.astype(np.longdouble)
    if kind == "inks":
        shares = np.clip(values / top, 0, 1)
        return 255 * (1 - shares[..., :3]) * (1 - shares[..., 3:])
    cover = None
    if "cover" in kind or kind == "premultiplied":
        at = 1 if kind.startswith("grey") else 3
        cover = np.clip(values[..., at] / top, 0, 1)
    if kind == "white is zero":
        values = (top if dtype.kind == "u" else 0) - values
    values = values[..., :1] if kind in ("grey", "white is zero", "grey and cover") else values[..., :3]
    if kind == "premultiplied":
        with np.errstate(all="ignore"):
            values = np.where(cover[..., None] > 0, values / cover[..., None], 0)
    seen = None if cover is None else cover > 0
    values = np.clip(values, 0, 255) if dtype == np.uint8 else stretched(values, seen)
    if cover is not None:
        values = values * cover[..., None] + 255 * (1 - cover[..., None])
    return np.broadcast_to(values, (*values.shape[:2], 3)).astype(float)


def worst(path: Path, expected: np.ndarray) -> float:
    decoded = decode(path)
    assert not decoded.truncated
    assert (decoded.width, decoded.height) == image_size(path) == expected.shape[1::-1]
    return float(np.abs(decoded.pixels.astype(float) - expected).max())


def written(path: Path, values: np.ndarray, colours: Colours, *, planar: bool, **options: Any) -> np.ndarray:
    """Write (H, W, C) and give what tifffile reads of it, (H, W, C) again."""
    data = values[..., 0] if colours.channels == 1 else np.moveaxis(values, -1, 0) if planar else values
    if colours.channels > 1:
        options["planarconfig"] = "separate" if planar else "contig"
    tifffile.imwrite(path, data, photometric=colours.photometric, **colours.options, **options)
    read = tifffile.imread(path)
    assert np.array_equal(read, data)
    return read.reshape(values.shape) if not planar else np.moveaxis(read, 0, -1).reshape(values.shape)


# Each kind of number and of colours, in turn in each layout, lying together and apart.
_EACH = [(dtype, kind) for dtype in DTYPES for kind in COLOURS]
_KINDS = [(dtype, kind, list(LAYOUTS)[i % len(LAYOUTS)]) for i, (dtype, kind) in enumerate(_EACH)]


@pytest.mark.parametrize(("dtype", "kind", "layout"), _KINDS)
def test_numbers_and_colours(tmp_path: Path, dtype: str, kind: str, layout: str) -> None:
    colours = COLOURS[kind]
    for planar in (False, True)[: min(2, colours.channels)]:
        path = tmp_path / f"{planar}.tif"
        options = dict(LAYOUTS[layout])
        if dtype == "u8":
            options.pop("predictor", None)  # tifffile has none for them
        values = written(path, numbers(dtype, colours.channels), colours, planar=planar, **options)
        assert worst(path, right_picture(values, kind)) <= 1.01


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4"])
@pytest.mark.parametrize("compression", ["lzw", "zlib", "lzma", "zstd", "packbits", "adobe_deflate"])
def test_compressions(tmp_path: Path, dtype: str, compression: str) -> None:
    path, difference = tmp_path / "a.tif", 3 if dtype == "f4" else 2
    ways: list[dict[str, Any]] = [
        {"byteorder": "<", "tile": (32, 32)},
        {"byteorder": ">", "bigtiff": True, "rowsperstrip": 20},
    ]
    if compression != "packbits":
        ways += [
            {"byteorder": "<", "bigtiff": True, "predictor": difference, "rowsperstrip": 20},
            {"byteorder": ">", "predictor": difference, "tile": (32, 48)},
        ]
    for way in ways:
        values = written(
            path, numbers(dtype, 3), COLOURS["rgb"], planar=False, compression=compression, **way
        )
        assert worst(path, right_picture(values, "rgb")) <= 1.01


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("order", ["<", ">"])
def test_differences_of_floats(tmp_path: Path, dtype: str, channels: int, order: str) -> None:
    path, kind = tmp_path / "a.tif", "grey" if channels == 1 else "rgb"
    for tile in (None, (32, 48)):
        options: dict[str, Any] = {"compression": "zlib", "predictor": 3, "tile": tile, "byteorder": order}
        values = written(path, numbers(dtype, channels), COLOURS[kind], planar=False, **options)
        assert worst(path, right_picture(values, kind)) <= 1.01


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("channels", [1, 3])
def test_packed_bits(tmp_path: Path, bits: int, channels: int) -> None:
    values = numbers("u2", channels) >> (16 - bits)
    path, kind = tmp_path / "a.tif", "grey" if channels == 1 else "rgb"
    data = values[..., 0] if channels == 1 else values
    tifffile.imwrite(path, data, photometric=COLOURS[kind].photometric, bitspersample=bits)
    assert np.array_equal(tifffile.imread(path), data)
    assert worst(path, right_picture(values, kind)) <= 1.01


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_that_are_compressed(tmp_path: Path, bits: int) -> None:
    """tifffile reads these and does not write them: bytes are written, and then called what they are."""
    values, path = numbers("u2", 1)[..., 0] >> (16 - bits), tmp_path / "a.tif"
    single = (values[..., None] >> np.arange(bits - 1, -1, -1, dtype=np.uint16)) & 1
    tifffile.imwrite(path, np.packbits(single.reshape(HEIGHT, -1), axis=1), compression="lzw")
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags[256].overwrite(WIDTH)
        tiff.pages[0].tags[258].overwrite(bits)
    assert np.array_equal(tifffile.imread(path), values)
    assert worst(path, right_picture(values[..., None], "grey")) <= 1.01


@pytest.mark.parametrize("options", [{}, {"byteorder": ">"}, {"bigtiff": True}])
def test_one_bit_and_a_palette(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "a.tif"
    bits = numbers("f4", 1)[..., 0] > 0.4
    for photometric in ("minisblack", "miniswhite"):
        tifffile.imwrite(path, bits, photometric=photometric, **options)
        seen = bits if photometric == "minisblack" else ~bits
        assert worst(path, np.repeat(seen[..., None] * 255.0, 3, 2)) == 0
    values = numbers("u1", 1)[..., 0]
    chart = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16) * 257
    tifffile.imwrite(path, values, photometric="palette", colormap=chart, **options)
    assert worst(path, np.moveaxis(chart[:, values] // 257, 0, -1).astype(float)) <= 1


NOT_READ = ("jpeg2000", "jpegxl", "jpegxr", "lerc", "png", "webp")


@pytest.mark.parametrize("tile", [None, (32, 48)])
@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_loses_no_more_than_elsewhere(
    tmp_path: Path, channels: int, tile: tuple[int, int] | None
) -> None:
    path, kind = tmp_path / "a.tif", "grey" if channels == 1 else "rgb"
    data = numbers("u1", channels)
    options: dict[str, Any] = {"photometric": COLOURS[kind].photometric, "compression": "jpeg", "tile": tile}
    tifffile.imwrite(path, data if channels > 1 else data[..., 0], **options)
    read = tifffile.imread(path).reshape(data.shape)
    assert worst(path, right_picture(read, kind)) <= 6


@pytest.mark.parametrize("compression", NOT_READ)
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_a_compression_that_is_not_read_is_told(tmp_path: Path, compression: str, dtype: str) -> None:
    path = tmp_path / "a.tif"
    try:
        tifffile.imwrite(path, numbers(dtype, 3), photometric="rgb", compression=compression)
    except Exception as error:  # what imagecodecs cannot write of it cannot be brought either
        pytest.skip(str(error))
    for read in (decode, image_size):
        with pytest.raises(ImageError, match="compressed in a way that cannot be read"):
            read(path)


def test_deep_jpeg_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers("u2", 1)[..., 0] >> 4, compression="jpeg", bitspersample=12)
    with pytest.raises(ImageError, match=r"^This .*TIFF.*cannot be read"):
        decode(path)


@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        ("c8", {"photometric": "minisblack"}),
        ("u2", {"photometric": "cielab"}),
        ("u1", {"photometric": "logl"}),
        ("u2", {"photometric": "palette", "colormap": np.zeros((3, 65536), np.uint16)}),
    ],
)
def test_other_kinds_are_told(tmp_path: Path, dtype: str, options: dict[str, Any]) -> None:
    path, channels = tmp_path / "a.tif", 3 if options["photometric"] == "cielab" else 1
    values = numbers("f4" if dtype == "c8" else dtype, channels).astype(dtype)
    tifffile.imwrite(path, values if channels > 1 else values[..., 0], **options)
    with pytest.raises(ImageError, match="This kind of TIFF cannot be read"):
        decode(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_orientations(tmp_path: Path, dtype: str, orientation: int) -> None:
    values, path = numbers(dtype, 3), tmp_path / "a.tif"
    tifffile.imwrite(
        path, values, photometric="rgb", extratags=[(274, "H", 1, orientation, True)], compression="zlib"
    )
    upright = {
        1: values,
        2: values[:, ::-1],
        3: values[::-1, ::-1],
        4: values[::-1],
        5: values.transpose(1, 0, 2),
        6: np.rot90(values, -1),
        7: values[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(values),
    }[orientation]
    assert worst(path, right_picture(upright, "rgb")) <= 1.01
    small = decode(path, max_side=30)
    assert small.pixels.shape[:2] == (30, 23) if orientation >= 5 else (23, 30)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_of_many_pages_the_first_is_seen(tmp_path: Path, dtype: str) -> None:
    path, first = tmp_path / "a.tif", numbers(dtype, 3)
    tifffile.imwrite(path, np.stack([first, first[::-1], first // 2]), photometric="rgb")
    assert worst(path, right_picture(first, "rgb")) <= 1.01
    stack = np.stack([numbers(dtype, 1)[..., 0]] + [np.zeros((HEIGHT, WIDTH), dtype)] * 3)
    for options in (
        {"imagej": True, "metadata": {"axes": "ZYX"}},
        {"ome": True, "metadata": {"axes": "CYX"}},
    ):
        path = tmp_path / ("a.ome.tif" if "ome" in options else "b.tif")
        tifffile.imwrite(path, stack, **options)
        assert worst(path, right_picture(stack[0][..., None], "grey")) <= 1.01


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("compression", [None, "lzw"])
def test_a_pyramid_is_seen_in_full(tmp_path: Path, dtype: str, compression: str | None) -> None:
    path, values = tmp_path / "a.tif", numbers(dtype, 3)
    options: dict[str, Any] = {"photometric": "rgb", "tile": (32, 32), "compression": compression}
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(values, subifds=2, **options)
        for step in (2, 4):
            writer.write(np.ascontiguousarray(values[::step, ::step]), subfiletype=1, **options)
    assert worst(path, right_picture(values, "rgb")) <= 1.01


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize(("order", "bigtiff"), [("<", False), (">", False), ("<", True), (">", True)])
def test_a_preview_that_comes_first_is_passed_over(
    tmp_path: Path, dtype: str, order: str, bigtiff: bool
) -> None:
    values = numbers(dtype, 3)
    preview = np.full((12, 16, 3), 200, np.uint8)
    for below in (False, True):
        path = tmp_path / f"{below}.tif"
        with tifffile.TiffWriter(path, byteorder=order, bigtiff=bigtiff) as writer:
            writer.write(preview, photometric="rgb", subfiletype=1, subifds=int(below), metadata=None)
            writer.write(values, photometric="rgb", metadata=None, compression="zlib")
        assert worst(path, right_picture(values, "rgb")) <= 1.01


def test_a_map_with_places_where_nothing_was_measured(tmp_path: Path) -> None:
    values, path = numbers("f4", 1)[..., 0], tmp_path / "a.tif"
    values[:15] = -9999
    tags = [
        (42113, "s", 0, "-9999", True),
        (33550, "d", 3, (0.5, 0.5, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, 400000.0, 5000000.0, 0.0), True),
    ]
    tifffile.imwrite(path, values, extratags=tags)
    there = values[..., None] != -9999
    expected = np.where(there, stretched(values[..., None], there), 255)
    assert worst(path, np.repeat(expected, 3, 2).astype(float)) <= 1.01


@pytest.mark.parametrize("share", [0.5, 0.7, 0.95])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_cut_deep_tiff_is_used_as_far_as_it_goes(
    tmp_path: Path, share: float, compression: str | None
) -> None:
    path, values = tmp_path / "a.tif", numbers("u2", 3)
    values = np.maximum(values, 1)
    tifffile.imwrite(path, values, photometric="rgb", compression=compression, rowsperstrip=1)
    with tifffile.TiffFile(path) as tiff:
        starts = tiff.pages[0].dataoffsets
    content = path.read_bytes()
    if content.index(b"\0\1", 4) > starts[0]:
        pytest.skip("its tags lie behind its pixels")
    path.write_bytes(content[: starts[0] + round(share * (len(content) - starts[0]))])
    decoded = decode(path)
    assert decoded.truncated
    block = decoded.pixels[20 : min(50, int(HEIGHT * share) - 4), 30:70]
    assert block.reshape(-1, 3).std(axis=0).max() == 0 and block.min() > 100


@pytest.mark.parametrize("seed", range(4))
def test_any_byte_may_be_wrong(tmp_path: Path, seed: int) -> None:
    """The decoder gives a picture or one sentence, whatever a header claims."""
    rng, path = np.random.default_rng(seed), tmp_path / "a.tif"
    ways: tuple[dict[str, Any], ...] = (
        {"rowsperstrip": 9},
        {"compression": "lzw", "predictor": True},
        {"tile": (16, 32), "compression": "zlib"},
        {"planarconfig": "separate", "bigtiff": True},
    )
    data = numbers("u2", 3)
    data = np.moveaxis(data, -1, 0) if seed == 3 else data
    tifffile.imwrite(path, data, photometric="rgb", **ways[seed])
    content = path.read_bytes()
    with tifffile.TiffFile(path) as tiff:
        head = min(tiff.pages[0].dataoffsets)
    for _ in range(60):
        wrong = bytearray(content)
        for at in rng.integers(0, head, rng.integers(1, 5)):
            wrong[at] = rng.integers(0, 256)
        path.write_bytes(wrong)
        try:
            assert decode(path, max_side=64).pixels.size
        except ImageError as error:
            assert str(error).endswith(".")


def test_a_picture_of_its_size_in_a_photo_program_is_that_of_pillow_where_both_read_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, numbers("u1", 3), photometric="rgb", compression="lzw")
    with Image.open(path) as image:
        assert np.array_equal(decode(path).pixels, np.asarray(image))
