"""What drawn pages share: images with boxes, heat maps, overlays, sample grids, lines, and their files."""

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

from core.base.atomic import os_errors, write_atomically
from core.base.errors import BoxscoutError
from core.base.geometry import Box
from core.base.language import mark, tr
from core.maps.colouring import colourize

FOUND, TRUE = "#ff3b6b", "#39d98a"
OVERLAY = 0.5
DEGREE = 3
TRIPLE = (mark("Image and box"), mark("Heat map"), mark("Overlay"))

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Panel:
    """One image of a page: uint8 (H, W, 3), float32 (h, w) heat map, boxes in pixels of the image.

    ``box`` None is an image without one; ``others`` are further boxes of the same image.
    """

    image: Picture
    heat_map: npt.NDArray[np.float32]
    box: Box | None
    truth: Box | None = None
    others: tuple[Box, ...] = ()


def new_figure(*, width: float, height: float, dpi: int = 110) -> Figure:
    """An empty white page of ``width`` x ``height`` inches that needs no display."""
    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Write a page atomically, as PNG or PDF by the suffix of ``path``.

    Raises
    ------
    BoxscoutError
        The file cannot be written.
    """
    kind = path.suffix.lstrip(".").lower()
    # Without its date the same page gives the same file.
    metadata = {"CreationDate": None} if kind == "pdf" else {}
    content = io.BytesIO()
    figure.savefig(content, format=kind, metadata=metadata)
    with os_errors(BoxscoutError, tr("{path} cannot be written: {reason}."), path=path):
        write_atomically(path, content.getvalue())


def grid(samples: Picture, columns: int = 8) -> Picture:
    """uint8 (n, S, S, 3) tiled row by row with ``columns`` to a row, white where there is none."""
    n, size = len(samples), samples.shape[1]
    rows = -(-n // columns)
    tiles = np.full((rows * columns, size, size, 3), 255, np.uint8)
    tiles[:n] = samples
    tiled: Picture = tiles.reshape(rows, columns, size, size, 3).swapaxes(1, 2).reshape(rows * size, -1, 3)
    return tiled


def draw_triple(axes: Sequence[Any], panel: Panel) -> None:
    """Image with box | heat map | overlay, on three matplotlib axes: found box solid, true box dashed."""
    first, second, third = axes
    height, width = panel.image.shape[:2]
    heat = colourize(panel.heat_map, width=width, height=height)[..., :3]
    first.imshow(panel.image)
    second.imshow(heat)
    third.imshow((panel.image * (1 - OVERLAY) + heat * OVERLAY).astype(np.uint8))
    for axis in (first, third):
        if panel.truth is not None:
            axis.add_patch(_outline(panel.truth, TRUE, "--"))
        for box in filter(None, (panel.box, *panel.others)):
            axis.add_patch(_outline(box, FOUND, "-"))


def _outline(box: Box, colour: str, style: str) -> Rectangle:
    # imshow puts pixel centres on whole numbers, so pixel edges lie half a pixel lower.
    return Rectangle(
        (box.x0 - 0.5, box.y0 - 0.5), box.width, box.height, fill=False, ec=colour, lw=1.6, ls=style
    )


def fit(steps: Sequence[int], values: Sequence[float], *, degree: int = DEGREE) -> tuple[Floats, Floats]:
    """The polynomial of least squares through points, as 100 places and their values.

    The degree is lowered to what the points determine.

    Parameters
    ----------
    steps, values
        At least two points, at different steps.
    """
    x, y = np.array(steps, np.float64), np.array(values, np.float64)
    polynomial = np.polynomial.Polynomial.fit(x, y, min(degree, len(set(steps)) - 1))
    places = np.linspace(x.min(), x.max(), 100)
    return places, np.asarray(polynomial(places), np.float64)
