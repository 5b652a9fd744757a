"""What every search for boxes shares, whatever makes its heat maps: how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from core.base.errors import Cancelled, ProjectError
from core.base.language import tr
from core.boxes.rules import Map
from core.project.queries import heat_maps as stored_maps
from core.project.runs import Run, run_of, set_finished
from core.project.store import Project
from core.project.survey import Survey

BATCH = 64
CLASS = "class"
"""The unit of a :class:`MapSource` that is a classifier."""
OnProgress = Callable[[int, int], None]


class Steps:
    """Counts what is done in whole images, and stops where the person wishes."""

    def __init__(self, total: int, report: OnProgress | None, cancelled: Callable[[], bool] | None) -> None:
        self._total, self._report, self._cancelled = total, report, cancelled
        self._done = 0.0

    def is_cancelled(self) -> bool:
        return self._cancelled is not None and self._cancelled()

    def check(self) -> None:
        if self.is_cancelled():
            raise Cancelled(tr("Localization was stopped; what it found until then is kept."))

    def __call__(self, images: int, share: float) -> None:
        self._done += images * share
        if self._report is not None:
            self._report(min(int(self._done + 1e-6), self._total), self._total)


def whole_maps(project: Project, ids: Sequence[int]) -> dict[int, Map]:
    """The maps of a batch; none where one of them is damaged, so that all are made again."""
    try:
        return stored_maps(project, ids)
    except ProjectError:
        return {}


def goes_on(survey: Survey) -> bool:
    """Whether :func:`localize_images` by the same network leaves the maps of ``survey`` as they are."""
    return not survey.complete and survey.source is not None and survey.source.unit != CLASS


def note_training(project: Project, run: Run, *, complete: bool) -> None:
    """Keep that ``run`` was trained, to its end or not, and so after its maps were made.

    The next localization by it forgets that.
    """
    set_finished(project, run, finished=complete)
    if run_of(project, run.id).current and (survey := project.load_survey()) is not None:
        project.save_survey(replace(survey, superseded=True))
