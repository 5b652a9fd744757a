"""The status bar, and the panel of files that cannot be used."""

from __future__ import annotations

from PySide6.QtWidgets import QMainWindow

from app.controllers.workbench import Workbench
from app.presenters.part import Handlers, Presenter
from app.views import dialogs
from app.views.dock import add_dock
from app.views.problems_model import Problem
from app.views.problems_panel import ProblemsPanel
from app.views.status_strip import StatusStrip
from app.wiring import follow, one_shot
from core.base.language import tr
from core.images.exif import NOT_SAID

PROBLEMS_WAIT_MS = 200


class StatusPresenter(Presenter):
    """Draws and wires both."""

    def __init__(
        self, bench: Workbench, strip: StatusStrip, problems: ProblemsPanel, window: QMainWindow
    ) -> None:
        super().__init__(bench, window)
        self._strip, self._problems, session = strip, problems, self._session
        self.dock = add_dock(window, "problems_dock", tr("Problems"), problems)
        # Listing the problems reads all images: not for each of a hundred bad thumbnails.
        self._wait = one_shot(self, PROBLEMS_WAIT_MS, self._show_problems)
        session.problems.changed.connect(self._wait.start)
        session.activity_changed.connect(self._show_activity)
        session.progress.changed.connect(self._show_reviewed)
        session.notice.connect(strip.say)
        follow(self._show_size, session.current_changed, session.picture_changed, session.project_changed)
        follow(self.update, session.project_changed, self.dock.visibilityChanged)
        strip.stop_requested.connect(bench.stop_activities)
        strip.problems_requested.connect(self.dock.show)
        problems.show_in_folder_requested.connect(dialogs.show_in_folder)

    def handlers(self) -> Handlers:
        return {"show_problems": self.dock.setVisible}

    def update(self) -> None:
        is_open = self._session.project is not None
        if not is_open:
            self.dock.hide()
        self._enable({"show_problems": is_open})
        self._check({"show_problems": not self.dock.isHidden()})

    def _show_reviewed(self) -> None:
        tally = self._session.progress.tally
        self._strip.set_reviewed(tally.reviewed, tally.usable)

    def _show_size(self) -> None:
        picture = self._session.picture
        self._strip.set_size(self._session.in_view.size, truncated=bool(picture and picture.truncated))
        self._strip.set_taken(picture.taken if picture else NOT_SAID)

    def _show_activity(self) -> None:
        activities = list(self._session.activities.values())
        self._strip.set_activity(activities[0] if activities else None)

    def _show_problems(self) -> None:
        known = self._session.problems
        problems = [Problem(file.path, file.reason) for file in known.files]
        text = tr("Damaged; used as far as it can be read.")
        damaged = [Problem(path, text, warning=True) for path in known.damaged]
        away = [Problem(folder.root, tr("This folder is not there.")) for folder in known.away]
        self._problems.set_problems([*away, *problems, *damaged])
        self._strip.set_problems(len(problems), len(damaged), away=len(away))
