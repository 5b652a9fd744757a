"""COCO ground truth, as pycocotools and every COCO reader accept it. Coordinates are not rounded.

Read is ground truth by anyone, and our own exports with what they add.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from core import __version__
from core.base.annotations import DEFAULT_LABEL, SOURCES, STATUSES, BoxRecord, ImageBoxes, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import mark, short, tr, trn
from core.base.names import inside
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    Prepared,
    WriteOptions,
    numbered_labels,
    prepare,
    taught_info,
)
from core.formats.files import wrong
from core.formats.gather import Gathered, ReadOptions, are_shares, box_of, first_of, number, size
from core.formats.masks import box_of_mask
from core.formats.streaming import Stream
from core.formats.writing import write_checked, write_parts

MADE_HERE = "Boxes found by Boxscout"


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Write ``images`` and their boxes to ``path``; it is read back and compared before it takes its name.

    Images without a box stay, failed ones do not. All ids start at 1: pycocotools takes an annotation of
    id 0 for none.

    Raises
    ------
    FormatError
        It cannot be written, and ``path`` is as it was.
    """
    prepared = prepare(images)
    write_checked(path, document(prepared, options), lambda written: matches(FORMAT.read(written), prepared))
    return prepared.summary(path, len(prepared.images), *_notes(prepared.without_box))


def stream(images: Stream, path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """:func:`write` for more images than fit in memory."""
    prepared = images.prepare()
    write_parts(path, parts(prepared, options))
    return prepared.summary(path, prepared.count.images, *_notes(prepared.count.without_box))


def _notes(without_box: int) -> list[str]:
    if not without_box:
        return []
    return [
        trn(
            "{count:,} image has no box and no annotation.",
            "{count:,} images have no box and no annotation.",
            without_box,
        )
    ]


def document(prepared: Prepared, options: WriteOptions) -> bytes:
    """The file that holds ``prepared``; ASCII only, since readers open it in the encoding of their system."""
    return "".join(parts(prepared.images, options)).encode("ascii")


def parts(images: Iterable[ImageBoxes], options: WriteOptions) -> Iterator[str]:
    """The same piece by piece, of ``images`` that are gone through twice: for themselves, for their boxes."""
    yield f'{{"info":{_text({"description": MADE_HERE, "version": __version__, **taught_info(options)})}'
    yield ',"licenses":[],"images":['
    for image_id, image in enumerate(images, start=1):
        yield ("," if image_id > 1 else "") + _text(_image(image_id, image))
    yield '],"annotations":['
    categories = {label: category for category, label in enumerate(options.labels, start=1)}
    count = 0
    for image_id, image in enumerate(images, start=1):
        for record in image.boxes:
            category = categories.setdefault(record.label, len(categories) + 1)
            count += 1
            yield ("," if count > 1 else "") + _text(_annotation(count, image_id, category, record))
    named = categories or {DEFAULT_LABEL: 1}
    listed = [{"id": category, "name": label, "supercategory": ""} for label, category in named.items()]
    yield f'],"categories":{_text(listed)}}}\n'


def _text(value: object) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))


def category_ids(prepared: Prepared, options: WriteOptions) -> dict[str, int]:
    """The id of each class, from 1."""
    return {label: number for number, label in enumerate(numbered_labels(prepared.images, options), start=1)}


def _image(number: int, image: ImageBoxes) -> dict[str, Any]:
    entry = {"id": number, "file_name": image.name, "width": int(image.width), "height": int(image.height)}
    said: dict[str, Any] = {} if image.status is Status.UNSEEN else {"status": image.status.value}
    if image.reviewed:
        said["reviewed"] = True
    known = {} if image.no_object is None else {"no_object": float(image.no_object)}
    # As COCO itself writes it, without parts of a second and zone.
    when = {"date_captured": image.taken[:19].replace("T", " ")} if image.taken else {}
    return {**entry, **said, **known, **when}


def _annotation(number: int, image_id: int, category_id: int, record: BoxRecord) -> dict[str, Any]:
    box = record.box
    annotation: dict[str, Any] = {
        "id": number,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": bbox(box),
        "area": float(box.area),
        "iscrowd": 0,
        "segmentation": [],
    }
    if record.score is not None:
        annotation["score"] = float(record.score)
    return annotation


def bbox(box: Box) -> list[float]:
    """x, y, width and height, in pixels."""
    return [float(box.x0), float(box.y0), float(box.width), float(box.height)]


