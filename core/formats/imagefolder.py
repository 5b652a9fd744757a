"""Hugging Face's ``imagefolder``: ``train`` and ``validation``, each with its images and ``metadata.jsonl``.

A line of it is one image: ``file_name``, and ``objects`` with ``bbox`` [x, y, width, height] in pixels and
``categories`` as numbers from 0, as their guide to object detection has it. ``names`` and ``scores`` stand
beside them, since numbers alone would lose the classes. Images lie flat: a subfolder called ``test`` would
be taken for a split.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.base.language import mark, tr
from core.base.plain_json import parse_json
from core.formats.coco import bbox
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    WriteOptions,
    not_text,
    numbered_labels,
    same_boxes,
)
from core.formats.files import read_text, walk, wrong
from core.formats.folders import (
    copied_note,
    each,
    new_picture_folder,
    place_image,
    prepare_files,
    read_back,
    unique_stems,
    write_file,
    write_taught,
)
from core.formats.gather import (
    Gathered,
    ReadOptions,
    are_shares,
    box_of,
    first_of,
    share,
    size,
    told_or_failed,
)

METADATA = "metadata.jsonl"
ORIGINAL = "original_name"
"""Key of what an image was called, where it had to get another name."""
_SPLITS = {False: "train", True: "validation"}
_LABELS = ("names", "categories", "category", "labels", "label")  # the first that is there
_SCORES = ("scores", "score")
_WITHIN = 1e-3  # pixels: x + width need not give x1 again to the last bit


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path``; it is read back first.

    An image whose file is gone or has another size than its boxes were made on is left out. With
    ``options.val`` these images are the split ``validation``.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    prepared = prepare_files(images, options, unfit=not_text)
    numbers = {label: number for number, label in enumerate(numbered_labels(prepared.images, options))}
    unique = unique_stems((image.name for image in prepared.images), flat=True, endings=True)
    files = {name: _seen(file) for name, file in unique.items()}
    copied = 0
    with new_picture_folder(path) as folder:
        for image in each(prepared.images, options.on_file):
            target = folder / _SPLITS[image.name in options.val] / files[image.name]
            copied += not place_image(options.sources[image.name], target, options)
        for is_val, split in _SPLITS.items():
            own = [image for image in prepared.images if (image.name in options.val) is is_val]
            lines = [json.dumps(_row(image, files[image.name], numbers), allow_nan=False) for image in own]
            if lines:
                write_file(folder / split / METADATA, ("\n".join(lines) + "\n").encode("ascii"))
        write_taught(folder, options)
        read_back(path, not prepared.images or _matches(read(folder), prepared.images))
    notes = []
    if any(file != name for name, file in files.items()):
        notes.append(tr("“{name}” lists the original names of the images.").format(name=METADATA))
    return prepared.summary(path, len(prepared.images), *notes, *copied_note(copied, options))


def _seen(name: str) -> str:
    """``name`` as readers do not pass it over: they do so with what begins like a hidden file."""
    return f"image{name}" if name.startswith((".", "__")) else name


def _row(image: ImageBoxes, file: str, numbers: dict[str, int]) -> dict[str, Any]:
    row: dict[str, Any] = {"file_name": file, "width": int(image.width), "height": int(image.height)}
    row["objects"] = {
        "bbox": [bbox(record.box) for record in image.boxes],
        "categories": [numbers[record.label] for record in image.boxes],
        "names": [record.label for record in image.boxes],
        "scores": [record.score for record in image.boxes],
    }
    return {**row, ORIGINAL: image.name}


def _matches(found: Sequence[ImageBoxes], wanted: Sequence[ImageBoxes]) -> bool:
    by_name = {image.name: image for image in found}
    return len(found) == len(wanted) and all(
        image.name in by_name and same_boxes(by_name[image.name].boxes, image.boxes, within=_WITHIN)
        for image in wanted
    )


def lies_at(path: Path) -> bool:
    """Whether there is such metadata at a file, or in a folder or the next two levels below it."""
    if path.is_file():
        return path.name == METADATA
    return any(next(path.glob(f"{above}{METADATA}"), None) for above in ("", "*/", "*/*/"))


def read(path: Path, options: ReadOptions | None = None) -> list[ImageBoxes]:
    """The images that every ``metadata.jsonl`` below ``path`` names, or one such file.

    Objects may be columns, as written here, or a list. A class is its name, else its number. An image is
    called as before an export of ours, else as its file lies below the split.

    Raises
    ------
    FormatError
        Nothing can be read.
    """
    options = options or ReadOptions()
    files = [path] if path.is_file() else [file for file in walk(path) if file.name == METADATA]
    if not files:
        raise wrong(tr("{name} has no “{file}”."), path, file=METADATA)
    found = [image for file in files for image in _read_file(file, options)]
    return told_or_failed(found, options.told)


def _read_file(file: Path, options: ReadOptions) -> list[ImageBoxes]:
    gathered = Gathered(file, options.told)
    try:
        rows = list(_rows(read_text(file), file, options))
    except FormatError as error:
        options.told.entry(str(error))
        return []
    objects = [(where, row, list(_objects(row.get("objects")))) for where, row in rows]
    shares = are_shares(box_of(one[0]) for _, _, own in objects for one in own)
    originals: dict[str, str] = {}
    for where, row, own in objects:
        name = gathered.image(row.get("file_name"), size(row.get("width")), size(row.get("height")))
        if name is None:
            continue
        if isinstance(original := row.get(ORIGINAL), str) and original:
            originals[name] = original
        for values, label, score in own:
            gathered.box(name, box_of(values), label, where=where, shares=shares, score=share(score))
    images = gathered.images()
    return [replace(image, name=originals.get(image.name, image.name)) for image in images]


def _rows(text: str, file: Path, options: ReadOptions) -> Iterable[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield tr("line {number}").format(number=number), row
        else:
            what = tr("{name}, line {number} is no JSON object.")
            options.told.entry(what.format(name=file.name, number=number))


def _objects(given: Any) -> Iterable[tuple[Any, str | None, Any]]:
    """Four numbers, class and score of each object; of columns as of a list."""
    if isinstance(given, dict):
        boxes = given.get("bbox")
        boxes = boxes if isinstance(boxes, list) else []
        labels, scores = _column(given, _LABELS, len(boxes)), _column(given, _SCORES, len(boxes))
        yield from zip(boxes, map(_label, labels), scores, strict=True)
    elif isinstance(given, list):
        for one in given:
            values = one if isinstance(one, dict) else {}
            label = first_of(values, *_LABELS, "name")
            yield values.get("bbox"), _label(label), values.get("score")


def _column(given: dict[str, Any], keys: Sequence[str], count: int) -> list[Any]:
    """The first column that is there and as long as the boxes; else one of None."""
    columns = (given[key] for key in keys if isinstance(given.get(key), list))
    return next((column for column in columns if len(column) == count), [None] * count)


def _label(given: Any) -> str | None:
    return None if given is None or isinstance(given, (dict, list)) else str(given)


FORMAT = Format(
    name="imagefolder",
    title=mark("Hugging Face imagefolder"),
    help=mark("A folder of images with metadata.jsonl, for load_dataset(“imagefolder”)."),
    suffix="",
    write=write,
    layout=lies_at,
    read_layout=read,
    own=("link", "with_gps"),
    splits=True,
)
