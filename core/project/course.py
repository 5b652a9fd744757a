"""How accurate a project's boxes were while its network trained: its kept snapshots, measured again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.base.errors import BoxscoutError, Cancelled
from core.base.language import tr
from core.boxes.options import BoxOptions
from core.boxes.overlap import Floats
from core.boxes.prior import PriorTally
from core.evaluate.report import Row, baselines_of, row_of
from core.images.pixels import prepare_pixels
from core.learn.snapshots import kept_steps, load, snapshots_dir
from core.maps.contrast import outline_ratios
from core.maps.heatmap import heat_maps, read_out_of
from core.nets.framing import framings
from core.nets.networks import Judge
from core.project.measure import against_truth, measure_contrast
from core.project.runs import Run, current_run, newest_finished_run
from core.project.store import Project

Images = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Course:
    """The accuracy at each of the kept snapshots' steps, ascending; ``baselines`` look at no network.

    ``measure`` is what the accuracies are called.
    """

    measure: str
    points: tuple[tuple[int, Row], ...]
    baselines: tuple[Row, ...]


def course(project: Project, options: BoxOptions, *, cancelled: Callable[[], bool] = lambda: False) -> Course:
    """Measure every kept snapshot on the images that have a true box, by rule and threshold of ``options``.

    As the networks alone find them: edits and thresholds of single images do not count, and each image has
    one box. What maps have in common is taken from these images.

    Raises
    ------
    BoxscoutError
        There is no truth or no snapshot, or one cannot be read.
    Cancelled
        ``cancelled()`` became true.
    """
    against, run = against_truth(project), _run(project)
    folder = Path() if run is None else snapshots_dir(run.file)
    steps = () if run is None else kept_steps(folder)
    if against is None or not steps:
        raise BoxscoutError(tr("Accuracy over training needs ground truth and a training with snapshots."))
    pixels = prepare_pixels(
        [record.file for record in project.images()],  # all, as a training has them prepared already
        size=load(folder, steps[0]).image_size,
        cache_dir=project.data_dir,
        cancelled=cancelled,
    )
    rows = {file.path: i for i, file in enumerate(pixels.files)}
    there = np.array([record.path in rows for record in against.records])
    images = pixels.array[[rows[record.path] for record in against.records if record.path in rows]]
    truth, points = against.aligned.truth, []
    for step in steps:
        if cancelled():
            raise Cancelled(tr("Measuring was stopped."))
        boxes = np.full((truth.n, 4), np.nan)
        boxes[there] = _boxes(load(folder, step).discriminator, images, truth.sizes[there], options)
        points.append((step, row_of(str(step), boxes, truth)))
    baselines = baselines_of(truth, measure_contrast(against, cancelled=cancelled))
    measure = "CorLoc" if (np.bincount(truth.image_of) > 1).any() else "GT-known Loc"
    return Course(measure, tuple(points), baselines.rows)


def _boxes(network: Judge, images: Images, sizes: Floats, options: BoxOptions) -> Floats:
    """One box for each image, float64 (n, 4) pixels; ``sizes`` as displayed, (n, 2)."""
    maps = heat_maps(network, images, options=read_out_of(network))
    framed = framings(network, images)
    own = np.full((len(images), 4), np.nan) if framed is None else framed
    tally = PriorTally()
    for heat, ratio, framing in zip(maps, outline_ratios(images).tolist(), own, strict=True):
        tally.add(heat, ratio, framing)
    return options.first_boxes(maps, sizes, tally.prior(), own)


def _run(project: Project) -> Run | None:
    """Whose snapshots are measured: those of the run that the boxes come from, where it has any."""
    current = current_run(project)
    return current if current is not None and current.kind == "gan" else newest_finished_run(project, "gan")
