"""Which images belong to the project: what was added and what is removed can be taken back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.controllers.editing import TAKING, EditingController
from app.controllers.job import Controller, Job
from app.models.image_list import ImageTable, read_table
from app.models.session import Session
from app.pump import Pump
from app.worker import Worker
from core.base.language import tr, trn
from core.project.edits import MembersEdit


class MembersController(Controller):
    """Removes images from the project; files on disk stay where they are."""

    changed = Signal()
    """Other images are in the project, and the list shows them."""

    def __init__(
        self, session: Session, pump: Pump, editing: EditingController, parent: QObject | None = None
    ) -> None:
        super().__init__(session, pump, parent)
        self._editing, self._removing = editing, Job(session, pump, TAKING)
        self._reading = self._job("members")

    @property
    def can_remove(self) -> bool:
        """Whether there is an image to remove, and no job that would go on writing of it."""
        session = self._session
        return session.current is not None and not (session.is_training or session.only_looks)

    def remove(self) -> None:
        """Take the selected images, or the one in view, out of the project."""
        session, editing = self._session, self._editing
        project, view, chosen = session.project, session.view, session.chosen
        if project is None or not chosen or not self.can_remove:
            return
        editing.about_to_take.emit()
        edit, begun = MembersEdit(chosen, join=False), editing.begin()
        after = self._next_but(chosen)

        def run(_: Worker) -> ImageTable:
            edit.apply(project, view)
            return read_table(project, project.images())

        def done(table: ImageTable) -> None:
            if session.project is not project:
                return
            editing.remember(edit, tr("Remove from project"), begun)
            self._show(table, after)
            text = trn(
                "{count:,} image was removed from the project; its file stays. Undo brings it back.",
                "{count:,} images were removed from the project; their files stay. Undo brings them back.",
                len(chosen),
            )
            session.notice.emit(text)

        text = tr("Removing images from the project…")
        self._removing.start(run, text=text, can_stop=False, on_done=done)

    def note_added(self, ids: Sequence[int]) -> None:
        """The person has added images, which are there already: remember it."""
        begun = self._editing.begin()
        self._editing.remember(MembersEdit(tuple(ids), join=True), tr("Add images"), begun)

    def on_edited(self, edit: MembersEdit) -> None:
        """Show the images that the project has now: an edit of that was taken back, or done again."""
        project = self._session.project
        if project is None:
            return
        after = edit.images[0] if edit.join else self._next_but(edit.images)
        self._reading.start(
            lambda _: read_table(project, project.images()), on_done=lambda table: self._show(table, after)
        )

    def _show(self, table: ImageTable, after: int | None) -> None:
        session = self._session
        session.replace_table(table)
        session.select(after)
        self.changed.emit()

    def _next_but(self, gone: Sequence[int]) -> int | None:
        """The image that is shown once these are gone: the next one that stays, else the one before."""
        images, out = self._session.images, set(gone)
        if self._session.current not in out:
            return self._session.current
        row = max(images.row_of(self._session.current), 0)
        below = images.ids_in(row, images.rowCount() - 1)
        above = images.ids_in(0, row)
        return next((one for one in (*below, *reversed(above)) if one not in out), None)