def matches(found: Sequence[ImageBoxes], prepared: Prepared) -> bool:
    """Whether what was read is what was written."""
    return len(found) == len(prepared.images) and all(
        (a.name, a.width, a.height, a.status, a.no_object, len(a.boxes))
        == (b.name, b.width, b.height, b.status, b.no_object, len(b.boxes))
        and all(map(_same, a.boxes, b.boxes))
        for a, b in zip(found, prepared.images, strict=True)
    )


def _same(a: BoxRecord, b: BoxRecord) -> bool:
    # x + width need not give x1 again to the last bit.
    sides = zip(a.box.sides, b.box.sides, strict=True)
    return (a.label, a.score) == (b.label, b.score) and all(
        math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6) for one, other in sides
    )


_OF_IMAGES = {"status", "reason", "no_object"}
_OF_BOXES = {"score", "source", "threshold", "rule"}
EnumT = TypeVar("EnumT", Source, Status)


class _Files:
    """A reader of files that name different images.

    Boxes are half-open pixels, clamped to an image whose size is given; crowds are left out. Where there is
    no ``bbox``, the box around ``segmentation`` is taken, and boxes that all lie within 0..1 are shares of
    the image. ``score`` of an annotation, and our own ``source``, ``threshold``, ``rule``, ``status``,
    ``reason`` and ``no_object``, are kept where present and sound. An entry that is damaged costs itself and
    is told; an image that is listed twice costs the file.
    """

    def __init__(self, root: Path, options: ReadOptions) -> None:
        self.root, self.options = root, options
        self.found: dict[Path, list[ImageBoxes]] = {}

    def take(self, content: Any, file: Path) -> bool:
        is_coco = isinstance(content, dict) and isinstance(content.get("images"), list)
        if not is_coco or "detection_categories" in content or _has_captions(content):
            return False
        try:
            self.found[file] = _Reader(content, Gathered(file, self.options.told)).images()
        except FormatError as error:
            if file == self.root:
                raise
            self.options.told.entry(str(error))
            self.found[file] = []
        return True

    def images(self) -> list[ImageBoxes]:
        """Where there are several files, an image found beside its file is named from the top folder on."""
        if len(self.found) == 1:
            return next(iter(self.found.values()))
        all_of_them: dict[str, ImageBoxes] = {}
        for file, images in self.found.items():
            for image in images:
                beside = file.parent / (inside(image.name) or "?")
                name = beside.relative_to(self.root).as_posix() if beside.is_file() else image.name
                if name in all_of_them:
                    raise wrong(
                        tr("{name} holds several COCO files for the same images: choose one of {files}."),
                        self.root,
                        files=", ".join(short(one.name) for one in list(self.found)[:3]),
                    )
                all_of_them[name] = replace(image, name=name)
        return list(all_of_them.values())


