"""Which training is shown, and which one the boxes come from."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.controllers.class_training import read_classifier
from app.controllers.editing import TAKING, EditingController
from app.controllers.job import Controller, Job
from app.controllers.learning import read_training
from app.controllers.run import SavedTraining
from app.models.runs import Listed, read_runs
from app.models.session import Session
from app.models.training import Kind
from app.pump import Pump
from app.worker import Worker, no_error_once_stopped
from core.base.errors import BoxscoutError
from core.base.language import tr
from core.project.edits import TakeEdit
from core.project.runs import Run, delete_run
from core.project.store import Project


class RunsController(Controller):
    """Shows a run, takes its boxes, deletes it."""

    shown = Signal()
    """Another run is shown, with all that is known of its training."""

    def __init__(
        self, session: Session, pump: Pump, editing: EditingController, parent: QObject | None = None
    ) -> None:
        super().__init__(session, pump, parent)
        self._editing = editing
        self._listing, self._taking = self._job("runs"), Job(session, pump, TAKING)

    def refresh(self) -> None:
        """Read the list again: a run has begun or ended, or has found boxes."""
        project = self._session.project
        if project is not None:
            self._listing.start(lambda worker: _listed(worker, project), on_done=self._on_listed)

    def show(self, run_id: int) -> None:
        """Show the training of a run, and what it finds, in the panel; no box changes."""
        run, project = self._session.runs.find(run_id), self._session.project
        if run is None or project is None:
            return
        self._session.runs.show(run)
        read = read_classifier if run.kind == Kind.CAM.value else read_training
        self._pump.run("run", lambda _: read(run), on_done=lambda saved: self._on_read(project, run, saved))

    def take(self, run_id: int) -> None:
        """Let the boxes come from a run, which can be taken back; edited and accepted ones stay."""
        session, runs = self._session, self._session.runs
        project, run, before, view = session.project, runs.find(run_id), runs.current, session.view
        if project is None or run is None or before is None or session.refuses_change():
            return
        if run_id not in runs.listed.ready:
            return
        self._editing.about_to_take.emit()
        becomes = view.for_maps_of(run.kind, before=before.kind).options
        edit, begun = TakeEdit(before.id, run.id, view.options, becomes), self._editing.begin()

        def done(_: object) -> None:
            if session.project is project:
                self._editing.remember(edit, self.take_text(run), begun)
                self._editing.tell(edit)
                text = tr("The boxes come from {run} now; edited and accepted ones stayed.")
                session.notice.emit(text.format(run=run.name))

        text = tr("Applying boxes…")
        self._taking.start(lambda _: edit.apply(project, view), text=text, can_stop=False, on_done=done)

    def take_text(self, run: Run) -> str:
        """How :meth:`take` is called where it can be taken back."""
        return tr("Use boxes of {run}").format(run=run.name)

    def delete(self, run_id: int) -> None:
        """Delete a run that the boxes do not come from; nothing of before can be taken back then."""
        session = self._session
        project, run = session.project, session.runs.find(run_id)
        if project is None or run is None or session.refuses_change():
            return
        self._editing.forget()  # what would be taken back may have been this run's
        self._pump.run("delete-run", lambda _: delete_run(project, run), on_done=lambda _: self.refresh())

    def _on_listed(self, listed: Listed) -> None:
        runs, shown, learning_of = self._session.runs, self._session.results.kind, self._session.learning_of
        before = {kind: runs.of(kind) for kind in Kind}
        runs.set_listed(listed)
        for kind, was in before.items():
            now = runs.of(kind)
            if kind is not shown and learning_of(kind) is learning_of(shown):
                continue  # of the two without labels one is shown at a time
            if now is None or not now.is_saved:
                continue
            is_gone = was is not None and was.id != now.id
            if is_gone or (kind is shown and learning_of(kind).status.saved_step is None):
                self.show(now.id)  # the one that was shown has learned nothing, or was deleted

    def _on_read(self, project: Project, run: Run, saved: SavedTraining) -> None:
        session, kind = self._session, Kind(run.kind)
        shown = session.runs.of(kind)
        if session.project is not project or shown is None or shown.id != run.id or session.is_training:
            return
        saved.show(session, kind)
        session.results.set_kind(kind)
        session.change_view(model=kind.value, at="last")
        if saved.warning:
            session.error.emit(BoxscoutError(saved.warning), "")
        self.shown.emit()


def _listed(worker: Worker, project: Project) -> Listed:
    with no_error_once_stopped(worker):
        return read_runs(project)
