"""Accept all images above a score: how many that would be, and the one question before it is done."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import style
from app.views.controls import RealSpin, plain_label
from app.views.dialog import Dialog
from app.views.layouts import hbox
from app.views.sliders import JumpSlider
from core.base.language import number, tr, trn
from core.project.browse import at_least

_FINE = 100  # slider units in 1.0
_BINS = 50
_START = 0.5


class Histogram(QWidget):
    """How many images have which score; those that would be accepted are in colour."""

    def __init__(self, scores: npt.NDArray[np.float32], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts = np.histogram(scores, bins=_BINS, range=(0.0, 1.0))[0]
        self._from = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Number of images by score"))

    def sizeHint(self) -> QSize:
        return QSize(380, 84)

    def set_from(self, score: float) -> None:
        self._from = score
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, c = QPainter(self), style.colours()
        room = self.rect().adjusted(0, 0, 0, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        top = max(int(self._counts.max()), 1)
        for i, count in enumerate(self._counts.tolist()):
            left, right = (room.left() + round(room.width() * j / _BINS) for j in (i, i + 1))
            height = max(2, round(room.height() * count / top)) if count else 0
            bar = QRect(left, room.bottom() - height, right - left - 1, height)
            painter.fillRect(bar, QColor(c.accent if (i + 1) / _BINS > self._from else c.border))
        painter.fillRect(QRect(room.left(), room.bottom(), room.width(), 1), QColor(c.border))


class AcceptDialog(Dialog):
    """Asks for the score; ``scores`` are those of the unseen images."""

    def __init__(self, scores: npt.NDArray[np.float32], parent: QWidget | None = None) -> None:
        super().__init__(tr("Accept above a score"), "", parent)
        self._scores = scores
        self.accept_button = self.main_button
        tip = tr("Images whose boxes have at least this score are accepted.")
        self.histogram, self.preview = Histogram(scores), plain_label(role="muted", wrap=True)
        self.slider = JumpSlider(0, _FINE, page=5, name=tr("Score"), tip=tip)
        self.spin = RealSpin(0.0, 1.0, name=tr("Score, as a number"), tip=tip)
        title = plain_label(tr("Accept unseen images whose boxes score at least"), "title", wrap=True)
        row = hbox((self.slider, 1), self.spin, spacing=style.SPACING)
        self.lay_out(title, self.histogram, row, self.preview, spacing=style.SPACING + style.GAP)
        self.setMinimumWidth(440)
        self.slider.valueChanged.connect(lambda value: self.spin.setValue(value / _FINE))
        self.spin.valueChanged.connect(self._show)
        self.spin.setValue(_START)

    @property
    def score(self) -> float:
        return round(self.spin.value(), 2)

    def _show(self, score: float) -> None:
        self.slider.setValue(round(score * _FINE))
        self.histogram.set_from(score)
        count, total = int(at_least(self._scores, score).sum()), len(self._scores)
        if total:
            text = tr("{0} of {1} unseen images with a score.")
        else:
            text = tr("No unseen image has a score yet. Find boxes first.")
        self.preview.setText(text.format(number(count, ","), number(total, ",")))
        self.accept_button.setText(trn("Accept {count} image", "Accept {count} images", count))
        self.accept_button.setEnabled(count > 0)
