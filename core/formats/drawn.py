"""Copies of the images with their boxes drawn on them, to show and to print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes
from core.base.language import mark, number, short
from core.formats.common import PLAIN, ExportSummary, Format, WriteOptions, numbered_labels
from core.formats.folders import (
    each_decoded,
    new_picture_folder,
    picture_suffix,
    prepare_files,
    renamed_note,
    unique_stems,
    write_picture,
)

# Okabe and Ito 2008, told apart by colour-blind eyes; the black and the yellow of it are left out.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path`` with a picture for each image, as displayed; photos as JPEG, the rest as PNG.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    prepared = prepare_files(images, options)
    stems = unique_stems(image.name for image in prepared.images)
    labels = numbered_labels(prepared.images, options)
    colours = {label: COLOURS[number % len(COLOURS)] for number, label in enumerate(labels)}
    damaged: dict[str, str] = {}
    with new_picture_folder(path) as folder:
        for image, pixels in each_decoded(prepared.images, options, damaged):
            target = folder / (stems[image.name] + picture_suffix(image.name))
            write_picture(target, draw_boxes(pixels, image.boxes, colours))
        prepared = prepared.without(damaged)
    return prepared.summary(path, len(prepared.images), *renamed_note(stems))


FORMAT = Format(
    name="drawn",
    title=mark("Images with boxes drawn"),
    help=mark("Copies of the images with the boxes drawn in. Your images are not changed."),
    suffix="",
    write=write,
)


def draw_boxes(
    pixels: npt.NDArray[np.uint8], boxes: Sequence[BoxRecord], colours: dict[str, str]
) -> npt.NDArray[np.uint8]:
    """uint8 (H, W, 3) with each box's outline in the colour of its class, inside the box, and a label."""
    picture = Image.fromarray(pixels)
    pen = ImageDraw.Draw(picture)
    width = max(2, round(max(picture.size) / 320))
    font = ImageFont.load_default(size=max(11, round(max(picture.size) / 45)))
    for record in boxes:
        box, colour = record.box, colours.get(record.label, COLOURS[0])
        # Pillow's corners lie on pixels, both inside.
        left, top = round(box.x0), round(box.y0)
        right, bottom = max(round(box.x1) - 1, left), max(round(box.y1) - 1, top)
        pen.rectangle((left, top, right, bottom), outline=colour, width=width)
        text = _label(record)
        if text:
            _, _, x1, y1 = pen.textbbox((left, top), text, font=font)
            pen.rectangle((left, top, x1 + 4, y1 + 4), fill=colour)
            pen.text((left + 2, top + 1), text, fill="white", font=font)
    return np.asarray(picture)


def _label(record: BoxRecord) -> str:
    name = "" if record.label == DEFAULT_LABEL else short(record.label)[:24]
    score = "" if record.score is None else number(record.score, ".2f")
    return " ".join(filter(None, (name, score)))
