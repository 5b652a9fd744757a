"""What seeds say together: a mean with its spread, and a difference between pairs with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# The 97.5 % point of Student's t for 1, 2, ... 30 degrees of freedom.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean of ``n`` values; ``deviation`` (of single values, n - 1) is None for one value alone."""

    n: int
    mean: float
    deviation: float | None
    low: float
    high: float

    def text(self, *, scale: float = 1.0, digits: int = 1, sign: str = "") -> str:
        """``63.1 ± 1.2``, or without the spread where there is none."""
        mean = f"{scale * self.mean:{sign}.{digits}f}"
        return mean if self.deviation is None else f"{mean} ± {scale * self.deviation:.{digits}f}"


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean of b - a over ``n`` pairs, with its 95 % interval by Student's t; None for one pair alone."""

    n: int
    mean: float
    low: float | None
    high: float | None

    @property
    def is_seen(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and not self.low <= 0.0 <= self.high


def spread(values: Sequence[float]) -> Spread:
    """Mean, standard deviation, least and greatest of at least one value."""
    numbers = np.asarray(values, np.float64)
    deviation = float(numbers.std(ddof=1)) if len(numbers) > 1 else None
    return Spread(len(numbers), float(numbers.mean()), deviation, float(numbers.min()), float(numbers.max()))


def paired_difference(a: Sequence[float], b: Sequence[float]) -> PairedDifference:
    """How much ``b`` is above ``a`` where both go pair by pair, at least one pair.

    The interval takes the differences as normal, which few pairs cannot show to be wrong.
    """
    found = spread([y - x for x, y in zip(a, b, strict=True)])
    if found.deviation is None:
        return PairedDifference(1, found.mean, None, None)
    half = t_quantile(found.n - 1) * found.deviation / math.sqrt(found.n)
    return PairedDifference(found.n, found.mean, found.mean - half, found.mean + half)


def t_quantile(freedom: int) -> float:
    """The 97.5 % point of Student's t for at least one degree of freedom; beyond 30, that of 30.

    Which makes intervals of more than 31 pairs up to 4 % too wide, never too narrow.
    """
    return _T[min(freedom, len(_T)) - 1]
