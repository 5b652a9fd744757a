"""What the truth says: the tab of accuracies with its curve, and taking the truth away."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app import paths
from app.controllers.workbench import Workbench
from app.presenters.part import Handlers, Presenter
from app.views.accuracy_panel import AccuracyPanelState, AccuracyRow
from app.views.train_panel import ACCURACY, TrainPanel
from app.wiring import follow
from core.base.language import number, tr, trn
from core.boxes.rules import used_threshold
from core.evaluate.reading import method_title
from core.evaluate.report import Report, Row
from core.project.measure import FolderCurve, Standing

_CLOSED = "window/accuracy_closed"


class TruthPresenter(Presenter):
    """Brings its tab in front once truth has come in, and another when there is none any more.

    Where the user chose another tab beside a truth, it stays so, in other projects and at the next start too.
    """

    def __init__(self, bench: Workbench, side: TrainPanel, window: QWidget) -> None:
        super().__init__(bench, window)
        self._side, self._had_truth = side, False
        self.panel = side.accuracy
        side.tabs.changed.connect(self._note_tab)
        plot = self.panel.plot
        plot.threshold_chosen.connect(bench.browsing.set_threshold)
        plot.held.connect(bench.editing.hold)
        plot.settled.connect(bench.editing.settle)
        self.panel.import_requested.connect(lambda: self._actions["import_boxes"].trigger())
        self.panel.worst_first_requested.connect(lambda: self._actions["worst_first"].trigger())
        self.panel.remove_requested.connect(bench.measuring.remove_truth)
        session = self._session
        follow(self._show, session.measures.changed)
        follow(self.update, session.measures.changed, session.project_changed, side.tab_changed)
        follow(self._show_threshold, session.view_changed, session.project_changed)
        self._show()

    def handlers(self) -> Handlers:
        return {"show_accuracy": self._show_panel, "remove_truth": self._bench.measuring.remove_truth}

    @property
    def in_front(self) -> bool:
        return self._side.tabs.index() == ACCURACY and not self._side.isHidden()

    def _show_panel(self, on: bool) -> None:
        paths.settings().setValue(_CLOSED, not on)
        if on:
            self._side.show()
        self._side.choose_tab(ACCURACY if on else None)

    def _note_tab(self, index: int) -> None:
        if self._had_truth:
            paths.settings().setValue(_CLOSED, index != ACCURACY)

    def update(self) -> None:
        session = self._session
        has_truth = session.measures.standing is not None
        if has_truth != self._had_truth:
            self._had_truth = has_truth
            is_closed = paths.settings().value(_CLOSED, False, type=bool)
            self._side.choose_tab(ACCURACY if has_truth and not is_closed else None)
        self._enable({
            "show_truth": has_truth,
            "remove_truth": has_truth and not session.only_looks,
            "show_accuracy": session.project is not None,
        })  # fmt: skip
        self._check({"show_accuracy": self.in_front})

    def _show(self) -> None:
        standing, curve = self._session.measures.standing, self._session.measures.curve
        self.panel.set_state(AccuracyPanelState() if standing is None else _state(standing, curve))
        whole = 0.0 if standing is None else standing.baselines.rows[0].accuracy
        self.panel.plot.set_curve(curve, whole)

    def _show_threshold(self) -> None:
        view = self._session.view
        self.panel.plot.set_automatic(used_threshold(view.rule, None))
        self.panel.plot.set_threshold(view.options.threshold_of(None))


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
