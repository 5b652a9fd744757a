"""Pascal VOC: one XML file for each image, in whole pixels.

The children of an object come in the order name, pose, truncated, difficult, bndbox, and there are no
others: some readers go by position. ``xmin .. xmax`` is half-open from 0, or with ``one_based`` the first
and last pixel counted from 1, as the original does; ``source/annotation`` says which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.geometry import Box
from core.base.language import mark, tr, trn
from core.base.names import KnownNames
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
from core.formats.files import walk
from core.formats.folders import (
    each,
    new_folder,
    read_back,
    renamed_note,
    unique_stems,
    write_file,
    write_taught,
)
from core.formats.gather import Gathered, ReadOptions, image_name, numbers, size, stem_of
from core.formats.shapes import box_around, turned_box
from core.images.scan import SUFFIXES

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
        write_taught(folder, options)
        read_back(path, not kept or _matches(FORMAT.read(folder), kept))
    return prepared.summary(path, len(kept), *_notes(prepared, stems))


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


_Ends = tuple[float, float, float, float]

#: What our own files say of themselves in ``source/annotation``, and the number of their first pixel.
ORIGINS = {"boxes are half-open, counted from 0": 0.0, "boxes are inclusive, counted from 1": 1.0}
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


@dataclass(frozen=True, slots=True)
class _Parsed:
    """One file. Of objects, ends are as they stand, a Box is around something else, None is unreadable."""

    file: Path
    name: str
    width: int
    height: int
    objects: tuple[tuple[str | None, _Ends | Box | None], ...]
    origin: float | None


class _Files:
    """A reader of VOC files, which say together from where they count.

    VOC counts pixels from 1 and both ends are inside, so ``xmin .. xmax`` becomes the half-open ``xmin - 1
    .. xmax``. Many tools count from 0 all the same; where any end in the folder is below 1 it is one of
    those, and its ends are taken as they are. Files of our own say how they count. Of a polygon or a turned
    box the box around it is taken.

    Images are named as they lie below ``root`` where the image of the XML file's own name is found there
    (beside it, or in a folder such as ``images`` or ``JPEGImages``), or the one that it names inside; else as
    it says. Boxes are clamped to the image; images without a box stay.
    """

    def __init__(self, root: Path, options: ReadOptions) -> None:
        self.root, self.options = root, options
        self.parsed: list[_Parsed] = []

    def take(self, content: Any, file: Path) -> bool:
        if not isinstance(content, Element) or content.tag != "annotation":
            return False
        self.parsed.append(_parse(content, file))
        return True

    def images(self) -> list[ImageBoxes]:
        silent = (one for one in self.parsed if one.origin is None)
        ends = (ends for one in silent for _, ends in one.objects if isinstance(ends, tuple))
        origin = 1.0 if min((min(four) for four in ends), default=1.0) >= 1 else 0.0
        names = _names_below(self.root, self.parsed)
        return [self._image(one, name, origin) for one, name in zip(self.parsed, names, strict=True)]

    def _image(self, parsed: _Parsed, name: str, origin: float) -> ImageBoxes:
        gathered = Gathered(parsed.file, self.options.told)
        stem = stem_of(parsed.file, self.root) if parsed.origin is None else ""
        given = gathered.image(
            name or image_name(parsed.name) or parsed.file.stem,
            parsed.width, parsed.height, stem="" if name else stem,
        )  # fmt: skip
        first = origin if parsed.origin is None else parsed.origin
        for number_, (label, what) in enumerate(parsed.objects, start=1):
            box = _half_open(what, first) if isinstance(what, tuple) else what
            where = tr("object {number}").format(number=number_)
            gathered.box(given or "", box, label, where=where)
        (image,) = gathered.images()
        return image


def _half_open(ends: _Ends, first: float) -> Box:
    (x0, x1), (y0, y1) = sorted((ends[0], ends[2])), sorted((ends[1], ends[3]))
    return Box(x0 - first, y0 - first, x1, y1)


def _names_below(root: Path, parsed: Sequence[_Parsed]) -> list[str]:
    """The image of each file as it lies below ``root``; empty where none, or more than one, fits.

    A file of its own name goes before the name inside, which nobody changes when both are renamed.
    """
    top = root if root.is_dir() else root.parent
    images = [file for file in walk(top) if file.suffix.lower() in SUFFIXES]
    known = KnownNames(file.relative_to(top).as_posix() for file in images)
    by_stem: dict[str, list[Path]] = {}
    for file in images:
        by_stem.setdefault(file.stem, []).append(file)
    names = []
    for one in parsed:
        same = by_stem.get(one.file.stem, []) if one.origin is None else []
        beside = [file for file in same if file.parent == one.file.parent] or same
        names.append(beside[0].relative_to(top).as_posix() if len(beside) == 1 else "")
    taken = set(names)
    for i, one in enumerate(parsed):
        if not names[i] and (found := known.find(image_name(one.name)).name) and found not in taken:
            names[i] = found
    return names


def _parse(root: Element, file: Path) -> _Parsed:
    return _Parsed(
        file=file,
        name=_words(root, "filename") or file.stem,
        width=size(root.findtext("size/width")),
        height=size(root.findtext("size/height")),
        objects=tuple(_objects(root)),
        origin=ORIGINS.get(root.findtext("source/annotation", "")),
    )


def _words(entry: Element, key: str) -> str:
    """The text of a child; the space around it goes, unless the file says that it belongs to it."""
    child = entry.find(key)
    text = (child.text or "") if child is not None else ""
    return text if child is not None and child.get(_SPACE) == "preserve" else text.strip()


def _objects(root: Element) -> Iterator[tuple[str | None, _Ends | Box | None]]:
    for entry in root.findall("object"):
        if (entry.findtext("deleted") or "").strip() != "1":  # as LabelMe of MIT's keeps what was taken back
            yield _words(entry, "name") or None, _shape(entry)


def _shape(entry: Element) -> _Ends | Box | None:
    bounds, turned, polygon = (entry.find(key) for key in ("bndbox", "robndbox", "polygon"))
    if bounds is not None:
        found = numbers(_texts(bounds, "xmin", "ymin", "xmax", "ymax"), 4)
        return None if found is None else (found[0], found[1], found[2], found[3])
    if turned is not None:
        values = numbers(_texts(turned, "cx", "cy", "w", "h", "angle"), 5)
        return turned_box((values[0], values[1]), (values[2], values[3]), values[4]) if values else None
    if polygon is not None:
        return _around(polygon)
    return None


def _texts(entry: Element, *keys: str) -> list[str]:
    return [(entry.findtext(key) or "").strip().replace(",", ".") for key in keys]


def _around(polygon: Element) -> Box | None:
    """Corners are ``<pt><x/><y/></pt>`` or, one after the other, ``<x1/><y1/><x2/><y2/>``."""
    xs = [child.text for child in polygon.iter() if re.fullmatch(r"x\d*", str(child.tag))]
    ys = [child.text for child in polygon.iter() if re.fullmatch(r"y\d*", str(child.tag))]
    return box_around(xs, ys)


FORMAT = Format(
    name="voc",
    title="Pascal VOC",
    help=mark("A folder with one XML file per image, in whole pixels."),
    suffix="",
    write=write,
    begin=_Files,
    read_suffix=".xml",
    own=("one_based",),
)
