"""Both losses and MS-SSIM over the steps."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app import style
from app.views.controls import Placeholder, plain_label

_AXIS_WIDTH = 38
_FIRST_ROOM = 1024


class Series:
    """Points in growing arrays; all are kept."""

    def __init__(self) -> None:
        self._x, self._y = np.empty(_FIRST_ROOM), np.empty(_FIRST_ROOM)
        self._n = 0

    def add(self, x: float, y: float) -> None:
        """Add a point; a step that was there before replaces it and all after it."""
        if not math.isfinite(y):
            return
        if self._n and self._x[self._n - 1] >= x:
            self._n = int(np.searchsorted(self._x[: self._n], x))
        if self._n == len(self._x):
            self._x, self._y = np.resize(self._x, 2 * self._n), np.resize(self._y, 2 * self._n)
        self._x[self._n], self._y[self._n] = x, y
        self._n += 1

    def clear(self) -> None:
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def points(self) -> tuple[np.ndarray, np.ndarray]:
        """The x and y of all points, float64 (n,) each."""
        return self._x[: self._n].copy(), self._y[: self._n].copy()


class _FewTicks(pg.AxisItem):
    """At most three numbers: the plots are so short that more would touch."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:  # noqa: N803
        span = maxVal - minVal
        if not span > 0:
            return [(1.0, 0.0)]
        power = 10.0 ** math.floor(math.log10(span))
        spacing = min(s for s in (0.5 * power, power, 2 * power, 5 * power) if span / s < 3)
        return [(spacing, 0.0)]


class _Plot(pg.PlotWidget):
    """A quiet plot: no menu, no buttons, no wheel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, axisItems={"left": _FewTicks("left")})
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(False, False)
        item.setClipToView(True)
        item.setDownsampling(auto=True, mode="peak")
        item.layout.setContentsMargins(0, 7, 8, 0)  # room for half of the outermost numbers
        item.getAxis("left").setWidth(_AXIS_WIDTH)
        item.getViewBox().setDefaultPadding(0.02)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(self.Shape.NoFrame)

    def wheelEvent(self, event) -> None:
        event.ignore()

    def sizeHint(self) -> QSize:
        return QSize(300, 96)


class TrainingPlot(QWidget):
    """Losses above, MS-SSIM of the samples below, on one axis of steps.

    Points are only kept until :meth:`refresh` draws them; call it a few times a second at most.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._d, self._g, self._ms_ssim = Series(), Series(), Series()
        self._stale = False
        self.losses, self.diversity = _Plot(self), _Plot(self)
        self.diversity.setXLink(self.losses)
        self.diversity.setYRange(0, 1, padding=0.04)
        self.diversity.getAxis("left").setTicks([[(0, "0"), (0.5, "0.5"), (1, "1")]])
        self.diversity.setLabel("bottom", self.tr("Step"))
        self.losses.getAxis("bottom").setStyle(showValues=False)
        self.losses.getAxis("bottom").setHeight(8)  # half a label of the left axis lies below its plot
        self.losses.setMinimumHeight(56)
        self.diversity.setMinimumHeight(92)  # the axis of steps takes its share
        self._curves = [self.losses.plot(), self.losses.plot(), self.diversity.plot()]
        self._legend = QLabel()
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self._hint = plain_label(self.tr("low = varied, high = alike"), "muted")
        self._diversity_title = QLabel()
        self._diversity_title.setTextFormat(Qt.TextFormat.RichText)
        self._lay_out()
        self._colour()
        self.setAccessibleName(self.tr("Losses and MS-SSIM over the steps"))

    def _lay_out(self) -> None:
        self._plots, self._nothing = (
            QWidget(self),
            Placeholder(self.tr("Losses and MS-SSIM appear here"), self),
        )
        pages = QVBoxLayout(self)
        pages.setContentsMargins(0, 0, 0, 0)
        pages.addWidget(self._plots)
        pages.addWidget(self._nothing)
        self._plots.hide()
        column = QVBoxLayout(self._plots)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for left, right, plot in (
            (plain_label(self.tr("Losses"), "title"), self._legend, self.losses),
            (self._diversity_title, self._hint, self.diversity),
        ):
            row = QHBoxLayout()
            row.addWidget(left)
            row.addStretch(1)
            row.addWidget(right)
            column.addLayout(row)
            column.addWidget(plot, 1)

    def add_point(self, step: int, d_loss: float, g_loss: float | None) -> None:
        """Keep both losses of a step; None where there is no generator."""
        self._d.add(step, d_loss)
        if g_loss is not None:
            self._g.add(step, g_loss)
        self._stale = True

    def add_ms_ssim(self, step: int, value: float) -> None:
        """Keep the mean MS-SSIM between the samples of a step, 0..1."""
        self._ms_ssim.add(step, value)
        self._stale = True

    def clear(self) -> None:
        for series in (self._d, self._g, self._ms_ssim):
            series.clear()
        self._stale = True
        self.refresh()

    def refresh(self) -> None:
        """Draw what was added since the last time, if anything was."""
        if not self._stale:
            return
        self._stale = False
        for curve, series in zip(self._curves, (self._d, self._g, self._ms_ssim), strict=True):
            curve.setData(*series.points())
        empty = not any(len(series) for series in (self._d, self._g, self._ms_ssim))
        self._plots.setVisible(not empty)
        self._nothing.setVisible(empty)

    def points(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """All that was added: ``d``, ``g`` and ``ms_ssim``, each x and y."""
        return {"d": self._d.points(), "g": self._g.points(), "ms_ssim": self._ms_ssim.points()}

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)

    def _colour(self) -> None:
        c = style.colours()
        for plot in (self.losses, self.diversity):
            plot.setBackground(c.window)
            for name in ("left", "bottom"):
                axis = plot.getAxis(name)
                axis.setPen(pg.mkPen(c.border))
                axis.setTextPen(pg.mkPen(c.muted))
        for curve, colour in zip(self._curves, (c.d_loss, c.g_loss, c.diversity), strict=True):
            curve.setPen(pg.mkPen(colour, width=1.5))
        discriminator, generator = self.tr("Discriminator"), self.tr("Generator")
        self._legend.setText(
            f'<span style="color:{c.d_loss}">●</span> {discriminator} &nbsp; '
            f'<span style="color:{c.g_loss}">●</span> {generator}'
        )
        self._diversity_title.setText(f'<b>MS-SSIM</b> <span style="color:{c.diversity}">●</span>')
