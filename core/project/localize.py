"""Heat maps and boxes of many images into a project: first what each shows, then what all have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.base.errors import ImageError
from core.base.sampling import evenly
from core.boxes.options import BoxOptions
from core.boxes.prior import Prior, PriorTally
from core.boxes.rules import Map
from core.boxes.score import Floats
from core.boxes.sureness import SAMPLE, Sureness, looks, sureness
from core.images.decoding import decode
from core.images.pixels import Pixels
from core.maps.contrast import outline_ratios
from core.maps.heatmap import READ_OUTS, HeatMapOptions, Network, heat_maps, read_out_of
from core.nets.framing import framings
from core.nets.resnet import PreActResNet34
from core.project.queries import framings as stored_framings
from core.project.search import BATCH, CLASS, OnProgress, Search, Steps, whole_maps
from core.project.store import ImageRecord, Project
from core.project.survey import MapSource, Survey

# The share of the work that the maps are; what is left are the boxes once all maps are known.
_MAPS_SHARE = 0.9
_DECODERS = 4


@dataclass(frozen=True)
class _Look:
    """What makes maps, and of which images: ``classes`` are as in :func:`core.maps.heatmap.heat_maps`."""

    network: Network
    pixels: Pixels
    classes: npt.NDArray[np.int64] | None
    options: HeatMapOptions

    def maps(self, rows: Sequence[int]) -> list[Map]:
        """The heat map of each of some rows."""
        own = None if self.classes is None else self.classes[rows]
        if self.options.long_side is None:
            return list(heat_maps(self.network, self.pixels.array[rows], classes=own, options=self.options))
        photos = _photos(self.pixels, rows, self.options.long_side)
        classes = [None] * len(rows) if own is None else own[:, None]
        return [
            heat_maps(self.network, photo[None], classes=one, options=self.options)[0]
            for photo, one in zip(photos, classes, strict=True)
        ]

    def framings(self, rows: Sequence[int]) -> list[Floats | None]:
        """How the photo of each of some rows is framed; None where that is not known."""
        found = framings(self.network, self.pixels.array[rows])
        if found is None:
            return [None] * len(rows)
        return [own if np.isfinite(own).all() else None for own in found]


def localize_images(
    project: Project,
    records: Sequence[ImageRecord],
    pixels: Pixels,
    network: Network,
    *,
    step: int,
    how: BoxOptions,
    classes: Mapping[int, int] | None = None,
    options: HeatMapOptions | None = None,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[int, int]:
    """Heat maps and automatic boxes of ``records`` into the project, durable batch by batch.

    Once all maps are known, what they have in common refines rule and score, and the boxes are read again.
    Both that and how sure the boxes are go into the project's survey. Maps that a run of the same before has
    made stay, where it was stopped or some images have come since; where nothing is missing, all are made
    again. A classifier's always are: by which class they were made is not known.

    Parameters
    ----------
    step
        The training step of ``network``.
    how
        How the maps become boxes.
    classes
        For a classifier: whose heat map each image gets, by image id; the predicted class's for images that
        are not in it, and for all with None.
    options
        How the network looks at each image; with ``long_side``, at the photo itself in its own proportions.
        None for :func:`core.maps.heatmap.read_out_of` the network.

    Returns
    -------
    tuple
        How many images got boxes, and how many were left alone because a person had edited them.
    """
    options = options or read_out_of(network, max_boxes=how.max_boxes)
    source = map_source(network, options)
    by_path = {record.path: record.id for record in records}
    ids = [by_path[file.path] for file in pixels.files]
    sizes = {i: (w, h) for i, (w, h) in zip(ids, pixels.sizes.tolist(), strict=True)}
    wanted = None if classes is None else np.array([classes.get(i, -1) for i in ids], np.int64)
    look, go_on = _Look(network, pixels, wanted, options), Steps(len(ids), on_progress, cancelled)
    search = Search(place=project, options=how, source=source, step=step, go_on=go_on)
    known = project.load_survey()
    before = known.prior if known is not None and (known.step, known.source) == (step, source) else None
    there = set() if source.unit == CLASS else search.made_before()
    if known is not None and known.complete and there.issuperset(ids):
        there = set()  # nothing is missing: the person wants all made again
    if known is None or known.source != source:
        # From here to the end the project holds maps of two kinds, and no prior is that of both.
        project.save_survey(Survey(step, source=source, complete=False))
    prior = _better(before, _make_maps(search, look, sizes, there, before))
    survey = Survey(step, prior, _sureness(look, how, prior), source)
    # The prior is there for whoever moves the threshold meanwhile, but the boxes are not yet all by it.
    project.save_survey(replace(survey, complete=False))
    kept = search.read_again(sizes, 1 - _MAPS_SHARE, prior)
    project.save_survey(survey)
    return len(ids) - kept, kept


def _make_maps(
    search: Search,
    look: _Look,
    sizes: Mapping[int, tuple[int, int]],
    there: Container[int],
    prior: Prior | None,
) -> Prior | None:
    """Maps of all images but those ``there``, and their boxes; what all maps have in common."""
    tally, ids, place = PriorTally(), list(sizes), search.place
    for start in range(0, len(ids), BATCH):
        search.go_on.check()
        rows = range(start, min(start + BATCH, len(ids)))
        maps = whole_maps(place, [ids[i] for i in rows if ids[i] in there])
        framed = stored_framings(place, list(maps))
        if missing := [i for i in rows if ids[i] not in maps]:
            new = [ids[i] for i in missing]
            made = dict(zip(new, look.maps(missing), strict=True))
            own = {i: row for i, row in zip(new, look.framings(missing), strict=True) if row is not None}
            search.keep(made, sizes, own, prior)
            maps, framed = maps | made, framed | own
        outlines = outline_ratios(look.pixels.array[list(rows)]).tolist()
        for i, ratio in zip(rows, outlines, strict=True):
            tally.add(maps[ids[i]], ratio, framed.get(ids[i]))
        search.go_on(len(rows), _MAPS_SHARE)
    return tally.prior()


def map_source(network: Network, options: HeatMapOptions) -> MapSource:
    """What tells the maps that ``network`` gives, read as ``options`` say, from those of any other."""
    digest = hashlib.blake2b(digest_size=16)
    for name, values in network.state_dict().items():
        digest.update(name.encode() + values.detach().cpu().numpy().tobytes())
    unit = CLASS if isinstance(network, PreActResNet34) else options.unit or network.unit
    plain = replace(options, unit=None)
    looks = next((name for name, known in READ_OUTS.items() if known == plain), repr(plain))
    return MapSource(digest.hexdigest(), unit, looks)


def _better(before: Prior | None, now: Prior | None) -> Prior | None:
    """Of the same training: what more images say counts, so that one new photo does not undo a folder's."""
    if before is None or (now is not None and now.images >= before.images):
        return now
    return before


