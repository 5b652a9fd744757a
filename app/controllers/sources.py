"""What makes heat maps for the image in view, whatever has learned to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from app.models.evidence import HeatMap
from core.base.config import FeaturesConfig
from core.base.errors import ImageError
from core.base.presets import DEFAULT_PRESET, FEATURES_PRESETS
from core.maps.localizer import Localizer
from core.maps.stream import describe
from core.nets.features import Features
from core.project.learning import features_for, saved_unit
from core.project.runs import Run

if TYPE_CHECKING:
    from app.controllers.training import Prepared


@dataclass(frozen=True, slots=True)
class Look:
    """How a network trained from scratch looks: pixels at hand, one of its units, the most boxes."""

    prepared: Prepared | None = None
    unit: Literal["real"] | None = None
    max_boxes: int = 1


class Source(Protocol):
    """Where heat maps are made; two of one training differ in their ``step``."""

    @property
    def step(self) -> int: ...

    def heat_map(self, image_id: int, path: Path, how: Look) -> HeatMap | None:
        """In a thread: the heat map of an image; None where its file cannot be read."""


@dataclass(frozen=True, slots=True)
class Newest:
    """While something is learned: what makes heat maps by as much as is known."""

    source: Source


@dataclass(frozen=True)
class UnitSource:
    """Heat maps by a unit on frozen features."""

    unit: Localizer
    features: Features
    step: int

    def heat_map(self, image_id: int, path: Path, how: Look) -> HeatMap | None:
        try:
            decoded = self.unit.form.decode(path)
        except (ImageError, OSError):  # the canvas says so already
            return None
        return self.unit.maps(describe(self.features, [decoded]), self.features)[0]


def read_unit(run: Run, config: object) -> UnitSource:
    """In a thread: what was learned in a run, with the features as the project's ``config`` has them."""
    unit = saved_unit(run)
    return UnitSource(unit, features_for(unit, chosen_features(config)), unit.images)


def chosen_features(config: object) -> FeaturesConfig:
    """The project's ``config`` where it is one of frozen features, else the usual one."""
    return config if isinstance(config, FeaturesConfig) else FEATURES_PRESETS[DEFAULT_PRESET]
