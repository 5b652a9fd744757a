"""Heat maps and boxes by frozen features into a project, image by image as they are decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from core.base.language import tr
from core.boxes.options import BoxOptions
from core.images.exif import Taken
from core.images.parallel import Failure
from core.maps.localizer import Localizer
from core.maps.signature import signatures
from core.maps.stream import stream_features
from core.nets.features import Features, Maps
from core.project.described import DescribedCache, KeptFeatures, reader_of, together
from core.project.search import OnProgress, Search, Steps
from core.project.store import ImageRecord, Project
from core.project.survey import MapSource, Survey
from core.project.taken import note_taken

NONE_READ: Mapping[int, Taken] = {}
_TOGETHER = 8  # images whose kept features are read at a time
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

    What is learned of the images themselves goes into all ``projects``. Features of images are kept for a
    unit that corrections have taught: more of them will come.
    """
    if localizer.taught is None:
        return _look_at(search, projects, records, localizer, features, None)
    with closing(DescribedCache(projects[0].data_dir, reader_of(localizer))) as cache:
        kept, missing = _read_kept(search, projects, records, localizer, cache)
        more, failed = _look_at(search, projects, missing, localizer, features, cache)
    return kept + more, failed


def _look_at(
    search: Search,
    projects: Sequence[Project],
    records: Sequence[ImageRecord],
    localizer: Localizer,
    features: Features,
    cache: DescribedCache | None,
) -> tuple[int, tuple[int, ...]]:
    """:func:`_make_maps` of images that are decoded for it."""
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
            some = [records[row] for row in described.rows.tolist()]
            sizes = [(int(width), int(height)) for width, height in described.sizes.tolist()]
            own = localizer.read(described, features)
            if cache is not None:
                lean = localizer.condensed(own)
                for i, (record, size) in enumerate(zip(some, sizes, strict=True)):
                    cache.put(record, tuple(one[i : i + 1] for one in lean), size)
            taken = dict(zip((record.id for record in some), described.taken, strict=True))
            kept += _keep(search, projects, some, sizes, localizer, own, taken)
    for project in projects:
        project.set_failed(failed)
    return kept, tuple(failed)


def _read_kept(
    search: Search,
    projects: Sequence[Project],
    records: Sequence[ImageRecord],
    localizer: Localizer,
    cache: DescribedCache,
) -> tuple[int, list[ImageRecord]]:
    """:func:`_make_maps` of images whose features are kept; how many were left alone, and the others."""
    kept, missing = 0, []
    for start in range(0, len(records), _TOGETHER):
        some = records[start : start + _TOGETHER]
        found = [(record, one) for record in some if (one := cache.get(record)) is not None]
        known = {record.id for record, _ in found}
        missing += [record for record in some if record.id not in known]
        by_shape: dict[tuple[int, ...], list[tuple[ImageRecord, KeptFeatures]]] = {}
        for record, one in found:
            by_shape.setdefault(one.maps[0].shape, []).append((record, one))
        for same in by_shape.values():
            alike = [record for record, _ in same]
            own = together([one for _, one in same])
            kept += _keep(search, projects, alike, [one.size for _, one in same], localizer, own)
    return kept, missing


def _keep(
    search: Search,
    projects: Sequence[Project],
    records: Sequence[ImageRecord],
    sizes: Sequence[tuple[int, int]],
    localizer: Localizer,
    own: Maps,
    taken: Mapping[int, Taken] = NONE_READ,
) -> int:
    """Maps and boxes of a few images from what ``localizer`` reads of them; how many were left alone.

    ``taken`` is what the files say of their taking, by image id, where they were opened for it.
    """
    search.go_on.check()
    ids = [record.id for record in records]
    by_id = dict(zip(ids, sizes, strict=True))
    with projects[0].transaction():  # one write for both
        projects[0].set_sizes(by_id)
        note_taken(projects[0], taken)
    for project in projects[1:]:
        project.set_sizes(by_id)
    maps = localizer.heat(own)
    classes = dict(zip(ids, localizer.class_maps(own), strict=False))  # none where none was named
    kept = search.keep(dict(zip(ids, maps, strict=True)), by_id, classes=classes)
    search.place.set_signatures(dict(zip(ids, signatures(own, maps), strict=True)))
    search.go_on(len(ids), 1.0)
    return kept
