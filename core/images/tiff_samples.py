"""TIFFs that Pillow reads wrongly or not at all: more than 8 bits, signed and float numbers, many channels.

Pillow's libtiff unpacks the bytes, as if they were a grey picture of 8 bits; what they mean is worked out
here, after TIFF 6.0 and Adobe's technical notes on predictors.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL.TiffImagePlugin import TiffImageFile

from core.base.errors import ImageError
from core.base.language import tr
from core.images.colours import Samples, rgb_of
from core.images.source import DAMAGED_HEADER, TURN, Header, Loaded, check_pixels, upright_size
from core.images.tiff import COMPRESSION, PHOTOMETRIC, Page, TiffHeader

_LOSSLESS = {1, 5, 8, 32773, 32946, 34925, 50000}  # none, LZW, deflate, PackBits, LZMA, Zstandard
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _INKS = 0, 1, 2, 5
# Of 8 bits each, with which Pillow deals.
_PLAIN_CHANNELS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 2, _RGB: 4, _INKS: 4}
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}  # of SampleFormat; 4 is "undefined"
_FLOATS, _WHOLE, _PACKED = (16, 32, 64), (8, 16, 32, 64), (10, 12, 14)
_MOST_BYTES = 4_000_000_000  # of what is unpacked at once; a damaged header may ask for any number
_NO_DATA = 42113  # GDAL's, a text
Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a page's numbers lie in its file. A block is a tile, or a strip as wide as the picture."""

    width: int
    height: int
    channels: int
    bits: int
    kind: str
    is_planar: bool
    block_width: int
    block_height: int
    is_tiled: bool

    @classmethod
    def of(cls, page: Page) -> _Layout | None:
        """None for numbers that are not read here."""
        width, height, channels = page.one(256, 0), page.one(257, 0), page.one(277, 1)
        bits, formats = set(page.tags.get(258, (1,))), set(page.tags.get(339, (1,)))
        if min(width, height, channels) < 1 or len(bits) != 1 or len(formats) != 1:
            return None
        kind, bits_each = _KINDS.get(formats.pop()), bits.pop()
        if kind is None or bits_each not in (_FLOATS if kind == "f" else (*_WHOLE, *_PACKED)):
            return None
        if bits_each in _PACKED and (kind != "u" or page.one(317, 1) != 1):
            return None
        is_tiled = 322 in page.tags
        across = page.one(322, 0) if is_tiled else width
        down = page.one(323, 0) if is_tiled else max(1, min(page.one(278, height), height))
        if min(across, down) < 1:
            return None
        return cls(width, height, channels, bits_each, kind, page.one(284, 1) == 2, across, down, is_tiled)

    @property
    def blocks_across(self) -> int:
        return math.ceil(self.width / self.block_width)

    @property
    def blocks_down(self) -> int:
        return math.ceil(self.height / self.block_height)

    @property
    def stored_rows(self) -> int:
        return self.blocks_down * self.block_height if self.is_tiled else self.height

    @property
    def together(self) -> int:
        """Channels that lie side by side."""
        return 1 if self.is_planar else self.channels

    @property
    def row_bytes(self) -> int:
        """Of one row of a block."""
        return math.ceil(self.block_width * self.together * self.bits / 8)


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Which channels are seen, and which says how much of them."""

    seen: tuple[int, ...]
    cover: int | None
    is_premultiplied: bool

    @classmethod
    def of(cls, page: Page, channels: int) -> _Meaning | None:
        """None where the channels do not make a picture that is known here."""
        photometric = page.one(PHOTOMETRIC, -1)
        extras = page.tags.get(338, (2,) if photometric == _RGB and channels == 4 else ())[:channels]
        first = channels - len(extras)
        covers = [(first + i, kind) for i, kind in enumerate(extras) if kind in (1, 2)]
        cover, kind = covers[0] if covers else (None, 2)
        seen = [i for i in range(channels) if i != cover]
        if photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO):
            count = 3 if len(seen) >= 3 else 1  # as map programs show many bands: as red, green, blue
        elif photometric == _INKS and page.one(332, 1) == 1:
            count = 4
        else:
            count = 3 if photometric == _RGB else 0
        if not 0 < count <= len(seen):
            return None
        return cls(tuple(seen[:count]), cover, kind == 1)


class TiffSamples:
    """A page of a TIFF, read number by number (a :class:`core.images.source.Source`)."""

    def __init__(self, page: Page, file: BinaryIO, layout: _Layout, meaning: _Meaning) -> None:
        self._page, self._file, self._layout, self._meaning = page, file, layout, meaning
        self._orientation = page.one(274, 1)

    @classmethod
    def of(cls, page: Page, file: BinaryIO) -> TiffSamples | None:
        """None for a page that is not of a kind that is read here."""
        layout = _Layout.of(page)
        if layout is None or page.one(COMPRESSION, 1) not in _LOSSLESS:
            return None
        meaning = _Meaning.of(page, layout.channels)
        if meaning is None:
            return None
        check_pixels(layout.width, layout.height)
        for plane in range(layout.channels if layout.is_planar else 1):
            _places(page, layout, plane)
        if layout.stored_rows * layout.blocks_across * layout.row_bytes > _MOST_BYTES:
            raise MemoryError
        return cls(page, file, layout, meaning)

    @property
    def header(self) -> Header:
        return TiffHeader(self._file)

    def displayed_size(self) -> tuple[int, int]:
        return upright_size(self._layout.width, self._layout.height, self._orientation)

    def prepare(self, wanted: tuple[int, int]) -> int:
        return self._layout.width * self._layout.height

    def load(self) -> Loaded:
        values, is_whole = self._numbers()
        if not is_whole:
            _check_damage(values)
        samples = self._samples(values)
        is_grey = samples.values.shape[2] == 1 and samples.values.dtype != np.uint8 and samples.cover is None
        grey = samples.values[..., 0] if is_grey else None
        return Loaded(rgb_of(samples), grey, TURN.get(self._orientation), not is_whole)

    def _numbers(self) -> tuple[Numbers, bool]:
        """(H, W, C) of the channels that are needed, as the file has them; whether all could be read."""
        meaning, layout = self._meaning, self._layout
        needed = [*meaning.seen, *([] if meaning.cover is None else [meaning.cover])]
        if not layout.is_planar:
            values, is_whole = self._plane(0)
            return values if needed == list(range(layout.channels)) else values[..., needed], is_whole
        planes = [self._plane(channel) for channel in needed]
        return np.concatenate([plane for plane, _ in planes], 2), all(is_whole for _, is_whole in planes)

    def _plane(self, plane: int) -> tuple[Numbers, bool]:
        """One channel that lies by itself, or all that lie together: (H, W, C)."""
        layout, page = self._layout, self._page
        starts, sizes = _places(page, layout, plane)
        parts = [self._part(at, size) for at, size in zip(starts, sizes, strict=True)]
        compression = page.one(COMPRESSION, 1)
        if compression == 1 and page.one(266, 1) == 1:
            stored, is_whole = _side_by_side(parts, layout)
        else:
            stored, is_whole = _unpacked(parts, layout, compression, page.one(266, 1))
        values = _values(stored, layout, page.order, page.one(317, 1))
        return values[: layout.height, : layout.width], is_whole

    def _part(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        return self._file.read(size)

    def _samples(self, values: Numbers) -> Samples:
        layout, meaning = self._layout, self._meaning
        top = {"u": 2**layout.bits - 1, "i": 2 ** (layout.bits - 1) - 1, "f": 1}[layout.kind]
        seen, cover = values, None
        if meaning.cover is not None:
            seen, cover = values[..., :-1], np.clip(values[..., -1].astype(np.float32) / top, 0, 1)
        no_data = _no_data(self._page)
        if no_data is not None and seen.dtype.itemsize > 1:
            given = (seen != np.asarray(no_data).astype(seen.dtype)).any(axis=2)
            if not given.all():
                cover = given.astype(np.float32) if cover is None else cover * given
        if self._page.one(PHOTOMETRIC, -1) == _WHITE_IS_ZERO:
            # Of unsigned numbers the top less each, of signed ones the mirror image, without an overflow.
            seen = -seen if layout.kind == "f" else top - seen if layout.kind == "u" else ~seen
        return Samples(
            seen,
            cover,
            is_premultiplied=meaning.is_premultiplied,
            inks_of=float(top) if len(meaning.seen) == 4 else None,
        )


def is_misread_by_pillow(page: Page) -> bool:
    """Whether Pillow would give the wrong picture of a page, or less of it than is there, without a word."""
    bits, formats = page.tags.get(258, (1,)), set(page.tags.get(339, (1,)))
    photometric, channels = page.one(PHOTOMETRIC, -1), page.one(277, 1)
    if max(bits) > 8 or not formats <= {1, 4} or (page.is_big and page.order == ">"):
        return True
    lies_apart = page.one(284, 1) == 2 and channels > 1 and page.one(COMPRESSION, 1) in _LOSSLESS
    return photometric in _PLAIN_CHANNELS and (lies_apart or channels > _PLAIN_CHANNELS[photometric])


def _places(page: Page, layout: _Layout, plane: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where the blocks of one plane begin, and of how many bytes they are."""
    count = layout.blocks_across * layout.blocks_down
    where, lengths = (324, 325) if layout.is_tiled else (273, 279)
    mine = slice(plane * count, (plane + 1) * count)
    starts = page.tags.get(where, ())[mine]
    whole = (layout.stored_rows * layout.row_bytes,) if count == 1 else ()
    sizes = page.tags.get(lengths, whole)[mine]
    if len(starts) != count or len(sizes) != count:
        raise ImageError(tr(DAMAGED_HEADER))
    return starts, sizes


