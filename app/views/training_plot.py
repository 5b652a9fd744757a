"""Curves over the steps: losses and MS-SSIM of a GAN, loss and accuracy of a training with class labels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QWidget

from app import style
from app.views.controls import HintLabel, Placeholder, plain_label
from app.views.layouts import hbox, vbox
from app.views.quiet_plot import QuietPlot
from core.base.language import number, tr

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

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        places = max(0, math.ceil(-math.log10(spacing * scale) - 1e-9))
        spec = f",.{places}f" if places < 4 else "g"
        return [number(value * scale, spec) for value in values]


class _Steps(pg.AxisItem):
    """Whole numbers: there is no half a step."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:  # noqa: N803
        return [(max(spacing, 1.0), offset) for spacing, offset in super().tickSpacing(minVal, maxVal, size)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [number(value * scale, ",.0f") for value in values]


class _Plot(QuietPlot):
    """Over an axis of steps."""

    def __init__(self) -> None:
        super().__init__(axisItems={"left": _FewTicks("left"), "bottom": _Steps("bottom")})
        item = self.getPlotItem()
        item.setClipToView(True)
        item.setDownsampling(auto=True, mode="peak")
        item.layout.setContentsMargins(0, 7, 8, 0)  # room for half of the outermost numbers
        item.getAxis("left").setWidth(_AXIS_WIDTH)
        item.getViewBox().setDefaultPadding(0.02)

    def sizeHint(self) -> QSize:
        return QSize(300, 96)


def _muted_axes(plots: Sequence[_Plot]) -> None:
    c = style.colours()
    for plot in plots:
        plot.setBackground(c.window)
        for name in ("left", "bottom"):
            axis = plot.getAxis(name)
            axis.setPen(pg.mkPen(c.border))
            axis.setTextPen(pg.mkPen(c.muted))


def _rich_label() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.RichText)
    return label


class _TwoPlots(QWidget):
    """One plot above another, on one axis of steps, each below its title and legend.

    Points are only kept until :meth:`refresh` draws them; call it a few times a second at most.
    """

    def __init__(self, empty: str, *, upper: Sequence[str], lower: Sequence[str]) -> None:
        """``upper`` and ``lower`` are the names of the curves in each plot."""
        super().__init__()
        self._series = {name: Series() for name in (*upper, *lower)}
        self._stale = False
        self.upper_plot, self.lower_plot = _Plot(), _Plot()
        self.lower_plot.setXLink(self.upper_plot)
        self.lower_plot.setYRange(0, 1, padding=0.04)
        self.lower_plot.getAxis("left").setTicks([[(0, "0"), (0.5, number(0.5, ".1f")), (1, "1")]])
        self.lower_plot.setLabel("bottom", tr("Step"))
        self.upper_plot.getAxis("bottom").setStyle(showValues=False)
        self.upper_plot.getAxis("bottom").setHeight(8)  # half a label of the left axis lies below its plot
        self.upper_plot.setMinimumHeight(56)
        self.lower_plot.setMinimumHeight(92)  # the axis of steps takes its share
        self._upper_title, self._upper_legend = plain_label("", "title"), _rich_label()
        self._lower_title, self._lower_legend = _rich_label(), _rich_label()
        self._lower_hint = HintLabel()
        self._plots, self._nothing = QWidget(self), Placeholder(empty, self)
        vbox(self._plots, self._nothing, on=self)
        self._plots.hide()
        for one in (self._upper_legend, self._lower_legend):
            one.setWordWrap(True)
            one.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        above = hbox(self._upper_title, (self._upper_legend, 1), spacing=style.SPACING)
        between = hbox(self._lower_title, self._lower_hint, (self._lower_legend, 1), spacing=style.SPACING)
        parts = above, (self.upper_plot, 1), between, (self.lower_plot, 1)
        vbox(*parts, on=self._plots, spacing=2)
        self._curves = {name: self.upper_plot.plot() for name in upper}
        self._curves |= {name: self.lower_plot.plot() for name in lower}

    def _colour(self) -> None:
        raise NotImplementedError

    def add(self, name: str, step: int, value: float) -> None:
        """Keep a point of a curve."""
        self._series[name].add(step, value)
        self._stale = True

    def clear(self) -> None:
        for series in self._series.values():
            series.clear()
        self._stale = True
        self.refresh()

    def refresh(self) -> None:
        """Draw what was added since the last time, if anything was."""
        if not self._stale:
            return
        self._stale = False
        for name, curve in self._curves.items():
            curve.setData(*self._series[name].points())
        empty = not any(len(series) for series in self._series.values())
        self._plots.setVisible(not empty)
        self._nothing.setVisible(empty)

    def points(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {name: series.points() for name, series in self._series.items()}

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)


