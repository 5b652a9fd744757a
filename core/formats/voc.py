"""Pascal VOC: one XML file for each image, in whole pixels.

The children of an object come in the order name, pose, truncated, difficult, bndbox, and there are no
others: some readers go by position. ``xmin .. xmax`` is half-open from 0, or with ``one_based`` the first
and last pixel counted from 1, as the original does; ``source/annotation`` says which.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError, SubElement

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes
from core.base.geometry import Box
from core.base.language import mark, tr, trn
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
from core.formats.files import read_bytes, wrong
from core.formats.folders import each, new_folder, read_back, renamed_note, unique_stems, write_file
from core.formats.names import checked_name
from core.images.scan import SUFFIXES, natural_key

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
    file: Path
    name: str
    width: int
    height: int
    objects: tuple[tuple[str, _Ends], ...]
    origin: float | None


def read(path: Path) -> list[ImageBoxes]:
    """The boxes of all VOC files below a folder (or of one file), in natural order.

    VOC counts pixels from 1 and both ends are inside, so ``xmin .. xmax`` becomes the half-open ``xmin - 1
    .. xmax``. Many tools count from 0 all the same; where any end in the folder is below 1 it is one of
    those, and its ends are taken as they are. Files of our own say how they count.

    Images are named as they lie below ``path`` where the image is found there (beside its XML file, or in a
    folder such as ``images`` or ``JPEGImages``), else as the XML file says. Empty boxes are left out and
    boxes are clamped to the image; images without a box stay.

    Raises
    ------
    FormatError
        There is no VOC file, one is damaged, or one names an image outside its folder.
    """
    path = Path(path)
    root = path if path.is_dir() else path.parent
    parsed = [_parse(file) for file in _xml_files(path)]
    if not parsed:
        raise wrong(tr("{name} has no VOC file (XML) in it."), path)
    images = _ImageNames(root)
    silent = (one for one in parsed if one.origin is None)
    first = min((min(ends) for one in silent for _, ends in one.objects), default=1.0)
    origin = 1.0 if first >= 1 else 0.0
    return [
        _image_boxes(one, images.find(one), origin if one.origin is None else one.origin) for one in parsed
    ]


def _xml_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(_walk(path, {".xml"}), key=lambda file: natural_key(file.as_posix()))


def _walk(root: Path, suffixes: Iterable[str]) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if Path(name).suffix.lower() in suffixes and not name.startswith("."):
                yield Path(folder, name)


class _ImageNames:
    """The image files below a folder, found by an XML file's stem or by the name it gives."""

    def __init__(self, root: Path) -> None:
        self.by_name: dict[str, list[str]] = {}
        for file in _walk(root, SUFFIXES):
            relative = file.relative_to(root).as_posix()
            for key in {file.name, file.stem}:
                self.by_name.setdefault(key, []).append(relative)

    def find(self, parsed: _Parsed) -> str:
        """A name that is not there, or there twice, stays as the XML file gives it."""
        given = checked_name(parsed.name, parsed.file)
        for key in (given.rpartition("/")[2], parsed.file.stem):
            found = self.by_name.get(key, [])
            if len(found) == 1:
                return found[0]
            nearest = [name for name in found if name.endswith("/" + given)]
            if len(nearest) == 1:
                return nearest[0]
        return given


def _parse(file: Path) -> _Parsed:
    try:
        root = defusedxml.ElementTree.fromstring(read_bytes(file))
    except DefusedXmlException as error:
        raise wrong(tr("{name} uses XML that may do harm."), file) from error
    except (ParseError, ValueError, LookupError) as error:
        raise wrong(tr("{name} is not valid XML."), file) from error
    if root is None or root.tag != "annotation":
        raise wrong(tr("{name} is no VOC file: it does not start with <annotation>."), file)
    return _Parsed(
        file=file,
        name=_words(root, "filename") or file.stem,
        width=max(0, round(_number(root, "size/width", file, 0.0))),
        height=max(0, round(_number(root, "size/height", file, 0.0))),
        objects=tuple(_objects(root, file)),
        origin=ORIGINS.get(root.findtext("source/annotation", "")),
    )


def _words(entry: Element, key: str) -> str:
    """The text of a child; the space around it goes, unless the file says that it belongs to it."""
    child = entry.find(key)
    text = (child.text or "") if child is not None else ""
    return text if child is not None and child.get(_SPACE) == "preserve" else text.strip()


def _objects(root: Element, file: Path) -> Iterator[tuple[str, _Ends]]:
    for entry in root.findall("object"):
        if entry.find("bndbox") is not None:
            x0, y0, x1, y1 = (
                _number(entry, f"bndbox/{end}", file) for end in ("xmin", "ymin", "xmax", "ymax")
            )
            yield _words(entry, "name") or DEFAULT_LABEL, (x0, y0, x1, y1)


def _number(entry: Element, key: str, file: Path, default: float | None = None) -> float:
    text = entry.findtext(key)
    if text is None and default is not None:
        return default
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise wrong(tr("{name} has no number in <{key}>."), file, key=key)
    return value


def _image_boxes(parsed: _Parsed, name: str, origin: float) -> ImageBoxes:
    boxes = []
    for label, (x0, y0, x1, y1) in parsed.objects:
        box = Box(x0 - origin, y0 - origin, x1, y1)
        if parsed.width and parsed.height:
            box = box.clamped(parsed.width, parsed.height)
        if box.area > 0:
            boxes.append(BoxRecord(box, label=label))
    return ImageBoxes(name, parsed.width, parsed.height, tuple(boxes))


FORMAT = Format(
    name="voc",
    title="Pascal VOC",
    help=mark("A folder with one XML file for each image, in whole pixels."),
    suffix="",
    write=write,
    read=read,
    own=("one_based",),
)
