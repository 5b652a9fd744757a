"""How an image's pixels are shown: brightness, contrast and gamma of the screen, never of an export."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.images.colours import Levels

MIN_GAMMA, MAX_GAMMA = 0.2, 5.0
_STEEPEST = 0.96  # of the contrast's range: at its very end every image would be black and white


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """Values outside their ranges are drawn back into them.

    ``brightness`` -1..1 is added to pixels of 0..1. ``contrast`` -1..1 is the slope around mid-grey: flat at
    -1, unchanged at 0. ``gamma`` 0.2..5 lightens (above 1) or darkens the dark parts, before the other two.
    """

    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 1.0

    def __post_init__(self) -> None:
        for name, low, high, plain in (
            ("brightness", -1.0, 1.0, 0.0),
            ("contrast", -1.0, 1.0, 0.0),
            ("gamma", MIN_GAMMA, MAX_GAMMA, 1.0),
        ):
            value = getattr(self, name)
            value = min(max(value, low), high) if math.isfinite(value) else plain
            object.__setattr__(self, name, value)

    @property
    def is_plain(self) -> bool:
        """Whether pixels are shown as they are."""
        return self == Display()


def table(display: Display, levels: int = 256) -> npt.NDArray[np.uint8]:
    """What each of ``levels`` grey levels is shown as: uint8 (levels,), never falling."""
    return _shown(np.linspace(0.0, 1.0, levels), display)


def displayed_levels(levels: Levels, display: Display) -> npt.NDArray[np.uint8]:
    """Finer grey values as shown, uint8 (H,W): adjusted first and only then made 8 bits.

    What lies beyond black and white comes into sight where ``display`` brings it back between them.
    """
    grey = (np.arange(65536) - levels.black) / (levels.white - levels.black)
    return np.asarray(_shown(grey, display)[levels.values], np.uint8)


def _shown(grey: npt.NDArray[np.floating[Any]], display: Display) -> npt.NDArray[np.uint8]:
    """Grey values, 0 black and 1 white, as shown."""
    grey = np.sign(grey) * np.abs(grey) ** (1.0 / display.gamma)
    slope = math.tan((min(display.contrast, _STEEPEST) + 1.0) * math.pi / 4.0)
    shown = (grey - 0.5) * slope + 0.5 + display.brightness
    return np.asarray(np.rint(np.clip(shown, 0.0, 1.0) * 255.0), np.uint8)


def displayed(pixels: npt.NDArray[np.uint8], display: Display) -> npt.NDArray[np.uint8]:
    """``pixels`` as shown: uint8 of the same shape (H,W) or (H,W,C), a copy; all channels alike."""
    return np.asarray(cv2.LUT(np.ascontiguousarray(pixels), table(display)), np.uint8)
