"""Sheets of boxes to look at before a number is believed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from photo_sets import half

from core.base.annotations import ImageBoxes
from core.base.geometry import Box
from core.evaluate.matching import align
from core.evaluate.report import right_images
from core.images.decoding import decode_squashed
from core.maps.heatmap import colourize
from core.project.drawing import grid
from core.project.store import Project

if TYPE_CHECKING:
    from photos import Job

SHOWN = 48
_COLUMNS = 8
_SIDE = 176  # pixels
_TRUE, _RIGHT, _WRONG = (57, 217, 138), (80, 140, 255), (255, 59, 59)

Picture = npt.NDArray[np.uint8]


def draw_sheet(path: Path, project: Path, found: Sequence[ImageBoxes], job: Job) -> None:
    """48 photos of the even half, evenly among it, each with its boxes and beside it its heat map.

    True boxes are thin and green, the box found is thick: blue where it is right, red where it is wrong.
    """
    aligned = align(found, job.truth)
    even = np.flatnonzero(half([image.name for image in aligned.known], "even"))
    shown = even[np.unique(np.linspace(0, len(even) - 1, SHOWN).astype(int))]
    boxes = aligned.surest_boxes()
    right = right_images(boxes, aligned.truth)
    maps = _heat_maps(project)
    tiles = []
    for i in shown:
        true = aligned.known[i]
        photo = decode_squashed(job.folder / true.name, size=_SIDE).pixels.copy()
        for record in true.boxes:
            _outline(photo, record.box, true, _TRUE, 1)
        if not np.isnan(boxes[i, 0]):
            _outline(photo, Box(*boxes[i].tolist()), true, _RIGHT if right[i] else _WRONG, 2)
        heat = maps.get(Path(true.name).name)
        blank = np.full_like(photo, 255)
        tiles += [photo, blank if heat is None else colourize(heat, width=_SIDE, height=_SIDE)[..., :3]]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), grid(np.stack(tiles), columns=2 * _COLUMNS)[..., ::-1])


def _heat_maps(project: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Those of a project, by the names of files."""
    with Project.open_to_read(project) as opened:
        read = ((record.name, opened.heat_map(record.id)) for record in opened.images())
        return {Path(name).name: heat for name, heat in read if heat is not None}


def _outline(photo: Picture, box: Box, image: ImageBoxes, colour: tuple[int, ...], thickness: int) -> None:
    across, down = _SIDE / image.width, _SIDE / image.height
    corners = [(round(box.x0 * across), round(box.y0 * down)), (round(box.x1 * across), round(box.y1 * down))]
    cv2.rectangle(photo, corners[0], corners[1], colour, thickness)
