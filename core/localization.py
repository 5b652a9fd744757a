"""Heat maps and boxes of many images into a project: first what each shows, then what all have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from core.annotations import BoxRecord
from core.boxes import Map, scaled_map, used_threshold
from core.classifier.network import PreActResNet34
from core.contrast import outline_ratios
from core.errors import Cancelled, ImageError
from core.evaluate.box_batches import find_boxes as boxes_of_many
from core.heatmap import READ_OUTS, HeatMapOptions, Network, heat_maps, read_out_of
from core.images.decoding import decode
from core.images.pixels import Pixels
from core.language import tr
from core.prior import Prior, PriorTally
from core.project.store import ImageRecord, Project
from core.project.survey import MapSource, Survey
from core.several import find_boxes
from core.sureness import SAMPLE, Sureness, looks, sureness

BATCH = 64
OnProgress = Callable[[int, int], None]

# The share of the work that the maps are; what is left are the boxes once all maps are known.
_MAPS_SHARE = 0.9
_DECODERS = 4


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """How maps become boxes."""

    rule: str
    threshold: float | None
    thresholds: Mapping[int, float]
    max_boxes: int

    def boxes(
        self, heat_map: Map, image_id: int, size: tuple[int, int], prior: Prior | None
    ) -> tuple[BoxRecord, ...]:
        return find_boxes(
            heat_map,
            width=size[0],
            height=size[1],
            rule=self.rule,
            threshold=self.thresholds.get(image_id, self.threshold),
            prior=prior,
            max_boxes=self.max_boxes,
        )


def localize_images(
    project: Project,
    records: Sequence[ImageRecord],
    pixels: Pixels,
    network: Network,
    *,
    step: int,
    rule: str,
    threshold: float | None,
    thresholds: Mapping[int, float] = MappingProxyType({}),
    classes: Mapping[int, int] | None = None,
    options: HeatMapOptions | None = None,
    max_boxes: int = 1,
    on_progress: OnProgress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[int, int]:
    """Heat maps and automatic boxes of ``records`` into the project, durable batch by batch.

    Once all maps are known, what they have in common refines rule and score, and the boxes are read again.
    Both that and how sure the boxes are go into the project's survey.

    Parameters
    ----------
    step
        The training step of ``network``.
    rule, threshold, max_boxes
        As in :func:`core.several.find_boxes`; ``thresholds`` holds those of single images, by image id.
    classes
        For a classifier: whose heat map each image gets, by image id; the predicted class's for images that
        are not in it, and for all with None.
    options
        How the network looks at each image; with ``long_side``, at the photo itself in its own proportions.
        None for :func:`core.heatmap.read_out_of` the network.

    Returns
    -------
    tuple
        How many images got boxes, and how many were left alone because a person had edited them.
    """
    options = options or read_out_of(network, max_boxes=max_boxes)
    source = map_source(network, options)
    ids = {record.path: record.id for record in records}
    rows_of_files = [ids[file.path] for file in pixels.files]
    sizes = {i: (w, h) for i, (w, h) in zip(rows_of_files, pixels.sizes.tolist(), strict=True)}
    reading = _Reading(rule=rule, threshold=threshold, thresholds=thresholds, max_boxes=max_boxes)
    wanted = None if classes is None else np.array([classes.get(i, -1) for i in rows_of_files], np.int64)
    go_on = _Steps(len(rows_of_files), on_progress, cancelled)

    known = project.load_survey()
    before = known.prior if known is not None and (known.step, known.source) == (step, source) else None
    if known is None or known.source != source:
        # From here to the end the project holds maps of two kinds, and no prior is that of both.
        project.save_survey(Survey(step, source=source, complete=False))
    tally = PriorTally()
    for rows, maps in _all_maps(network, pixels, wanted, options, go_on):
        batch = dict(zip(rows_of_files[rows], maps, strict=True))
        for heat_map, ratio in zip(maps, outline_ratios(pixels.array[rows]).tolist(), strict=True):
            tally.add(heat_map, ratio)
        project.set_heat_maps(batch, step=step, source=source)
        found = {i: reading.boxes(m, i, sizes[i], before) for i, m in batch.items()}
        project.set_auto_boxes(found, max_boxes=max_boxes)
        go_on(len(batch), _MAPS_SHARE)

    prior = _better(before, tally.prior())
    sure = _sureness(network, pixels, wanted, options, reading, prior)
    project.save_survey(Survey(step, prior, sure, source))
    kept = 0
    for start in range(0, len(rows_of_files), BATCH):
        go_on.check()
        found = {}
        for image_id in rows_of_files[start : start + BATCH]:
            heat_map_now = project.heat_map(image_id)
            if heat_map_now is not None:
                found[image_id] = reading.boxes(heat_map_now, image_id, sizes[image_id], prior)
        kept += project.set_auto_boxes(found, max_boxes=max_boxes)
        go_on(len(found), 1 - _MAPS_SHARE)
    return len(rows_of_files) - kept, kept


def map_source(network: Network, options: HeatMapOptions) -> MapSource:
    """What tells the maps that ``network`` gives, read as ``options`` say, from those of any other."""
    digest = hashlib.blake2b(digest_size=16)
    for name, values in network.state_dict().items():
        digest.update(name.encode() + values.detach().cpu().numpy().tobytes())
    unit = "class" if isinstance(network, PreActResNet34) else options.unit or network.unit
    plain = replace(options, unit=None)
    looks = next((name for name, known in READ_OUTS.items() if known == plain), repr(plain))
    return MapSource(digest.hexdigest(), unit, looks)


class _Steps:
    """Counts what is done in whole images, and stops where the person wishes."""

    def __init__(self, total: int, report: OnProgress | None, cancelled: Callable[[], bool] | None) -> None:
        self._total, self._report, self._cancelled = total, report, cancelled
        self._done = 0.0

    def check(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise Cancelled(tr("Localization was stopped."))

    def __call__(self, images: int, share: float) -> None:
        self._done += images * share
        if self._report is not None:
            self._report(min(int(self._done + 1e-6), self._total), self._total)


def _better(before: Prior | None, now: Prior | None) -> Prior | None:
    """Of the same training: what more images say counts, so that one new photo does not undo a folder's."""
    if before is None or (now is not None and now.images >= before.images):
        return now
    return before


