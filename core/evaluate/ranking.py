"""Does the score put good boxes before bad ones? Spearman's rank correlation with IoU, and its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.base.language import tr
from core.boxes.overlap import Floats

RESAMPLES = 1000

_CELLS = 2_000_000  # of counts held at once


@dataclass(frozen=True, slots=True)
class Ranking:
    """The rank correlation ``rho`` of score and IoU over ``n`` images, -1..1, with its 95 % interval.

    The interval is a bootstrap's over images, ``resamples`` of them.
    """

    rho: float
    low: float
    high: float
    n: int
    resamples: int

    def sentence(self) -> str:
        verdict = ""
        if self.low <= 0.0 <= self.high:
            verdict = tr(" It may rank no better than chance.")
        elif self.high < 0:
            verdict = tr(" It ranks the wrong way round.")
        text = tr(
            "Score ranks IoU with rho = {rho:+.2f}, 95 % interval {low:+.2f} to {high:+.2f} "
            "(a constant score, as baselines have, ranks nothing).{verdict}"
        )
        return text.format(rho=self.rho, low=self.low, high=self.high, verdict=verdict)


def ranking(scores: Floats, overlap: Floats, *, resamples: int = RESAMPLES, seed: int = 0) -> Ranking | None:
    """How well scores rank boxes by their overlap with the truth.

    Parameters
    ----------
    scores, overlap
        float64 (n,), one box per image.
    resamples, seed
        Of the bootstrap; the same seed gives the same interval.

    Returns
    -------
    None where there are fewer than three images, or nothing varies.
    """
    n = len(scores)
    if n < 3:
        return None
    rho = rank_correlation(scores, overlap, np.ones((1, n)))[0]
    if np.isnan(rho):
        return None
    rng = np.random.default_rng(seed)
    drawn, chunk = [], max(1, _CELLS // n)
    for start in range(0, resamples, chunk):
        # How often each image is drawn is all that a resample is.
        counts = rng.multinomial(n, np.full(n, 1 / n), size=min(chunk, resamples - start))
        drawn.append(rank_correlation(scores, overlap, counts.astype(np.float64)))
    values = np.concatenate(drawn)
    values = values[~np.isnan(values)]
    low, high = np.percentile(values, [2.5, 97.5]) if len(values) else (rho, rho)
    return Ranking(float(rho), float(low), float(high), n, resamples)


def rank_correlation(a: Floats, b: Floats, counts: Floats) -> Floats:
    """Spearman's rho of ``a`` and ``b``, both (n,), where each pair is there as often as ``counts`` says.

    One value for each row of ``counts``, (m, n). Equal values share their mean rank. NaN where either has
    one value only.
    """
    total = counts.sum(axis=1, keepdims=True)
    x, y = (_ranks(values, counts) - (total + 1) / 2 for values in (a, b))
    covariance = (counts * x * y).sum(axis=1)
    product = np.sqrt((counts * x * x).sum(axis=1) * (counts * y * y).sum(axis=1))
    rho: Floats = np.divide(covariance, product, out=np.full(len(counts), np.nan), where=product > 0)
    return rho


def _ranks(values: Floats, counts: Floats) -> Floats:
    """The mean rank, from 1, of each value among all that are there: (m, n)."""
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(int(group.max()) + 1))
    in_group = np.add.reduceat(counts[:, order], starts, axis=1)
    before = in_group.cumsum(axis=1) - in_group
    mean_rank: Floats = (before + (in_group + 1) / 2)[:, group]
    return mean_rank
