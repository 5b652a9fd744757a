"""What a person has reviewed teaches the rest: a run of its own, whose boxes wait until they are taken."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.controllers.editing import EditingController
from app.controllers.job import Controller
from app.controllers.pacing import PacingController
from app.controllers.run import changed_records, last_of
from app.controllers.sources import chosen_features
from app.models.pictures import read_picture
from app.models.results import Outcome, Pair
from app.models.runs import Listed, read_runs
from app.models.session import Session
from app.models.training import Kind
from app.pump import Pump
from app.worker import Worker, no_error_once_stopped
from core.base.language import tr, trn
from core.project.store import ImageRecord, Project
from core.project.teaching import BY_ITSELF, OFFERED, Change, Teaching, is_worth, teach_run

SEARCH = "localization"
SIDE = 640  # pixels of a picture before and after


@dataclass(frozen=True, slots=True)
class Finished:
    """What the thread comes back with: the runs as they are now, and the seconds that it took."""

    teaching: Teaching
    listed: Listed
    records: list[ImageRecord]
    seconds: float


class TeachingController(Controller):
    """Learns from what was reviewed when it is asked to, or by itself."""

    proposed = Signal(object)
    """The :class:`~core.project.teaching.Teaching` whose boxes can be taken now."""
    taken_by_itself = Signal(object)
    """The same, where nobody is asked: they are to be taken at once."""
    pictures_ready = Signal(list)
    """A :class:`Pair` for each image that is shown before and after."""
    changed = Signal()
    """Whether it is worth to learn may be otherwise."""

    def __init__(
        self,
        session: Session,
        pump: Pump,
        editing: EditingController,
        pacing: PacingController,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(session, pump, parent)
        self._editing, self._pacing = editing, pacing
        self._teaching, self._looking = self._job("teaching"), self._job("pictures")
        self._by_itself = False
        self._put_off = 0
        """How many images were reviewed when it was last begun, or put off."""
        session.project_changed.connect(self._forget)
        session.progress.changed.connect(self._go_by_itself)
        session.activity_changed.connect(self._go_by_itself)

    @property
    def running(self) -> bool:
        return self._teaching.running

    @property
    def is_offered(self) -> bool:
        """Whether to ask the person just now."""
        return not self._by_itself and self._is_worth(OFFERED)

    @property
    def estimate(self) -> float | None:
        """The seconds that it will take; None where nothing like it was measured on this computer."""
        session, tally = self._session, self._session.progress.tally
        config = chosen_features(session.view.config)
        return self._pacing.estimate_teaching(config, tally.lessons + tally.usable, again=self._goes_on)

    @property
    def _goes_on(self) -> bool:
        """Whether the boxes come from a run that corrections have taught, so that features are kept."""
        current = self._session.runs.current
        return current is not None and current.id in self._session.runs.listed.taught_runs

    def set_by_itself(self, on: bool) -> None:
        """Whether to learn every :data:`BY_ITSELF` reviewed images, and ask nobody."""
        self._by_itself = on
        self._go_by_itself()
        self.changed.emit()

    def put_off(self) -> None:
        """Do not ask again before more was reviewed."""
        self._put_off = self._session.progress.tally.lessons
        self.changed.emit()

    def start(self, *, by_itself: bool = False) -> None:
        """Learn from the reviewed images; one sentence where that cannot be."""
        session, editing = self._session, self._editing
        project = session.project
        if project is None or self._is_busy() or session.refuses_change():
            return
        editing.settle()
        self.put_off()
        session.results.set_outcome(None)
        config, how = chosen_features(session.view.config), session.view_for(Kind.FEATURES.value).options
        first = self._in_sight()

        def run(worker: Worker) -> Finished:
            begun, before = time.monotonic(), project.images()
            with no_error_once_stopped(worker):
                found = teach_run(
                    project,
                    config,
                    how=how,
                    first=first,
                    on_learning=lambda *count: worker.put(("learning", *count)),
                    on_finding=lambda *count: worker.put(("finding", *count)),
                    cancelled=worker.is_stopping,
                )
                seconds = time.monotonic() - begun
                return Finished(found, read_runs(project), changed_records(project, before), seconds)

        count = session.progress.tally.lessons
        text = trn(
            "Learning from {count:,} reviewed image…", "Learning from {count:,} reviewed images…", count
        )
        self._teaching.start(
            run,
            text=text,
            on_items=lambda items: self._on_items(items, text),
            on_done=lambda found: self._on_done(project, found, by_itself=by_itself),
        )

    def stop(self) -> None:
        self._teaching.stop()

    def finish(self) -> None:
        """Stop here and now: what the project holds is about to change."""
        self.stop()
        self._teaching.finish()

    def look(self, teaching: Teaching) -> None:
        """Read the pictures that are shown before and after; :attr:`pictures_ready` follows."""
        self._looking.start(lambda _: _pairs(teaching.most), on_done=self.pictures_ready.emit)

    def _is_busy(self) -> bool:
        session = self._session
        return self.running or session.is_training or SEARCH in session.activities

    def _is_worth(self, step: int) -> bool:
        session = self._session
        current = session.runs.current
        if current is None or current.kind != Kind.FEATURES.value or self._is_busy() or session.only_looks:
            return False
        before = max(self._put_off, session.runs.listed.taught)
        return is_worth(session.progress.tally, before=before, step=step)

    def _go_by_itself(self) -> None:
        outcome = self._session.results.outcome
        asks = outcome is not None and outcome.waits is not None
        if self._by_itself and not asks and self._is_worth(BY_ITSELF):
            self.start(by_itself=True)

    def _in_sight(self) -> list[int]:
        """The ids of the image in view and of those that the list shows now."""
        session = self._session
        shown = session.images.ids_in(*session.rows_in_view)
        return [*filter(None, [session.current]), *shown]

    def _on_items(self, items: list[Any], text: str) -> None:
        step, done, total = last_of(items, tuple) or ("", 0, 0)
        self._teaching.tell(text if step == "learning" else tr("Finding boxes…"), done, total)

    def _on_done(self, project: Project, found: Finished, *, by_itself: bool) -> None:
        session, teaching = self._session, found.teaching
        if session.project is not project:
            return
        config, tally = chosen_features(session.view.config), session.progress.tally
        images = teaching.reviewed + tally.usable
        self._pacing.note_teaching(config, found.seconds / max(images, 1), again=self._goes_on)
        session.merge_records(found.records)
        session.runs.set_listed(found.listed)
        if by_itself:
            self.taken_by_itself.emit(teaching)
            return
        run = teaching.run
        session.results.set_outcome(
            Outcome(found=teaching.changed, run=run.name, waits=run.id, teaching=teaching)
        )
        self.look(teaching)
        self.proposed.emit(teaching)

    def _forget(self) -> None:
        self._put_off = 0


def _pairs(most: Sequence[Change]) -> list[Pair]:
    return [Pair(change, read_picture(change.image.path, SIDE)) for change in most]
