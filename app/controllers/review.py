"""What a person says of many images at once, and what the list knows of their boxes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import compress

from PySide6.QtCore import QObject, Signal

from app.controllers.editing import EditingController
from app.controllers.job import Controller, Job
from app.models.session import Session
from app.pump import Pump
from app.worker import Worker, no_error_once_stopped
from core.base.annotations import Status
from core.base.errors import Cancelled
from core.base.geometry import Box
from core.base.language import mark, tr
from core.learn.usefulness import Ranking
from core.project.browse import Order, at_least, natural_ranks
from core.project.edits import StatusEdit
from core.project.facts import BoxFacts, Floats, TakenFacts
from core.project.queries import box_facts, edited_among, labelled, replaced_among
from core.project.rows import Kept
from core.project.store import Project
from core.project.taken import read_times, taken_facts
from core.project.useful import rank_useful

_SAYINGS = {Status.ACCEPTED: mark("Accept"), Status.REJECTED: mark("Reject"), Status.UNSEEN: mark("Unmark")}


class ReviewController(Controller):
    """Accepts, rejects and unmarks; keeps scores and box sizes in the list as the project has them."""

    about_to_accept = Signal(object)
    """The ids of images whose boxes the project must hold as the threshold now has them."""

    def __init__(
        self, session: Session, pump: Pump, editing: EditingController, parent: QObject | None = None
    ) -> None:
        super().__init__(session, pump, parent)
        self._editing = editing
        self._facts, self._ranks = self._job("facts"), self._job("names")
        self._useful, self._times = self._job("useful"), Job(session, pump, "times")
        session.project_changed.connect(self.rank_names)
        session.project_changed.connect(lambda: self.refresh_class())

    def mark(self, status: Status) -> int:
        """Say that all selected images, or the one in view, are accepted, rejected or neither."""
        return self.set_statuses(self._session.chosen, status)

    def judge(self, status: Status) -> None:
        """:meth:`mark`; with one image in view, go on to the next one that nobody has judged yet.

        An image whose verdict could not be kept stays in view.
        """
        session = self._session
        self.mark(status)
        said = session.images.table.columns.statuses(session.chosen).values()
        if all(one in _same_as(status) or one is Status.FAILED for one in said):
            self._go_on()

    def mark_empty(self) -> None:
        """Say that the selected images, or the one in view, show no object, and go on as :meth:`judge`.

        They lose their boxes, which no run may give them back.
        """
        session, editing = self._session, self._editing
        ids = self._session.chosen
        if not ids or session.refuses_change():
            return
        said = session.images.table.columns.statuses(ids)
        usable = [image_id for image_id, one in said.items() if one is not Status.FAILED]
        empty = dict.fromkeys(usable, Kept((), edited=True))
        if usable and editing.review(dict.fromkeys(usable, Status.NO_OBJECT), None, tr("No object"), empty):
            self._go_on()

    def draw(self, box: Box, *, adds: bool, accepts: bool) -> None:
        """:meth:`EditingController.draw`; a box that is accepted with it goes on as :meth:`judge`."""
        if self._editing.draw(box, adds=adds, accepts=accepts) and accepts:
            self._go_on()

    def _go_on(self) -> None:
        session = self._session
        if len(session.selection) <= 1:
            unseen = session.images.next_unseen(session.current)
            if unseen is not None:
                session.select(unseen)

    def set_statuses(self, ids: Iterable[int], status: Status) -> int:
        """Give images one status, in one transaction; how many have changed. Failed ones stay failed."""
        session, project = self._session, self._session.project
        self._editing.wait()
        if project is None:
            return 0
        said = session.images.table.columns.statuses(list(ids))
        again = replaced_among(project, said)  # said once more, it is said of the file that is here now
        usable = {i: one for i, one in said.items() if one is not Status.FAILED}
        before = {i: one for i, one in usable.items() if one not in _same_as(status) or i in again}
        if not before:
            return 0
        text = tr(_SAYINGS[status])
        if status is Status.ACCEPTED:
            is_done = self._accept(list(before), text)
        else:
            is_done = self._editing.perform(StatusEdit(before, dict.fromkeys(before, status)), text)
        return len(before) if is_done else 0

    def _accept(self, ids: list[int], text: str) -> bool:
        """Accept with the boxes as they are seen, which may be newer than those that the project holds."""
        session, editing = self._session, self._editing
        if session.refuses_change():
            return False
        editing.settle()
        seen = None
        if session.current in ids:
            editing.about_to_edit.emit()
            # Seen without a box it keeps what the project holds: that may have been found just now.
            shown = session.in_view
            seen = shown.seen if shown.seen.boxes or shown.held else None
        self.about_to_accept.emit(ids)
        others = session.live_boxes_of([i for i in ids if i != session.current])
        if session.project is not None and others:
            held = edited_among(session.project, others)
            others = {i: boxes for i, boxes in others.items() if i not in held}
        changed = {i: Kept(boxes) for i, boxes in others.items()}
        return editing.review(dict.fromkeys(ids, Status.ACCEPTED), seen, text, changed)

    def accept_above(self, score: float) -> int:
        """Accept every unseen image whose boxes score at least ``score``; how many."""
        ids, scores = self._session.images.unseen_scores()
        return self.set_statuses(compress(ids, at_least(scores, score)), Status.ACCEPTED)

    def scores(self) -> Floats:
        return self._session.images.unseen_scores()[1]

    def refresh_class(self, label: str | None = None) -> None:
        """Read which images have a box of this class, by default of the one that is filtered by."""
        project, images = self._session.project, self._session.images
        label = self._session.view.browse.boxes.label if label is None else label
        if project is not None and label:
            with self._told():
                images.set_labelled(labelled(project, label))

    def refresh_facts(self) -> None:
        """Read again what the list's filters and orders know of boxes: many have changed."""
        project, images = self._session.project, self._session.images
        self.refresh_class()
        if project is not None:
            self._facts.start(lambda worker: _facts(worker, project), on_done=images.set_facts)
        self.rank_useful()
        self.read_times()

    def rank_useful(self, *, from_top: bool = False) -> None:
        """Find out what to review next, where the list is in that order.

        With ``from_top`` that comes into view, unless the person has gone on meanwhile.
        """
        session = self._session
        project, current = session.project, session.current
        if project is None or session.view.browse.order is not Order.USEFUL:
            return

        def done(ranking: Ranking) -> None:
            session.images.set_useful(ranking)
            if from_top and session.current == current:
                session.select(session.images.id_at(0))

        self._useful.start(lambda worker: _useful(worker, project), on_done=done)

    def read_times(self) -> None:
        """Read when photos were taken, where the list asks for it; those that are known are at once."""
        session, job, text = self._session, self._times, tr("Reading capture times…")
        project = session.project
        if project is None or not session.view.browse.needs_times:
            return
        session.images.set_taken(taken_facts(project))
        job.start(
            lambda worker: _times(worker, project),
            text=text,
            on_items=lambda items: job.tell(text, *items[-1]),
            on_done=session.images.set_taken,
        )

    def refresh_image(self, image_id: int) -> None:
        """The same of one image, at once: its boxes were edited."""
        if self._session.project is not None:
            self._session.images.set_facts(box_facts(self._session.project, image_id), image_id)

    def rank_names(self) -> None:
        """Put names in natural order ahead of time: sorting by name then takes no second of anyone's."""
        images = self._session.images
        names = images.table.columns.names
        self._ranks.abandon()
        if names:
            self._ranks.start(lambda _: natural_ranks(names), on_done=images.table.columns.set_ranks)
        self.rank_useful()
        self._times.abandon()
        self.read_times()


def _same_as(status: Status) -> tuple[Status, ...]:
    """What an image becomes of which this is said: one without a box that is accepted shows no object."""
    return (status, Status.NO_OBJECT) if status is Status.ACCEPTED else (status,)


def _useful(worker: Worker, project: Project) -> Ranking:
    with no_error_once_stopped(worker):
        return rank_useful(project)


def _times(worker: Worker, project: Project) -> TakenFacts:
    with no_error_once_stopped(worker), suppress(Cancelled):
        read_times(project, on_progress=lambda *count: worker.put(count), cancelled=worker.is_stopping)
    return taken_facts(project)


def _facts(worker: Worker, project: Project) -> BoxFacts:
    with no_error_once_stopped(worker):
        return box_facts(project)
