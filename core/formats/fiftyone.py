"""FiftyOne's ``COCODetectionDataset``: ``data`` with the images, and ``labels.json``, which is COCO.

Subfolders stay. It is read as COCO.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.base.annotations import ImageBoxes
from core.base.language import mark
from core.formats import coco
from core.formats.common import PLAIN, ExportSummary, Format, WriteOptions, not_text
from core.formats.folders import (
    copied_note,
    each,
    new_picture_folder,
    place_image,
    prepare_files,
    read_back,
    renamed_note,
    unique_stems,
    write_file,
)

IMAGES, LABELS = "data", "labels.json"


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path``; its labels are read back first.

    An image whose file is gone or has another size than its boxes were made on is left out.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    prepared = prepare_files(images, options, unfit=not_text)
    files = unique_stems((image.name for image in prepared.images), endings=True)
    sources = {files[image.name]: options.sources[image.name] for image in prepared.images}
    renamed = tuple(replace(image, name=files[image.name]) for image in prepared.images)
    prepared = replace(prepared, images=renamed)
    copied = 0
    with new_picture_folder(path) as folder:
        for image in each(prepared.images, options.on_file):
            copied += not place_image(sources[image.name], folder / IMAGES / image.name, options)
        write_file(folder / LABELS, coco.document(prepared, options))
        read_back(path, coco.matches(coco.FORMAT.read(folder / LABELS), prepared))
    notes = *renamed_note(files), *copied_note(copied, options)
    return prepared.summary(path, len(prepared.images), *notes)


FORMAT = Format(
    name="fiftyone",
    title=mark("FiftyOne (COCO)"),
    help=mark("A folder of images with labels.json, for COCODetectionDataset."),
    suffix="",
    write=write,
    read_layout=lambda path, options: coco.FORMAT.read(path / LABELS, options),
    own=("link", "with_gps"),
)
