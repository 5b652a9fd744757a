"""The paper's figures, from the same runs as the table: PNG and PDF, a page for each set and seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from core.base.annotations import BoxRecord, ImageBoxes
from core.boxes.batches import find_box
from core.evaluate.baselines import colour_contrast
from core.evaluate.report import Report, Row, evaluate
from core.learn.checkpoint import TrainState
from core.learn.engine import SAMPLES, samples_of
from core.learn.msssim import diversity
from core.learn.stopping import map_difference
from core.paper.photos import check_sets
from core.paper.plan import Job, plan, shares
from core.paper.published import METHODS, RULE, TABLE
from core.paper.runs import Meter, Trained, boxes_of, complete, truth_of
from core.project.drawing import DEGREE, TRIPLE, Panel, draw_triple, fit, grid, new_figure, write_figure

IMAGES = 6
BOXES_SAID = "box found (solid), true box (dashed); maps that differ by 0 are the same for every image"
SUFFIXES = (".png", ".pdf")
_COLOURS = ("#3b6bff", "#ff3b6b", "#2aa876", "#a05ad6", "#d98a2b")

Draw = Callable[[Sequence[Trained], Sequence[ImageBoxes]], Figure]


def make_figures(job: Job, *, meter: Meter, stop: Event) -> list[Path]:
    """Do every run of ``job`` and draw its figure; the files come back, PNG and PDF of each page.

    Raises
    ------
    Cancelled
        ``stop`` was set; what was trained is saved.
    BoxscoutError
        As in :func:`core.paper.runs.complete`, or a file cannot be written.
    """
    check_sets(job)
    draw = FIGURES[job.what]
    runs = plan(job)
    work = dict(zip((run.name for run in runs), shares(runs), strict=True))
    pages = sorted(runs, key=lambda run: (job.sets.index(run.set_name), job.seeds.index(run.config.seed)))
    files: list[Path] = []
    for (set_name, seed), group in groupby(pages, key=lambda run: (run.set_name, run.config.seed)):
        trained = [complete(job, run, work[run.name], meter, stop) for run in group]
        figure = draw(trained, truth_of(job.data, set_name))
        for suffix in SUFFIXES:
            files.append(job.out / f"{job.what}-{set_name}-s{seed}{suffix}")
            write_figure(figure, files[-1])
    meter.update(1.0)
    return files


def draw_boxes(page: Sequence[Trained], truth: Sequence[ImageBoxes]) -> Figure:
    """Figures 2, 3 and 5: image with box | heat map | overlay for each method; a row for each image."""
    count = len(page[0].images)
    chosen = [round(i) for i in np.linspace(0, count - 1, min(IMAGES, count))]
    figure = new_figure(width=3.9 * len(page), height=1.35 * len(chosen) + 0.9, dpi=150)
    figure.suptitle(_title(page, BOXES_SAID), fontsize=10)
    parts: Any = figure.subfigures(1, len(page), squeeze=False)
    for part, trained in zip(parts[0], page, strict=True):
        part.suptitle(f"{_method(trained)}\nheat maps differ by {_difference(trained)}", fontsize=9)
        axes = part.subplots(len(chosen), 3, squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis, text in zip(axes[0], TRIPLE, strict=True):
            axis.set_title(text, fontsize=8)
        for row, i in zip(axes, chosen, strict=True):
            draw_triple(row, _panel(trained, i, truth))
    return figure


def draw_samples(page: Sequence[Trained], _truth: Sequence[ImageBoxes]) -> Figure:
    """Figure 4: 64 samples of each generator, all from the same noise."""
    figure = new_figure(width=4.2 * len(page), height=4.9, dpi=150)
    figure.suptitle(_title(page, "samples of the generators"), fontsize=10)
    axes: Any = figure.subplots(1, len(page), squeeze=False)
    for axis, trained in zip(axes[0], page, strict=True):
        state = trained.state
        assert isinstance(state, TrainState), "only a GAN makes samples"
        axis.imshow(grid(samples_of(state)))
        axis.set_title(_method(trained), fontsize=9)
        axis.axis("off")
    return figure


def draw_curves(page: Sequence[Trained], truth: Sequence[ImageBoxes]) -> Figure:
    """Figure 6: diversity and GT-known Loc over training, with a polynomial fit and what costs nothing."""
    figure = new_figure(width=11, height=5.6, dpi=150)
    figure.suptitle(_title(page, f"while it trains; lines: polynomials of degree {DEGREE}"), fontsize=10)
    axes: Any = figure.subplots(1, 2)
    left, right = axes
    reports: Mapping[int, Report] = {}
    for colour, trained in zip(_COLOURS, page, strict=False):
        state = trained.state
        assert isinstance(state, TrainState), "only a GAN has a diversity"
        points = [(p.step, p.ms_ssim) for p in state.history if p.ms_ssim is not None]
        _points(left, points, colour, _method(trained))
        reports = _reports(trained, truth)
        _points(
            right, [(step, 100 * r.rows[0].accuracy) for step, r in reports.items()], colour, _method(trained)
        )
    real = torch.from_numpy(page[0].pixels[:SAMPLES]).permute(0, 3, 1, 2)
    left.axhline(diversity(real), color="#666666", ls=":", label="real images")
    left.set(xlabel="Step", ylabel="MS-SSIM", title="Diversity: mean MS-SSIM between samples")
    right.set(xlabel="Step", ylabel="GT-known Loc, %", title=f"GT-known Loc, val, rule {RULE}")
    if reports:
        contrast = replace(_contrast(page[0], truth), method="colour contrast")
        _baselines(right, [contrast, *next(iter(reports.values())).rows[1:]])
    else:
        right.text(0.5, 0.5, "no true boxes in the data", ha="center", transform=right.transAxes)
    for axis in (left, right):
        axis.grid(alpha=0.3)
        if axis.get_legend_handles_labels()[0]:
            # Below the axes, where it hides no line.
            axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)
    return figure


def _reports(trained: Trained, truth: Sequence[ImageBoxes]) -> dict[int, Report]:
    if not truth:
        return {}
    return {step: evaluate(boxes_of(trained, RULE, step=step), truth) for step in trained.trace}


def _points(axis: Any, points: Sequence[tuple[int, float]], colour: str, label: str) -> None:
    if not points:
        return
    steps, values = [step for step, _ in points], [value for _, value in points]
    axis.plot(steps, values, ".", color=colour, alpha=0.5, label=label)
    if len(points) > 1:
        axis.plot(*fit(steps, values), "-", color=colour)


def _contrast(trained: Trained, truth: Sequence[ImageBoxes]) -> Row:
    """The accuracy of colour contrast on the pixels that were learned."""
    side = trained.pixels.shape[1]
    boxes = [
        replace(i, boxes=(BoxRecord(colour_contrast(pixels).scaled(i.width / side, i.height / side)),))
        for i, pixels in zip(trained.images, trained.pixels, strict=True)
    ]
    return evaluate(boxes, truth).rows[0]


def _baselines(axis: Any, rows: Sequence[Row]) -> None:
    """An accuracy is never shown without what costs no training."""
    for row, style in zip(rows, ("-", "--", "-.", ":"), strict=True):
        axis.axhline(100 * row.accuracy, color="#666666", ls=style, lw=1, label=row.method)


def _panel(trained: Trained, i: int, truth: Sequence[ImageBoxes]) -> Panel:
    """One image at the size that was learned."""
    image, pixels = trained.images[i], trained.pixels[i]
    side = pixels.shape[0]
    true = next((t.boxes[0].box for t in truth if t.name == image.name and t.boxes), None)
    return Panel(
        image=pixels,
        heat_map=trained.heat_maps[i],
        box=find_box(trained.heat_maps[i], width=side, height=side, rule=RULE).box,
        truth=None if true is None else true.scaled(side / image.width, side / image.height),
    )


def _title(page: Sequence[Trained], what: str) -> str:
    run = page[0].run
    return f"{TABLE[run.set_name].title}, seed {run.config.seed}: {what}"


def _method(trained: Trained) -> str:
    return f"{METHODS[trained.run.method].title}, {trained.state.step:,} steps"


def _difference(trained: Trained) -> str:
    """How much the val images' maps differ: 0.00 where every image has the same, as WGAN-GP is said to."""
    return f"{map_difference(trained.heat_maps):.2f}"


FIGURES: Mapping[str, Draw] = {
    "figure2": draw_boxes,
    "figure3": draw_boxes,
    "figure4": draw_samples,
    "figure5": draw_boxes,
    "figure6": draw_curves,
}