class _Reader:
    """One file."""

    def __init__(self, content: dict[str, Any], gathered: Gathered) -> None:
        self.content = content
        self.gathered = gathered
        self.told, self.file = gathered.told, gathered.file

    def images(self) -> list[ImageBoxes]:
        names = self._names()
        labels = self._labels()
        known: list[tuple[str, dict[str, Any], Box | None]] = []
        crowds = unlisted = 0
        for annotation in self._dicts("annotations"):
            key = key_of(annotation.get("image_id"))
            name = names.get(key)
            if name is None:
                what = tr("{name} has a box for an image that it does not list: {key}.")
                self.told.box(what.format(name=short(self.file.name), key=short(key or "?")))
            elif annotation.get("iscrowd"):
                crowds += 1
            else:
                known.append((name, annotation, _box(annotation)))
        shares = not _is_ours(self.content) and are_shares(box for _, _, box in known)
        place = tr("annotation {id}")
        for at, (name, annotation, box) in enumerate(known, start=1):
            category = key_of(annotation.get("category_id"))
            unlisted += bool(category) and category not in labels
            where = place.format(id=key_of(annotation.get("id")) or at)
            label = labels.get(category, category) if category else None
            self.gathered.box(name, box, label, where=where, shares=shares, **_added(annotation))
        self._tell(crowds, unlisted)
        return self.gathered.images()

    def _labels(self) -> dict[str, str]:
        """The names of classes by their ids; some write them as one mapping."""
        given = self.content.get("categories")
        if isinstance(given, dict):
            return {key_of(key): str(name) for key, name in given.items() if isinstance(name, str)}
        found = ((key_of(one.get("id")), one.get("name")) for one in self._dicts("categories"))
        return {key: key if name is None else str(name) for key, name in found if key}

    def _names(self) -> dict[str, str]:
        """The names of images by their ids."""
        names: dict[str, str] = {}
        seen: set[object] = set()
        for image in self._dicts("images"):
            key, given = key_of(image.get("id")), first_of(image, "file_name", "filename", "path", "name")
            if not key:
                what = tr("{name} is damaged: an entry has no usable 'id'.")
                self.told.entry(what.format(name=short(self.file.name)))
            elif key in names or (isinstance(given, str) and given in seen):
                what = tr("{name} lists the image “{image}” or its id {key} twice.")
                raise wrong(what, self.file, image=short(str(given)), key=short(key))
            else:
                seen.add(given if isinstance(given, str) else None)
                width, height = size(image.get("width")), size(image.get("height"))
                if name := self.gathered.image(given, width, height, **_said(image)):
                    names[key] = name
        return names

    def _dicts(self, key: str) -> list[dict[str, Any]]:
        entries = self.content.get(key) or []
        usable = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        if len(usable) < len(entries) if isinstance(entries, list) else True:
            what = tr("{name} is damaged: '{key}' is no list of objects.")
            self.told.entry(what.format(name=short(self.file.name), key=key))
        return usable

    def _tell(self, crowds: int, unlisted: int) -> None:
        self.gathered.leave_out_crowds(crowds)
        if unlisted:
            boxes = trn("{count:,} box", "{count:,} boxes", unlisted)
            what = tr("“{name}” does not name the class of {boxes}: the number of the class is taken.")
            self.told.note(what.format(name=short(self.file.name), boxes=boxes))


def _has_captions(content: Mapping[str, Any]) -> bool:
    """Whether these are COCO's sentences on images, which hold no box."""
    annotations = content.get("annotations")
    first = annotations[0] if isinstance(annotations, list) and annotations else None
    return isinstance(first, dict) and "caption" in first and "bbox" not in first


def _is_ours(content: Mapping[str, Any]) -> bool:
    info = content.get("info")
    return isinstance(info, dict) and info.get("description") == MADE_HERE


def key_of(value: object) -> str:
    """An id as text: 1, 1.0 and "1" are one; empty where there is none."""
    if type(value) is int:
        return str(value)
    found = number(value)
    if found is not None and found == int(found) and abs(found) < 2**53:
        return str(int(found))
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""


def _box(annotation: Mapping[str, Any]) -> Box | None:
    """Where ``bbox`` is missing, or has no area as some tools leave it, the box around the mask."""
    box = box_of(annotation["bbox"]) if annotation.get("bbox") else None
    is_point = box is not None and box.x0 == box.x1 and box.y0 == box.y1
    if (is_point or not annotation.get("bbox")) and annotation.get("segmentation"):
        return box_of_mask(annotation["segmentation"])
    return box


def _said(image: Mapping[str, Any]) -> dict[str, Any]:
    """What our own exports add to an image: nothing in the files of others, of which there are many."""
    if image.keys().isdisjoint(_OF_IMAGES):
        return {}
    reason = image.get("reason")
    return {
        "status": _named(STATUSES, image.get("status"), Status.UNSEEN),
        "reason": reason if isinstance(reason, str) else "",
        "no_object": _finite(image.get("no_object")),
    }


def _added(annotation: Mapping[str, Any]) -> dict[str, Any]:
    """The same of an annotation."""
    if annotation.keys().isdisjoint(_OF_BOXES):
        return {}
    rule = annotation.get("rule")
    return {
        "score": _finite(annotation.get("score")),
        "source": _named(SOURCES, annotation.get("source"), Source.AUTO),
        "threshold": _finite(annotation.get("threshold")),
        "rule": rule if isinstance(rule, str) else None,
    }


def _finite(value: object) -> float | None:
    return None if value is None or isinstance(value, str) else number(value)


def _named(known: Mapping[str, EnumT], given: Any, other: EnumT) -> EnumT:
    """The one of that value; ``other`` where there is none, or what was given is no text."""
    return known.get(given, other) if isinstance(given, str) else other


FORMAT = Format(
    name="coco",
    title="COCO",
    help=mark("Ground truth for training and measuring; coordinates are not rounded."),
    suffix=".json",
    write=write,
    stream=stream,
    begin=_Files,
)
