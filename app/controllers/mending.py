"""A project that no longer fits its files: folders that were moved, images that have another size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.controllers.editing import EditingController
from app.controllers.job import Controller, Job
from app.models.image_list import ImageTable, read_table
from app.models.session import Session
from app.pump import Pump
from app.wiring import one_shot
from app.worker import Worker, no_error_once_stopped
from core.base.annotations import Status
from core.base.language import tr
from core.project import resized
from core.project.edits import BoxesEdit
from core.project.places import LostFolder, Move, apply_move, find_moved, lost_folders
from core.project.queries import held_among, kept
from core.project.refreshed import as_it_is, sentence, take_in
from core.project.rows import Kept
from core.project.store import ImageRecord, Project

# A hundred thumbnails that cannot be read are one reason to look; a disk that is away may be back soon.
SOON_MS, AGAIN_MS = 200, 5000


@dataclass(frozen=True, slots=True)
class Moved:
    """A folder found again, and the project's images as they are now."""

    move: Move
    table: ImageTable
    lost: tuple[LostFolder, ...]


class MendingController(Controller):
    """Finds out what is wrong, and does what the person says about it."""

    size_noted = Signal(int)
    """The id of an image that has another size than the project knew; its boxes may be others now."""

    moved = Signal()
    """The list is another: a folder was found again."""

    back = Signal()
    """A folder that was away is there again."""

    def __init__(
        self, session: Session, pump: Pump, editing: EditingController, parent: QObject | None = None
    ) -> None:
        super().__init__(session, pump, parent)
        self._editing = editing
        self._looking, self._relocating = self._job("mending"), Job(session, pump, "relocate")
        self._file = self._job("file")
        self._left: set[Path] = set()
        self._again = one_shot(self, 0, self._look_again)
        session.project_changed.connect(self._on_project_changed)
        session.problems.changed.connect(self._on_problems)
        session.picture_changed.connect(self._compare_size)
        session.picture_changed.connect(self._compare_file)
        editing.boxes_edited.connect(self._look_at_sizes)

    def look(self) -> None:
        """Find out, in a thread, which folders are gone and which images have another size."""
        project = self._session.project
        self.abandon()
        if project is not None:
            self._looking.start(
                lambda worker: _look(worker, project), on_done=lambda lost: self._on_looked(project, lost)
            )

    def abandon(self) -> None:
        self._again.stop()
        super().abandon()

    def _on_project_changed(self) -> None:
        self._left.clear()
        self.look()

    def _on_problems(self) -> None:
        """An image cannot be read: its whole folder may have gone."""
        if self._session.problems.has_unreadable and not self._again.isActive():
            self._again.start(SOON_MS)

    def _look_again(self) -> None:
        # A look at a network that does not answer takes its time: one at once is enough.
        if not self._looking.running and self._session.project is not None:
            self.look()

    def relocate(self, old: Path, new: Path) -> None:
        """The folder ``old`` of the project lies at ``new`` now."""
        project = self._session.project
        if project is not None:
            self._relocating.start(
                lambda worker: _relocate(worker, project, old, new),
                text=tr("Looking for the images…"),
                can_stop=False,
                on_done=lambda moved: self._on_moved(project, moved),
            )

    def leave_lost(self, folder: LostFolder) -> None:
        """Say no more of ``folder`` until the project is opened again."""
        self._left.add(folder.root)
        lost = tuple(one for one in self._session.mending.lost if one != folder)
        self._session.set_mending(lost=lost)

    def _on_moved(self, project: Project, moved: Moved) -> None:
        session, move = self._session, moved.move
        if session.project is not project:
            return
        for image_id in (*move.files, *move.sizes):
            session.problems.note(image_id, "", damaged=False)
        session.picture = None
        session.replace_table(moved.table)
        for image_id in move.missing:
            session.problems.note(image_id, tr("It is not in the new folder."), damaged=False)
        self._on_looked(project, moved.lost)
        self.moved.emit()
        session.notice.emit(move.sentence())

    def _on_looked(self, project: Project, lost: tuple[LostFolder, ...]) -> None:
        session = self._session
        if session.project is not project:
            return
        # Read here and now: the image in view may have been compared since the thread began.
        told = tuple(folder for folder in lost if folder.root not in self._left)
        session.set_mending(lost=told, former_sizes=resized.former_sizes(project))
        self._compare_size()
        is_back = bool(session.problems.away_roots - {folder.root for folder in lost})
        session.problems.set_away(lost)
        if is_back:
            self.back.emit()
        self._again.stop()
        if lost:
            self._again.start(AGAIN_MS)

    def scale_boxes(self) -> None:
        """The image in view was scaled: so are its boxes."""
        session, project = self._session, self._session.project
        current, size = session.current, session.in_view.size
        before = session.mending.former_sizes.get(current or 0)
        if project is None or current is None or size is None or before is None:
            return
        self._editing.about_to_edit.emit()  # else what is being read just now would come too late
        with self._told():
            old = kept(project, [current])
            new = Kept(resized.scaled(old[current].boxes, before, size), old[current].edited)
            self._editing.perform(BoxesEdit(old, {current: new}), tr("Scale the boxes"))

    def keep_boxes(self) -> None:
        """The boxes of the image in view are right as they are."""
        session, project = self._session, self._session.project
        if project is not None and session.current is not None:
            with self._told():
                resized.keep(project, [session.current])
                self._look_at_sizes()

    def _look_at_sizes(self) -> None:
        """Boxes were changed, or taken back: those of other sizes than their images may be others now."""
        session, project = self._session, self._session.project
        if project is not None:
            with self._told():
                former = resized.former_sizes(project)
                if former != session.mending.former_sizes:
                    session.set_mending(former_sizes=former)

    def _compare_file(self) -> None:
        """The image in view is shown, maybe as it was remembered: is its file still the same?"""
        session, project, record = self._session, self._session.project, self._session.record
        shown = session.picture is not None and session.picture.image is not None
        if project is None or record is None or not shown or session.only_looks:
            return

        def done(now: ImageRecord) -> None:
            # Another time alone may come of a backup that was put back: it takes no map of the person's.
            if now.size_bytes != record.size_bytes and session.project is project:
                with self._told():
                    take_in(project, [now])
                    session.merge_records([project.image(record.id)])
                    session.set_mending(former_sizes=resized.former_sizes(project))
                    reviewed = bool(held_among(project, [record.id])) or record.status is Status.REJECTED
                    session.notice.emit(sentence(record, reviewed=reviewed))
                    self.size_noted.emit(record.id)

        self._file.start(lambda _: as_it_is(record), on_done=done)

    def _compare_size(self) -> None:
        """The image in view has been decoded: is it as large as its boxes say, and usable again?"""
        session, project = self._session, self._session.project
        record, picture, former = session.record, session.picture, session.mending.former_sizes
        if project is None or record is None or picture is None or not picture.width:
            return
        size = picture.width, picture.height
        is_new = size != (record.width, record.height) and (record.width or record.id in former)
        if not is_new and not record.reason:
            return
        with self._told():
            project.set_sizes({record.id: size})
            session.merge_records([project.image(record.id)])
            session.set_mending(former_sizes=resized.former_sizes(project))
            self.size_noted.emit(record.id)


def _look(worker: Worker, project: Project) -> tuple[LostFolder, ...]:
    with no_error_once_stopped(worker):
        return lost_folders(project)


def _relocate(worker: Worker, project: Project, old: Path, new: Path) -> Moved:
    move = find_moved(project, old, new, cancelled=worker.is_stopping)
    apply_move(project, move)
    return Moved(move, read_table(project, project.images()), _look(worker, project))
