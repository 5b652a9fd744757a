"""labelme: one JSON file for each image, with rectangles, beside the image or in a folder of its own.

A file of ours holds a mark made of its shapes. One without it, or whose shapes have changed since, is
a person's work and is left as it is unless the options say otherwise.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.atomic import atomic_write, os_errors
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import mark, tr
from core.base.names import inside
from core.base.plain_json import parse_json
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
from core.formats.gather import EachFile, Gathered, Reader, ReadOptions, number, numbers, size, stem_of
from core.formats.shapes import box_around

# labelme warns of a file from a newer version than itself, and takes all older ones.
VERSION = "5.0.0"
MARK = "boxscout"
_DRIVE = re.compile(r"^[A-Za-z]:(?=/)")


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


def _write_beside(prepared: Prepared, options: WriteOptions) -> ExportSummary:
    left_out, foreign, targets = _targets(prepared, options)
    prepared = prepared.without(left_out)
    folder = Path(os.path.commonpath([file.parent for file in targets.values()] or [Path.cwd()]))
    with (
        os_errors(FormatError, tr("The files beside the images could not be written: {reason}.")),
        ExitStack() as whole,
    ):
        for image in each(prepared.images, options.on_file):
            file = targets[image.name]
            temporary = whole.enter_context(atomic_write(file))
            temporary.write_bytes(_document(image, options.sources[image.name].name))
            read_back(file, _reads_as(temporary, image))
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
        content = parse_json(file.read_bytes())
        return bool(content[MARK] == _mark(content["shapes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _reads_as(file: Path, image: ImageBoxes) -> bool:
    return any(same_boxes(one.boxes, image.boxes, within=0) for one in FORMAT.read(file))


# Shapes without an inside.
_NO_AREA = ("point", "points", "line", "linestrip")


def begin(root: Path, options: ReadOptions) -> Reader:
    """A reader of labelme files.

    A rectangle is a box; of a polygon, a mask or a circle the box around it is taken; points and lines are
    left out. Boxes are clamped to an image whose size is given. ``imagePath`` is meant from the folder of its
    JSON file, and may lead out of it, as labelme itself writes it: no file is opened by it. An image is named
    by what ``places`` has for that path (absolute, by :func:`place_of`), else by its path from ``root`` on,
    without what climbs out of it.
    """
    root = root if root.is_dir() else root.parent
    return EachFile(options, holds_labelme, lambda content, gathered: _read(content, gathered, root, options))


def place_of(folder: Path, name: str) -> str:
    """The absolute path of ``name`` as seen from ``folder``, by which ``places`` are known."""
    return os.path.normpath(Path(os.path.realpath(folder)) / name)


def holds_labelme(content: Any) -> bool:
    """Whether a JSON file is labelme's, by what it holds."""
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        return False
    return "imagePath" in content or "imageWidth" in content


def _read(content: dict[str, Any], gathered: Gathered, root: Path, options: ReadOptions) -> None:
    file = gathered.file
    known, given = _name(content.get("imagePath"), file, root, options.places or {})
    trusted = MARK in content or (known and Path(known).stem == file.stem)
    stem = "" if trusted else stem_of(file, root)
    width, height = (size(content.get(key)) for key in ("imageWidth", "imageHeight"))
    name = gathered.image(known or given or file.stem, width, height, stem=stem)
    for number_, shape in enumerate(content["shapes"], start=1):
        kind = shape.get("shape_type") if isinstance(shape, dict) else None
        if kind in _NO_AREA:
            continue
        box = _box(shape, kind) if isinstance(shape, dict) else None
        label = shape.get("label") if isinstance(shape, dict) else ""
        score = number(shape.get("score")) if isinstance(shape, dict) else None
        where = tr("shape {number}").format(number=number_)
        gathered.box(name or "", box, label, where=where, score=score)


def _name(given: Any, file: Path, root: Path, places: Mapping[str, str]) -> tuple[str, str]:
    """The image that lies where the path leads, empty where none does; what the path is from ``root`` on."""
    text = given.replace("\\", "/") if isinstance(given, str) else ""  # as labelme reads it
    if not inside(text):
        return "", ""
    known = places.get(place_of(file.parent, text), "") if places else ""
    below = file.parent.relative_to(root).as_posix() if file.is_relative_to(root) else "."
    return known, inside(text if text.startswith("/") or _DRIVE.match(text) else f"{below}/{text}")


def _box(shape: Mapping[str, Any], kind: object) -> Box | None:
    points = shape.get("points")
    if not isinstance(points, list):
        return None
    pairs = [numbers(point, 2) for point in points]
    corners = [pair for pair in pairs if pair is not None]
    if len(corners) < len(pairs) or len(corners) < 2:
        return None
    if kind == "circle":  # its centre, and a point on it
        (x, y), rim = corners[0], corners[1]
        radius = math.dist((x, y), rim)
        return Box(x - radius, y - radius, x + radius, y + radius)
    return box_around([x for x, _ in corners], [y for _, y in corners])


FORMAT = Format(
    name="labelme",
    title="labelme",
    help=mark("One JSON file for each image, to be edited in labelme or X-AnyLabeling."),
    suffix="",
    write=write,
    begin=begin,
    read_suffix=".json",
    own=("beside_images", "replace_foreign"),
)
