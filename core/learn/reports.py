"""What trainings report, as values that can be told apart without loading what trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.learn.stopping import Signal

if TYPE_CHECKING:
    from core.nets.networks import Judge

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Snapshot:
    """A discriminator at one step: a copy on the CPU in evaluation mode, safe in any thread."""

    step: int
    discriminator: Judge
    image_size: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a training is: ``fraction`` 0..1 of its budget; ``seconds_left`` None where nobody knows."""

    step: int
    steps: int
    fraction: float
    elapsed_s: float
    steps_per_s: float
    seconds_left: float | None


@dataclass(frozen=True, kw_only=True)
class Progress(Standing):
    """One step's report. Arrays and networks are copies on the CPU.

    ``d_loss`` is what the discriminator minimises as a whole, ``g_loss`` is None where there is no
    generator, ``background_loss`` and ``background_accuracy`` (0..1) where no background is learned. On a
    GPU these may be up to a few steps old, so that it need not wait.

    ``samples`` is uint8 (64, S, S, 3) from fixed noise, ``ms_ssim`` their diversity; both are there
    every ``sample_every`` steps and at the last, never without a generator; ``snapshot`` and its
    ``signal`` every ``snapshot_every`` and at the last.
    """

    d_loss: float
    g_loss: float | None
    samples: Images | None = None
    ms_ssim: float | None = None
    snapshot: Snapshot | None = None
    signal: Signal | None = None
    background_loss: float | None = None
    background_accuracy: float | None = None


@dataclass(frozen=True, slots=True)
class BatchSeen:
    """A batch as pictures, uint8 (n, S, S, 3) each."""

    real: Images
    background: Images | None


@dataclass(frozen=True, slots=True)
class ClassifierPoint:
    """What a plot keeps of one step: means since the point before, over training batches.

    ``accuracy`` is 0..1.
    """

    step: int
    loss: float
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class ClassifierProgress(Standing):
    """One step's report. ``loss`` and ``accuracy`` (0..1) are of the step's batch alone."""

    loss: float
    accuracy: float
