"""Boxes from stored heat maps, for every image whose box does not say what the threshold now says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.controllers.editing import TAKING
from app.models.session import Session
from app.models.training import Activity
from app.pump import Pump
from app.timers import one_shot
from app.worker import Worker
from core.base.errors import ProjectError
from core.base.language import tr
from core.project.browse import BoxFacts
from core.project.decide import BATCH, decide
from core.project.queries import box_facts
from core.project.store import Project, ProjectView

WAIT_MS = 400
ACTIVITY = "deciding"
# Below this nobody needs to be told: it is over before it could be read.
TELL_FROM = BATCH


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
        self._timer = one_shot(self, WAIT_MS, self._run)
        session.view_changed.connect(self._on_view_changed)
        session.project_changed.connect(self._on_project_changed)

    def wake(self) -> None:
        """Look soon whether boxes are behind: heat maps or images have changed."""
        self._behind = True
        self._timer.start()

    @property
    def running(self) -> bool:
        """Whether boxes are being brought up to date, or will be in a moment."""
        return self._worker is not None or self._timer.isActive()

    def bring_up(self, ids: Sequence[int]) -> None:
        """Before a person accepts these images: what a moved threshold makes of them, if they are a few.

        Of more than that only one is seen, and the others keep what the project holds.
        """
        session = self._session
        if session.project is None or not self.running or len(ids) > BATCH:
            return
        try:
            decide(session.project, session.view, among=ids)
        except ProjectError as error:
            session.error.emit(error, "")

    def finish(self) -> None:
        """Stop here and now: what boxes come from is about to change."""
        self._timer.stop()
        self.stop()
        self._pump.finish(self._worker)
        self._behind = True

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
        session = self._session
        if session.project is None:
            return
        saved = self._saved
        if self._worker is not None and saved is not None and _rules(session.view) != _rules(saved):
            # What it would still write is no longer asked for: two cores have better to do.
            self._pump.abandon(self._worker)
            self._end()
            self._behind = True
        self._timer.start()

    def _run(self) -> None:
        session = self._session
        project, view = session.project, session.view
        if project is None:
            return
        if TAKING in session.activities:
            self._timer.start()  # what it would read is just being exchanged
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
            on_items=lambda items: self._on_items(items, first),
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

    def _on_items(self, items: list[_Progress], first: Sequence[int]) -> None:
        for progress in items:
            if progress.facts is not None:
                self._session.images.set_facts(progress.facts, *first)
        last = items[-1]
        if last.total >= TELL_FROM:
            text = tr("Applying the threshold…")
            self._session.set_activity(ACTIVITY, Activity(text=text, done=last.done, total=last.total))

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


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far a pass is, and once what boxes the rows on the screen have now."""

    done: int
    total: int
    facts: BoxFacts | None = None


def _decide_all(worker: Worker, project: Project, view: ProjectView, first: Sequence[int]) -> int:
    waited_for = set(first)

    def tell(done: int, total: int) -> None:
        # Read here and not in the window's thread, which would wait for the next batch to be written.
        worker.put(_Progress(done, total, box_facts(project, *waited_for) if waited_for else None))
        waited_for.clear()

    return decide(project, view, first=first, on_progress=tell, cancelled=worker.is_stopping)
