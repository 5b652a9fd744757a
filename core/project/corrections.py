"""What a person has reviewed teaches the rest: a new run whose unit departs from the one learned before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace

import numpy as np

from core.base.annotations import BoxRecord, Status
from core.base.errors import Cancelled, CheckpointError, ProjectError, TrainingError
from core.base.language import mark, tr, trn
from core.boxes.no_object import peak_levels
from core.images.parallel import Failure
from core.images.scan import RejectedFile
from core.learn.class_units import class_names, learn_classes
from core.learn.corrections import LEAST, Reviewed, check_enough, learn_corrections
from core.learn.logistic import sigmoid
from core.learn.object_unit import Unit
from core.maps.localizer import Localizer, Taught, save_localizer
from core.maps.stream import stream_features
from core.nets.features import Features
from core.project.learning import KIND, saved_unit
from core.project.queries import kept, replaced_among
from core.project.rows import HELD
from core.project.runs import Run, runs
from core.project.search import OnProgress, note_training
from core.project.store import ImageRecord, Project
from core.project.workflow import COMMANDS, no_training

PRESET = "corrections"
"""Of a run that a person's corrections have taught."""
_STOPPED = mark("Stopped; nothing was learned.")
REPLACED = mark("The file is another one than you reviewed: look at it and accept it again.")


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn from: the boxes of each reviewed image by id; none where it shows no object.

    ``rejected`` images have a wrong box and no right one: they teach nothing. Nor do the ``replaced`` ones,
    by id, whose file became another one since.
    """

    boxes: Mapping[int, tuple[BoxRecord, ...]]
    rejected: int
    replaced: frozenset[int] = frozenset()

    @property
    def empty(self) -> int:
        """How many images show no object."""
        return sum(not own for own in self.boxes.values())

    @property
    def with_box(self) -> int:
        """How many images have a box that is right."""
        return len(self.boxes) - self.empty


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was learned, and the reviewed images that could not teach, each with the reason."""

    unit: Localizer
    left_out: tuple[RejectedFile, ...]


def check_lessons(lessons: Lessons) -> None:
    """TrainingError where too few images teach, or their boxes have too many classes."""
    if lessons.replaced and lessons.with_box < LEAST:
        text = trn(
            "The file of {count:,} reviewed image is another one now: look at it and accept it again.",
            "The files of {count:,} reviewed images are others now: look at them and accept them again.",
            len(lessons.replaced),
        )
        raise TrainingError(text)
    check_enough(lessons.with_box)
    class_names(one.label for own in lessons.boxes.values() for one in own)


def lessons_of(project: Project) -> Lessons:
    """The images of ``project`` that a person has accepted, edited or emptied; no true box is among them."""
    held = {row[0] for row in project.select(HELD)}
    statuses = {image.id: image.status for image in project.images()}
    usable = {i for i in held if statuses[i] not in (Status.REJECTED, Status.FAILED)}
    replaced = replaced_among(project, usable)
    taught = sorted(usable - replaced)
    boxes = {i: own.boxes for i, own in kept(project, taught).items()}
    whole = {i: tuple(one for one in own if one.box.area > 0) for i, own in boxes.items()}
    # Accepted without a box are only those whose box was lost in a damaged project.
    empty = {i for i, own in boxes.items() if not own and statuses[i] is not Status.ACCEPTED}
    return Lessons(
        {i: own for i, own in whole.items() if own or i in empty},
        sum(status is Status.REJECTED for status in statuses.values()),
        frozenset(replaced),
    )


def prior_unit(project: Project) -> Localizer:
    """The unit that corrections depart from: that of the current run, or the one which that was taught from.

    A run that cannot be read stands in no other's way.

    Raises
    ------
    ProjectError
        Nothing was learned from frozen features yet.
    CheckpointError
        None of what was learned can be read.
    """
    saved = sorted(_saved_units(project), key=lambda one: (not one[0].current, -one[0].id))
    if not saved:
        raise no_training(project, *COMMANDS[KIND])
    units = [unit for _, unit in saved if unit is not None]
    unit = units[0] if units else saved_unit(saved[0][0])
    wanted = None if unit.taught is None else unit.taught.prior
    return next((other for other in units if other.digest == wanted), unit)


def damaged_runs(project: Project) -> list[Run]:
    """The runs of frozen features whose file cannot be read."""
    return [run for run, unit in _saved_units(project) if unit is None]


def _saved_units(project: Project) -> list[tuple[Run, Localizer | None]]:
    """The runs of frozen features with what they learned, the oldest first; None where it cannot be read."""
    return [(run, _readable(run)) for run in runs(project) if run.kind == KIND and run.is_saved]


def _readable(run: Run) -> Localizer | None:
    with suppress(CheckpointError):
        return saved_unit(run)
    return None


def teach(
    project: Project,
    prior: Localizer,
    features: Features,
    run: Run,
    *,
    seed: int = 0,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Corrected:
    """Learn from the reviewed images of ``project`` into ``run``, to its end; no box is changed by that.

    Images that cannot be used are marked in the project and teach nothing.

    Raises
    ------
    TrainingError
        Too few reviewed images have a box, or their boxes have too many classes.
    FeaturesError
        ``prior`` was learned on other features.
    Cancelled
        ``cancelled()`` became true; nothing was saved.
    """
    prior.check(features)
    lessons = lessons_of(project)
    check_lessons(lessons)
    images = project.images()
    records = [record for record in images if record.id in lessons.boxes]
    try:
        reviewed, failed = _reviewed(project, records, lessons, prior, features, on_progress, cancelled)
    except Cancelled as error:
        raise Cancelled(tr(_STOPPED)) from error
    unit = learn_corrections(Unit(prior.weights, prior.bias), reviewed, seed=seed)
    classes = learn_classes(unit, reviewed, seed=seed)
    if cancelled is not None and cancelled():
        raise Cancelled(tr(_STOPPED))
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
        classes=classes,
    )
    save_localizer(run.file, localizer)
    note_training(project, run, complete=True)
    reasons = {i: tr(REPLACED) for i in lessons.replaced} | failed
    left_out = (RejectedFile(one.path, reasons[one.id]) for one in images if one.id in reasons)
    return Corrected(localizer, tuple(left_out))


def _reviewed(
    project: Project,
    records: list[ImageRecord],
    lessons: Lessons,
    prior: Localizer,
    features: Features,
    on_progress: OnProgress | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[list[Reviewed], dict[int, str]]:
    """What each of ``records`` looks like to ``features``, with its boxes, in the order of ``records``.

    Beside them, by id, why others cannot be used.
    """
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
                boxes = lessons.boxes[records[row].id]
                sides = np.array([one.box.sides for one in boxes], np.float64).reshape(-1, 4)
                shares, labels = sides / np.tile(size, 2), tuple(one.label for one in boxes)
                found[row] = Reviewed(image, np.clip(shares, 0, 1), labels)
            if on_progress is not None:
                on_progress(len(found), len(records))
    project.set_failed(failed)
    if failed and sum(len(one.boxes) > 0 for one in found.values()) < LEAST:
        text = trn(
            "{count:,} reviewed image cannot be used, and the others are too few.",
            "{count:,} reviewed images cannot be used, and the others are too few.",
            len(failed),
        )
        raise ProjectError(f"{text} {next(iter(failed.values()))}")
    return [found[row] for row in sorted(found)], failed
