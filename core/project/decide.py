"""Boxes from stored heat maps: every image whose boxes do not say what rule and threshold say now."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from core.base.annotations import BoxRecord
from core.boxes.options import BoxOptions
from core.boxes.prior import Prior
from core.boxes.rules import Map, used_threshold
from core.boxes.several import find_boxes_of_many
from core.project.queries import Undecided, framing_rows, heat_maps, sized_images, undecided, under_priors
from core.project.store import Project

# Images in one transaction: its sync costs as much as some hundred boxes, and an edit waits for no longer.
BATCH = 1024

Boxes = dict[int, tuple[BoxRecord, ...]]


def decide(
    project: Project,
    options: BoxOptions,
    *,
    first: Sequence[int] = (),
    among: Sequence[int] | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Give every image with a heat map the boxes that ``options`` say, those in ``first`` first.

    Returns how many images got boxes. Those whose boxes are a person's, taken away ones too, or are already
    so, are passed over. What is done when ``cancelled`` says so stays, batch by batch.

    Parameters
    ----------
    first
        Ids of images that are looked at now: they are on disk before any other is begun.
    among
        Ids of the images to look at; None for all.
    on_progress
        Called with (done, all) images after each batch; the first call says that ``first`` is done.
    """
    if project.heat_maps_step() is None:
        return 0
    prior = project.prior()
    made = done = 0
    ids = sized_images(project)
    if among is not None:
        ids = sorted(set(ids).intersection(among))
    for batch in _batches(ids, first):
        if cancelled():
            break
        found = _decided(project, options, prior, batch)
        if found:
            project.set_auto_boxes(found, max_boxes=options.max_boxes)
        made, done = made + len(found), done + len(batch)
        on_progress(done, len(ids))
    return made


def _batches(ids: Sequence[int], first: Sequence[int]) -> Iterator[list[int]]:
    ahead = set(first).intersection(ids)
    if ahead:
        yield [image_id for image_id in first if image_id in ahead]
    rest = [image_id for image_id in ids if image_id not in ahead]
    for start in range(0, len(rest), BATCH):
        yield rest[start : start + BATCH]


def _decided(project: Project, options: BoxOptions, prior: Prior | None, ids: Sequence[int]) -> Boxes:
    """The boxes now of those of ``ids`` that have others."""
    own = {
        i: used_threshold(options.rule, threshold)
        for i, threshold in zip(ids, options.thresholds.at(ids).tolist(), strict=True)
        if not math.isnan(threshold)
    }
    threshold = options.threshold_of(None)
    behind = undecided(
        project, rule=options.rule, threshold=threshold, own=own, max_boxes=options.max_boxes, among=ids
    )
    maps = heat_maps(project, [image.id for image in behind])
    images = [image for image in behind if image.id in maps]
    found: Boxes = {}
    for known, rows in under_priors(project, prior, [image.id for image in images]):
        found |= _found(project, options, known, [images[i] for i in rows.tolist()], maps)
    return found


def _found(
    project: Project,
    options: BoxOptions,
    prior: Prior | None,
    images: Sequence[Undecided],
    maps: Mapping[int, Map],
) -> Boxes:
    boxes = find_boxes_of_many(
        [maps[image.id] for image in images],
        np.array([(image.width, image.height) for image in images], np.float64),
        rule=options.rule,
        threshold=np.array([image.threshold for image in images]),
        prior=prior,
        framings=framing_rows(project, [image.id for image in images]),
        max_boxes=options.max_boxes,
    )
    return {image.id: found for image, found in zip(images, boxes, strict=True)}