class TrainingPlot(_TwoPlots):
    """Losses above, MS-SSIM of the samples below, with that of the real images as a line."""

    def __init__(self) -> None:
        empty = tr("Losses and MS-SSIM appear here")
        super().__init__(empty, upper=("d", "g"), lower=("ms_ssim", "told_apart"))
        self._generator = True
        self.losses, self.diversity = self.upper_plot, self.lower_plot
        self.reference: tuple[float, float, float] | None = None
        self.real_band = pg.LinearRegionItem(orientation="horizontal", movable=False)
        self.real_line = pg.InfiniteLine(angle=0, movable=False)
        for item, depth in ((self.real_band, -2), (self.real_line, -1)):
            item.setZValue(depth)
            self.lower_plot.addItem(item)
        self._upper_title.setText(tr("Losses"))
        self._tip = tr(
            "How alike images are to each other: 0 all different, 1 all the same.\n"
            "Samples as varied as the real images lie on the dashed line."
        )
        self.setAccessibleName(tr("Losses and MS-SSIM over the steps"))
        self.set_reference(None)

    def add_point(self, step: int, d_loss: float, g_loss: float | None) -> None:
        self.add("d", step, d_loss)
        if g_loss is not None:
            self.add("g", step, g_loss)

    def set_generator(self, on: bool) -> None:
        """Whether a generator is trained; without one there are no samples, and the lower plot shows instead
        how well windows are told apart."""
        if on != self._generator:
            self._generator = on
            self._nothing.set_text(
                tr("Losses and MS-SSIM appear here")
                if on
                else tr("The loss and the object vs. background accuracy appear here")
            )
            self.set_reference(self.reference)

    def set_reference(self, reference: tuple[float, float, float] | None) -> None:
        """The real images' own MS-SSIM: its mean, and the ends of its interval; None takes it away."""
        self.reference = reference
        for item in (self.real_band, self.real_line):
            item.setVisible(reference is not None and self._generator)
        self._curves["ms_ssim"].setVisible(self._generator)
        self._curves["told_apart"].setVisible(not self._generator)
        if reference is not None:
            mean, low, high = reference
            self.real_line.setValue(mean)
            self.real_band.setRegion((low, high))
        self._colour()

    def _colour(self) -> None:
        c = style.colours()
        _muted_axes((self.upper_plot, self.lower_plot))
        for name, colour in (
            ("d", c.d_loss),
            ("g", c.g_loss),
            ("ms_ssim", c.diversity),
            ("told_apart", c.good),
        ):
            self._curves[name].setPen(pg.mkPen(colour, width=1.5))
        self.real_line.setPen(pg.mkPen(c.muted, width=1.2, style=Qt.PenStyle.DashLine))
        band = QColor(c.muted)
        band.setAlpha(60)
        self.real_band.setBrush(band)
        for line in self.real_band.lines:
            line.setPen(pg.mkPen(None))
        if not self._generator:
            self._show_told_apart()
            return
        self._upper_legend.show()
        self._explain(self._tip)
        self._upper_legend.setText(legend(((c.d_loss, tr("Discriminator")), (c.g_loss, tr("Generator")))))
        self._lower_title.setText("<b>MS-SSIM</b>")
        self._lower_hint.setText(tr("high = alike"))
        text = legend(((c.diversity, tr("Samples")),))
        if self.reference is not None:
            text += f' &nbsp; <span style="color:{c.muted}">╌╌</span> ' + tr("Real")
        self._lower_legend.setText(text)

    def _show_told_apart(self) -> None:
        c = style.colours()
        tip = tr(
            "Share of crops told apart correctly: from the centre of an image or from its border. With "
            "Projected: cells of object or background."
        )
        told_apart = tr("Object vs. background accuracy")
        self._upper_legend.hide()
        self._lower_title.setText(f'<b>{told_apart}</b> <span style="color:{c.good}">●</span>')
        self._lower_hint.setText(tr("0.5 = chance"))
        self._lower_legend.setText("")
        self._explain(tip)

    def _explain(self, tip: str) -> None:
        for label in (self._lower_title, self._lower_hint, self._lower_legend):
            label.setToolTip(tip)


class ClassPlot(_TwoPlots):
    """Loss above, accuracy on the training batches below, of a training with class labels."""

    def __init__(self) -> None:
        empty = tr("Loss and accuracy appear here")
        super().__init__(empty, upper=("loss",), lower=("accuracy",))
        self._upper_title.setText(tr("Loss"))
        self._lower_hint.setText(tr("on the images it learns from"))
        self._lower_hint.setToolTip(self._lower_hint.text())
        self.setAccessibleName(tr("Loss and accuracy over the steps"))
        self._colour()

    def add_point(self, step: int, loss: float, accuracy: float) -> None:
        self.add("loss", step, loss)
        self.add("accuracy", step, accuracy)

    def _colour(self) -> None:
        c = style.colours()
        _muted_axes((self.upper_plot, self.lower_plot))
        self._curves["loss"].setPen(pg.mkPen(c.d_loss, width=1.5))
        self._curves["accuracy"].setPen(pg.mkPen(c.good, width=1.5))
        name = tr("Accuracy")
        self._lower_title.setText(f'<b>{name}</b> <span style="color:{c.good}">●</span>')


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """Dots of a colour, each with its name, as rich text."""
    return " &nbsp; ".join(f'<span style="color:{colour}">●</span> {name}' for colour, name in entries)
