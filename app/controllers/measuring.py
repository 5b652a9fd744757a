"""Keeps the comparison of all boxes with the truth as new as the boxes are, in threads."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.controllers.editing import EditingController
from app.controllers.job import Controller
from app.models.session import Session
from app.pump import Pump
from app.wiring import one_shot
from app.worker import Worker, no_error_once_stopped
from core.base.language import tr
from core.boxes.options import BoxOptions
from core.evaluate.report import Baselines, baselines_of
from core.project.edits import TruthEdit
from core.project.exchange import remove_truth
from core.project.measure import (
    FolderCurve,
    Ids,
    Standing,
    against_truth,
    folder_curve,
    measure_contrast,
    standing,
)
from core.project.store import Project

WAIT_MS = 200
# Fewer images are read before anybody could see that they are.
TELL_FROM = 500


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The baselines of the images ``ids``: as long as the truth stays they need no second look."""

    ids: Ids
    baselines: Baselines


@dataclass(frozen=True, slots=True)
class Drawn:
    """The curve of the boxes as they are, or None where no heat map can move a box."""

    curve: FolderCurve | None


class MeasuringController(Controller):
    """Measures a moment after boxes have changed. Colour contrast, which reads every image, comes once."""

    truth_changed = Signal()
    """The project has other true boxes, or none any more."""

    def __init__(
        self, session: Session, pump: Pump, editing: EditingController, parent: QObject | None = None
    ) -> None:
        super().__init__(session, pump, parent)
        self._editing = editing
        self._measuring, self._contrast = self._job("measure"), self._job("measuring")
        self._yardstick: Yardstick | None = None
        self._has_contrast = False
        self._curve_of: BoxOptions | None = None
        self._moves = False
        self._timer = one_shot(self, WAIT_MS, self._run)
        session.project_changed.connect(self._on_project_changed)

    def wake(self, *, boxes_changed: bool = False, by_hand: bool = False) -> None:
        """Measure soon. After an edit ``by_hand`` no row of the list moves from under the cursor."""
        if boxes_changed:
            self._curve_of = None
        self._moves |= not by_hand
        self._timer.start()

    def on_truth_changed(self) -> None:
        """The truth is another: baselines and all."""
        self._contrast.abandon()
        self._yardstick, self._has_contrast = None, False
        self.truth_changed.emit()
        self.wake(boxes_changed=True)

    def remove_truth(self) -> None:
        """Forget all true boxes, which can be taken back."""
        project, session = self._session.project, self._session
        if project is None or session.refuses_change():
            return
        begun = self._editing.begin()

        def done(edit: TruthEdit) -> None:
            if session.project is project:
                self._editing.remember(edit, tr("Remove ground truth"), begun)
                session.notice.emit(tr("Ground truth removed. Your boxes are unchanged."))
                self.on_truth_changed()

        self._pump.run("remove-truth", lambda _: remove_truth(project), on_done=done)

    def stop(self) -> None:
        """Give colour contrast up; the other baselines stay."""
        self._contrast.stop()

    def abandon(self) -> None:
        self._timer.stop()
        super().abandon()

    def _on_project_changed(self) -> None:
        self.abandon()
        self._yardstick, self._has_contrast, self._curve_of = None, False, None
        self._session.measures.set_standing(None)
        if self._session.project is not None:
            self.wake()

    def _run(self) -> None:
        session = self._session
        project, options = session.project, session.view.options
        if project is None:
            return
        wanted = replace(options, threshold=None)  # the curve is of all thresholds
        yardstick, with_curve = self._yardstick, wanted != self._curve_of
        self._measuring.start(
            lambda worker: _measure(worker, project, options, yardstick, with_curve),
            on_items=lambda items: self._on_items(items, wanted),
            on_done=self._on_done,
        )

    def _on_items(self, items: list[Standing | Drawn | None], wanted: BoxOptions) -> None:
        for item in items:
            if isinstance(item, Drawn):
                self._curve_of = wanted
                self._session.measures.set_curve(item.curve)
                continue
            if item is not None:
                self._keep(item)
            self._show(item)

    def _keep(self, found: Standing) -> None:
        """Its baselines, but not in place of those that hold colour contrast already."""
        if self._yardstick is None or not np.array_equal(self._yardstick.ids, found.ids):
            self._yardstick, self._has_contrast = Yardstick(found.ids, found.baselines), False

    def _show(self, found: Standing | None) -> None:
        images, measures = self._session.images, self._session.measures
        if found is None and measures.standing is None:
            return  # most folders have no truth: nothing to say again after each move of the threshold
        ids = np.empty(0, np.int64) if found is None else found.ids
        overlaps = np.empty(0) if found is None else found.overlaps
        images.set_overlaps(ids, overlaps.astype(np.float32), moves=self._moves)
        self._moves = False
        measures.set_standing(found)

    def _on_done(self, _: object) -> None:
        project = self._session.project
        if project is None or self._session.measures.standing is None:
            return
        if not self._has_contrast and not self._contrast.running:
            self._contrast.start(
                lambda worker: _measure_contrast(worker, project),
                on_items=self._on_contrast_progress,
                on_done=self._on_contrast,
                on_failed=lambda _: self._give_contrast_up(),
            )

    def _on_contrast_progress(self, items: list[tuple[int, int]]) -> None:
        done, total = items[-1]
        self._contrast.tell(tr("Measuring colour contrast…"), done, total)

    def _on_contrast(self, found: Yardstick | None) -> None:
        self._give_contrast_up()
        if found is not None:
            self._yardstick = found
            self.wake(by_hand=True)

    def _give_contrast_up(self) -> None:
        """Once and not again, whether it was measured or stopped: until the truth is another."""
        self._has_contrast = True


def _measure(
    worker: Worker, project: Project, options: BoxOptions, yardstick: Yardstick | None, with_curve: bool
) -> None:
    """What the measuring thread does: the accuracy now, then that at every threshold."""
    with no_error_once_stopped(worker):
        against = against_truth(project)
        if against is None:
            worker.put(None)
            return
        fits = yardstick is not None and np.array_equal(yardstick.ids, against.ids)
        worker.put(standing(against, yardstick.baselines if fits and yardstick else None))
        if with_curve:
            worker.put(Drawn(folder_curve(project, against, options, cancelled=worker.is_stopping)))


def _measure_contrast(worker: Worker, project: Project) -> Yardstick | None:
    with no_error_once_stopped(worker):
        against = against_truth(project)
    if against is None:
        return None
    contrast = measure_contrast(
        against,
        on_progress=lambda done, total: worker.put((done, total)) if total >= TELL_FROM else None,
        cancelled=worker.is_stopping,
    )
    return Yardstick(against.ids, baselines_of(against.aligned.truth, contrast))
