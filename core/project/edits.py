"""What a person changes in a project, as values: each can be applied, and each knows its inverse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.base.annotations import BoxRecord, Source, Status
from core.base.geometry import Box
from core.boxes.options import BoxOptions
from core.project.results import take
from core.project.rows import Kept
from core.project.runs import run_of
from core.project.truth import set_truth

if TYPE_CHECKING:
    from core.project.store import Project
    from core.project.view import ProjectView


@dataclass(frozen=True, slots=True)
class BoxesEdit:
    """Other boxes for some images, by id."""

    before: Mapping[int, Kept]
    after: Mapping[int, Kept]

    @property
    def inverse(self) -> BoxesEdit:
        return BoxesEdit(self.after, self.before)

    @property
    def images(self) -> tuple[int, ...]:
        """The ids of what is changed."""
        return tuple(self.after)

    def joined_to(self, earlier: Edit) -> BoxesEdit | None:
        """Both as one edit, where this begins with what ``earlier`` left; else None."""
        if not isinstance(earlier, BoxesEdit) or earlier.after != self.before:
            return None
        return BoxesEdit(earlier.before, self.after)

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        """See :data:`Edit`."""
        project.set_kept(self.after)
        return view


@dataclass(frozen=True, slots=True)
class StatusEdit:
    """Another status for some images, by id."""

    before: Mapping[int, Status]
    after: Mapping[int, Status]

    @property
    def inverse(self) -> StatusEdit:
        return StatusEdit(self.after, self.before)

    @property
    def images(self) -> tuple[int, ...]:
        """The ids of what is changed."""
        return tuple(self.after)

    def joined_to(self, earlier: Edit) -> None:
        """What is said of images is never joined: each saying is taken back by itself."""
        return

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        """See :data:`Edit`."""
        project.set_statuses(self.after)
        return view


@dataclass(frozen=True, slots=True)
class ReviewEdit:
    """Other boxes for some images together with what is said of them: an import, or what is accepted."""

    boxes: BoxesEdit
    statuses: StatusEdit

    @property
    def inverse(self) -> ReviewEdit:
        return ReviewEdit(self.boxes.inverse, self.statuses.inverse)

    @property
    def images(self) -> tuple[int, ...]:
        """The ids of what is changed."""
        return self.statuses.images

    def joined_to(self, earlier: Edit) -> None:
        """Each is taken back by itself."""
        return

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        """See :data:`Edit`."""
        with project.transaction():
            return self.statuses.apply(project, self.boxes.apply(project, view))


@dataclass(frozen=True, slots=True)
class TruthEdit:
    """Other true boxes for some images, by id; none where there is no truth of one any more."""

    before: Mapping[int, tuple[BoxRecord, ...]]
    after: Mapping[int, tuple[BoxRecord, ...]]

    @property
    def inverse(self) -> TruthEdit:
        return TruthEdit(self.after, self.before)

    @property
    def images(self) -> tuple[int, ...]:
        """The ids of what is changed."""
        return tuple(self.after)

    def joined_to(self, earlier: Edit) -> None:
        """Each is taken back by itself."""
        return

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        """See :data:`Edit`."""
        set_truth(project, self.after)
        return view


@dataclass(frozen=True, slots=True)
class TakeEdit:
    """Boxes of another run: the ids of the run that they come from before, and after.

    ``was`` and ``becomes`` are what made a heat map a box before, and what does after.
    """

    before: int
    after: int
    was: BoxOptions
    becomes: BoxOptions

    @property
    def inverse(self) -> TakeEdit:
        return TakeEdit(self.after, self.before, self.becomes, self.was)

    @property
    def images(self) -> tuple[int, ...]:
        """No one in particular."""
        return ()

    def joined_to(self, earlier: Edit) -> None:
        """Each is taken back by itself."""
        return

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        """See :data:`Edit`."""
        take(project, run_of(project, self.after))
        view = view.with_options(self.becomes)
        project.save_view(view)
        return view


@dataclass(frozen=True, slots=True)
class DecisionEdit:
    """Another rule, threshold or number of boxes, for all images or for those with their own threshold."""

    before: BoxOptions
    after: BoxOptions

    @property
    def inverse(self) -> DecisionEdit:
        return DecisionEdit(self.after, self.before)

    @property
    def images(self) -> tuple[int, ...]:
        """The ids of images whose own threshold is changed; empty where it is that of all."""
        return tuple(image_id for first, last in self._where for image_id in range(first, last + 1))

    @property
    def _where(self) -> tuple[tuple[int, int], ...]:
        """The same in runs of ids: a move for 100,000 images must not count them."""
        return self.after.thresholds.changed_from(self.before.thresholds)

    @property
    def limits(self) -> bool:
        """Whether it is about the number of boxes."""
        return self.before.max_boxes != self.after.max_boxes

    def joined_to(self, earlier: Edit) -> DecisionEdit | None:
        """Both as one edit, where both move the same threshold or number and nothing else; else None."""
        if not isinstance(earlier, DecisionEdit) or earlier.after != self.before:
            return None
        same_rule = earlier.before.rule == self.before.rule == self.after.rule
        if not same_rule or self._where != earlier._where or self.limits != earlier.limits:
            return None
        return DecisionEdit(earlier.before, self.after)

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        """See :data:`Edit`."""
        changed = view.with_options(self.after)
        project.save_view(changed)
        return changed


Edit = BoxesEdit | StatusEdit | ReviewEdit | TakeEdit | TruthEdit | DecisionEdit
"""``edit.apply(project, view)`` makes the change durable and returns the view that follows from it; it
raises :class:`~core.base.errors.ProjectError` where the file cannot be written, and nothing has changed then.
``edit.inverse`` takes it back."""


def edited(record: BoxRecord, *, box: Box | None = None, label: str | None = None) -> BoxRecord:
    """``record`` as a person has changed it: what a heat map said of it (score, threshold, rule) is gone."""
    return BoxRecord(
        box=record.box if box is None else box,
        label=record.label if label is None else label,
        source=Source.EDITED,
    )
