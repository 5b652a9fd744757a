"""Boxes from stored heat maps, for every image whose box does not say what the threshold now says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.controllers.editing import TAKING
from app.controllers.job import Controller
from app.models.session import Session
from app.pump import Pump
from app.wiring import one_shot
from app.worker import Worker
from core.base.language import tr
from core.boxes.options import BoxOptions
from core.project.decide import BATCH, decide
from core.project.facts import BoxFacts
from core.project.queries import box_facts
from core.project.store import Project, ProjectView

WAIT_MS = 400
# Below this nobody needs to be told: it is over before it could be read.
TELL_FROM = BATCH


class DecidingController(Controller):
    """Keeps the project's automatic boxes and its view as the window shows them, a moment later.

    The image in view has its new box at once; the rows on the screen come first in the pass over all.
    """

    decided = Signal()
    """Boxes in the project are new."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self._pass = self._job("deciding")
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
        return self._pass.running or self._timer.isActive()

    def bring_up(self, ids: Sequence[int]) -> None:
        """Before a person accepts these images: what a moved threshold makes of them, if they are a few.

        Of more than that only one is seen, and the others keep what the project holds.
        """
        session = self._session
        if session.project is not None and self.running and len(ids) <= BATCH:
            with self._told():
                decide(session.project, session.view.options, among=ids)

    def finish(self) -> None:
        """Stop here and now: what boxes come from is about to change."""
        self._timer.stop()
        self.stop()
        self._pass.finish()
        self._behind = True

    def stop(self) -> None:
        """End the pass under way. What it has not reached follows with the next one, or with an export."""
        self._pass.stop()

    def abandon(self) -> None:
        self._timer.stop()
        super().abandon()

    def _on_project_changed(self) -> None:
        self.abandon()
        self._saved = None
        if self._session.project is not None:
            self._saved = self._session.view
            self.wake()

    def _on_view_changed(self) -> None:
        if self._session.project is None:
            return
        if self._pass.running and self._decides_otherwise():
            # What it would still write is no longer asked for: two cores have better to do.
            self._pass.abandon()
            self._behind = True
        self._timer.start()

    def _decides_otherwise(self) -> bool:
        """Whether boxes are wanted by other options than the last pass was begun with."""
        return self._saved is None or self._session.view.options != self._saved.options

    def _run(self) -> None:
        session = self._session
        project, view = session.project, session.view
        if project is None:
            return
        decides = self._behind or self._decides_otherwise()
        # Not while what would be read is being exchanged; and a mere view is saved after a pass, not instead.
        if TAKING in session.activities or (self._pass.running and not decides):
            self._timer.start()
            return
        # An older pass is still writing boxes of an older threshold: it stops between two batches.
        self._pass.abandon()
        first = session.images.ids_in(*session.rows_in_view)
        # Here and not in the thread: an edit may save a newer view before the thread comes to it.
        with self._told():
            if view != self._saved:
                project.save_view(view)
            self._saved, self._behind = view, False
            if decides:
                self._pass.start(
                    lambda worker: _decide_all(worker, project, view.options, first),
                    on_items=lambda items: self._on_items(items, first),
                    on_done=lambda made: self.decided.emit() if made else None,
                )

    def _on_items(self, items: list[_Progress], first: Sequence[int]) -> None:
        for progress in items:
            if progress.facts is not None:
                self._session.images.set_facts(progress.facts, *first)
        if items[-1].total >= TELL_FROM:
            self._pass.tell(tr("Applying the threshold…"), items[-1].done, items[-1].total)


@dataclass(frozen=True, slots=True)
class _Progress:
    """How far a pass is, and once what boxes the rows on the screen have now."""

    done: int
    total: int
    facts: BoxFacts | None = None


def _decide_all(worker: Worker, project: Project, options: BoxOptions, first: Sequence[int]) -> int:
    waited_for = set(first)

    def tell(done: int, total: int) -> None:
        # Read here and not in the window's thread, which would wait for the next batch to be written.
        worker.put(_Progress(done, total, box_facts(project, *waited_for) if waited_for else None))
        waited_for.clear()

    return decide(project, options, first=first, on_progress=tell, cancelled=worker.is_stopping)
