"""How accurate the boxes would be at every place of the threshold slider's handle."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from app import style
from app.views.controls import plain_label
from app.views.layouts import STRETCH, hbox, vbox
from app.views.quiet_plot import QuietPlot
from core.base.language import number, tr
from core.boxes.tightness import position_of, threshold_at
from core.project.measure import FolderCurve

HEIGHT = 64
_LINE = 1.8


class _Plot(QuietPlot):
    """No axis: its width is the slider's, from tighter to looser; its height 0 to 100 %."""

    pressed_at = Signal(float)
    """A share, 0..1, of its width."""
    held = Signal()
    settled = Signal()

    def __init__(self) -> None:
        super().__init__()
        item = self.getPlotItem()
        for name in ("left", "bottom"):
            item.hideAxis(name)
        item.layout.setContentsMargins(0, 0, 0, 0)
        item.getViewBox().setDefaultPadding(0)
        item.setXRange(-1, 1, padding=0)
        item.setYRange(0, 1, padding=0.03)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFixedHeight(HEIGHT)

    def sizeHint(self) -> QSize:
        return QSize(200, HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.held.emit()
            self._tell(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._tell(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.settled.emit()

    def _tell(self, event: QMouseEvent) -> None:
        self.pressed_at.emit(min(max(event.position().x() / max(self.width() - 1, 1), 0.0), 1.0))


class ThresholdPlot(QWidget):
    """The curve with the threshold in force and the whole image's accuracy; a press chooses a threshold.

    It stays hidden while there is no curve.
    """

    threshold_chosen = Signal(float)
    held = Signal()
    settled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curve: FolderCurve | None = None
        self._threshold = self._automatic = 0.0
        self._whole, self._whole_image = "", 0.0
        self.plot = _Plot()
        self._line = self.plot.plot()
        self.whole_line = pg.InfiniteLine(angle=0, movable=False)
        self.mark = pg.InfiniteLine(angle=90, movable=False)
        self.point = pg.ScatterPlotItem(size=9)
        for item in (self.whole_line, self.mark, self.point):
            self.plot.addItem(item)
        self.value = plain_label(role="muted", wrap=True)
        title = plain_label(tr("Accuracy by threshold"), "title", wrap=True)
        ends = hbox(plain_label(tr("tighter"), "muted"), STRETCH, plain_label(tr("looser"), "muted"))
        vbox(title, self.plot, ends, self.value, on=self, spacing=style.GAP)
        self.plot.pressed_at.connect(self._choose)
        self.plot.held.connect(self.held)
        self.plot.settled.connect(self.settled)
        self._colour()
        self.hide()

    def set_curve(self, curve: FolderCurve | None, whole_image: float = 0.0) -> None:
        """Show a curve, 0..1, beside the accuracy of the whole image as a box; None hides it."""
        self.curve = curve
        self.setVisible(curve is not None)
        if curve is None:
            return
        places = [self._place(threshold) for threshold in curve.thresholds]
        self._line.setData(places, curve.accuracies)
        self.plot.getPlotItem().setXRange(-1, self._loosest, padding=0)
        self._whole_image = whole_image
        self.whole_line.setValue(whole_image)
        self._whole = tr("dashed: whole image {accuracy} %").format(accuracy=number(100 * whole_image, ".1f"))
        self._show_threshold()

    def set_automatic(self, automatic: float) -> None:
        """The threshold in the middle of the slider."""
        if automatic != self._automatic:
            self._automatic = automatic
            self.set_curve(self.curve, self._whole_image)

    @property
    def _loosest(self) -> float:
        return 1.0 if self._automatic > 0 else 0.0

    def _place(self, threshold: float) -> float:
        return position_of(threshold, automatic=self._automatic)

    def _choose(self, share: float) -> None:
        position = -1 + share * (1 + self._loosest)
        self.threshold_chosen.emit(round(threshold_at(position, automatic=self._automatic), 2))

    def set_threshold(self, threshold: float) -> None:
        if threshold != self._threshold:
            self._threshold = threshold
            self._show_threshold()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)

    def _show_threshold(self) -> None:
        if self.curve is None:
            return
        accuracy = self.curve.at(self._threshold)
        self.mark.setValue(self._place(self._threshold))
        self.point.setData([self._place(self._threshold)], [accuracy])
        text = tr("{accuracy} % at {threshold}")
        said = text.format(accuracy=number(100 * accuracy, ".1f"), threshold=number(self._threshold, ".2f"))
        self.value.setText(f"{said}\n{self._whole}")
        self.setAccessibleName(tr("Accuracy by threshold: {said}").format(said=said))
        self.plot.setToolTip(tr("The accuracy at each threshold. Click to choose one for all images."))

    def _colour(self) -> None:
        c = style.colours()
        self.plot.setBackground(c.window)
        self._line.setPen(pg.mkPen(c.accent, width=_LINE))
        self.whole_line.setPen(pg.mkPen(c.muted, width=1.2, style=Qt.PenStyle.DashLine))
        self.mark.setPen(pg.mkPen(c.border, width=1.2))
        self.point.setPen(pg.mkPen(c.window, width=1.5))
        self.point.setBrush(pg.mkBrush(c.accent))
