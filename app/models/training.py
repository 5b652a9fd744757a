"""How the training stands, as the window shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from PySide6.QtCore import QObject, Signal


class Kind(str, Enum):
    """What a training learns from; the values are the kinds of :class:`core.project.runs.Run`."""

    FEATURES = "features"
    """Frozen features of the images."""
    GAN = "gan"
    """Images alone."""
    CAM = "cam"
    """Images and the classes that their folders name: the baseline."""


class Phase(str, Enum):
    """What training is doing."""

    IDLE = "idle"
    PREPARING = "preparing"
    TRAINING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def running(self) -> bool:
        """Whether the training thread is alive."""
        return self in (Phase.PREPARING, Phase.TRAINING, Phase.PAUSED, Phase.STOPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingStatus:
    """``fraction`` is 0..1 of the budget; ``saved_step`` the checkpoint's, None where there is none."""

    phase: Phase = Phase.IDLE
    step: int = 0
    steps: int = 0
    fraction: float = 0.0
    steps_per_s: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    saved_step: int | None = None


class Learning(QObject):
    """How a training stands, and the points of its curves; controllers change it, views are told."""

    changed = Signal()
    cleared = Signal()
    """Another training is shown, of which no point has been added yet."""
    added = Signal(list)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.status = TrainingStatus()
        self.points: list[Any] = []

    def set(self, **fields: Any) -> None:
        self.status = replace(self.status, **fields)
        self.changed.emit()

    def reset(self, status: TrainingStatus, points: Sequence[Any] = ()) -> None:
        """Show another training, with ``points`` of earlier."""
        self.status, self.points = status, []
        self.cleared.emit()
        self.add(points)
        self.changed.emit()

    def add(self, points: Sequence[Any]) -> None:
        if points:
            self.points.extend(points)
            self.added.emit(list(points))


@dataclass(frozen=True, slots=True)
class Point:
    """One step on the plots; ``g_loss`` is None where there is no generator, ``told_apart`` (0..1, of windows
    from middle and border) where no background is learned."""

    step: int
    d_loss: float
    g_loss: float | None
    ms_ssim: float | None = None
    told_apart: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Something under way besides training; ``total`` 0 where the end is not known."""

    text: str
    done: int = 0
    total: int = 0
    can_stop: bool = True
