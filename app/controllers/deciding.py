"""Boxes from stored heat maps, for every image whose box does not say what the threshold now says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from app.models.session import Session
from app.models.training import Activity
from app.pump import Pump
from app.worker import Worker
from core.annotations import BoxRecord
from core.boxes import MAX_THRESHOLD, RULES
from core.errors import ProjectError
from core.prior import Prior
from core.project.queries import Undecided, heat_maps, undecided
from core.project.store import Project, ProjectView
from core.several import find_boxes

WAIT_MS = 400
BATCH = 512
ACTIVITY = "deciding"
# Below this nobody needs to be told: it is over before it could be read.
TELL_FROM = 4 * BATCH


class DecidingController(QObject):
    """Keeps the project's automatic boxes and its view as the window shows them, a moment later.

    The image in view has its new box at once; the rows on the screen come first in the pass over all.
    """

    decided = Signal()
    """Boxes in the project are new."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pump = pump
        self._worker: Worker | None = None
        self._saved: ProjectView | None = None
        self._behind = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self._run)
        session.view_changed.connect(self._on_view_changed)
        session.project_changed.connect(self._on_project_changed)

    def wake(self) -> None:
        """Look soon whether boxes are behind: heat maps or images have changed."""
        self._behind = True
        self._timer.start()

    def stop(self) -> None:
        """End the pass under way. What it has not reached follows with the next one, or with an export."""
        if self._worker is not None:
            self._worker.stop()

    def abandon(self) -> None:
        """Stop what is under way; the project is about to be closed."""
        self._timer.stop()
        self._pump.abandon(self._worker)
        self._end()

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
        decides = self._behind or self._saved is None or _rules(view) != _rules(self._saved)
        if self._worker is not None and not decides:
            self._timer.start()  # only the view is to be saved: after the pass, not instead of it
            return
        # An older pass is still writing boxes of an older threshold: it stops between two batches.
        self._pump.abandon(self._worker)
        first = session.images.ids_in(*session.rows_in_view)
        # Here and not in the thread: an edit may save a newer view before the thread comes to it.
        if view != self._saved and not self._save_view(project, view):
            return
        self._saved, self._behind = view, False
        if not decides:
            return
        self._worker = self._pump.run(
            "boxes",
            lambda worker: _decide_all(worker, project, view, first),
            on_items=self._on_items,
            on_done=self._on_done,
            on_failed=lambda _: self._end(),
        )

    def _save_view(self, project: Project, view: ProjectView) -> bool:
        try:
            project.save_view(view)
        except ProjectError as error:
            self._session.error.emit(error, "")
            return False
        return True

    def _on_items(self, items: list[tuple[int, int]]) -> None:
        done, total = items[-1]
        text = self.tr("Applying the threshold…")
        self._session.set_activity(ACTIVITY, Activity(text=text, done=done, total=total))

    def _on_done(self, made: int) -> None:
        self._end()
        if made:
            self.decided.emit()

    def _end(self) -> None:
        self._worker = None
        if ACTIVITY in self._session.activities:
            self._session.set_activity(ACTIVITY, None)


def _rules(view: ProjectView) -> tuple[object, ...]:
    return view.rule, view.threshold, view.thresholds, view.max_boxes


def _decide_all(worker: Worker, project: Project, view: ProjectView, first: Sequence[int]) -> int:
    return decide(
        project,
        view,
        first=first,
        on_progress=lambda done, total: worker.put((done, total)) if total >= TELL_FROM else None,
        cancelled=worker.is_stopping,
    )


def wanted_threshold(threshold: float | None, rule: str) -> float:
    """The threshold in force: a person's, or the rule's own."""
    return RULES[rule].default_threshold if threshold is None else min(max(threshold, 0.0), MAX_THRESHOLD)


def decide(
    project: Project,
    view: ProjectView,
    *,
    first: Sequence[int] = (),
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Give every image with a heat map the box of the rule and threshold in force, those in ``first`` first.

    Returns how many boxes were made. Images whose box is a person's, or is already so, are passed over.
    """
    if project.heat_maps_step() is None:
        return 0
    own = {image_id: wanted_threshold(value, view.rule) for image_id, value in view.thresholds.items()}
    threshold = wanted_threshold(view.threshold, view.rule)
    behind = undecided(project, rule=view.rule, threshold=threshold, own=own, max_boxes=view.max_boxes)
    ahead = set(first)
    behind.sort(key=lambda image: image.id not in ahead)
    prior = project.prior()
    made = 0
    for start in range(0, len(behind), BATCH):
        if cancelled():
            break
        found = _decide_batch(project, view, prior, behind[start : start + BATCH])
        project.set_auto_boxes(found, max_boxes=view.max_boxes)
        made += len(found)
        on_progress(made, len(behind))
    return made


def _decide_batch(
    project: Project, view: ProjectView, prior: Prior | None, images: Sequence[Undecided]
) -> dict[int, tuple[BoxRecord, ...]]:
    maps = heat_maps(project, [image.id for image in images])
    return {
        image.id: find_boxes(
            maps[image.id],
            width=image.width,
            height=image.height,
            rule=view.rule,
            threshold=image.threshold,
            prior=prior,
            max_boxes=view.max_boxes,
        )
        for image in images
        if image.id in maps
    }
