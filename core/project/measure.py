"""A project against the truth that was brought into it: per image, as a whole, and by threshold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.errors import Cancelled
from core.base.geometry import iou
from core.base.language import tr
from core.boxes.batches import find_boxes, read_maps
from core.boxes.options import BoxOptions
from core.boxes.overlap import Floats, Truth, best_overlap
from core.boxes.prior import Prior
from core.boxes.rules import MAX_THRESHOLD
from core.boxes.several import find_boxes_of_many
from core.evaluate import reading
from core.evaluate.baselines import contrast_boxes
from core.evaluate.matching import Alignment, align_pairs, surest_box
from core.evaluate.report import Baselines, Report, baselines_of, evaluate_aligned
from core.evaluate.threshold_curve import IOUS, LEVELS, threshold_grid
from core.project.queries import framing_rows, heat_maps, held_among, kept, under_priors
from core.project.store import ImageRecord, Project
from core.project.truth import true_boxes

Ids = npt.NDArray[np.int64]
Maps = npt.NDArray[np.float32]
Cancelling = Callable[[], bool]

_CHUNK = 256
# Boxes read for one curve: a second or two of a core. A folder with more gets a coarser curve.
_MOST_READ, _MOST_READ_OF_SEVERAL = 400_000, 20_000
_FINE, _COARSE = 0.01, 0.05


@dataclass(frozen=True, slots=True)
class Against:
    """The images that have a true box, in the project's order: what was found beside what is true."""

    ids: Ids
    records: tuple[ImageRecord, ...]
    aligned: Alignment


@dataclass(frozen=True, slots=True)
class Standing:
    """How a project's boxes stand: ``overlaps`` are the IoU, 0..1, of the images ``ids``, as ``report``
    counts them (the surest box with the true box that it fits best; 0 without a box); that has no ranking.
    ``text`` is what it says beside its strongest baseline. ``baselines`` serve the next call while the truth
    stays."""

    ids: Ids
    overlaps: Floats
    report: Report
    text: str
    baselines: Baselines


@dataclass(frozen=True, slots=True)
class FolderCurve:
    """The accuracy, 0..1, that the project would have with each of ``thresholds`` for all images.

    Images whose box is a person's, that have a threshold of their own or no heat map count as they are.
    ``best`` is the threshold that the truth likes best at IoU 0.5, with ``max_box_acc``; ``max_box_acc_v2``
    is the mean of the best at IoU 0.3, 0.5 and 0.7. They peek at the truth.
    """

    thresholds: tuple[float, ...]
    accuracies: tuple[float, ...]
    best: float
    max_box_acc: float
    max_box_acc_v2: float

    def at(self, threshold: float) -> float:
        """The accuracy at ``threshold``, between two measured ones on the line through them."""
        return float(np.interp(threshold, self.thresholds, self.accuracies))


def image_overlap(boxes: Sequence[BoxRecord], truth: Sequence[BoxRecord]) -> float | None:
    """The IoU, 0..1, of the surest of ``boxes`` with the true box that it fits best; None without truth."""
    surest = surest_box(boxes)
    if not truth:
        return None
    return 0.0 if surest is None else max(iou(surest.box, true.box) for true in truth)


def against_truth(project: Project) -> Against | None:
    """What there is to compare; None where no image has both a true box and a known size."""
    true = {i: boxes for i, boxes in true_boxes(project).items() if any(b.box.area > 0 for b in boxes)}
    records = tuple(r for r in project.images() if r.id in true and r.width > 0) if true else ()
    if not records:
        return None
    own = kept(project, [record.id for record in records])
    known = [ImageBoxes(r.name, r.width, r.height, true[r.id]) for r in records]
    guesses = [ImageBoxes(r.name, r.width, r.height, own[r.id].boxes) for r in records]
    return Against(
        ids=np.array([record.id for record in records], np.int64),
        records=records,
        aligned=align_pairs(known, guesses),
    )


def standing(against: Against, baselines: Baselines | None = None) -> Standing:
    """The accuracy of the boxes beside ``baselines``, or beside those that no image is read for."""
    aligned = against.aligned
    baselines = baselines or baselines_of(aligned.truth)
    report = evaluate_aligned(aligned, baselines, ranks=False)
    if report.missing == report.n:
        text = tr("None of these images has a box yet.")
    else:
        text = reading.sentence(*reading.beside_strongest(aligned, baselines))
    return Standing(
        ids=against.ids,
        overlaps=best_overlap(aligned.surest_boxes(), aligned.truth)[0],
        report=report,
        text=text,
        baselines=baselines,
    )


