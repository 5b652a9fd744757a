"""Pascal VOC: one XML file for each image, in whole pixels.

The children of an object come in the order name, pose, truncated, difficult, bndbox, and there are no
others: some readers go by position. ``xmin .. xmax`` is half-open from 0, or with ``one_based`` the first
and last pixel counted from 1, as the original does; ``source/annotation`` says which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.language import mark, tr, trn
from core.formats import voc_reading as voc
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    Prepared,
    WriteOptions,
    not_text,
    prepare,
    same_boxes,
    whole_pixels,
)
from core.formats.folders import each, new_folder, read_back, renamed_note, unique_stems, write_file
from core.formats.voc_reading import ORIGINS

# What XML 1.0 cannot hold, and the carriage return, which comes back as a line feed.
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path`` with an XML file for each image, subfolders kept; it is read back first.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    prepared = prepare(images, unfit=_unfit)
    stems = unique_stems(image.name for image in prepared.images)
    kept = [whole_pixels(image) for image in prepared.images]
    with new_folder(path) as folder:
        for image in each(kept, options.on_file):
            write_file(folder / f"{stems[image.name]}.xml", _document(image, one_based=options.one_based))
        read_back(path, not kept or _matches(read(folder), kept))
    return prepared.summary(path, len(kept), *_notes(prepared, stems))


def read(path: Path) -> list[ImageBoxes]:
    """The boxes of a VOC folder; FormatError where it cannot be understood."""
    return voc.read_truth(path)


FORMAT = Format(
    name="voc",
    title="Pascal VOC",
    help=mark("A folder with one XML file for each image, in whole pixels."),
    suffix="",
    write=write,
    read=read,
    own=("one_based",),
)


def _unfit(image: ImageBoxes) -> str:
    texts = (image.name, *(record.label for record in image.boxes))
    if not_text(image) or any(map(_NOT_XML.search, texts)):
        return tr("its name or a class name holds a character that XML cannot hold")
    if any(not record.label.strip() for record in image.boxes):
        return tr("a class of it has no name, which VOC needs")
    return ""


def _document(image: ImageBoxes, *, one_based: bool) -> bytes:
    root = Element("annotation")
    _text(root, "folder", image.name.rpartition("/")[0].rpartition("/")[2])
    _text(root, "filename", image.name)
    source = SubElement(root, "source")
    _text(source, "database", "Boxscout")
    _text(source, "annotation", {origin: text for text, origin in ORIGINS.items()}[float(one_based)])
    size = SubElement(root, "size")
    for key, value in (("width", image.width), ("height", image.height), ("depth", 3)):
        _text(size, key, str(int(value)))
    _text(root, "segmented", "0")
    for record in image.boxes:
        _object(root, record, int(one_based))
    ElementTree.indent(root)
    data: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _object(root: Element, record: BoxRecord, first: int) -> None:
    entry = SubElement(root, "object")
    _text(entry, "name", record.label)
    _text(entry, "pose", "Unspecified")
    _text(entry, "truncated", "0")
    _text(entry, "difficult", "0")
    box, bounds = record.box, SubElement(entry, "bndbox")
    sides = (box.x0 + first, box.y0 + first, box.x1, box.y1)
    for key, value in zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=True):
        _text(bounds, key, str(int(value)))


def _text(parent: Element, tag: str, text: str) -> None:
    child = SubElement(parent, tag)
    child.text = text
    if text != text.strip():
        child.set("xml:space", "preserve")


def _matches(found: Sequence[ImageBoxes], kept: Sequence[ImageBoxes]) -> bool:
    by_name = {image.name: image for image in found}
    return len(found) == len(by_name) == len(kept) and all(
        (back := by_name.get(image.name)) is not None
        and (back.width, back.height) == (image.width, image.height)
        and same_boxes(back.boxes, image.boxes, within=0)
        for image in kept
    )


def _notes(prepared: Prepared, stems: dict[str, str]) -> list[str]:
    notes = renamed_note(stems)
    if prepared.without_box:
        notes.append(
            trn(
                "{count:,} image has no box: a file without an object.",
                "{count:,} images have no box: a file without an object.",
                prepared.without_box,
            )
        )
    return notes
