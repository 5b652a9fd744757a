"""Heat maps and boxes by frozen features into a project, image by image as they are decoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from core.base.language import tr
from core.boxes.options import BoxOptions
from core.images.parallel import Failure
from core.maps.cells import maps_at
from core.maps.localizer import Localizer
from core.maps.signature import signatures
from core.maps.stream import stream_features
from core.nets.features import Features
from core.project.search import OnProgress, Search, Steps
from core.project.store import ImageRecord, Project
from core.project.survey import MapSource, Survey

FEATURES = "features"
"""The unit of a :class:`MapSource` that reads frozen features."""


@dataclass(frozen=True)
class Found:
    """What a search for boxes has come to: numbers of images, and records that cannot be used."""

    images: int
    kept: int
    failed: tuple[int, ...] = ()


def map_source(localizer: Localizer) -> MapSource:
    """What tells the maps of ``localizer`` from those of any other."""
    return MapSource(localizer.digest, FEATURES, localizer.method)


def other_runtime(survey: Survey | None, now: str) -> str:
    """One sentence where frozen features were computed by something else than ``now``; else empty.

    ``now`` is the version of :class:`Features`, or its beginning. How many threads computed is left out:
    it changes no bit (docs/decisions/0015-frozen-features.md).
    """
    before, now = ("" if survey is None else _without_threads(survey.runtime)), _without_threads(now)
    if not before or not now or before.startswith(now):
        return ""
    return tr(
        "The boxes were found with {before}, and features are computed by {now} now: the boxes stay until "
        "you find them again."
    ).format(before=before, now=now)


def _without_threads(version: str) -> str:
    return version.split(", threads")[0]


def localize_by_features(
    place: Project,
    project: Project,
    records: Sequence[ImageRecord],
    localizer: Localizer,
    features: Features,
    *,
    how: BoxOptions,
    again: bool = False,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Found:
    """Heat maps and automatic boxes of ``records`` into ``place``, durable a few images at a time.

    Maps that the same ``localizer`` has made stay, whatever computed the features then, and their boxes are
    read anew; with ``again`` all are made.

    Parameters
    ----------
    place, project
        As :func:`core.project.results.results_of` gives it, and the project whose images these are.
    how
        How the maps become boxes.

    Raises
    ------
    FeaturesError
        ``localizer`` was learned on other features.
    Cancelled
        ``cancelled()`` became true; what was found until then is kept.
    """
    localizer.check(features)
    source, step = map_source(localizer), localizer.images
    go_on = Steps(len(records), on_progress, cancelled)
    search = Search(place=place, options=how, source=source, step=step, go_on=go_on, levels=localizer.levels)
    known = place.load_survey()
    is_same = known is not None and known.source == source
    there = search.made_before() if is_same and not again else set()
    missing = [record for record in records if record.id not in there]
    runtime = known.runtime if known is not None and is_same and there else features.version
    survey = Survey(step, source=source, complete=False, runtime=runtime)
    place.save_survey(survey)  # from here to the end the project may hold maps of two kinds
    projects = [project] if place is project else [project, place]  # whose images these are
    kept, failed = _make_maps(search, projects, missing, localizer, features)
    kept += search.read_again({r.id: (r.width, r.height) for r in records if r.id in there})
    place.save_survey(replace(survey, complete=True))
    return Found(len(records) - kept - len(failed), kept, failed)


def _make_maps(
    search: Search,
    projects: Sequence[Project],
    records: Sequence[ImageRecord],
    localizer: Localizer,
    features: Features,
) -> tuple[int, tuple[int, ...]]:
    """Maps and boxes of all ``records``; how many boxes were left alone, and whose file cannot be used.

    What is learned of the images themselves goes into all ``projects``.
    """
    failed: dict[int, str] = {}
    kept, go_on = 0, search.go_on

    def note(row: int, failure: Failure) -> None:
        failed[records[row].id] = failure.reason
        go_on(1, 1.0)

    stream = stream_features(
        features,
        [record.file for record in records],
        form=localizer.form,
        on_failure=note,
        cancelled=go_on.is_cancelled,
    )
    with closing(stream):
        for described in stream:
            go_on.check()
            ids = [records[row].id for row in described.rows.tolist()]
            sizes = {i: (w, h) for i, (w, h) in zip(ids, described.sizes.tolist(), strict=True)}
            for project in projects:
                project.set_sizes(sizes)
            maps = localizer.maps(described, features)
            kept += search.keep(dict(zip(ids, maps, strict=True)), sizes)
            own = signatures(maps_at(described.maps, features, localizer.strides), maps)
            search.place.set_signatures(dict(zip(ids, own, strict=True)))
            go_on(len(ids), 1.0)
    for project in projects:
        project.set_failed(failed)
    return kept, tuple(failed)