def measure_contrast(
    against: Against,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Cancelling = lambda: False,
) -> Floats:
    """The boxes of colour contrast, float64 (n, 4) pixels, NaN where an image could not be read.

    Raises
    ------
    Cancelled
        ``cancelled`` said so between two pieces.
    """
    boxes = np.full((len(against.ids), 4), np.nan)
    known, done = against.aligned.known, 0
    for root in dict.fromkeys(record.root for record in against.records):
        here = [i for i, record in enumerate(against.records) if record.root == root]
        for start in range(0, len(here), _CHUNK):
            if cancelled():
                raise Cancelled
            part = here[start : start + _CHUNK]
            boxes[part] = contrast_boxes(root, [known[i] for i in part], [None] * len(part))
            done += len(part)
            on_progress(done, len(known))
    return boxes


def folder_curve(
    project: Project, against: Against, options: BoxOptions, *, cancelled: Cancelling = lambda: False
) -> FolderCurve | None:
    """The accuracy at every threshold of the rule in ``options``; None where no heat map can move a box.

    Raises
    ------
    Cancelled
        ``cancelled`` said so between two thresholds.
    """
    held = held_among(project, against.ids.tolist())
    free = np.isnan(options.thresholds.at(against.ids)) & ~np.isin(against.ids, list(held))
    most = _MOST_READ if options.max_boxes == 1 else _MOST_READ_OF_SEVERAL
    step = _FINE if free.sum() * MAX_THRESHOLD / _FINE <= most else _COARSE
    thresholds = threshold_grid(step)
    boxes = against.aligned.surest_boxes()
    right, moved = np.zeros((len(LEVELS), len(thresholds))), False
    for start in range(0, len(free), _CHUNK):
        stop = min(start + _CHUNK, len(free))
        part, found = _part(against.aligned.truth, start, stop), boxes[start:stop].copy()
        ids = against.ids[start:stop].tolist()
        rows = {ids[i]: i for i in np.flatnonzero(free[start:stop]).tolist()}
        readers = list(_readers(project, options, rows, part.sizes))
        moved |= bool(readers)
        for j, threshold in enumerate(thresholds):
            if cancelled():
                raise Cancelled
            for places, read in readers:
                found[places] = read(threshold)
            right[:, j] += (best_overlap(found, part)[0] >= np.array(LEVELS)[:, None]).sum(axis=1)
    return _curve(thresholds, right / len(free)) if moved else None


def _curve(thresholds: tuple[float, ...], shares: Floats) -> FolderCurve:
    at_half = shares[IOUS.index(0.5)]
    return FolderCurve(
        thresholds=thresholds,
        accuracies=tuple(at_half.tolist()),
        best=thresholds[int(at_half.argmax())],
        max_box_acc=float(at_half.max()),
        max_box_acc_v2=float(shares.max(axis=1).mean()),
    )


def _part(truth: Truth, start: int, stop: int) -> Truth:
    """The images from ``start`` to before ``stop`` alone."""
    first, last = np.searchsorted(truth.image_of, [start, stop])
    return Truth(truth.boxes[first:last], truth.image_of[first:last] - start, truth.sizes[start:stop])


def _readers(
    project: Project, options: BoxOptions, rows: Mapping[int, int], sizes: Floats
) -> Iterator[tuple[list[int], Callable[[float], Floats]]]:
    """From a threshold to the surest boxes, float64 (k, 4) pixels, of k ``rows``; of each prior's images.

    ``rows`` are those of ``sizes``, by image id.
    """
    maps = heat_maps(project, list(rows))
    for prior, ids in under_priors(project, list(maps)):
        places = [rows[i] for i in ids]
        own = framing_rows(project, ids)
        yield places, _reader([maps[i] for i in ids], sizes[places], options, prior, own)


def _reader(
    maps: Sequence[Maps], sizes: Floats, options: BoxOptions, prior: Prior | None, own: Floats
) -> Callable[[float], Floats]:
    rule, most = options.rule, options.max_boxes
    if most == 1:
        scaled = read_maps(rule, maps)
        return lambda share: find_boxes(scaled, sizes, rule=rule, threshold=share, prior=prior, framings=own)

    def surest(share: float) -> Floats:
        found = find_boxes_of_many(
            maps, sizes, rule=rule, threshold=share, prior=prior, framings=own, max_boxes=most
        )
        return np.array([own[0].box.sides for own in found])

    return surest
