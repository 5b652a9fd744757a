"""labelme: one JSON file for each image, with rectangles, beside the image or in a folder of its own.

A file of ours holds a mark made of its shapes. One without it, or whose shapes have changed since, is
a person's work and is left as it is unless the options say otherwise.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.atomic import atomic_write, os_reason
from core.base.errors import FormatError
from core.base.language import mark, tr
from core.formats import labelme_reading as labelme
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    Prepared,
    WriteOptions,
    not_text,
    prepare,
    same_boxes,
)
from core.formats.folders import (
    NO_FILE,
    each,
    new_folder,
    read_back,
    renamed_note,
    unique_stems,
    write_file,
)

# labelme warns of a file from a newer version than itself, and takes all older ones.
VERSION = "5.0.0"
MARK = "boxscout"


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Write a JSON file for each image, below the new folder ``path`` or beside the images.

    Beside them, ``path`` counts for nothing; a file that another program or a person has written there is
    left out and listed, or replaced and counted where ``replace_foreign`` says so. All files are written
    before the first takes its place.

    Raises
    ------
    FormatError
        Nothing could be written; every file is as it was.
    """
    prepared = prepare(images, unfit=_unfit)
    if options.beside_images:
        return _write_beside(prepared, options)
    stems = unique_stems(image.name for image in prepared.images)
    with new_folder(path) as folder:
        for image in each(prepared.images, options.on_file):
            place = path.absolute() / f"{stems[image.name]}.json"
            file = folder / f"{stems[image.name]}.json"
            write_file(file, _document(image, _image_path(image, place, options)))
            read_back(path, _reads_as(file, image))
    return prepared.summary(path, len(prepared.images), *renamed_note(stems))


def read(path: Path) -> list[ImageBoxes]:
    """The boxes of labelme files; FormatError where they cannot be understood."""
    return labelme.read_truth(path)


FORMAT = Format(
    name="labelme",
    title="labelme",
    help=mark("One JSON file for each image, to be edited in labelme or X-AnyLabeling."),
    suffix="",
    write=write,
    read=read,
    own=("beside_images", "replace_foreign"),
)


def _write_beside(prepared: Prepared, options: WriteOptions) -> ExportSummary:
    left_out, foreign, targets = _targets(prepared, options)
    prepared = prepared.without(left_out)
    folder = Path(os.path.commonpath([file.parent for file in targets.values()] or [Path.cwd()]))
    try:
        with ExitStack() as whole:
            for image in each(prepared.images, options.on_file):
                file = targets[image.name]
                temporary = whole.enter_context(atomic_write(file))
                temporary.write_bytes(_document(image, options.sources[image.name].name))
                read_back(file, _reads_as(temporary, image))
    except OSError as error:
        raise FormatError(
            tr("The files beside the images could not be written: {reason}.").format(reason=os_reason(error))
        ) from error
    replaced = tr(
        "{foreign:,} files that were not made here, or were changed since, have been replaced."
    ).format(foreign=foreign)
    return prepared.summary(folder, len(prepared.images), *([replaced] if foreign else []))


def _targets(prepared: Prepared, options: WriteOptions) -> tuple[dict[str, str], int, dict[str, Path]]:
    """Reasons by name for what is left out; how many foreign files go; where each other image's goes."""
    left_out: dict[str, str] = {}
    targets: dict[str, Path] = {}
    foreign, taken = 0, set()
    for image in prepared.images:
        source = options.sources.get(image.name)
        if source is None or not source.is_file():
            left_out[image.name] = tr(NO_FILE) if source is None else tr("its file is no longer there")
            continue
        file = source.with_suffix(".json")
        if file in taken:
            left_out[image.name] = tr("another image of its folder has “{0}” already").format(file.name)
        elif not _is_ours(file) and not options.replace_foreign:
            left_out[image.name] = tr("“{0}” beside it was made or changed by another program").format(
                file.name
            )
        else:
            foreign += not _is_ours(file)
            targets[image.name] = file
            taken.add(file)
    return left_out, foreign, targets


def _unfit(image: ImageBoxes) -> str:
    if "\\" in image.name:
        return tr("its name holds a backslash, which labelme takes for a folder")
    return not_text(image)


def _image_path(image: ImageBoxes, file: Path, options: WriteOptions) -> str:
    """The image as seen from its JSON file; only its name where nobody knows where it lies."""
    source = options.sources.get(image.name)
    if source is None:
        return image.name.rpartition("/")[2]
    try:
        # The image by its own name, also where that is a link to another file.
        place = Path(os.path.realpath(source.parent)) / source.name
        relative = os.path.relpath(place, os.path.realpath(file.parent))
        relative.encode("utf-8")
    except ValueError:  # another drive, or a folder that is not UTF-8
        return image.name.rpartition("/")[2]
    return relative.replace(os.sep, "/")


def _document(image: ImageBoxes, image_path: str) -> bytes:
    shapes = [_shape(record) for record in image.boxes]
    known = min(image.width, image.height) > 0
    content: dict[str, Any] = {
        "version": VERSION,
        "flags": {},
        "shapes": shapes,
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": int(image.height) if known else None,
        "imageWidth": int(image.width) if known else None,
        MARK: _mark(shapes),
    }
    return (json.dumps(content, allow_nan=False, indent=2) + "\n").encode("ascii")


def _shape(record: BoxRecord) -> dict[str, Any]:
    box = record.box
    shape: dict[str, Any] = {
        "label": record.label,
        "points": [[float(box.x0), float(box.y0)], [float(box.x1), float(box.y1)]],
        "group_id": None,
        "description": "",
        "shape_type": "rectangle",
        "flags": {},
    }
    if record.score is not None:
        shape["score"] = float(record.score)
    return shape


def _mark(shapes: Any) -> str:
    return hashlib.sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()[:16]


def _is_ours(file: Path) -> bool:
    """Whether nothing would be lost with ``file``: it is not there, or as we left it."""
    if not os.path.lexists(file):
        return True
    try:
        if not file.is_file():  # such as a FIFO, which would wait for ever
            return False
        content = json.loads(file.read_bytes())
        return bool(content[MARK] == _mark(content["shapes"]))
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return False


def _reads_as(file: Path, image: ImageBoxes) -> bool:
    return any(same_boxes(one.boxes, image.boxes, within=0) for one in read(file))
