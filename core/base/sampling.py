"""Which of many are looked at where a few stand for all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def evenly(count: int, most: int) -> npt.NDArray[np.intp]:
    """The places of at most ``most`` of ``count`` things, ascending and spread evenly over all of them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))
