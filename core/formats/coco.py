"""COCO ground truth, as pycocotools and every COCO reader accept it. Coordinates are not rounded.

Read is ground truth by anyone, and our own exports with what they add.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from core import __version__
from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import mark, short, tr, trn
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    Prepared,
    WriteOptions,
    numbered_labels,
    prepare,
    write_checked,
)
from core.formats.files import finite, read_json, size_of
from core.formats.names import checked_name


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
    # ASCII only, since readers open the file in the encoding of their system.
    text = json.dumps(_document(prepared, options), allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    write_checked(path, (text + "\n").encode("ascii"), lambda written: _matches(read(written), prepared))
    notes = []
    if prepared.without_box:
        notes.append(
            trn(
                "{count:,} image has no box and no annotation.",
                "{count:,} images have no box and no annotation.",
                prepared.without_box,
            )
        )
    return prepared.summary(path, len(prepared.images), *notes)


def _document(prepared: Prepared, options: WriteOptions) -> dict[str, Any]:
    categories = category_ids(prepared, options)
    annotations: list[dict[str, Any]] = []
    for image_id, image in enumerate(prepared.images, start=1):
        for record in image.boxes:
            annotations.append(_annotation(len(annotations) + 1, image_id, categories[record.label], record))
    return {
        "info": {"description": "Boxes found by Boxscout", "version": __version__},
        "licenses": [],
        "images": [
            {"id": number, "file_name": image.name, "width": int(image.width), "height": int(image.height)}
            for number, image in enumerate(prepared.images, start=1)
        ],
        "annotations": annotations,
        "categories": [
            {"id": number, "name": label, "supercategory": ""} for label, number in categories.items()
        ],
    }


def category_ids(prepared: Prepared, options: WriteOptions) -> dict[str, int]:
    """The id of each class, from 1."""
    return {label: number for number, label in enumerate(numbered_labels(prepared.images, options), start=1)}


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


def _matches(found: Sequence[ImageBoxes], prepared: Prepared) -> bool:
    return len(found) == len(prepared.images) and all(
        (a.name, a.width, a.height, len(a.boxes)) == (b.name, b.width, b.height, len(b.boxes))
        and all(map(_same, a.boxes, b.boxes))
        for a, b in zip(found, prepared.images, strict=True)
    )


def _same(a: BoxRecord, b: BoxRecord) -> bool:
    # x + width need not give x1 again to the last bit.
    sides = zip(
        (a.box.x0, a.box.y0, a.box.x1, a.box.y1), (b.box.x0, b.box.y0, b.box.x1, b.box.y1), strict=True
    )
    return (a.label, a.score) == (b.label, b.score) and all(
        math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6) for one, other in sides
    )


EnumT = TypeVar("EnumT", Source, Status)

_SOURCES = {source.value: source for source in Source}
_STATUSES = {status.value: status for status in Status}


def read(path: Path) -> list[ImageBoxes]:
    """The images of a COCO file in its order, those without a box included.

    Boxes are half-open pixels, clamped to an image whose size is given; empty ones and crowds are left
    out. ``score`` of an annotation, and our own ``source``, ``threshold``, ``rule``, ``status`` and
    ``reason``, are kept where present and sound.

    Raises
    ------
    FormatError
        The file cannot be read, is no COCO ground truth, contradicts itself, or names an image outside
        its folder.
    """
    return images_in(read_json(Path(path)), Path(path))


def images_in(content: Any, path: Path) -> list[ImageBoxes]:
    """:func:`read` where the file at ``path`` has been parsed to ``content`` already."""
    return _Reader(path, content).images()


@dataclass(slots=True)
class _Entry:
    """An image while its boxes are collected."""

    given: dict[str, Any]
    name: str
    width: int
    height: int
    boxes: list[BoxRecord] = field(default_factory=list)


class _Reader:
    def __init__(self, path: Path, content: Any) -> None:
        self.path = path
        self.content = content

    def images(self) -> list[ImageBoxes]:
        if isinstance(self.content, list):
            self._fail(tr("is a COCO results list without image names; give the COCO file with 'images'"))
        if not isinstance(self.content, dict) or not isinstance(self.content.get("images"), list):
            self._fail(tr("is no COCO file: it has no list 'images'"))
        if "detection_categories" in self.content:
            self._fail(
                tr("holds MegaDetector's results, which are not read here; export COCO or CSV instead")
            )
        records: dict[int | str, _Entry] = {}
        names: set[str] = set()
        for image in self._dicts("images"):
            key, name = self._id(image, "id"), checked_name(image.get("file_name"), self.path)
            if key in records or name in names:
                self._fail(
                    tr("lists the image “{name}” or its id {key} twice").format(
                        name=short(name), key=_shown(key)
                    )
                )
            names.add(name)
            records[key] = _Entry(image, name, size_of(image.get("width")), size_of(image.get("height")))
        labels = {
            self._id(one, "id"): str(one.get("name", DEFAULT_LABEL)) for one in self._dicts("categories")
        }
        for annotation in self._dicts("annotations"):
            record = records.get(self._id(annotation, "image_id"))
            if record is None:
                what = tr("has a box for an image that it does not list: {0}")
                self._fail(what.format(_shown(annotation["image_id"])))
            box = self._box(annotation, record.width, record.height)
            if box is not None:
                category = annotation.get("category_id")
                label = (
                    labels.get(category, DEFAULT_LABEL) if isinstance(category, (int, str)) else DEFAULT_LABEL
                )
                record.boxes.append(_box_record(annotation, box, label))
        return [_image_boxes(record) for record in records.values()]

    def _dicts(self, key: str) -> list[dict[str, Any]]:
        entries = self.content.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._fail(tr("is damaged: '{key}' is no list of objects").format(key=key))
        return entries

    def _id(self, entry: Mapping[str, Any], key: str) -> int | str:
        value = entry.get(key)
        if not isinstance(value, (int, str)):
            self._fail(tr("is damaged: an entry has no usable '{key}'").format(key=key))
        return value

    def _box(self, annotation: Mapping[str, Any], width: int, height: int) -> Box | None:
        values = annotation.get("bbox")
        if not values or annotation.get("iscrowd"):
            return None
        if not isinstance(values, list) or len(values) != 4 or None in map(finite, values):
            self._fail(tr("has a box that is not four numbers: {0}").format(str(values)[:80]))
        x, y, w, h = (float(value) for value in values)
        box = Box(x, y, x + w, y + h)
        if width and height:
            box = box.clamped(width, height)
        return box if box.area > 0 else None

    def _fail(self, what: str) -> NoReturn:
        raise FormatError(f"{self.path.name} {what}.")


def _shown(key: int | str) -> str:
    return short(repr(key))


def _box_record(annotation: Mapping[str, Any], box: Box, label: str) -> BoxRecord:
    source, rule = annotation.get("source"), annotation.get("rule")
    return BoxRecord(
        box,
        label=label,
        score=finite(annotation.get("score")),
        source=_named(_SOURCES, source, Source.AUTO),
        threshold=finite(annotation.get("threshold")),
        rule=rule if isinstance(rule, str) else None,
    )


def _image_boxes(entry: _Entry) -> ImageBoxes:
    reason = entry.given.get("reason")
    return ImageBoxes(
        name=entry.name,
        width=entry.width,
        height=entry.height,
        boxes=tuple(entry.boxes),
        status=_named(_STATUSES, entry.given.get("status"), Status.UNSEEN),
        reason=reason if isinstance(reason, str) else "",
    )


def _named(known: Mapping[str, EnumT], given: Any, other: EnumT) -> EnumT:
    """The one of that value; ``other`` where there is none, or what was given is no text."""
    return known.get(given, other) if isinstance(given, str) else other


FORMAT = Format(
    name="coco",
    title="COCO",
    help=mark("Ground truth for training and measuring; coordinates are not rounded."),
    suffix=".json",
    write=write,
    read=read,
)
