"""The losses of a training's latest steps, which need not be known at once: asking a GPU makes it wait."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.base.errors import TrainingError
from core.base.language import tr


class StepLosses(NamedTuple):
    """One step's scalars on the training's device; None for what this training does not have."""

    discriminator: Tensor
    generator: Tensor | None = None
    background: Tensor | None = None
    background_accuracy: Tensor | None = None

    def detached(self) -> StepLosses:
        """Without the graphs that they came from."""
        return self.changed(Tensor.detach)

    def changed(self, change: Callable[[Tensor], Tensor]) -> StepLosses:
        """What ``change`` makes of each that is there."""
        return StepLosses(*(None if value is None else change(value) for value in self))  # type: ignore[arg-type]


class Losses(NamedTuple):
    """The same as numbers: of one step, or means over several."""

    discriminator: float
    generator: float | None = None
    background: float | None = None
    background_accuracy: float | None = None


class LossLog:
    """Losses in the order of their steps.

    Parameters
    ----------
    known
        What :meth:`settled` gave, from this version or an older one.
    """

    def __init__(self, known: Iterable[Sequence[float | None]] = ()) -> None:
        self._known = [Losses(*(None if x is None else float(x) for x in losses)) for losses in known]  # type: ignore[arg-type]
        self._waiting: list[tuple[int, StepLosses]] = []
        self.newest: Losses | None = self._known[-1] if self._known else None
        """Of the newest step whose losses are known; None before the first."""

    def add(self, step: int, losses: StepLosses) -> None:
        self._waiting.append((step, losses))

    def settle(self) -> None:
        """Wait for the device and learn what was added.

        Raises
        ------
        TrainingError
            A loss is not finite.
        """
        waiting, self._waiting = self._waiting, []
        present = [value for _, losses in waiting for value in losses if value is not None]
        values = iter(torch.stack([value.detach().float() for value in present]).tolist() if present else [])
        for step, losses in waiting:
            known = [None if value is None else next(values) for value in losses]
            if not all(value is None or math.isfinite(value) for value in known):
                raise TrainingError(
                    tr("Training failed at step {step}: the loss is no longer a number.").format(step=step)
                )
            self.newest = Losses(*known)  # type: ignore[arg-type]
            self._known.append(self.newest)

    def settled(self) -> list[Losses]:
        """All of it, after :meth:`settle`."""
        self.settle()
        return list(self._known)

    def take_mean(self) -> Losses:
        """The mean over all steps, at least one, which are forgotten; after :meth:`settle`."""
        self.settle()
        known, self._known = self._known, []
        return Losses(*(_mean(column) for column in zip(*known, strict=True)))  # type: ignore[arg-type]


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return sum(there) / len(there) if there else None
