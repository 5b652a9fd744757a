"""How long the main job takes on this computer, measured while it is done and kept for the next folder."""

from __future__ import annotations

import time
from dataclasses import astuple

from PySide6.QtCore import QObject, Signal

from app import paths
from app.controllers.job import Controller
from app.models.session import Session
from app.models.training import Kind, Phase
from app.pump import Pump
from core.base.config import FeaturesConfig
from core.base.pace import Taken

KEY = "pace"


class PacingController(Controller):
    """Times a learning and the search that follows it; one that was paused or stopped does not count."""

    changed = Signal()

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self._begun: float | None = None
        self._learning: float | None = None
        """Seconds an image, once learned from."""
        self._searched: float | None = None
        """When the search for boxes began."""
        session.learning.changed.connect(self._on_learning_changed)

    def estimate(self, config: FeaturesConfig, images: int) -> float | None:
        """The seconds that finding boxes of so many images will take; None where nothing was measured yet."""
        stored = paths.settings().value(f"{KEY}/{_key(config)}")
        try:
            taken = Taken(*(float(number) for number in stored))
        except (TypeError, ValueError):
            return None
        return taken.of(images, sample=config.sample)

    def on_found(self, found: int) -> None:
        """Boxes of all images were found."""
        searched, learning, config = self._searched, self._learning, self._session.view.config
        self.abandon()
        if searched is None or learning is None or not found or not isinstance(config, FeaturesConfig):
            return
        taken = Taken(learning, (time.monotonic() - searched) / found)
        paths.settings().setValue(f"{KEY}/{_key(config)}", list(astuple(taken)))
        self.changed.emit()

    def abandon(self) -> None:
        """What is under way is no measure."""
        super().abandon()
        self._begun = self._learning = self._searched = None

    def _on_learning_changed(self) -> None:
        training, now = self._session.training, time.monotonic()
        if training.phase is Phase.FINISHED and self._begun is not None:
            self._learning = (now - self._begun) / max(training.step, 1)
            self._begun, self._searched = None, now  # the search follows at once
        elif training.phase is Phase.PREPARING and self._session.results.kind is Kind.FEATURES:
            self.abandon()
            self._begun = now
        elif training.phase not in (Phase.PREPARING, Phase.TRAINING, Phase.FINISHED):
            self.abandon()


def _key(config: FeaturesConfig) -> str:
    """What the time depends on, besides the computer."""
    parts = (config.features, config.method, config.image_size, config.keep_aspect, config.threads)
    return "-".join(str(part) for part in parts).replace("/", "_")
