"""The one mutable truth of the window. Controllers change it, views are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from app.models.evidence import Evidence, HeatMap, LiveMaps, Picture, boxes_in
from app.models.image_list import ImageListModel, ImageTable
from app.models.in_view import InView, Known, resolve
from app.models.measures import Measures
from app.models.mending import Mending
from app.models.problems import Problems
from app.models.progress import Progress
from app.models.results import TrainingResults
from app.models.runs import Runs
from app.models.training import Activity, Kind, Learning, TrainingStatus
from core.base.annotations import BoxRecord, Status
from core.base.errors import ReadOnlyProjectError
from core.base.language import tr
from core.boxes.rules import RULES
from core.maps.colouring import COLOUR_MAPS
from core.project.rows import Kept
from core.project.store import ImageRecord, Project, ProjectView
from core.project.survey import Survey


class Session(QObject):
    """The open project, the image in view, and how far each job is."""

    project_changed = Signal()
    current_changed = Signal()
    selection_changed = Signal()
    picture_changed = Signal()
    heat_map_changed = Signal()
    live_map_made = Signal(int)
    """The id of an image that has a heat map by what is just being learned."""
    survey_changed = Signal()
    boxes_changed = Signal()
    view_changed = Signal()
    options_changed = Signal(object, object)
    """How heat maps become boxes before and after: two :class:`~core.boxes.options.BoxOptions`."""
    samples_changed = Signal(object)
    activity_changed = Signal()
    mending_changed = Signal()
    error = Signal(object, str)
    notice = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.images = ImageListModel(self)
        self.progress = Progress(self.images, self)
        self.problems = Problems(self.images, self)
        self.results = TrainingResults(self)
        self.measures = Measures(self)
        self.runs = Runs(self)
        self.project: Project | None = None
        self.view = ProjectView()
        self.learning = Learning(self)
        """The training without labels of the person's."""
        self.learning.cleared.connect(lambda: setattr(self, "samples", None))
        self.samples: npt.NDArray[np.uint8] | None = None
        self.mending = Mending()
        self.current: int | None = None
        self.selection: tuple[int, ...] = ()
        self.watched: tuple[int, ...] = ()
        """The ids of images whose heat maps are followed besides that in view."""
        self.rows_in_view = (0, -1)
        self.picture: Picture | None = None
        self.survey: Survey | None = None
        """What is known of all heat maps together."""
        self._evidence: Evidence | None = None
        self.live = LiveMaps()
        self._known = Known()
        self._in_view = resolve(self._known)
        self._activities: dict[str, Activity] = {}

    # ---- the project --------------------------------------------------------------------------

    def set_project(
        self, project: Project | None, table: ImageTable | None = None, view: ProjectView | None = None
    ) -> None:
        """Show another project, or none. The caller closes the former one."""
        self.project = project
        self.view = view or ProjectView()
        if self.view.rule not in RULES:
            self.view = replace(self.view, rule=ProjectView().rule)
        if self.view.colour_map not in COLOUR_MAPS:  # of another version
            self.view = replace(self.view, colour_map=ProjectView().colour_map)
        self.live.clear()
        self.problems.forget()
        self.current, self.picture, self._evidence, self.survey = None, None, None, None
        self.selection = self.watched = ()
        self.mending = Mending()
        self.images.set_table(table or ImageTable(), self.view.browse)
        self.learning.reset(TrainingStatus())
        self.results.reset(Kind(self.view.model))
        self.runs.reset()
        self.project_changed.emit()
        self.view_changed.emit()
        self.problems.changed.emit()
        wanted = self.view.current_image
        self.select(wanted if self.images.record(wanted or 0) else self.images.neighbour(None, 1))

    @property
    def only_looks(self) -> bool:
        """Whether the project may only be read: what is shown may change, nothing is kept."""
        return self.project is not None and self.project.is_copy

    def refuses_change(self) -> bool:
        """:attr:`only_looks`; if so, the person is told why nothing happens."""
        if self.project is None or not self.project.is_copy:
            return False
        text = tr("“{name}” is read-only. Save a copy to make changes.")
        self.error.emit(ReadOnlyProjectError(text.format(name=self.project.path.name)), "")
        return True

    def replace_table(self, table: ImageTable) -> None:
        """The project's images again, after some have changed; the image in view stays."""
        self.problems.drop_notes([record.id for record in self.images.table.unusable()])
        self.images.set_table(table)
        self.problems.changed.emit()
        self.current_changed.emit()

    def append_records(self, records: Sequence[ImageRecord]) -> None:
        self.images.append(records)
        if self.current is None:
            self.select(self.images.neighbour(None, 1))

    def merge_records(self, records: Sequence[ImageRecord]) -> None:
        tried = {record.id for record in records}
        self.problems.drop_notes([record.id for record in self.images.table.unusable() if record.id in tried])
        self.images.merge_records(records)
        self.problems.changed.emit()

    def set_statuses(self, statuses: Mapping[int, Status]) -> None:
        self.images.set_statuses(statuses)
        self.problems.changed.emit()
        if self.current in statuses:
            self.boxes_changed.emit()

    # ---- the image in view ----------------------------------------------------------------------

    @property
    def record(self) -> ImageRecord | None:
        return None if self.current is None else self.images.record(self.current)

    def select(self, image_id: int | None) -> None:
        """Bring an image into view; its picture and evidence follow."""
        if image_id == self.current and image_id is not None:
            return
        self.current, self.picture, self._evidence = image_id, None, None
        self.view = replace(self.view, current_image=image_id)
        self.current_changed.emit()
        self.view_changed.emit()

    def set_selection(self, ids: Sequence[int]) -> None:
        chosen = tuple(ids)
        if chosen != self.selection:
            self.selection = chosen
            self.selection_changed.emit()

    @property
    def chosen(self) -> tuple[int, ...]:
        """The ids that a command for images is about: all selected ones, or the one in view."""
        current = () if self.current is None else (self.current,)
        return self.selection if len(self.selection) > 1 else current

    def set_rows_in_view(self, first: int, last: int) -> None:
        """Which rows of the list are on the screen: they come first where a job reaches all images."""
        self.rows_in_view = first, last

    def set_picture(self, image_id: int, picture: Picture) -> None:
        self.problems.note(image_id, picture.reason, damaged=picture.truncated)
        if image_id == self.current:
            self.picture = picture
            self.picture_changed.emit()
            self.boxes_changed.emit()

    def set_evidence(self, image_id: int, evidence: Evidence) -> None:
        if image_id == self.current:
            self._evidence, self.survey = evidence, evidence.survey
            self.survey_changed.emit()
            self.heat_map_changed.emit()
            self.boxes_changed.emit()

    def set_live_map(self, image_id: int, step: int, heat_map: HeatMap) -> None:
        """Keep a heat map of the newest snapshot, which counts before the project's own."""
        self.live.put(image_id, step, heat_map)
        self.live_map_made.emit(image_id)
        if image_id == self.current:
            self.heat_map_changed.emit()
            self.boxes_changed.emit()

    @property
    def in_view(self) -> InView:
        """What is shown of the image in view; decided anew only where something is another."""
        options, provisional = self.view.options, self.is_provisional
        shown = self.view_for(self.results.source(self.view)[0]).options if provisional else options
        live, learning = self.live.map_of(self.current), self.training.phase.running
        known = Known(self.record, self.picture, self._evidence, live, options, shown, provisional, learning)
        if not known.is_same(self._known):
            self._known, self._in_view = known, resolve(known)
        return self._in_view

    @property
    def heat_map(self) -> HeatMap | None:
        return self.in_view.heat_map

    @property
    def boxes(self) -> tuple[BoxRecord, ...]:
        return self.in_view.boxes

    @property
    def has_evidence(self) -> bool:
        """Whether it is known what the project holds of the image in view."""
        return self._evidence is not None

    def set_kept(self, kept: Mapping[int, Kept]) -> None:
        """Take over new boxes of images by id, of which one may be in view."""
        if self.current is not None and self.current in kept and self._evidence is not None:
            self._evidence = replace(self._evidence, kept=kept[self.current])
            self.boxes_changed.emit()

    @property
    def is_provisional(self) -> bool:
        """Whether the boxes come from another run than the one that is shown."""
        return self.runs.is_provisional(Kind(self.results.source(self.view)[0]))

    def live_boxes_of(self, ids: Sequence[int]) -> dict[int, tuple[BoxRecord, ...]]:
        """What images looked at while a network trains were seen with, by id."""
        found = {}
        for image_id in () if self.is_provisional else ids:
            record, heat_map = self.images.record(image_id), self.live.map_of(image_id)
            if record is not None and heat_map is not None and record.width:
                size = record.width, record.height
                found[image_id] = boxes_in(heat_map, self.view.options, size=size, image_id=image_id)
        return found

    def view_for(self, kind: str) -> ProjectView:
        """The view as it reads heat maps of a run of this ``kind``."""
        current = self.runs.current
        return self.view.for_maps_of(kind, before=None if current is None else current.kind)

    def follow_rule(self, kind: str) -> None:
        """From here on the heat maps are those of a run of this ``kind``: nothing to be taken back."""
        wanted = self.view_for(kind)
        if wanted != self.view:
            self.view = wanted
            self.view_changed.emit()
            self.boxes_changed.emit()

    # ---- rule and threshold ---------------------------------------------------------------------

    @property
    def threshold(self) -> float:
        return self.view.options.threshold_of(self.current)

    @property
    def this_image_only(self) -> bool:
        """Whether the image in view has a threshold of its own."""
        return self.current is not None and self.current in self.view.thresholds

    def change_view(self, **fields: Any) -> None:
        """:meth:`set_view` with other fields."""
        self.set_view(replace(self.view, **fields))

    def set_view(self, changed: ProjectView) -> None:
        """Let ``changed`` be the view, and tell what follows from it."""
        if changed == self.view:
            return
        before, self.view = self.view, changed
        if changed.browse != before.browse:
            self.images.arrange(changed.browse)
        self.view_changed.emit()
        if changed.colour_map != before.colour_map:
            self.heat_map_changed.emit()
        if before.options != changed.options:
            self.boxes_changed.emit()
            self.options_changed.emit(before.options, changed.options)

    # ---- training and other jobs ----------------------------------------------------------------

    @property
    def training(self) -> TrainingStatus:
        return self.learning.status

    def learning_of(self, kind: Kind) -> Learning:
        return self.results.labelled if kind is Kind.CAM else self.learning

    @property
    def is_training(self) -> bool:
        return self.training.phase.running or self.results.labelled.status.phase.running

    def set_samples(self, samples: npt.NDArray[np.uint8]) -> None:
        self.samples = samples
        self.samples_changed.emit(samples)

    def set_activity(self, key: str, activity: Activity | None) -> None:
        """Say that a job is under way, or with None that it has ended."""
        if activity is None:
            self._activities.pop(key, None)
        else:
            self._activities[key] = activity
        self.activity_changed.emit()

    @property
    def activities(self) -> dict[str, Activity]:
        return dict(self._activities)

    def set_mending(self, **fields: Any) -> None:
        self.mending = replace(self.mending, **fields)
        self.mending_changed.emit()
