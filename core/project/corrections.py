"""What a person has reviewed teaches the rest: a new run whose unit departs from the one learned before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from core.base.annotations import BoxRecord, Status
from core.base.errors import Cancelled, ProjectError, as_reason
from core.base.language import tr
from core.boxes.no_object import peak_levels
from core.images.parallel import Failure
from core.learn.corrections import Reviewed, check_enough, learn_corrections
from core.learn.logistic import sigmoid
from core.learn.object_unit import Unit
from core.maps.localizer import Localizer, Taught, save_localizer
from core.maps.stream import stream_features
from core.nets.features import Features
from core.project.learning import KIND, saved_unit
from core.project.queries import kept
from core.project.rows import HELD
from core.project.runs import Run, runs
from core.project.search import OnProgress, note_training
from core.project.store import ImageRecord, Project
from core.project.workflow import COMMANDS, no_training

PRESET = "corrections"
"""Of a run that a person's corrections have taught."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn from: the boxes of each reviewed image by id; none where it shows no object.

    ``rejected`` images have a wrong box and no right one: they teach nothing.
    """

    boxes: Mapping[int, tuple[BoxRecord, ...]]
    rejected: int

    @property
    def empty(self) -> int:
        """How many images show no object."""
        return sum(not own for own in self.boxes.values())

    @property
    def with_box(self) -> int:
        """How many images have a box that is right."""
        return len(self.boxes) - self.empty


def lessons_of(project: Project) -> Lessons:
    """The images of ``project`` that a person has accepted, edited or emptied; no true box is among them."""
    held = {row[0] for row in project.select(HELD)}
    statuses = {image.id: image.status for image in project.images()}
    taught = [i for i in sorted(held) if statuses[i] not in (Status.REJECTED, Status.FAILED)]
    return Lessons(
        {i: tuple(b for b in own.boxes if b.box.area > 0) for i, own in kept(project, taught).items()},
        sum(status is Status.REJECTED for status in statuses.values()),
    )


def prior_unit(project: Project) -> Localizer:
    """The unit that corrections depart from: that of the current run, or the one which that was taught from.

    Raises
    ------
    ProjectError
        Nothing was learned from frozen features yet.
    """
    saved = [run for run in runs(project) if run.kind == KIND and run.is_saved]
    if not saved:
        raise no_training(project, *COMMANDS[KIND])
    own = next((run for run in saved if run.current), saved[-1])
    unit = saved_unit(own)
    if unit.taught is None:
        return unit
    wanted = unit.taught.prior
    others = (saved_unit(run) for run in saved if run is not own)
    return next((other for other in others if other.digest == wanted), unit)


def teach(
    project: Project,
    prior: Localizer,
    features: Features,
    run: Run,
    *,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Localizer:
    """Learn from the reviewed images of ``project`` into ``run``, to its end; no box is changed by that.

    Images that cannot be used are marked in the project and teach nothing.

    Raises
    ------
    TrainingError
        Too few reviewed images have a box.
    FeaturesError
        ``prior`` was learned on other features.
    Cancelled
        ``cancelled()`` became true; nothing was saved.
    """
    prior.check(features)
    lessons = lessons_of(project)
    check_enough(lessons.with_box)
    records = [record for record in project.images() if record.id in lessons.boxes]
    reviewed = _reviewed(project, records, lessons, prior, features, on_progress, cancelled)
    unit = learn_corrections(Unit(prior.weights, prior.bias), reviewed, seed=seed)
    if cancelled is not None and cancelled():
        raise Cancelled(tr("Stopped; nothing was learned."))
    taught = Taught(len(reviewed), sum(not len(one.boxes) for one in reviewed), prior.digest)
    levels = peak_levels(sigmoid(unit.logits(one.cells)) for one in reviewed)
    localizer = replace(
        prior,
        method=PRESET,
        version=features.version,
        weights=unit.weights,
        bias=unit.bias,
        images=len(reviewed),
        levels=levels,
        taught=taught,
    )
    save_localizer(run.file, localizer)
    note_training(project, run, complete=True)
    return localizer


def _reviewed(
    project: Project,
    records: list[ImageRecord],
    lessons: Lessons,
    prior: Localizer,
    features: Features,
    on_progress: OnProgress | None,
    cancelled: Callable[[], bool] | None,
) -> list[Reviewed]:
    """What each of ``records`` looks like to ``features``, with its boxes, in the order of ``records``."""
    found: dict[int, Reviewed] = {}
    failed: dict[int, str] = {}

    def note(row: int, failure: Failure) -> None:
        failed[records[row].id] = failure.reason

    stream = stream_features(
        features, [one.file for one in records], form=prior.form, on_failure=note, cancelled=cancelled
    )
    with closing(stream):
        for described in stream:
            own = prior.cells(described, features)
            sizes = described.sizes.astype(np.float64)
            for row, image, size in zip(described.rows.tolist(), own, sizes, strict=True):
                boxes = [own.box.sides for own in lessons.boxes[records[row].id]]
                shares = np.array(boxes, np.float64).reshape(-1, 4) / np.tile(size, 2)
                found[row] = Reviewed(image, np.clip(shares, 0, 1))
            if on_progress is not None:
                on_progress(len(found), len(records))
    project.set_failed(failed)
    if failed and not found:
        raise ProjectError(
            tr("None of the reviewed images can be read: {reason}.").format(
                reason=as_reason(next(iter(failed.values())))
            )
        )
    return [found[row] for row in sorted(found)]
