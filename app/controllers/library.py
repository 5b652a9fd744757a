"""Projects and the images in them: opening, creating, scanning, saving a copy."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app import paths
from app.controllers.class_training import read_classifier
from app.controllers.job import Controller, Job
from app.controllers.learning import read_training
from app.controllers.run import SavedTraining
from app.memory import look_at_all
from app.models.image_list import ImageTable, read_table
from app.models.runs import Listed, default_run, read_runs
from app.models.session import Session
from app.models.training import Kind
from app.pump import Pump
from app.worker import Worker
from core.base.errors import BoxscoutError, DamagedProjectError
from core.base.language import tr, trn
from core.images.sample import draw_sample_once
from core.images.scan import ImageFile, RejectedFile, are_only_films, iter_scan, none_found
from core.project.claim import WINDOW, Claim, claim
from core.project.duplicate import save_copy
from core.project.file import SUFFIX
from core.project.rescue import Rescue, rescue
from core.project.store import ImageRecord, Project, ProjectView

FIRST_BATCH = 64
# The window takes a batch in at once: no larger than what it does between two frames.
LARGEST_BATCH = 2048
BATCH_S = 0.25


@dataclass(frozen=True, slots=True)
class Opened:
    """A project read in its thread."""

    project: Project
    table: ImageTable
    rejected: list[RejectedFile]
    view: ProjectView
    runs: Listed
    training: SavedTraining
    classes: SavedTraining
    claim: Claim
    rescued: Rescue | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a scan; the whole of it lies in the project already."""

    records: list[ImageRecord]
    rejected: list[RejectedFile]


@dataclass(frozen=True, slots=True)
class Scanned:
    """The end of a scan. ``table`` is None where no image that was here before has changed.

    ``added`` are the ids of new images, where the person has added them to the project.
    """

    images: int
    table: ImageTable | None
    rejected: list[RejectedFile]
    added: tuple[int, ...] | None


