"""One page of what a project shows: boxes and heat maps, a grid of samples, curves over training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from core.base.language import number, tr
from core.evaluate.reading import method_title
from core.learn.stopping import Estimate
from core.project.drawing import TRIPLE, Panel, Picture, draw_triple, fit, grid, new_figure

if TYPE_CHECKING:
    from core.project.course import Course  # which loads torch

ROWS = 6
MAX_IMAGES = 4 * ROWS
_SAMPLES, _REAL = "#7a4fcf", "#666666"
_NAME = 34  # characters of a name that fit beside its row


def boxes_page(panels: Sequence[Panel], names: Sequence[str], title: str) -> Figure:
    """Image and box | heat map | overlay, a row for each image and ``ROWS`` rows to a block.

    Parameters
    ----------
    panels, names
        1 to ``MAX_IMAGES`` of each.
    """
    blocks, rows = math.ceil(len(panels) / ROWS), min(len(panels), ROWS)
    figure = new_figure(width=4.4 * blocks, height=1.45 * rows + 0.8, dpi=150)
    figure.suptitle(title, fontsize=10)
    parts: Any = figure.subfigures(1, blocks, squeeze=False)[0]
    for place, part in enumerate(parts):
        axes = part.subplots(rows, 3, squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis, text in zip(axes[0], map(tr, TRIPLE), strict=True):
            axis.set_title(text, fontsize=8)
        block = slice(place * ROWS, (place + 1) * ROWS)
        for row, panel, name in zip(axes, panels[block], names[block], strict=False):
            draw_triple(row, panel)
            # Not as an axis label, which would be taken away with the axis.
            row[0].text(
                -0.06, 0.5, _short(name), transform=row[0].transAxes, rotation=90,
                ha="right", va="center", fontsize=5, color=_REAL, parse_math=False,
            )  # fmt: skip
    return figure


def samples_page(samples: Picture, title: str) -> Figure:
    """The samples of a generator, uint8 (n, S, S, 3)."""
    figure = new_figure(width=5.0, height=5.3, dpi=150)
    figure.suptitle(title, fontsize=10)
    axis: Any = figure.subplots()
    axis.imshow(grid(samples))
    axis.axis("off")
    return figure


def diversity_page(points: Sequence[tuple[int, float]], real: Estimate | None, title: str) -> Figure:
    """MS-SSIM of the samples over the steps with a polynomial fit, and the real images' own.

    Parameters
    ----------
    points
        Steps and values, at least one.
    """
    figure = new_figure(width=5.6, height=4.2, dpi=150)
    figure.suptitle(title, fontsize=10)
    axis: Any = figure.subplots()
    steps, values = [step for step, _ in points], [value for _, value in points]
    axis.plot(steps, values, ".", color=_SAMPLES, alpha=0.5, label=tr("samples"))
    if len(set(steps)) > 1:
        axis.plot(*fit(steps, values), "-", color=_SAMPLES)
    if real is not None:
        axis.axhspan(*real.interval, color=_REAL, alpha=0.2, lw=0)
        axis.axhline(real.mean, color=_REAL, ls=":", label=tr("real images"))
    _finish(axis, "MS-SSIM", ".1f", 1.0)
    return figure


def accuracy_page(course: Course, title: str) -> Figure:
    """Accuracy at every snapshot with its interval and a polynomial fit, beside what costs no training."""
    figure = new_figure(width=5.6, height=4.2, dpi=150)
    figure.suptitle(title, fontsize=10)
    axis: Any = figure.subplots()
    steps, rows = [step for step, _ in course.points], [row for _, row in course.points]
    values = [100 * row.accuracy for row in rows]
    below = [100 * (row.accuracy - row.low) for row in rows]
    above = [100 * (row.high - row.accuracy) for row in rows]
    looks = {"fmt": ".", "color": _SAMPLES, "alpha": 0.5, "lw": 0.8}
    axis.errorbar(steps, values, yerr=(below, above), label=tr("found boxes"), **looks)
    if len(steps) > 1:
        axis.plot(*fit(steps, values), "-", color=_SAMPLES)
    for row, style in zip(course.baselines, ("-", "--", "-.", ":"), strict=False):
        axis.axhline(100 * row.accuracy, color=_REAL, ls=style, lw=1, label=method_title(row.method))
    _finish(axis, f"{course.measure}, %", ".0f", 100.0)
    return figure


def _finish(axis: Any, values: str, spec: str, most: float) -> None:
    axis.set(xlabel=tr("Step"), ylabel=values, ylim=(0, most))
    for ticks, its_spec in ((axis.xaxis, ",.0f"), (axis.yaxis, spec)):
        ticks.set_major_formatter(lambda value, _, spec=its_spec: number(value, spec))
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"…{name[1 - _NAME :]}"
