"""What a person changes in a project, as values: each can be applied, and each knows its inverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.base.annotations import DEFAULT_LABEL, BoxRecord, Source, Status
from core.base.geometry import Box, iou
from core.boxes.options import BoxOptions
from core.project.members import remove_images, restore_images
from core.project.results import take
from core.project.rows import Kept
from core.project.runs import run_of
from core.project.truth import set_truth

if TYPE_CHECKING:
    from core.project.store import Project
    from core.project.view import ProjectView


T = TypeVar("T")
ChangeT = TypeVar("ChangeT", bound="_Change[Any]")


@dataclass(frozen=True, slots=True)
class _Change(Generic[T]):
    """What was ``before`` and what is ``after``; by default of no image in particular."""

    before: T
    after: T

    @property
    def inverse(self: ChangeT) -> ChangeT:
        return replace(self, before=self.after, after=self.before)

    @property
    def images(self) -> tuple[int, ...]:
        """The ids of what is changed."""
        return ()

    def joined_to(self: ChangeT, earlier: Edit) -> ChangeT | None:
        """Both as one edit, where this goes on with ``earlier``; None where each is taken back by itself."""
        return None


class _OfImages(_Change[Mapping[int, T]]):
    """Other values for some images, by id."""

    __slots__ = ()

    @property
    def images(self) -> tuple[int, ...]:
        return tuple(self.after)


class BoxesEdit(_OfImages[Kept]):
    """Other boxes."""

    __slots__ = ()

    def joined_to(self, earlier: Edit) -> BoxesEdit | None:
        if not isinstance(earlier, BoxesEdit) or earlier.after != self.before:
            return None
        return BoxesEdit(earlier.before, self.after)

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        project.set_kept(self.after)
        return view


class StatusEdit(_OfImages[Status]):
    """Another status."""

    __slots__ = ()

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        project.set_statuses(self.after)
        return view


class TruthEdit(_OfImages[tuple[BoxRecord, ...]]):
    """Other true boxes; none where there is no truth of an image any more."""

    __slots__ = ()

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        set_truth(project, self.after)
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
        return self.statuses.images

    def joined_to(self, earlier: Edit) -> None:
        return

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        with project.transaction():
            return self.statuses.apply(project, self.boxes.apply(project, view))


@dataclass(frozen=True, slots=True)
class TakeEdit(_Change[int]):
    """Boxes of another run: the ids of the run that they come from before, and after.

    ``was`` and ``becomes`` are what made a heat map a box before, and what does after.
    """

    was: BoxOptions
    becomes: BoxOptions

    @property
    def inverse(self) -> TakeEdit:
        return TakeEdit(self.after, self.before, self.becomes, self.was)

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        take(project, run_of(project, self.after))
        view = view.with_options(self.becomes)
        project.save_view(view)
        return view


@dataclass(frozen=True, slots=True)
class MembersEdit:
    """Images, by id, that are in the project from now on where they ``join`` it, else no more."""

    images: tuple[int, ...]
    join: bool

    @property
    def inverse(self) -> MembersEdit:
        return replace(self, join=not self.join)

    def joined_to(self, earlier: Edit) -> None:
        return

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        (restore_images if self.join else remove_images)(project, self.images)
        return view


class DecisionEdit(_Change[BoxOptions]):
    """Another rule, threshold or number of boxes, for all images or for those with their own threshold.

    ``images`` are those whose own threshold is changed; none where it is that of all.
    """

    __slots__ = ()

    @property
    def images(self) -> tuple[int, ...]:
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
        """Where both move the same threshold or number and nothing else."""
        if not isinstance(earlier, DecisionEdit) or earlier.after != self.before:
            return None
        same_rule = earlier.before.rule == self.before.rule == self.after.rule
        if not same_rule or self._where != earlier._where or self.limits != earlier.limits:
            return None
        return DecisionEdit(earlier.before, self.after)

    def apply(self, project: Project, view: ProjectView) -> ProjectView:
        changed = view.with_options(self.after)
        project.save_view(changed)
        return changed


Edit = BoxesEdit | StatusEdit | ReviewEdit | TakeEdit | TruthEdit | MembersEdit | DecisionEdit
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


def with_drawn(
    boxes: Sequence[BoxRecord], drawn: BoxRecord, *, held: bool = False, adds: bool = False
) -> tuple[BoxRecord, ...]:
    """The boxes of an image once a person has drawn one more, which comes last.

    It takes the place of the automatic box that it corrects: the only one, or of several the one that it
    overlaps most; and its class, where the person has chosen none. Where it overlaps none of several it is
    one that was missed.

    Parameters
    ----------
    held
        The boxes are a person's already, set or accepted: each of them stays.
    adds
        The person says that it is one more.
    """
    if not boxes or held or adds:
        return (*boxes, drawn)
    shared = [iou(one.box, drawn.box) for one in boxes]
    corrected = shared.index(max(shared))
    if len(boxes) > 1 and not shared[corrected] > 0:
        return (*boxes, drawn)
    if drawn.label == DEFAULT_LABEL:
        drawn = replace(drawn, label=boxes[corrected].label)
    return (*boxes[:corrected], *boxes[corrected + 1 :], drawn)
