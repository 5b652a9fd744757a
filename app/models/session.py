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
from app.models.measures import Measures
from app.models.mending import Mending
from app.models.problems import Problems
from app.models.results import TrainingResults
from app.models.runs import Runs
from app.models.training import Activity, Kind, Point, TrainingStatus
from core.base.annotations import BoxRecord, Status
from core.base.errors import ReadOnlyProjectError
from core.base.language import tr
from core.boxes.rules import RULES
from core.maps.colouring import COLOUR_MAPS
from core.project.measure import image_overlap
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
    survey_changed = Signal()
    boxes_changed = Signal()
    view_changed = Signal()
    options_changed = Signal(object, object)
    """How heat maps become boxes before and after: two :class:`~core.boxes.options.BoxOptions`."""
    training_changed = Signal()
    plots_reset = Signal()
    points_added = Signal(list)
    samples_changed = Signal(object)
    activity_changed = Signal()
    mending_changed = Signal()
    error = Signal(object, str)
    notice = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.images = ImageListModel(self)
        self.problems = Problems(self.images, self)
        self.results = TrainingResults(self)
        self.measures = Measures(self)
        self.runs = Runs(self)
        self.project: Project | None = None
        self.view = ProjectView()
        self.training = TrainingStatus()
        self.points: list[Point] = []
        self.samples: npt.NDArray[np.uint8] | None = None
        self.mending = Mending()
        self.current: int | None = None
        self.selection: tuple[int, ...] = ()
        self.rows_in_view = (0, -1)
        self.picture: Picture | None = None
        self.survey: Survey | None = None
        """What is known of all heat maps together."""
        self._evidence: Evidence | None = None
        self.live = LiveMaps()
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
        self.selection = ()
        self.mending = Mending()
        self.images.set_table(table or ImageTable(), self.view.browse)
        self.reset_training(TrainingStatus())
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
        text = tr("“{name}” may only be read: save a copy and go on in that.")
        self.error.emit(ReadOnlyProjectError(text.format(name=self.project.path.name)), "")
        return True

    def replace_table(self, table: ImageTable) -> None:
        """The project's images again, after some have changed; the image in view stays."""
        self.problems.drop_notes([record.id for record in self.images.unusable()])
        self.images.set_table(table)
        self.problems.changed.emit()
        self.current_changed.emit()

    def append_records(self, records: Sequence[ImageRecord]) -> None:
        self.images.append(records)
        if self.current is None:
            self.select(self.images.neighbour(None, 1))

    def merge_records(self, records: Sequence[ImageRecord]) -> None:
        """See :meth:`ImageListModel.merge_records`."""
        tried = {record.id for record in records}
        self.problems.drop_notes([record.id for record in self.images.unusable() if record.id in tried])
        self.images.merge_records(records)
        self.problems.changed.emit()

    def update_records(self, changes: Mapping[int, Mapping[str, Any]]) -> None:
        self.images.update_records(changes)
        if any("reason" in fields or "status" in fields for fields in changes.values()):
            self.problems.changed.emit()

    def set_statuses(self, statuses: Mapping[int, Status]) -> None:
        """What is said of images now, by id."""
        self.images.set_statuses(statuses)
        self.problems.changed.emit()
        if self.current in statuses:
            self.boxes_changed.emit()

    # ---- the image in view ----------------------------------------------------------------------

    @property
    def record(self) -> ImageRecord | None:
        """The image in view."""
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
        """The images that a command for many is for."""
        chosen = tuple(ids)
        if chosen != self.selection:
            self.selection = chosen
            self.selection_changed.emit()

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
        if image_id == self.current:
            self.heat_map_changed.emit()
            self.boxes_changed.emit()

    @property
    def heat_map(self) -> HeatMap | None:
        """The newest heat map of the image in view."""
        live = self.live.map_of(self.current)
        return live if live is not None or self._evidence is None else self._evidence.heat_map

    @property
    def outdated(self) -> bool:
        """Whether the heat map of the image in view is not of the network that the newest ones are of."""
        return (
            self._evidence is not None and self._evidence.outdated and self.live.map_of(self.current) is None
        )

    @property
    def image_size(self) -> tuple[int, int] | None:
        """Width and height of the image in view, as displayed; None while unknown."""
        if self.picture is not None and self.picture.width:
            return self.picture.width, self.picture.height
        record = self.record
        return (record.width, record.height) if record and record.width else None

    @property
    def has_evidence(self) -> bool:
        """Whether it is known what the project holds of the image in view."""
        return self._evidence is not None

    @property
    def edited(self) -> bool:
        """Whether the boxes of the image in view are a person's."""
        return self._evidence is not None and self._evidence.kept.edited

    @property
    def accepted(self) -> bool:
        """Whether a person has accepted the image in view: its boxes stay as they are."""
        record = self.record
        return record is not None and record.status is Status.ACCEPTED

    @property
    def held(self) -> bool:
        """Whether only a person may change the boxes of the image in view."""
        return self.edited or self.accepted

    def set_kept(self, kept: Mapping[int, Kept]) -> None:
        """Take over new boxes of images by id, of which one may be in view."""
        if self.current in kept and self._evidence is not None:
            self._evidence = replace(self._evidence, kept=kept[self.current])
            self.boxes_changed.emit()

    @property
    def boxes(self) -> tuple[BoxRecord, ...]:
        """The boxes of the image in view: those a person set or accepted, else what its heat map says now.

        What a run finds that the boxes do not come from only shows where there is none yet.
        """
        kept = self._evidence.kept if self._evidence else Kept()
        if self.held:
            return kept.boxes
        if self.is_provisional:
            return self._stored_boxes() or kept.boxes or self._live_boxes()
        return self.automatic_boxes or kept.boxes

    @property
    def is_provisional(self) -> bool:
        """Whether the boxes come from another run than the one that is shown."""
        return self.runs.is_provisional(Kind(self.results.source(self.view)[0]))

    @property
    def provisional_boxes(self) -> tuple[BoxRecord, ...]:
        """What a run that is shown finds in the image in view, where its boxes do not come from that."""
        return self._live_boxes() if self.is_provisional else ()

    @property
    def seen(self) -> Kept:
        """The boxes of the image in view as a person sees them."""
        kept = self._evidence.kept if self._evidence else Kept()
        return kept if self.held else Kept(self.boxes)

    def live_boxes_of(self, ids: Sequence[int]) -> dict[int, tuple[BoxRecord, ...]]:
        """What images looked at while a network trains were seen with, by id."""
        found = {}
        for image_id in () if self.is_provisional else ids:
            record, heat_map = self.images.record(image_id), self.live.map_of(image_id)
            if record is not None and heat_map is not None and record.width:
                size = record.width, record.height
                found[image_id] = boxes_in(heat_map, self.view.options, size=size, image_id=image_id)
        return found

    @property
    def truth(self) -> tuple[BoxRecord, ...]:
        """The true boxes of the image in view, where the project knows them."""
        return self._evidence.truth if self._evidence else ()

    @property
    def overlap(self) -> float | None:
        """The IoU of the image in view, as it is now, with its truth; None without one."""
        return image_overlap(self.boxes, self.truth)

    @property
    def automatic_boxes(self) -> tuple[BoxRecord, ...]:
        """What the heat map of the image in view says now; empty without one."""
        is_live = self.live.map_of(self.current) is not None and not self.is_provisional
        return self._live_boxes() if is_live else self._stored_boxes()

    def _stored_boxes(self) -> tuple[BoxRecord, ...]:
        evidence, size, current = self._evidence, self.image_size, self.current
        if evidence is None or evidence.heat_map is None or size is None or current is None:
            return ()
        return boxes_in(evidence.heat_map, self.view.options, size=size, image_id=current, evidence=evidence)

    def _live_boxes(self) -> tuple[BoxRecord, ...]:
        size, current, live = self.image_size, self.current, self.live.map_of(self.current)
        if current is None or live is None or size is None:
            return ()
        view = self.view_for(self.results.source(self.view)[0]) if self.is_provisional else self.view
        return boxes_in(live, view.options, size=size, image_id=current)

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
        """The threshold in force for the image in view."""
        return self.view.options.threshold_of(self.current)

    @property
    def shared_threshold(self) -> float:
        """The threshold of all images that have none of their own."""
        return self.view.options.threshold_of(None)

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

    def set_training(self, **fields: Any) -> None:
        """Change fields of the :class:`TrainingStatus`."""
        self.training = replace(self.training, **fields)
        self.training_changed.emit()

    def reset_training(self, status: TrainingStatus, points: Sequence[Point] = ()) -> None:
        """Empty plots and samples, then show ``points`` of an earlier training."""
        self.training, self.points, self.samples = status, [], None
        self.plots_reset.emit()
        self.add_points(points)
        self.training_changed.emit()

    def add_points(self, points: Sequence[Point]) -> None:
        if points:
            self.points.extend(points)
            self.points_added.emit(list(points))

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
        """Change fields of the :class:`Mending`."""
        self.mending = replace(self.mending, **fields)
        self.mending_changed.emit()
