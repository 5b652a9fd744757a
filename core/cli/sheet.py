"""One PNG that shows a training's result: images with boxes, heat maps, samples and the diversity curve."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from core.atomic import write_atomically
from core.checkpoint import HistoryPoint
from core.geometry import Box
from core.heatmap import colourize

FOUND, TRUE = "#ff3b6b", "#39d98a"
OVERLAY = 0.5

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Panel:
    """One image of the sheet: uint8 (H, W, 3), float32 (h, w) heat map, boxes in pixels of the image."""

    image: Picture
    heat_map: npt.NDArray[np.float32]
    box: Box
    truth: Box | None = None


def draw_sheet(
    path: Path, *, title: str, panels: Sequence[Panel], samples: Picture, history: Sequence[HistoryPoint]
) -> None:
    """Write the sheet to ``path`` as PNG, atomically.

    Parameters
    ----------
    panels
        Up to eight; each becomes image with box | heat map | overlay.
    samples
        uint8 (n, S, S, 3).
    history
        The points of the diversity curve.
    """
    panels = panels[:8]
    rows = (len(panels) + 1) // 2
    figure = Figure(figsize=(13, 1.9 * rows + 4.6), dpi=110, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=13, parse_math=False)
    parts: Any = figure.subfigures(2, 1, height_ratios=[1.9 * rows, 4.6])
    upper, lower = parts
    _draw_panels(upper, panels, rows)
    left, right = lower.subplots(1, 2)
    left.imshow(grid(samples))
    left.set_title("Samples of the generator", fontsize=10)
    left.axis("off")
    _draw_curve(right, history)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_atomically(path, picture.getvalue())


def grid(samples: Picture, columns: int = 8) -> Picture:
    """uint8 (n, S, S, 3) tiled row by row with ``columns`` to a row, white where there is none."""
    n, size = len(samples), samples.shape[1]
    rows = -(-n // columns)
    tiles = np.full((rows * columns, size, size, 3), 255, np.uint8)
    tiles[:n] = samples
    tiled: Picture = tiles.reshape(rows, columns, size, size, 3).swapaxes(1, 2).reshape(rows * size, -1, 3)
    return tiled


def _draw_panels(figure: Any, panels: Sequence[Panel], rows: int) -> None:
    axes = figure.subplots(rows, 6, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for column, text in enumerate(("Image and box", "Heat map", "Overlay") * 2):
        axes[0, column].set_title(text, fontsize=10)
    for i, panel in enumerate(panels):
        first, second, third = axes[i // 2, 3 * (i % 2) : 3 * (i % 2) + 3]
        height, width = panel.image.shape[:2]
        heat = colourize(panel.heat_map, width=width, height=height)[..., :3]
        first.imshow(panel.image)
        second.imshow(heat)
        third.imshow((panel.image * (1 - OVERLAY) + heat * OVERLAY).astype(np.uint8))
        for axis in (first, third):
            if panel.truth is not None:
                axis.add_patch(_outline(panel.truth, TRUE, "--"))
            axis.add_patch(_outline(panel.box, FOUND, "-"))


def _outline(box: Box, colour: str, style: str) -> Rectangle:
    # imshow puts pixel centres on whole numbers, so pixel edges lie half a pixel lower.
    return Rectangle(
        (box.x0 - 0.5, box.y0 - 0.5), box.width, box.height, fill=False, ec=colour, lw=1.6, ls=style
    )


def _draw_curve(axis: Any, history: Sequence[HistoryPoint]) -> None:
    points = [(point.step, point.ms_ssim) for point in history if point.ms_ssim is not None]
    axis.plot([step for step, _ in points], [value for _, value in points], marker=".", color="#3b6bff")
    axis.set(xlabel="Step", ylabel="MS-SSIM", ylim=(0, 1))
    axis.set_title("Diversity: mean MS-SSIM between samples (high = collapsed)", fontsize=10)
    axis.grid(alpha=0.3)
