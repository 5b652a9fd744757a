"""What the truth says: the panel of accuracies, the curve under the slider, and taking the truth away."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from app import paths
from app.controllers.workbench import Workbench
from app.presenters.part import Handlers, Presenter
from app.views.accuracy_panel import AccuracyPanel, AccuracyPanelState, AccuracyRow
from app.views.dock import add_dock
from app.views.threshold_plot import ThresholdPlot
from app.wiring import follow
from core.base.language import number, tr, trn
from core.evaluate.reading import method_title
from core.evaluate.report import Report, Row
from core.project.measure import FolderCurve, Standing

_CLOSED = "window/accuracy_closed"


class TruthPresenter(Presenter):
    """Shows its panel once truth has come in, and hides it when there is none any more.

    A panel that the user closed stays closed, in other projects and at the next start too.
    """

    def __init__(self, bench: Workbench, plot: ThresholdPlot, window: QMainWindow) -> None:
        super().__init__(bench, window)
        self._plot, self._main, self._had_truth = plot, window, False
        self.panel = AccuracyPanel()
        self.dock = add_dock(window, "accuracy_dock", tr("Accuracy"), self.panel)
        self.panel.windowTitleChanged.connect(self._name)
        self.dock.closed.connect(lambda: paths.settings().setValue(_CLOSED, True))
        self.panel.import_requested.connect(lambda: self._actions["import_boxes"].trigger())
        self.panel.worst_first_requested.connect(lambda: self._actions["worst_first"].trigger())
        self.panel.remove_requested.connect(bench.measuring.remove_truth)
        session = self._session
        follow(self._show, session.measures.changed)
        follow(self.update, session.measures.changed, session.project_changed, self.dock.visibilityChanged)
        self._show()

    def handlers(self) -> Handlers:
        return {"show_accuracy": self._show_panel, "remove_truth": self._bench.measuring.remove_truth}

    def _show_panel(self, on: bool) -> None:
        paths.settings().setValue(_CLOSED, not on)
        self.dock.setVisible(on)

    def update(self) -> None:
        session = self._session
        has_truth = session.measures.standing is not None
        if has_truth != self._had_truth:
            self._had_truth = has_truth
            self.dock.setVisible(has_truth and not paths.settings().value(_CLOSED, False, type=bool))
            self._main.resizeDocks([self.dock], [1], Qt.Orientation.Vertical)  # no higher than it must be
        self._enable({
            "show_truth": has_truth,
            "remove_truth": has_truth and not session.only_looks,
            "show_accuracy": session.project is not None,
        })  # fmt: skip
        self._check({"show_accuracy": not self.dock.isHidden()})

    def _show(self) -> None:
        standing, curve = self._session.measures.standing, self._session.measures.curve
        self.panel.set_state(AccuracyPanelState() if standing is None else _state(standing, curve))
        self._plot.set_curve(curve, 0.0 if standing is None else standing.baselines.rows[0].accuracy)

    def _name(self, what: str) -> None:
        name = tr("Accuracy")
        self.dock.setWindowTitle(f"{name}: {what}" if what else name)


def _state(standing: Standing, curve: FolderCurve | None) -> AccuracyPanelState:
    report = standing.report
    images = trn("{count} image with ground truth", "{count} images with ground truth", report.n)
    return AccuracyPanelState(
        title=tr("{measure} on {images}").format(measure=report.measure, images=images),
        rows=tuple(_row(row, is_own=i == 0) for i, row in enumerate(report.rows)),
        reading=standing.text,
        facts=tuple(_facts(report, curve)),
    )


def _row(row: Row, *, is_own: bool) -> AccuracyRow:
    percent = tr("{number} %")
    return AccuracyRow(
        name=method_title(row.method),
        accuracy=row.accuracy,
        low=row.low,
        high=row.high,
        value=percent.format(number=number(100 * row.accuracy, ".1f")),
        interval=f"{number(100 * row.low, '.1f')} – {number(100 * row.high, '.1f')}",
        count=f"{row.correct}/{row.n}",
        is_own=is_own,
    )


def _facts(report: Report, curve: FolderCurve | None) -> list[str]:
    facts = []
    if (report.r_cx, report.r_cy) != (None, None):
        r_cx, r_cy = (tr("undefined") if r is None else number(r, "+.2f") for r in (report.r_cx, report.r_cy))
        text = tr("Centre correlation: x {r_cx}, y {r_cy}.")
        facts.append(text.format(r_cx=r_cx, r_cy=r_cy))
    if curve is not None:
        text = tr(
            "Best threshold for the ground truth: {at}, MaxBoxAcc {acc}\u00a0%, MaxBoxAccV2 {v2}\u00a0%."
        )
        best = number(100 * curve.max_box_acc, ".1f"), number(100 * curve.max_box_acc_v2, ".1f")
        facts.append(text.format(at=number(curve.best, ".2f"), acc=best[0], v2=best[1]))
    if report.missing:
        facts.append(
            trn(
                "{count} image has no box and counts as wrong.",
                "{count} images have no box and count as wrong.",
                report.missing,
            )
        )
    if report.several:
        facts.append(
            trn(
                "{count} image has several true boxes, any one of which counts.",
                "{count} images have several true boxes, any one of which counts.",
                report.several,
            )
        )
    return facts