# --- maps ---------------------------------------------------------------------------------------------


def _all_maps(
    network: Network,
    pixels: Pixels,
    classes: npt.NDArray[np.int64] | None,
    options: HeatMapOptions,
    steps: _Steps,
) -> Iterator[tuple[slice, Sequence[Map]]]:
    """The heat maps batch by batch, each with the rows of ``pixels`` that it is of."""
    for start in range(0, len(pixels.files), BATCH):
        steps.check()
        rows = slice(start, start + BATCH)
        own = None if classes is None else classes[rows]
        if options.long_side is None:
            yield rows, list(heat_maps(network, pixels.array[rows], classes=own, options=options))
        else:
            indices = range(len(pixels.files))[rows]
            yield (
                rows,
                [
                    heat_maps(
                        network, photo[None], classes=None if own is None else own[k : k + 1], options=options
                    )[0]
                    for k, photo in enumerate(_photos(pixels, indices, options.long_side))
                ],
            )


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


def _sureness(
    network: Network,
    pixels: Pixels,
    classes: npt.NDArray[np.int64] | None,
    options: HeatMapOptions,
    reading: _Reading,
    prior: Prior | None,
) -> Sureness | None:
    """Of some images evenly from all, each looked at once: averaging over mirrored looks would settle it."""
    count = min(len(pixels.files), SAMPLE)
    indices = np.unique(np.linspace(0, len(pixels.files) - 1, count).astype(int))
    once = replace(options, scales=(1.0,), mirror=False, shifts=(0.0,))
    own = None if classes is None else classes[indices]

    def boxes(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        maps = heat_maps(network, images, classes=own, options=once)
        scaled = np.stack([scaled_map(heat_map) for heat_map in maps])
        threshold = used_threshold(reading.rule, reading.threshold)
        # In a picture of size 1 a box is in shares, but would be widened to that pixel: hence a large one.
        shares = np.full((len(maps), 2), 1e6)
        return boxes_of_many(scaled, shares, rule=reading.rule, threshold=threshold, prior=prior) / 1e6

    sample = np.array(pixels.array[indices])
    return sureness(
        boxes(sample),
        tuple(boxes(look) for look in looks(sample)),
        width=sample.shape[2],
        height=sample.shape[1],
    )
