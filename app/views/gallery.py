"""Samples of the generator, or real images as the discriminator sees them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QWidget

from app import style
from app.views.controls import Choice, plain_label
from app.views.layouts import STRETCH, hbox, vbox
from app.views.sample_grid import SampleGrid
from core.base.language import tr


class Gallery(QWidget):
    """A grid of images, and which of the two it shows."""

    real_wanted = Signal()
    """The person asks for real images and there are none yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.samples = SampleGrid(self)
        self.real = SampleGrid(
            name=tr("Real images as the discriminator sees them"),
            empty=tr("Real images appear here as the discriminator sees them"),
        )
        self.background = SampleGrid(name=tr("Background as the discriminator sees it"))
        self.choice = Choice(tr("Samples"), tr("Real images"))
        self.choice.first.setToolTip(tr("Images that the generator makes from noise."))
        self.choice.second.setToolTip(
            tr("A batch of your images as the discriminator sees it: cropped, mirrored and recoloured.")
        )
        self._background_label = plain_label(tr("Background"), "muted")
        self._real_label = plain_label("", "muted")
        self._learned = plain_label(tr("Training crops"), "title")
        self._learned.setToolTip(
            tr("Crops from the centres of your images and from their borders. No generator is trained.")
        )
        self._learned.hide()
        self._samples = True
        self._lay_out()
        self.choice.changed.connect(self._chosen)
        self._show()

    def _lay_out(self) -> None:
        seen = QWidget()
        parts = self._real_label, (self.real, 1), self._background_label, (self.background, 1)
        vbox(*parts, on=seen, spacing=style.GAP)
        for widget in (self._real_label, self._background_label, self.background):
            widget.hide()
        for grid in (self.real, self.background):
            grid.setMinimumHeight(36)  # both have the room of the samples
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.samples)
        self.pages.addWidget(seen)
        row = hbox(self.choice, self._learned, STRETCH)
        vbox(row, (self.pages, 1), on=self, spacing=6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_generator(self, on: bool) -> None:
        """Whether a generator is trained; without one there are no samples to choose."""
        if on == self._samples:
            return
        self._samples = on
        self.choice.setVisible(on)
        self._learned.setVisible(not on)
        self._real_label.setText("" if on else tr("Image centres (learned as object)"))
        self._real_label.setVisible(not on and self.real.count() > 0)
        self._background_label.setText(
            tr("Background") if on else tr("Image borders (learned as background)")
        )
        self.real.set_placeholder(
            tr("Real images appear here as the discriminator sees them")
            if on
            else tr("Crops from the centres of your images appear here, with crops from their borders below")
        )
        self._show()

    def set_real(self, real: np.ndarray | None, background: np.ndarray | None = None) -> None:
        """Show uint8 (n, S, S, 3) each; None shows the placeholder, and no background at all."""
        self.real.set_samples(real)
        self.background.set_samples(background)
        self._real_label.setVisible(real is not None and not self._samples)
        for widget in (self._background_label, self.background):
            widget.setVisible(background is not None)
        if real is None and self._samples and not self.choice.is_first():
            self.real_wanted.emit()

    def _chosen(self, _: bool) -> None:
        self._show()
        if not self.choice.is_first() and not self.real.count():
            self.real_wanted.emit()

    def _show(self) -> None:
        self.pages.setCurrentIndex(0 if self._samples and self.choice.is_first() else 1)
