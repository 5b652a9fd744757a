"""Pascal VOC: one XML file per image."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import tr
from core.formats.names import checked_name
from core.images.scan import SUFFIXES, natural_key

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


def read_truth(path: Path) -> list[ImageBoxes]:
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
        raise FormatError(tr("{name} has no VOC file (XML) in it.").format(name=path.name or path))
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
        root = defusedxml.ElementTree.parse(file).getroot()
    except OSError as error:
        raise FormatError(
            tr("{name} cannot be read: {reason}.").format(
                name=file.name, reason=(error.strerror or str(error)).lower()
            )
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        what = (
            tr("uses XML that may do harm")
            if isinstance(error, DefusedXmlException)
            else tr("is not valid XML")
        )
        raise FormatError(f"{file.name} {what}.") from error
    if root is None or root.tag != "annotation":
        raise FormatError(
            tr("{name} is no VOC file: it does not start with <annotation>.").format(name=file.name)
        )
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
        raise FormatError(tr("{name} has no number in <{key}>.").format(name=file.name, key=key))
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
