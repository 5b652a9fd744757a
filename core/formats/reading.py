"""Boxes of any format that is read, wherever they lie: one way in for import, truth and measuring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.base.language import tr, trn
from core.formats import FORMATS, csv, others
from core.formats.common import Format
from core.formats.files import READ, Table, read_bytes, read_json, read_table, read_xml, walk, wrong
from core.formats.gather import Reader, ReadOptions, told_or_failed

_LOOKED_AT = 4096  # bytes, enough to know a kind by


def read_truth(path: Path, options: ReadOptions | None = None) -> list[ImageBoxes]:
    """The boxes at ``path``, in whichever of :data:`FORMATS` they are.

    A folder may hold files of several formats, and others besides: that format counts which has most images
    with boxes. What cannot be read is told to ``options``, and the rest is read.

    Raises
    ------
    FormatError
        Nothing here is a box file, or none of its boxes can be read.
    """
    options = options or ReadOptions()
    path = Path(path)
    if not path.exists():
        raise FormatError(tr("{path} does not exist; give a box file or a folder of them.").format(path=path))
    images = _read_folder(path, options) if path.is_dir() else _read_file(path, options)
    return told_or_failed(images, options.told)


def _read_file(path: Path, options: ReadOptions) -> list[ImageBoxes]:
    for format in FORMATS.values():
        if _lies_at(format, path):
            return format.read(path, options)
    content = _content(path)
    for format in FORMATS.values():
        reader = _begun(format, path, options)
        if reader is not None and reader.take(content, path):
            return reader.images()
    raise csv.lacking(content, path) if isinstance(content, Table) else others.by_content(content, path)


def _content(path: Path) -> Any:
    """What a file holds: by its ending, else by how it starts."""
    start = read_bytes(path)[:_LOOKED_AT]
    if problem := others.by_file(path, start):
        raise problem
    read = READ.get(path.suffix.lower())
    if read is None:
        first = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        read = {b"{": read_json, b"[": read_json, b"<": read_xml}.get(first, read_table)
    return read(path)


def _lies_at(format: Format, path: Path) -> bool:
    return format.layout is not None and format.layout(path)


def _begun(format: Format, path: Path, options: ReadOptions) -> Reader | None:
    return None if format.begin is None else format.begin(path, options)


def _read_folder(path: Path, options: ReadOptions) -> list[ImageBoxes]:
    for format in FORMATS.values():
        if format.names_itself and _lies_at(format, path):
            return format.read(path, options)
    readers = {format.name: _begun(format, path, options) for format in FORMATS.values()}
    used: set[str] = set()
    problem: FormatError | None = None
    for file in walk(path):
        read = READ.get(file.suffix.lower())
        if read is None:
            continue
        try:
            content = read(file)
        except FormatError as error:
            problem = problem or error
            options.told.entry(str(error))
            continue
        taker = next((name for name, one in readers.items() if one and one.take(content, file)), "")
        used.add(taker)
        if not taker and problem is None and not isinstance(content, Table):
            problem = others.by_content(content, file)
    found: dict[str, list[ImageBoxes]] = {}
    refused: FormatError | None = None
    for name, format in FORMATS.items():
        reader = readers[name]
        try:
            if name in used and reader is not None:
                found[name] = reader.images()
            elif _lies_at(format, path):
                found[name] = format.read(path, options)
        except FormatError as error:  # one format's trouble is not another's
            refused = refused or error
    if not found:
        raise (
            refused
            or problem
            or wrong(
                tr(
                    "{name} holds no true boxes that this program reads; "
                    "give a COCO, CSV or other box file, or a YOLO, VOC or labelme folder."
                ),
                path,
            )
        )
    return _fullest(found, options)


def _fullest(found: Mapping[str, list[ImageBoxes]], options: ReadOptions) -> list[ImageBoxes]:
    """The images of the format that has most of them with boxes; the others are told."""
    with_boxes = {name: sum(bool(image.boxes) for image in images) for name, images in found.items()}
    chosen = max(found, key=lambda name: with_boxes[name])
    for name, count in with_boxes.items():
        if name != chosen and count:
            images = trn("{count:,} image", "{count:,} images", count)
            options.told.note(
                tr("Read as {title}. Boxes of {images} are also there as {other} and were skipped.").format(
                    title=tr(FORMATS[chosen].title), images=images, other=tr(FORMATS[name].title)
                )
            )
    return found[chosen]
