"""The images themselves, sorted into a folder for each class.

Those without a box lie in a folder of their own: "blank" where a person has accepted that, else
"unclassified".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.base.annotations import ImageBoxes, Status
from core.base.language import mark
from core.formats.common import PLAIN, ExportSummary, Format, WriteOptions, numbered_labels
from core.formats.crops import class_folders
from core.formats.folders import (
    copied_note,
    each,
    new_picture_folder,
    place_image,
    prepare_files,
    read_back,
    renamed_note,
    unique_stems,
)

BLANK, UNKNOWN = "blank", "unclassified"


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path`` with ``CLASS/IMAGE``, a copy in the folder of each class that an image shows.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    prepared = prepare_files(images, options)
    stems = unique_stems(image.name for image in prepared.images)
    folders = class_folders([*numbered_labels(prepared.images, options), BLANK, UNKNOWN])
    copied = 0
    with new_picture_folder(path) as folder:
        for image in each(prepared.images, options.on_file):
            source = options.sources[image.name]
            for label in _classes(image):
                target = folder / folders[label] / f"{stems[image.name]}{Path(image.name).suffix}"
                copied += not place_image(source, target, options)
                read_back(path, target.stat().st_size == source.stat().st_size)
    notes = *renamed_note(stems), *copied_note(copied, options)
    return prepared.summary(path, len(prepared.images), *notes)


def _classes(image: ImageBoxes) -> Sequence[str]:
    found = dict.fromkeys(record.label for record in image.boxes)
    return list(found) or [BLANK if image.status is Status.NO_OBJECT else UNKNOWN]


FORMAT = Format(
    name="class-folders",
    title=mark("Images in class folders"),
    help=mark("Copies of the images in one folder per class, for programs that classify."),
    suffix="",
    write=write,
    own=("link", "with_gps"),
)
