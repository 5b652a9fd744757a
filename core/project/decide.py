"""Boxes from stored heat maps: every image whose boxes do not say what rule and threshold say now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from core.base.annotations import BoxRecord
from core.boxes.options import BoxOptions
from core.project.queries import class_maps, framings, heat_maps, sized_images, undecided, under_priors
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
    made = done = 0
    ids = sized_images(project)
    if among is not None:
        ids = sorted(set(ids).intersection(among))
    for batch in _batches(ids, first):
        if cancelled():
            break
        found = _decided(project, options, batch)
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


def _decided(project: Project, options: BoxOptions, ids: Sequence[int]) -> Boxes:
    """The boxes now of those of ``ids`` that have others."""
    sizes = undecided(project, options, ids)
    maps = heat_maps(project, list(sizes))
    found: Boxes = {}
    for prior, some in under_priors(project, list(maps)):
        beside = framings(project, some), sizes, prior, class_maps(project, some)
        found |= options.boxes({i: maps[i] for i in some}, *beside)
    return found
