"""Draws what the truth says: the panel of accuracies, the curve under the slider, the true boxes."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.models.session import Session
from app.views.accuracy_panel import AccuracyPanel, AccuracyPanelState, AccuracyRow
from app.views.image_canvas import ImageCanvas
from app.views.threshold_plot import ThresholdPlot
from core.base.language import number, tr, trn
from core.evaluate.reading import method_title
from core.evaluate.report import Report, Row
from core.project.measure import FolderCurve, Standing


class TruthPresenter(QObject):
    """Keeps three views as the session's measures say."""

    def __init__(
        self,
        session: Session,
        panel: AccuracyPanel,
        plot: ThresholdPlot,
        canvas: ImageCanvas,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._session, self._panel, self._plot, self._canvas = session, panel, plot, canvas
        session.measures.changed.connect(self._show_measures)
        session.view_changed.connect(self._show_threshold)
        session.view_changed.connect(self._show_truth)
        session.boxes_changed.connect(self._show_truth)
        session.current_changed.connect(self._show_truth)
        self._show_measures()

    def _show_measures(self) -> None:
        standing, curve = self._session.measures.standing, self._session.measures.curve
        self._panel.set_state(AccuracyPanelState() if standing is None else _state(standing, curve))
        self._show_threshold()
        whole = 0.0 if standing is None else standing.baselines.rows[0].accuracy
        self._plot.set_curve(curve, whole)

    def _show_threshold(self) -> None:
        self._plot.set_threshold(self._session.shared_threshold)

    def _show_truth(self) -> None:
        session = self._session
        truth, overlap = session.truth, session.overlap
        shown = truth if session.view.show_truth else ()
        self._canvas.set_truth([one.box for one in shown], _truth_text(overlap, len(session.boxes)))


def _truth_text(overlap: float | None, boxes: int) -> str:
    if overlap is None:
        return ""
    if not boxes:
        return tr("truth, no box")
    return tr("truth, IoU {overlap}").format(overlap=number(overlap, ".2f"))


def _state(standing: Standing, curve: FolderCurve | None) -> AccuracyPanelState:
    report = standing.report
    images = trn("{count} image with truth", "{count} images with truth", report.n)
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
        text = tr("Found with true centres correlate by r(cx) {r_cx}, r(cy) {r_cy}.")
        facts.append(text.format(r_cx=r_cx, r_cy=r_cy))
    if curve is not None:
        text = tr("Best threshold by the truth: {at}, MaxBoxAcc {acc}\u00a0%, MaxBoxAccV2 {v2}\u00a0%.")
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
