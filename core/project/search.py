"""What every search for boxes shares, whatever makes its heat maps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.base.errors import Cancelled, ProjectError
from core.base.language import tr
from core.boxes.classes import ClassMap
from core.boxes.no_object import PeakLevels, no_object_probability
from core.boxes.options import BoxOptions
from core.boxes.prior import Prior
from core.boxes.rules import Map
from core.boxes.score import Floats
from core.project.queries import class_maps, maps_made_by
from core.project.queries import framings as stored_framings
from core.project.queries import heat_maps as stored_maps
from core.project.runs import Run, run_of, set_finished
from core.project.store import Project
from core.project.survey import MapSource, Survey

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
            raise Cancelled(tr("The search was stopped. Boxes found so far are kept."))

    def __call__(self, images: int, share: float) -> None:
        self._done += images * share
        if self._report is not None:
            self._report(min(int(self._done + 1e-6), self._total), self._total)


@dataclass(frozen=True, kw_only=True)
class Search:
    """One search for boxes into ``place``: what made the maps after ``step`` steps, and how they are read.

    ``levels`` tell which maps show no object, where that is known.
    """

    place: Project
    options: BoxOptions
    source: MapSource
    step: int
    go_on: Steps
    levels: PeakLevels | None = None

    def made_before(self) -> set[int]:
        """The ids of all images that have a map of this kind."""
        return maps_made_by(self.place, self.source, step=self.step)

    def keep(
        self,
        maps: Mapping[int, Map],
        sizes: Mapping[int, tuple[int, int]],
        framings: Mapping[int, Floats] | None = None,
        prior: Prior | None = None,
        classes: Mapping[int, ClassMap] | None = None,
    ) -> int:
        """New maps of a few images and their boxes, durable when it returns; how many were left alone."""
        framings = framings or {}
        self.place.set_heat_maps(maps, step=self.step, source=self.source, framings=framings)
        if classes:
            self.place.set_class_maps(classes)
        return self._read(maps, framings, sizes, prior, classes)

    def read_again(
        self, sizes: Mapping[int, tuple[int, int]], share: float = 1.0, prior: Prior | None = None
    ) -> int:
        """Boxes from the maps that are there, of images whose ``sizes`` these are; how many were left alone.

        ``share`` is that of the work on an image.
        """
        kept, ids = 0, list(sizes)
        for start in range(0, len(ids), BATCH):
            self.go_on.check()
            some = ids[start : start + BATCH]
            maps = stored_maps(self.place, some)
            framings, classes = stored_framings(self.place, some), class_maps(self.place, some)
            kept += self._read(maps, framings, sizes, prior, classes)
            self.go_on(len(some), share)
        return kept

    def _read(
        self,
        maps: Mapping[int, Map],
        framings: Mapping[int, Floats],
        sizes: Mapping[int, tuple[int, int]],
        prior: Prior | None,
        classes: Mapping[int, ClassMap] | None,
    ) -> int:
        if self.levels is not None:
            found = no_object_probability(maps.values(), self.levels)
            self.place.set_no_object(dict(zip(maps, found.tolist(), strict=True)))
        boxes = self.options.boxes(maps, framings, sizes, prior, classes)
        return self.place.set_auto_boxes(boxes, max_boxes=self.options.max_boxes)


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
