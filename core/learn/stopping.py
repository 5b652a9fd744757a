"""When to stop: three signals of a snapshot, and the snapshot that they propose. No label is ever read.

The paper leaves open when to stop. The rule and what it does not know: docs/decisions/0008-stopping.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.base.errors import TrainingError
from core.base.language import tr

# Chosen before any result was seen, and not tuned on true boxes.
MIN_MAP_DIFFERENCE = 0.2
MIN_SEPARATION, MAX_SEPARATION = 0.6, 0.99
MAX_RELATIVE_MS_SSIM = 0.2
SURE = 2.0
"""Standard errors by which samples must lie beyond their limit to count as collapsed."""

_FLAT = 1e-6


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over batches and its standard error."""

    mean: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """The mean with ``SURE`` standard errors to either side."""
        return self.mean - SURE * self.error, self.mean + SURE * self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What is measured of a training at one snapshot.

    ``ms_ssim`` is of the samples and ``real_ms_ssim`` of the real images, each with its standard error;
    for the other two see :func:`map_difference` and :func:`separation`. Without a generator there are no
    samples, and what is measured of them is None. ``background``: heat maps are of object against
    background, not of real against generated.
    """

    step: int
    ms_ssim: float | None
    ms_ssim_error: float | None
    real_ms_ssim: float
    real_ms_ssim_error: float
    map_difference: float
    separation: float | None
    background: bool = False

    @property
    def relative(self) -> Estimate | None:
        """:func:`relative_ms_ssim` of this snapshot; None without samples."""
        if self.ms_ssim is None or self.ms_ssim_error is None:
            return None
        return relative_ms_ssim(
            Estimate(self.ms_ssim, self.ms_ssim_error), Estimate(self.real_ms_ssim, self.real_ms_ssim_error)
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """The snapshot to use and one sentence why; ``qualifies`` is false where none was good."""

    step: int
    reason: str
    qualifies: bool


def estimate(values: Sequence[float]) -> Estimate:
    """Mean of at least one value, and its standard error, which is 0 for one value alone."""
    numbers = np.asarray(values, np.float64)
    error = numbers.std(ddof=1) / math.sqrt(len(numbers)) if len(numbers) > 1 else 0.0
    return Estimate(float(numbers.mean()), float(error))


def relative_ms_ssim(samples: Estimate, real: Estimate) -> Estimate:
    """How far samples are from the real images' MS-SSIM towards 1, where all samples are the same.

    0: as diverse as the real images; 1: all alike; below 0: more diverse than the real images. The
    errors of both are propagated to first order. 0 where the real images themselves are all alike.
    """
    room = 1.0 - real.mean
    if room <= 0.0:
        return Estimate(0.0, 0.0)
    mean = (samples.mean - real.mean) / room
    return Estimate(mean, math.hypot(samples.error, (1.0 - mean) * real.error) / room)


def map_difference(maps: npt.NDArray[np.floating]) -> float:
    """How much heat maps differ between images: 1 minus the mean correlation over all pairs of maps.

    The correlation ignores each map's level and scale, which a box does not depend on either. 0: the
    same map everywhere; about 1: independent maps. A map that is constant shows no place, so a pair
    with one counts as not differing, and so does everything where a map is not finite.

    Parameters
    ----------
    maps
        (n, h, w).
    """
    flat = np.asarray(maps, np.float64).reshape(len(maps), -1)
    if len(flat) < 2 or not np.isfinite(flat).all():
        return 0.0
    centred = flat - flat.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1)
    shaped = norms > _FLAT * np.linalg.norm(flat, axis=1)
    units = centred[shaped] / norms[shaped, None]
    count = len(units)
    differences = count**2 - float((units.sum(axis=0) ** 2).sum())  # pairs of a map with itself add 0
    return max(differences, 0.0) / (len(flat) ** 2 - len(flat))


def separation(real: npt.NDArray[np.floating], generated: npt.NDArray[np.floating]) -> float:
    """The chance that a real image's logit is above a generated one's (AUC); equal ones count half.

    0.5: the discriminator cannot tell them apart; 1: it always can.

    Parameters
    ----------
    real, generated
        Logits, (n,) and (m,).
    """
    order = np.sort(np.asarray(generated, np.float64))
    logits = np.asarray(real, np.float64)
    below, not_above = np.searchsorted(order, logits, "left"), np.searchsorted(order, logits, "right")
    return float((below + not_above).mean() / (2 * len(order)))


def faults(signal: Signal) -> tuple[str, ...]:
    """What speaks against a snapshot, as ends of a sentence; empty where it qualifies.

    How the game against the generator stands counts only where heat maps come from it.
    """
    found, relative = [], signal.relative
    if signal.map_difference < MIN_MAP_DIFFERENCE:
        found.append(
            tr("the heat maps are much the same for every image ({0:.2f})").format(signal.map_difference)
        )
    if signal.background or signal.separation is None or relative is None:
        return tuple(found)
    if signal.separation < MIN_SEPARATION:
        found.append(
            tr("the discriminator hardly tells real from generated images ({0:.2f})").format(
                signal.separation
            )
        )
    if signal.separation > MAX_SEPARATION:
        found.append(tr("the discriminator has won outright ({0:.3f})").format(signal.separation))
    if relative.mean - SURE * relative.error > MAX_RELATIVE_MS_SSIM:
        found.append(tr("the samples repeat themselves ({0:.2f})").format(relative.mean))
    return tuple(found)


def propose(signals: Sequence[Signal]) -> Proposal:
    """The last snapshot that has no fault; the last of all, with a reason that says so, where all have.

    Parameters
    ----------
    signals
        Of the snapshots to choose from, in the order of their steps.

    Raises
    ------
    TrainingError
        There is no snapshot.
    """
    if not signals:
        raise TrainingError(tr("This training has no measured snapshot yet: train on with --resume."))
    good = [i for i, signal in enumerate(signals) if not faults(signal)]
    if not good:
        why = tr(" and ").join(faults(signals[-1]))
        step = signals[-1].step
        return Proposal(
            step,
            tr("No snapshot can be recommended. In the last one, step {step}, {why}.").format(
                step=step, why=why
            ),
            qualifies=False,
        )
    chosen = signals[good[-1]]
    reason = _merits(chosen)
    if good[-1] + 1 == len(signals):
        return Proposal(chosen.step, f"{reason}.", qualifies=True)
    after = signals[good[-1] + 1]
    why = tr(" and ").join(faults(after))
    text = tr("{reason}. At the next snapshot, step {step}, {why}.")
    return Proposal(chosen.step, text.format(reason=reason, step=after.step, why=why), qualifies=True)


def _merits(signal: Signal) -> str:
    differ = tr("Recommended: step {step}. Heat maps differ between images ({difference:.2f})").format(
        step=signal.step, difference=signal.map_difference
    )
    relative = signal.relative
    if signal.background or signal.separation is None or relative is None:
        return differ
    return tr(
        "{differ}, the discriminator tells real from generated without winning outright "
        "({separation:.2f}) and samples do not repeat themselves ({relative:.2f})"
    ).format(differ=differ, separation=signal.separation, relative=relative.mean)


def thinned(steps: Sequence[int], limit: int) -> tuple[int, ...]:
    """At most ``limit`` (at least 2) of ascending ``steps``, evenly spread, the first and last among them.

    Thinning again whenever one of evenly spaced steps is added keeps gaps below twice the even one.
    """
    kept = list(steps)
    while len(kept) > limit:
        gaps = [kept[i + 1] - kept[i - 1] for i in range(1, len(kept) - 1)]
        del kept[1 + gaps.index(min(gaps))]
    return tuple(kept)