class LibraryController(Controller):
    """What is open, and what is in it."""

    scanned = Signal()
    """A scan has ended and all it found is in the list."""
    folders_added = Signal(object)
    """The folders of a scan that has found images."""
    only_films = Signal(object, bool)
    """The paths of a scan that has found films alone, and whether they were to be added."""
    opened = Signal()
    """A project is open, and what was learned in it is known."""
    added = Signal(object)
    """The ids of images that the person has added to the project, beside those that were there."""
    leaving = Signal()
    """The project is about to be closed: jobs on it must end. Sent only when none is training."""

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self._scan, self._opening, self._saving, self._drawing = (
            Job(session, pump, name) for name in ("scan", "opening", "save", "sample")
        )
        self._waiting: list[Path] = []
        self._adding = False
        """Whether what waits was added to the project by the person."""
        self._next: Sequence[Path] = ()
        self._claim: Claim | None = None

    # ---- what the person asks for ---------------------------------------------------------------

    def open_paths(self, chosen: Sequence[Path]) -> None:
        """A project file is opened; folders and files are a project of their own, looked through again."""
        if self._opening.running:
            self._next = chosen  # what is being opened must be there to be closed
            return
        projects = [path for path in chosen if path.suffix == SUFFIX and path.is_file()]
        if projects:
            self.open_project(projects[0])
        elif found := self._there(chosen):
            if self.is_open(found):
                self._start_scan(found)
            else:
                self._waiting = found
                self._open(paths.default_project(found), Project.open_or_create)

    def add_paths(self, chosen: Sequence[Path]) -> None:
        """Folders and files come into the open project beside its images."""
        if found := self._there(chosen):
            self._start_scan(found, adding=True)

    def is_open(self, chosen: Sequence[Path]) -> bool:
        """Whether the open project is what :meth:`open_paths` would open."""
        project = self._session.project
        if project is None or not chosen:
            return False
        own = [path for path in chosen if path.suffix == SUFFIX and path.is_file()]
        return project.path == (Path(own[0]).absolute() if own else paths.default_project(chosen))

    def open_project(self, path: Path) -> None:
        session = self._session
        if session.project is not None and session.project.path == Path(path).absolute():
            return
        self._open(path, Project.open_to_look)

    def save_copy(self, path: Path) -> None:
        """File > Save project as; a copy of what may only be read is opened, to go on in it."""
        project, view = self._session.project, self._session.view
        if project is None:
            return

        def run(_: Worker) -> None:
            save_copy(project, view, path)

        def done(_: object) -> None:
            self._session.notice.emit(tr("Saved as {name}.").format(name=path.name))
            if project.is_copy and self._session.project is project:
                self.open_project(path)

        self._saving.start(run, text=tr("Saving…"), can_stop=False, on_done=done)

    def open_sample(self) -> None:
        """Draw the sample folder, once, and open it."""
        folder = paths.data_folder() / "sample"
        self._drawing.start(
            lambda _: draw_sample_once(folder),
            text=tr("Creating the sample…"),
            can_stop=False,
            on_done=lambda _: self.open_paths([folder]),
        )

    def stop(self) -> None:
        """End the scan; what it has found stays."""
        self._scan.stop()

    def close_project(self) -> None:
        """End the jobs on the open project, save and close it."""
        session = self._session
        project = session.project
        if project is None:
            return
        self._scan.abandon()
        self.leaving.emit()
        view, claim = session.view, self._claim
        self._claim = None
        session.set_project(None)

        def run(_: Worker) -> None:
            try:
                project.save_view(view)
            finally:
                project.close()
                if claim is not None:
                    claim.release()

        self._pump.run("close", run, on_done=lambda _: look_at_all())

    def release(self) -> None:
        """The project has been closed: another window may open it."""
        if self._claim is not None:
            self._claim.release()
            self._claim = None

    # ---- opening --------------------------------------------------------------------------------

    def _open(self, path: Path, how: Callable[[Path], Project]) -> None:
        self._opening.start(
            lambda _: _read(path, how),
            text=tr("Opening {name}…").format(name=paths.title(path)),
            can_stop=False,
            on_done=self._on_opened,
            on_failed=self._on_not_opened,
        )

    def _on_not_opened(self, _: BaseException) -> None:
        self._waiting.clear()
        self._open_next()

    def _open_next(self) -> None:
        chosen, self._next = self._next, ()
        if chosen:
            self.open_paths(chosen)

    def _on_opened(self, opened: Opened) -> None:
        session = self._session
        self.close_project()
        self._claim = opened.claim
        session.set_project(opened.project, opened.table, opened.view)
        session.runs.set_listed(opened.runs)
        session.problems.set_rejected(opened.rejected)
        opened.training.show(session, session.results.free_kind)
        opened.classes.show(session, Kind.CAM)
        paths.remember_project(opened.project.path)
        rescued = opened.rescued.sentence() if opened.rescued else ""
        for warning in filter(None, (rescued, opened.training.warning, opened.classes.warning)):
            self._complain(warning)
        self.opened.emit()
        self._scan_waiting()
        self._open_next()

    # ---- scanning -------------------------------------------------------------------------------

    def _start_scan(self, chosen: Sequence[Path], *, adding: bool = False) -> None:
        project = self._session.project
        if project is None or self._session.refuses_change():
            return
        if self._scan.running:
            self._waiting += chosen
            self._adding |= adding
            return
        known = tuple(self._session.images.records)
        self._scan.start(
            lambda worker: _Scan(worker, project, known, adding=adding).run(chosen),
            text=tr("Looking for images…"),
            on_items=self._on_found,
            on_done=lambda scanned: self._on_scanned(scanned, chosen),
            on_failed=lambda _: self._scan_waiting(),
        )

    def _on_found(self, parts: list[Found]) -> None:
        session = self._session
        for part in parts:
            session.append_records(part.records)
        self._scan.tell(tr("Looking for images: {count:,} found").format(count=session.images.total))

    def _on_scanned(self, scanned: Scanned, chosen: Sequence[Path]) -> None:
        session = self._session
        session.problems.set_rejected(scanned.rejected)
        if scanned.table is not None:
            session.replace_table(scanned.table)
        else:
            session.images.arrange(session.view.browse)
        self._scan_waiting()
        self.scanned.emit()
        if scanned.added is not None:
            self._tell_added(scanned.added)
        if scanned.images:
            self.folders_added.emit([path for path in chosen if path.is_dir()])
        else:
            is_film = are_only_films(scanned.rejected)
            if is_film:
                self.only_films.emit(chosen, scanned.added is not None)
            else:
                self._complain(none_found(chosen, scanned.rejected))
            if not session.images.total and (is_film or not scanned.rejected):
                self._leave_empty()

    def _leave_empty(self) -> None:
        """There is nothing to see in the project: back to where a folder is chosen."""
        if self._session.project is not None:
            paths.forget_project(self._session.project.path)
        self.close_project()

    def _tell_added(self, ids: tuple[int, ...]) -> None:
        text = trn("{count:,} image was added.", "{count:,} images were added.", len(ids))
        self._session.notice.emit(text if ids else tr("These images are in the project already."))
        if ids:
            self.added.emit(ids)

    def _scan_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        adding, self._adding = self._adding, False
        if waiting:
            self._start_scan(waiting, adding=adding)

    def _there(self, chosen: Sequence[Path]) -> list[Path]:
        """Those of ``chosen`` that can be reached; the person is told of the others."""
        found = [path for path in chosen if _exists(path)]
        for path in set(chosen) - set(found):
            self._complain(tr("“{name}” does not exist or cannot be reached.").format(name=path))
        return found

    def _complain(self, sentence: str) -> None:
        self._session.error.emit(BoxscoutError(sentence), "")


