"""What every kind of image file gives to the decoder: its size at once, its pixels when they are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt
from PIL import Image

from core.base.language import mark

DAMAGED_HEADER = mark("Damaged: its header cannot be read.")
TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The turn that stands a picture upright, by its EXIF orientation; 1 needs none."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """An image's pixels as its file stores them, not turned yet.

    ``rgb`` is of mode RGB. ``grey`` (H,W), any numeric dtype, holds its grey values where it has more than 8
    bits of them. ``turn`` is what stands both upright. ``truncated`` says that pixels are missing.
    """

    rgb: Image.Image
    grey: npt.NDArray[Any] | None = None
    turn: Image.Transpose | None = None
    truncated: bool = False


class Header(Protocol):
    """What a file says beside its pixels, as an image of Pillow has it."""

    @property
    def format(self) -> str | None: ...

    @property
    def info(self) -> Mapping[Any, Any]: ...

    def getexif(self) -> Image.Exif:
        """May raise anything on a bad file."""


class Source(Protocol):
    """An image file whose header is read."""

    @property
    def header(self) -> Header: ...

    def displayed_size(self) -> tuple[int, int]:
        """Width and height, in pixels, as displayed; asked before :meth:`load`."""

    def prepare(self, wanted: tuple[int, int]) -> int:
        """Get ready for :meth:`load`; how many pixels it will decode.

        Where ``wanted``, width and height as displayed, asks for fewer than there are, a file may give fewer.
        """

    def load(self) -> Loaded:
        """Decode the pixels; may raise anything on a bad file."""


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """``width`` and ``height`` as displayed."""
    return (height, width) if orientation >= 5 else (width, height)


def check_pixels(width: int, height: int) -> None:
    """Raise :class:`PIL.Image.DecompressionBombError` where Pillow would, for a file it does not open."""
    if Image.MAX_IMAGE_PIXELS is not None and width * height > 2 * Image.MAX_IMAGE_PIXELS:
        raise Image.DecompressionBombError
