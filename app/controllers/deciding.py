"""Boxes from stored heat maps, for every image whose box does not say what the threshold now says."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.models.session import Session
from app.pump import Pump
from app.worker import Worker
from core.annotations import BoxRecord, Source
from core.boxes import MAX_THRESHOLD, RULES
from core.prior import Prior
from core.project.store import ImageRecord, Project, ProjectView
from core.several import find_boxes

WAIT_MS = 400
BATCH = 256


class DecidingController(QObject):
    """Keeps the project's automatic boxes and its view as the window shows them, a moment later."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pump = pump
        self._worker: Worker | None = None
        self._saved: ProjectView | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._run)
        session.view_changed.connect(self._on_view_changed)
        session.project_changed.connect(self._on_project_changed)

    def wake(self) -> None:
        """Look soon whether boxes are behind: heat maps or images have changed."""
        self._timer.start()

    def abandon(self) -> None:
        """Stop what is under way; the project is about to be closed."""
        self._timer.stop()
        self._pump.abandon(self._worker)
        self._worker = None

    def _on_project_changed(self) -> None:
        self.abandon()
        self._saved = None
        if self._session.project is not None:
            self._saved = self._session.view
            self.wake()

    def _on_view_changed(self) -> None:
        if self._session.project is not None:
            self._timer.start()

    def _run(self) -> None:
        session = self._session
        project, view = session.project, session.view
        if project is None:
            return
        # An older pass is still writing boxes of an older threshold: it stops between two batches.
        self._pump.abandon(self._worker)
        save = view != self._saved
        self._saved = view
        self._worker = self._pump.run(
            "boxes", lambda worker: _save(project, view, worker, save=save), on_done=self._on_done
        )

    def _on_done(self, _: object) -> None:
        self._worker = None


def _save(project: Project, view: ProjectView, worker: Worker, *, save: bool) -> None:
    if save:
        project.save_view(view)
    decide(project, view, cancelled=worker.is_stopping)


def wanted_threshold(view: ProjectView, image_id: int) -> float:
    """The threshold in force for one image."""
    threshold = view.thresholds.get(image_id, view.threshold)
    if threshold is None:
        return RULES[view.rule].default_threshold
    return min(max(threshold, 0.0), MAX_THRESHOLD)


def decide(project: Project, view: ProjectView, *, cancelled: Callable[[], bool] = lambda: False) -> int:
    """Give every image with a heat map the box of the rule and threshold in force.

    Returns how many boxes were made. Images whose box is a person's, or is already so, are passed over.
    """
    if project.heat_maps_step() is None:
        return 0
    boxes = project.all_boxes()
    behind = [r for r in project.images() if r.width and _is_behind(boxes.get(r.id, ()), view, r.id)]
    prior = project.prior()
    made = 0
    for start in range(0, len(behind), BATCH):
        if cancelled():
            break
        found = _decide_batch(project, view, prior, behind[start : start + BATCH])
        project.set_auto_boxes(found)
        made += len(found)
    return made


def _is_behind(boxes: tuple[BoxRecord, ...], view: ProjectView, image_id: int) -> bool:
    if any(box.source is Source.EDITED for box in boxes):
        return False
    now = view.rule, wanted_threshold(view, image_id)
    return not boxes or any((box.rule, box.threshold) != now for box in boxes)


def _decide_batch(
    project: Project, view: ProjectView, prior: Prior | None, records: list[ImageRecord]
) -> dict[int, tuple[BoxRecord, ...]]:
    found = {}
    for record in records:
        heat_map = project.heat_map(record.id)
        if heat_map is not None:
            found[record.id] = find_boxes(
                heat_map,
                width=record.width,
                height=record.height,
                rule=view.rule,
                threshold=wanted_threshold(view, record.id),
                prior=prior,
                max_boxes=view.max_boxes,
            )
    return found
