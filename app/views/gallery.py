"""Samples of the generator, or real images as the discriminator sees them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app import style
from app.views.controls import Choice, plain_label
from app.views.sample_grid import SampleGrid


class Gallery(QWidget):
    """A grid of images, and which of the two it shows."""

    real_wanted = Signal()
    """The person asks for real images and there are none yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.samples = SampleGrid(self)
        self.real = SampleGrid(
            name=self.tr("Real images as the discriminator sees them"),
            empty=self.tr("Real images appear here as the discriminator sees them"),
        )
        self.background = SampleGrid(name=self.tr("Background as the discriminator sees it"))
        self.choice = Choice(self.tr("Samples"), self.tr("Real images as seen"), self)
        self.choice.first.setToolTip(self.tr("What the generator makes of noise."))
        self.choice.second.setToolTip(
            self.tr("A batch of your images as the discriminator sees it: cut, mirrored and recoloured.")
        )
        self._background_label = plain_label(self.tr("Background"), "muted")
        self._lay_out()
        self.choice.changed.connect(self._chosen)
        self._show()

    def _lay_out(self) -> None:
        seen = QWidget()
        inside = QVBoxLayout(seen)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(style.GAP)
        inside.addWidget(self.real, 1)
        inside.addWidget(self._background_label)
        inside.addWidget(self.background, 1)
        self._background_label.hide()
        self.background.hide()
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.samples)
        self.pages.addWidget(seen)
        row = QHBoxLayout()
        row.addWidget(self.choice)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(row)
        column.addWidget(self.pages, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_real(self, real: np.ndarray | None, background: np.ndarray | None = None) -> None:
        """Show uint8 (n, S, S, 3) each; None shows the placeholder, and no background at all."""
        self.real.set_samples(real)
        self.background.set_samples(background)
        for widget in (self._background_label, self.background):
            widget.setVisible(background is not None)
        if real is None and not self.choice.is_first():
            self.real_wanted.emit()

    def _chosen(self, _: bool) -> None:
        self._show()
        if not self.choice.is_first() and not self.real.count():
            self.real_wanted.emit()

    def _show(self) -> None:
        self.pages.setCurrentIndex(0 if self.choice.is_first() else 1)