# --- maps ---------------------------------------------------------------------------------------------


def _photos(pixels: Pixels, indices: Sequence[int], long_side: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Photos in their own proportions, decoded ahead; one that has become unreadable as it was prepared."""

    def photo(i: int) -> npt.NDArray[np.uint8]:
        try:
            return decode(pixels.files[i].path, max_side=long_side).pixels
        except (ImageError, OSError):
            return np.array(pixels.array[i])

    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="photos") as pool:
        yield from pool.map(photo, indices)


# --- how sure -----------------------------------------------------------------------------------------


def _sureness(look: _Look, how: BoxOptions, prior: Prior | None) -> Sureness | None:
    """Of some images evenly from all, each looked at once: averaging over mirrored looks would settle it."""
    indices = evenly(len(look.pixels.files), SAMPLE)
    once = replace(look.options, scales=(1.0,), mirror=False, shifts=(0.0,))
    own = None if look.classes is None else look.classes[indices]

    def boxes(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        maps = heat_maps(look.network, images, classes=own, options=once)
        # In a picture of size 1 a box is in shares, but would be widened to that pixel: hence a large one.
        shares = np.full((len(maps), 2), 1e6)
        return how.first_boxes(maps, shares, prior, framings(look.network, images)) / 1e6

    sample = np.array(look.pixels.array[indices])
    return sureness(
        boxes(sample),
        tuple(boxes(moved) for moved in looks(sample)),
        width=sample.shape[2],
        height=sample.shape[1],
    )
