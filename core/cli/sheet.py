"""One PNG that shows a training's result: images with boxes, heat maps, samples and the diversity curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.project.drawing import TRIPLE, Panel, Picture, draw_triple, grid, new_figure, write_figure


@dataclass(frozen=True)
class Course:
    """What a GAN's training showed: uint8 (n, S, S, 3) ``samples``, None without a generator, and the mean
    MS-SSIM between samples after some steps, None where it was not measured."""

    samples: Picture | None
    diversity: tuple[tuple[int, float | None], ...]


def draw_sheet(
    path: Path,
    *,
    title: str,
    panels: Sequence[Panel],
    course: Course | None = None,
) -> None:
    """Write the sheet to ``path`` as PNG, atomically.

    Parameters
    ----------
    panels
        Up to eight; each becomes image with box | heat map | overlay.
    course
        Drawn below them.
    """
    panels = panels[:8]
    rows = (len(panels) + 1) // 2
    figure = new_figure(width=13, height=1.9 * rows + (4.6 if course else 0.6))
    figure.suptitle(title, fontsize=13, parse_math=False)
    if course is None:
        _draw_panels(figure, panels, rows)
        write_figure(figure, path)
        return
    parts: Any = figure.subfigures(2, 1, height_ratios=[1.9 * rows, 4.6])
    upper, lower = parts
    _draw_panels(upper, panels, rows)
    left, right = lower.subplots(1, 2)
    samples = course.samples
    if samples is not None:
        left.imshow(grid(samples))
    left.set_title("No generator was trained" if samples is None else "Samples of the generator", fontsize=10)
    left.axis("off")
    _draw_curve(right, course)
    write_figure(figure, path)


def _draw_panels(figure: Any, panels: Sequence[Panel], rows: int) -> None:
    axes = figure.subplots(rows, 6, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for column, text in enumerate(TRIPLE * 2):
        axes[0, column].set_title(text, fontsize=10)
    for i, panel in enumerate(panels):
        draw_triple(axes[i // 2, 3 * (i % 2) : 3 * (i % 2) + 3], panel)


def _draw_curve(axis: Any, course: Course) -> None:
    points = [(step, value) for step, value in course.diversity if value is not None]
    axis.plot([step for step, _ in points], [value for _, value in points], marker=".", color="#3b6bff")
    axis.set(xlabel="Step", ylabel="MS-SSIM", ylim=(0, 1))
    axis.set_title("Diversity: mean MS-SSIM between samples (high = collapsed)", fontsize=10)
    axis.grid(alpha=0.3)