def _no_data(page: Page) -> float | None:
    """The number that stands for "nothing was measured here", as maps have it."""
    text = page.tags.get(_NO_DATA, (b"",))[0]
    try:
        number = float(text.rstrip(b"\0 ")) if isinstance(text, bytes) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _check_damage(values: Numbers) -> None:
    """Raise for a picture of which nothing, or next to nothing, could be read."""
    if not values.any():
        raise OSError("broken data stream")
    if not values[values.shape[0] // 10 :].any():
        raise ImageError(tr("Damaged: nearly all of its pixels are missing."))


def _side_by_side(parts: list[bytes], layout: _Layout) -> tuple[Bytes, bool]:
    """Blocks that are not compressed, as rows: uint8 (stored rows, bytes); whether all are whole."""
    rows, size = layout.stored_rows, layout.block_height * layout.row_bytes
    wanted = [size] * len(parts)
    if not layout.is_tiled:
        wanted[-1] = (rows - (len(parts) - 1) * layout.block_height) * layout.row_bytes
    is_whole = all(len(part) >= length for part, length in zip(parts, wanted, strict=True))
    joined = b"".join(part[:length].ljust(length, b"\0") for part, length in zip(parts, wanted, strict=True))
    stored = np.frombuffer(joined, np.uint8)
    if not layout.is_tiled:
        return stored.reshape(rows, layout.row_bytes), is_whole
    blocks = stored.reshape(layout.blocks_down, layout.blocks_across, layout.block_height, layout.row_bytes)
    return blocks.transpose(0, 2, 1, 3).reshape(rows, -1), is_whole


def _unpacked(parts: list[bytes], layout: _Layout, compression: int, fill: int) -> tuple[Bytes, bool]:
    """Compressed blocks as rows, by libtiff: it is told that they are a grey picture of 8 bits."""
    tags = {256: layout.blocks_across * layout.row_bytes, 257: layout.stored_rows, 258: 8, 259: compression}
    tags |= {262: 1, 266: fill, 277: 1}
    if layout.is_tiled:
        tags |= {322: layout.row_bytes, 323: layout.block_height}
    else:
        tags[278] = layout.block_height
    image = TiffImageFile(BytesIO(_tiff_of(parts, tags, is_tiled=layout.is_tiled)))
    try:
        image.load()
        is_whole = True
    except MemoryError:
        raise
    except Exception:  # what came before is there all the same
        image.tile, is_whole = [], False
        image.load()
    return np.asarray(image), is_whole


def _tiff_of(parts: list[bytes], tags: dict[int, int], *, is_tiled: bool) -> bytes:
    """A TIFF of these compressed blocks, first the blocks, then where they lie, then the ``tags``."""
    starts = np.cumsum([8, *map(len, parts)])[:-1]
    content = b"".join(parts)
    lists = np.concatenate([starts, [len(part) for part in parts]]).astype("<u4").tobytes()
    at, count = 8 + len(content), len(parts)
    where = {324: at, 325: at + 4 * count} if is_tiled else {273: at, 279: at + 4 * count}
    if count == 1:  # a single number stands in the entry itself
        where = dict(zip(where, (8, len(parts[0])), strict=True))
    entries = [(tag, 1, value) for tag, value in tags.items()]
    entries += [(tag, count, value) for tag, value in where.items()]
    packed = b"".join(struct.pack("<HHLL", tag, 4, length, value) for tag, length, value in sorted(entries))
    head = struct.pack("<2sHL", b"II", 42, at + len(lists))
    return b"".join((head, content, lists, struct.pack("<H", len(entries)), packed, bytes(4)))


def _values(stored: Bytes, layout: _Layout, order: str, predictor: int) -> Numbers:
    """Rows of bytes as numbers (rows, columns, channels), the differences to the left neighbour summed up."""
    rows, size, together = len(stored), layout.bits // 8, layout.together
    if layout.bits in _PACKED:
        return _of_packed_bits(stored, layout)
    if predictor == 3 and layout.kind == "f":
        return _of_float_differences(stored, layout)
    numbers = np.ascontiguousarray(stored).view(f"{order}{layout.kind}{size}")
    numbers = numbers.reshape(rows, -1, layout.block_width, together)
    numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    if predictor == 2:
        unsigned = numbers.view(f"u{size}")
        numbers = np.cumsum(unsigned, axis=2, dtype=unsigned.dtype).view(numbers.dtype)
    elif predictor != 1:
        raise ImageError(tr(DAMAGED_HEADER))
    return numbers.reshape(rows, -1, together)


def _of_float_differences(stored: Bytes, layout: _Layout) -> Numbers:
    """Adobe's TIFF technical note 3: the bytes of a row lie apart, highest first, as differences."""
    rows, size, together = len(stored), layout.bits // 8, layout.together
    differences = stored.reshape(rows, layout.blocks_across, -1, together)
    planes = np.cumsum(differences, axis=2, dtype=np.uint8)
    planes = planes.reshape(rows, layout.blocks_across, size, layout.block_width * together)
    numbers = np.ascontiguousarray(planes.transpose(0, 1, 3, 2)).view(f">f{size}")
    return numbers.astype(f"f{size}").reshape(rows, -1, together)


def _of_packed_bits(stored: Bytes, layout: _Layout) -> Numbers:
    """Numbers of 10, 12 or 14 bits one behind the other; a row of a block begins with a whole byte."""
    rows, count = len(stored), layout.block_width * layout.together
    blocks = stored.reshape(rows, layout.blocks_across, layout.row_bytes)
    bits = np.unpackbits(blocks, axis=2, count=count * layout.bits)
    bits = bits.reshape(rows, layout.blocks_across, count, layout.bits)
    numbers = np.zeros(bits.shape[:3], np.uint16)
    for bit in range(layout.bits):
        numbers = (numbers << 1) | bits[..., bit]
    return numbers.reshape(rows, -1, layout.together)