class _Scan:
    """What the scanning thread does: the first images at once, later ones in larger batches."""

    def __init__(
        self, worker: Worker, project: Project, known: Sequence[ImageRecord], *, adding: bool
    ) -> None:
        self._worker, self._project, self._adding = worker, project, adding
        self._new: list[int] = []
        self._known = {record.id: record for record in known}
        self._last_id = max(self._known, default=0)
        self._files: list[ImageFile] = []
        self._rejected: list[RejectedFile] = []
        self._size = FIRST_BATCH
        self._flushed = time.monotonic()

    def run(self, chosen: Sequence[Path]) -> Scanned:
        images = 0
        for found in iter_scan(chosen):
            if isinstance(found, ImageFile):
                self._files.append(found)
                images += 1
            else:
                self._rejected.append(found)
            late = time.monotonic() - self._flushed > BATCH_S
            if len(self._files) >= self._size or (late and self._files):
                self._flush()
            if self._worker.stopping:
                break
        self._flush()
        # In a new project nothing can have changed, and reading 100,000 rows again takes a second.
        records = self._project.images() if self._known else []
        changed = any(self._known.get(r.id, r) != r for r in records)
        table = read_table(self._project, records) if changed else None
        return Scanned(images, table, self._project.rejected(), tuple(self._new) if self._adding else None)

    def _flush(self) -> None:
        if self._rejected:
            self._project.add_rejected(self._rejected)
        if self._files:
            self._project.add_images(self._files, again=self._adding)
            new = self._project.images(after=self._last_id)
            self._last_id = max((record.id for record in new), default=self._last_id)
            self._new += [record.id for record in new]
            self._worker.put(Found(new, self._rejected))
        self._files, self._rejected = [], []
        self._size = min(2 * self._size, LARGEST_BATCH)
        self._flushed = time.monotonic()


def _read(path: Path, how: Callable[[Path], Project]) -> Opened:
    claimed = claim(path, WINDOW)
    try:
        project, rescued = _whole(path, how)
        try:
            listed, view = read_runs(project), project.load_view()
            free = default_run(listed.runs, Kind.FEATURES, Kind.GAN)
            training = read_training(free)
            classes = read_classifier(default_run(listed.runs, Kind.CAM))
            current = next((run for run in listed.runs if run.current), None)
            if current is not None:
                view = replace(view, model=current.kind)
            elif free is not None and view.model != Kind.CAM.value:
                view = replace(view, model=free.kind)
            table = read_table(project, project.images())
            return Opened(
                project, table, project.rejected(), view, listed, training, classes, claimed, rescued
            )
        except BaseException:
            project.close()
            raise
    except BaseException:
        claimed.release()
        raise


def _whole(path: Path, how: Callable[[Path], Project]) -> tuple[Project, Rescue | None]:
    """The project at ``path``; where it is damaged, what can be read of it."""
    try:
        return how(path), None
    except DamagedProjectError:
        rescued = rescue(path)
        return how(path), rescued


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
