"""All controllers on one session, and the order in which they leave."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.controllers.browsing import BrowsingController
from app.controllers.class_training import ClassTrainingController
from app.controllers.copying import CopyingController
from app.controllers.deciding import DecidingController
from app.controllers.editing import EditingController
from app.controllers.exporting import ExportController, ImportController
from app.controllers.figures import FigureController
from app.controllers.films import FilmsController
from app.controllers.job import Controller
from app.controllers.learning import LearningController
from app.controllers.library import LibraryController
from app.controllers.localization import LocalizationController
from app.controllers.measuring import MeasuringController
from app.controllers.members import MembersController
from app.controllers.mending import MendingController
from app.controllers.pacing import PacingController
from app.controllers.review import ReviewController
from app.controllers.run import RunController
from app.controllers.runs import RunsController
from app.controllers.teaching import TeachingController
from app.controllers.training import TrainingController
from app.controllers.watching import WatchingController
from app.models.results import Outcome
from app.models.session import Session
from app.models.training import Kind
from app.pump import Pump
from app.wiring import follow
from core.base.config import ClassifierConfig, FeaturesConfig, TrainConfig
from core.base.errors import ProjectError
from core.project.edits import StatusEdit
from core.project.teaching import Teaching

AnyConfig = TrainConfig | FeaturesConfig | ClassifierConfig


class Workbench(QObject):
    """What the window talks to."""

    closed = Signal()
    """Everything is saved and every thread has ended; sent once, after :meth:`shut_down`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session = Session(self)
        self.pump = pump = Pump(self)
        self.browsing = BrowsingController(session, pump, self)
        self.library = LibraryController(session, pump, self)
        self.learning = LearningController(session, pump, self)
        self.training = TrainingController(session, pump, self)
        self.class_training = ClassTrainingController(session, pump, self)
        self.localization = LocalizationController(session, pump, self)
        self.deciding = DecidingController(session, pump, self)
        self.editing = EditingController(session, pump, self)
        self.copying = CopyingController(session, self.editing, self)
        self.review = ReviewController(session, pump, self.editing, self)
        self.members = MembersController(session, pump, self.editing, self)
        self.mending = MendingController(session, pump, self.editing, self)
        self.exporting = ExportController(session, pump, self)
        self.importing = ImportController(session, pump, self.editing, self)
        self.figures = FigureController(session, pump, self)
        self.films = FilmsController(session, pump, self)
        self.measuring = MeasuringController(session, pump, self.editing, self)
        self.pacing = PacingController(session, pump, self)
        self.teaching = TeachingController(session, pump, self.editing, self.pacing, self)
        self.watching = WatchingController(session, pump, self)
        self.runs = RunsController(session, pump, self.editing, self)
        self._closing = self._closed = self._was_finding = False
        self._when_idle: Callable[[], None] | None = None
        self._connect()

    def _connect(self) -> None:
        library, editing, localization = self.library, self.editing, self.localization
        self.pump.failed.connect(self.session.error)
        self.pump.idle.connect(self._on_idle)
        for controller in self.findChildren(Controller):
            library.leaving.connect(controller.abandon)
        library.leaving.connect(editing.wait)
        library.opened.connect(localization.on_opened)
        library.folders_added.connect(self.importing.look_beside)
        library.only_films.connect(lambda chosen, adds: self.films.ask(chosen, adds=adds))
        self.films.taken.connect(lambda chosen, adds: self.open_taken(chosen, adds=adds))
        library.scanned.connect(self.review.rank_names)
        library.scanned.connect(self.mending.look)
        follow(self.training.summarize, library.scanned, self.session.project_changed)
        again = library.scanned, localization.evidence_changed, self.mending.back
        follow(self.browsing.try_again, *again)
        self.mending.size_noted.connect(self._on_size_noted)
        self.deciding.decided.connect(self.review.refresh_facts)
        # A list that was read anew knows no IoU.
        follow(self.measuring.wake, library.scanned, self.mending.moved, self.deciding.decided)
        follow(self.measuring.on_truth_changed, self.importing.truth_imported, editing.truth_edited)
        self.measuring.truth_changed.connect(self.browsing.refresh_evidence)
        editing.about_to_edit.connect(self.browsing.load_evidence_now)
        editing.boxes_edited.connect(self._on_boxes_edited)
        editing.statuses_edited.connect(self._on_statuses_edited)
        editing.about_to_take.connect(self._note_search)
        editing.about_to_take.connect(localization.finish)
        editing.about_to_take.connect(self.deciding.finish)
        editing.about_to_take.connect(self.teaching.finish)
        editing.taken.connect(self._on_taken)
        editing.members_edited.connect(self.members.on_edited)
        library.added.connect(self.members.note_added)
        self.members.changed.connect(self._on_members_changed)
        self.review.about_to_accept.connect(self.deciding.bring_up)
        self.runs.shown.connect(localization.on_shown)
        self.training.prepared.connect(localization.on_prepared)
        self.learning.begun.connect(localization.on_begun)
        for run in (self.learning, self.training, self.class_training):
            run.source.connect(localization.on_source)
            run.ended.connect(self._on_training_ended)
        localization.boxes_found.connect(self.pacing.on_found)
        localization.gave_up.connect(self.pacing.abandon)
        localization.evidence_changed.connect(self.runs.refresh)
        localization.evidence_changed.connect(self._on_evidence_changed)
        localization.evidence_changed.connect(self.watching.refresh)
        self.importing.imported.connect(lambda _: self._on_evidence_changed())
        self.teaching.proposed.connect(lambda teaching: self.runs.show(teaching.run.id))
        self.teaching.taken_by_itself.connect(self._take_taught)

    def open_paths(self, chosen: Sequence[Path]) -> None:
        """Open a project, or folders and files as a project of their own; a training ends first."""
        if not self.films.ask_of_films(chosen, adds=False):
            self.open_taken(chosen, adds=False)

    def add_paths(self, chosen: Sequence[Path]) -> None:
        if not self.films.ask_of_films(chosen, adds=True):
            self.open_taken(chosen, adds=True)

    def open_taken(self, chosen: Sequence[Path], *, adds: bool) -> None:
        """Open what holds no film, or add it to the open project."""
        if adds:
            self.library.add_paths(chosen)
            return
        switches = bool(chosen) and not self.library.is_open(chosen)
        self._after_training(switches, lambda: self.library.open_paths(chosen))

    def new_project(self) -> None:
        self._after_training(True, self.library.close_project)

    def start_training(self, config: AnyConfig, *, resume: bool = False) -> None:
        if self.run.running or self.teaching.running or self.session.refuses_change():
            return
        self.localization.stop()
        if isinstance(config, ClassifierConfig):
            self.class_training.start(config, resume=resume)
        elif isinstance(config, FeaturesConfig):
            self.learning.start(config)
        else:
            self.training.start(config, resume=resume)

    @property
    def run(self) -> RunController:
        """The training that is under way, or else the one that is shown."""
        runs = {run.kind: run for run in (self.learning, self.training, self.class_training)}
        return next((run for run in runs.values() if run.running), runs[self.session.results.kind])

    def stop_activities(self) -> None:
        """Stop the scan and the search for boxes, whose finds stay, and what leaves nothing when it ends."""
        for one in (
            *(self.library, self.deciding, self.localization),
            *(self.exporting, self.measuring, self.teaching, self.films),
        ):
            one.stop()

    @property
    def can_find_boxes(self) -> bool:
        """Whether there is a trained network and nothing else is using it."""
        session = self.session
        model, _ = session.results.source(session.view)
        trained = session.learning_of(Kind(model)).status.saved_step is not None
        busy = self.run.running or self.localization.running or self.teaching.running
        free = not (busy or session.only_looks)
        return bool(session.images.total) and trained and free

    @property
    def is_closed(self) -> bool:
        return self._closed

    def shut_down(self) -> None:
        """Stop everything and save; :attr:`closed` follows while the event loop goes on."""
        if self._closing:
            return
        self._closing = True
        self.run.stop()
        self.pump.stop_all()
        if not self.pump.busy:
            self._finish()

    def shut_down_now(self) -> None:
        """The same, waiting here: for the end of the event loop."""
        if not self._closed:
            self._closing = True
            self.run.stop()
            self.pump.join_all()
            self._finish()

    def _finish(self) -> None:
        if self._closed:
            return
        self._closed = True
        session = self.session
        project, view = session.project, session.view
        self.library.leaving.emit()
        self.browsing.close()
        self.watching.close()
        self.localization.close()
        if project is not None:
            try:
                project.save_view(view)
            except ProjectError as error:
                # Such as a full disk. Boxes and reviews are kept already; a dialog would go with its window.
                logging.getLogger("boxscout").warning("The view was not saved: %s", error)
            finally:
                project.close()
                self.library.release()
        self.closed.emit()

    def _on_idle(self) -> None:
        if self._closing:
            self._finish()

    def _after_training(self, needed: bool, then: Callable[[], None]) -> None:
        if needed and self.run.running:
            self._when_idle = then
            self.run.stop()
        else:
            then()

    def _on_training_ended(self, saved: object) -> None:
        then, self._when_idle = self._when_idle, None
        if self._closing:
            return
        self.runs.refresh()
        if then is not None:
            then()
        else:
            self.localization.on_training_ended(saved)  # type: ignore[arg-type]

    def _on_evidence_changed(self) -> None:
        self.browsing.refresh_evidence()
        if not self._closing:
            self.review.refresh_facts()
            self.deciding.wake()
            self.measuring.wake(boxes_changed=True)

    def _note_search(self) -> None:
        self._was_finding = self.localization.running

    def _on_members_changed(self) -> None:
        self.review.rank_names()
        self.training.summarize()
        self.deciding.wake()
        self.measuring.wake(boxes_changed=True)
        if self._was_finding:  # what stopped for the change goes on with the images that are here now
            self.localization.find_boxes()

    def _on_taken(self, run_id: int) -> None:
        """The boxes come from another run, which is not the one that is shown where that was taken back."""
        self.session.runs.set_current(run_id)
        self.runs.refresh()
        self.localization.on_shown()
        self._on_evidence_changed()

    def _take_taught(self, teaching: Teaching) -> None:
        """Take what was learned by itself, and say so."""
        before, run = self.session.runs.current, teaching.run
        if before is None or not teaching.changed:
            return
        outcome = Outcome(found=teaching.changed, run=run.name, teaching=teaching, replaced=before.id)
        self.session.results.set_outcome(outcome)
        self.runs.take(run.id)
        self.runs.show(run.id)

    def _on_statuses_edited(self, edit: StatusEdit) -> None:
        self.browsing.forget_evidence()
        if any(status.is_settled for status in set(edit.before.values())):
            self.deciding.wake()  # what is no longer accepted follows again

    def _on_size_noted(self, image_id: int) -> None:
        self.browsing.refresh()
        self.review.refresh_image(image_id)
        self.deciding.wake()
        self.measuring.wake(boxes_changed=True)

    def _on_boxes_edited(self, ids: tuple[int, ...]) -> None:
        self.browsing.forget_evidence()
        if len(ids) == 1:
            self.review.refresh_image(ids[0])
        else:
            self.review.refresh_facts()
        self.deciding.wake()
        self.measuring.wake(boxes_changed=True, by_hand=True)
