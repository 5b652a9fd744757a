"""Heat maps and boxes by frozen features into a project, image by image as they are decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from core.base.language import tr
from core.boxes.no_object import no_object_probability
from core.boxes.options import BoxOptions
from core.boxes.rules import Map
from core.images.parallel import Failure
from core.maps.localizer import Localizer
from core.maps.stream import Described, stream_features
from core.nets.features import Features
from core.project.queries import heat_maps as stored_maps
from core.project.queries import maps_made_by
from core.project.reading import BATCH, OnProgress, Steps
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


@dataclass(frozen=True)
class _Search:
    """One search: what makes maps, and how they are read.

    Maps and boxes go into ``place``; what is learned of the images themselves into ``project`` too.
    """

    place: Project
    project: Project
    localizer: Localizer
    features: Features
    reading: BoxOptions
    source: MapSource
    step: int

    def keep(self, ids: Sequence[int], described: Described) -> int:
        """Sizes, maps and boxes of a few images, durable when it returns; how many boxes were left alone."""
        maps = dict(zip(ids, self.localizer.maps(described, self.features), strict=True))
        sizes = {i: (w, h) for i, (w, h) in zip(ids, described.sizes.tolist(), strict=True)}
        for project in self.projects:
            project.set_sizes(sizes)
        self.place.set_heat_maps(maps, step=self.step, source=self.source)
        return self.read(maps, sizes)

    def read(self, maps: Mapping[int, Map], sizes: Mapping[int, tuple[int, int]]) -> int:
        """The boxes that maps have, and how likely they show no object; how many boxes were left alone."""
        if self.localizer.levels is not None:
            found = no_object_probability(maps.values(), self.localizer.levels)
            self.place.set_no_object(dict(zip(maps, found.tolist(), strict=True)))
        boxes = self.reading.boxes(maps, {}, sizes, None)
        return self.place.set_auto_boxes(boxes, max_boxes=self.reading.max_boxes)

    @property
    def projects(self) -> tuple[Project, ...]:
        """Whose images these are."""
        return (self.project,) if self.place is self.project else (self.project, self.place)


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
    known = place.load_survey()
    is_same = known is not None and known.source == source
    there = maps_made_by(place, source, step=step) if is_same and not again else set()
    missing = [record for record in records if record.id not in there]
    runtime = known.runtime if known is not None and is_same and there else features.version
    survey = Survey(step, source=source, complete=False, runtime=runtime)
    place.save_survey(survey)  # from here to the end the project may hold maps of two kinds
    search = _Search(
        place=place,
        project=project,
        localizer=localizer,
        features=features,
        reading=how,
        source=source,
        step=step,
    )
    kept, failed = _make_maps(search, missing, go_on)
    made_before = [record for record in records if record.id in there]
    kept += _read_again(search, made_before, go_on)
    place.save_survey(replace(survey, complete=True))
    return Found(len(records) - kept - len(failed), kept, failed)


def _make_maps(search: _Search, records: Sequence[ImageRecord], go_on: Steps) -> tuple[int, tuple[int, ...]]:
    """Maps and boxes of all ``records``; how many boxes were left alone, and whose file cannot be used."""
    failed: dict[int, str] = {}
    kept = 0

    def note(row: int, failure: Failure) -> None:
        failed[records[row].id] = failure.reason
        go_on(1, 1.0)

    stream = stream_features(
        search.features,
        [record.file for record in records],
        form=search.localizer.form,
        on_failure=note,
        cancelled=go_on.is_cancelled,
    )
    with closing(stream):
        for described in _checked(stream, go_on):
            kept += search.keep([records[row].id for row in described.rows.tolist()], described)
            go_on(len(described.rows), 1.0)
    for project in search.projects:
        project.set_failed(failed)
    return kept, tuple(failed)


def _checked(stream: Iterator[Described], go_on: Steps) -> Iterator[Described]:
    for described in stream:
        go_on.check()
        yield described


def _read_again(search: _Search, records: Sequence[ImageRecord], go_on: Steps) -> int:
    """Boxes from the maps that are there; how many were left alone."""
    kept = 0
    for start in range(0, len(records), BATCH):
        go_on.check()
        some = records[start : start + BATCH]
        maps = stored_maps(search.place, [record.id for record in some])
        kept += search.read(maps, {r.id: (r.width, r.height) for r in some if r.id in maps})
        go_on(len(some), 1.0)
    return kept
