"""Images in the form in which a frozen network takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.images.decoding import Decoded, decode_fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class InputForm:
    """How large an image becomes, in pixels.

    Parameters
    ----------
    size
        Both sides where the image is squashed, about the longer one where its proportions are kept.
    keep_aspect
        Whether its proportions are kept, as far as ``multiple`` allows.
    multiple
        Both sides become multiples of it, at least one.
    """

    size: int
    keep_aspect: bool
    multiple: int = 32

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """Width and height, in pixels, that an image of ``width`` x ``height`` becomes."""
        if not self.keep_aspect:
            return self._rounded(self.size), self._rounded(self.size)
        scale = self.size / max(width, height)
        return self._rounded(width * scale), self._rounded(height * scale)

    def decode(self, path: Path) -> Decoded:
        """The image as displayed, in this form; raises what :func:`core.images.decoding.decode` raises."""
        return decode_fitted(path, fit=self.fit)

    def _rounded(self, side: float) -> int:
        return max(1, round(side / self.multiple)) * self.multiple


def as_batch(images: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """uint8 (H, W, 3), all of one shape -> float32 (N, 3, H, W) in 0..1, C-contiguous."""
    stacked = np.stack(images).transpose(0, 3, 1, 2)
    batch: npt.NDArray[np.float32] = np.multiply(stacked, np.float32(1 / 255), dtype=np.float32, order="C")
    return batch
