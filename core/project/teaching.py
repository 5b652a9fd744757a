"""What corrections teach, on trial: a run with its boxes, beside those that the project holds.

Nothing of the project changes by it until its run is taken (:func:`core.project.results.take`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from core.base.annotations import BoxRecord, Status
from core.base.config import FeaturesConfig
from core.base.errors import BoxscoutError, ProjectError
from core.base.language import tr
from core.boxes.options import BoxOptions
from core.boxes.overlap import overlaps
from core.learn.corrections import LEAST
from core.project.corrections import PRESET, check_lessons, lessons_of, prior_unit, teach
from core.project.facts import Tally
from core.project.frozen import localize_by_features
from core.project.learning import KIND, features_for, saved_unit
from core.project.queries import reviewed_images
from core.project.results import results_file, results_of
from core.project.runs import Run, current_run, delete_run, runs
from core.project.search import OnProgress
from core.project.store import ImageRecord, Project
from core.project.workflow import training_run

OFFERED = 5
"""So many images more than taught before must be reviewed until it is worth to learn from them."""
BY_ITSELF = 10
"""The same where nobody is asked."""
SHOWN = 3
"""Images that are shown before and after."""
_SAME = 0.99  # IoU from which on nobody sees a difference

Boxes = tuple[BoxRecord, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """An image with the boxes that it has and those that it would have."""

    image: ImageRecord
    before: Boxes
    after: Boxes


@dataclass(frozen=True, slots=True)
class Teaching:
    """What ``run`` has learned from so many ``reviewed`` images.

    ``changed`` images of the others would have other boxes; ``most`` are those with the largest change.
    ``left_out`` are reviewed images that could not teach, because their files cannot be used or are others.
    """

    run: Run
    reviewed: int
    changed: int
    most: tuple[Change, ...]
    left_out: int = 0


def is_worth(tally: Tally, *, before: int, step: int = OFFERED) -> bool:
    """Whether enough was reviewed since ``before`` images have taught; ``step`` says how much is enough."""
    return tally.lessons >= before + step and tally.lessons_boxed >= LEAST


def taught_from(project: Project) -> int:
    """The most reviewed images that any run of ``project`` has learned from."""
    found = 0
    for run in runs(project):
        if run.preset == PRESET and run.is_saved:
            with suppress(BoxscoutError):  # whoever reads the run is told
                taught = saved_unit(run).taught
                found = max(found, 0 if taught is None else taught.images)
    return found


def teach_run(
    project: Project,
    config: FeaturesConfig,
    *,
    how: BoxOptions,
    first: Sequence[int] = (),
    on_learning: OnProgress | None = None,
    on_finding: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Teaching:
    """Learn from the reviewed images of ``project``, and find boxes in all others, those in ``first`` first.

    Parameters
    ----------
    config
        What computes features besides the network, which is that of the run to depart from.
    how
        How heat maps become boxes.

    Raises
    ------
    TrainingError
        Too few reviewed images have a box.
    ProjectError
        The boxes do not come from a run of frozen features.
    FeaturesError
        Its features are not here.
    Cancelled
        ``cancelled()`` became true. In every case nothing has changed, and no run is left.
    """
    current = current_run(project)
    if current is None or current.kind != KIND:
        raise ProjectError(
            tr("Corrections teach what frozen features have found: find objects by them first.")
        )
    check_lessons(lessons_of(project))  # before the features take their seconds
    prior = prior_unit(project)
    features = features_for(prior, config)
    with training_run(project, KIND, preset=PRESET) as run:
        try:
            learned = teach(project, prior, features, run, on_progress=on_learning, cancelled=cancelled)
            unit = learned.unit
            with results_of(project, run) as place:
                localize_by_features(
                    place,
                    project,
                    _with_first(project.images(), first),
                    unit,
                    features,
                    how=how,
                    on_progress=on_finding,
                    cancelled=cancelled,
                )
            with Project.open_to_read(results_file(project, run)) as found:
                changed, most = most_changed(project, found)
        except BaseException:
            with suppress(ProjectError):
                delete_run(project, run)
            raise
    assert unit.taught is not None, "corrections have taught it"
    return Teaching(replace(run, finished=True), unit.taught.images, changed, most, len(learned.left_out))


def _with_first(records: list[ImageRecord], first: Sequence[int]) -> list[ImageRecord]:
    ranks = {image_id: rank for rank, image_id in enumerate(first)}
    return sorted(records, key=lambda record: ranks.get(record.id, len(ranks)))


def most_changed(project: Project, found: Project, *, count: int = SHOWN) -> tuple[int, tuple[Change, ...]]:
    """How many images have other boxes in ``found``, and the ``count`` whose boxes changed most.

    Reviewed images are left out.
    """
    before, after = project.all_boxes(), found.all_boxes()
    reviewed = reviewed_images(project)
    images = {one.id: one for one in project.images() if one.status is not Status.FAILED}
    free = [i for i in images if i not in reviewed and (i in before or i in after)]
    alike = _likeness(free, before, after)
    others = np.array([_classes(before.get(i, ())) != _classes(after.get(i, ())) for i in free], np.bool_)
    changed = (alike < _SAME) | others
    order = np.lexsort((~others, alike))
    most = [free[place] for place in order.tolist() if changed[place]][:count]
    changes = (Change(images[i], before.get(i, ()), after.get(i, ())) for i in most)
    return int(np.count_nonzero(changed)), tuple(changes)


def _classes(boxes: Boxes) -> list[str]:
    return [one.label for one in boxes]


def _likeness(ids: Sequence[int], before: Mapping[int, Boxes], after: Mapping[int, Boxes]) -> np.ndarray:
    """How alike each image's boxes are, 0..1: of the pairs in order the mean IoU, 0 for one without other."""
    pairs, owners = [], []
    counts = np.ones(len(ids))
    for place, image_id in enumerate(ids):
        old, new = before.get(image_id, ()), after.get(image_id, ())
        counts[place] = max(len(old), len(new), 1)
        for one, other in zip(old, new, strict=False):
            pairs.append((*one.box.sides, *other.box.sides))
            owners.append(place)
    sides = np.array(pairs, np.float64).reshape(-1, 8)
    shared = overlaps(sides[:, :4], sides[:, 4:])
    return np.bincount(np.array(owners, np.intp), weights=shared, minlength=len(ids)) / counts
