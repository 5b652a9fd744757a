"""Crops: what is inside each box as a picture of its own, in a folder for each class."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from core.base.annotations import DEFAULT_LABEL, ImageBoxes
from core.base.language import mark
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    WriteOptions,
    numbered_labels,
    prepare,
    whole_pixels,
)
from core.formats.folders import (
    each_decoded,
    new_picture_folder,
    picture_suffix,
    renamed_note,
    unique_stems,
    unusable_sources,
    write_picture,
)

# What some system does not take in a name; the rest of a class's name stays as it is.
_NOT_A_NAME = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]+')
_LONGEST = 60


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path`` with ``CLASS/IMAGE-N.jpg`` (or ``.png``) for box N, from 1, of each image.

    Edges are whole pixels. Images without a box have no place.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    prepared = prepare(images)
    wanted = [image for image in prepared.images if image.boxes]
    prepared = prepared.without(unusable_sources(wanted, options))
    kept = [whole_pixels(image) for image in prepared.images if image.boxes]
    stems = unique_stems(image.name for image in kept)
    folders = class_folders(numbered_labels(prepared.images, options))
    damaged: dict[str, str] = {}
    with new_picture_folder(path) as folder:
        for image, pixels in each_decoded(kept, options, damaged):
            for number, record in enumerate(image.boxes, start=1):
                x0, y0, x1, y1 = map(int, record.box.sides)
                file = f"{stems[image.name]}-{number}{picture_suffix(image.name)}"
                write_picture(folder / folders[record.label] / file, pixels[y0:y1, x0:x1])
        prepared = prepared.without(damaged)
    return prepared.summary(path, len(kept) - len(damaged), *renamed_note(stems))


FORMAT = Format(
    name="crops",
    title=mark("Crops"),
    help=mark("The inside of each box as an image of its own, in one folder per class."),
    suffix="",
    write=write,
    needs_box=True,
)


def class_folders(labels: Sequence[str]) -> dict[str, str]:
    """A folder's name for each class, which no system refuses or takes for another's."""
    taken: set[str] = set()
    names = {}
    for label in labels:
        plain = _NOT_A_NAME.sub("_", label)[:_LONGEST].strip(". ") or DEFAULT_LABEL
        name, number = plain, 2
        while name.casefold() in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name.casefold())
        names[label] = name
    return names
