"""The one reader of COCO files: ground truth by anyone, and our own exports with what they add."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Source, Status
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import short, tr
from core.datasets import json_files
from core.datasets.names import checked_name

EnumT = TypeVar("EnumT", Source, Status)

_SOURCES = {source.value: source for source in Source}
_STATUSES = {status.value: status for status in Status}


def read(path: Path) -> list[ImageBoxes]:
    """The images of a COCO file in its order, those without a box included.

    Boxes are half-open pixels, clamped to an image whose size is given; empty ones and crowds are left
    out. ``score`` of an annotation, and our own ``source``, ``threshold``, ``rule``, ``status``,
    ``reason`` and ``no_object``, are kept where present and sound.

    Raises
    ------
    FormatError
        The file cannot be read, is no COCO ground truth, contradicts itself, or names an image outside
        its folder.
    """
    return images_in(json_files.read(Path(path)), Path(path))


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
            records[key] = _Entry(image, name, _size(image, "width"), _size(image, "height"))
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
        if not isinstance(values, list) or len(values) != 4 or None in map(_number, values):
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


def _number(value: Any) -> float | None:
    """A finite number, else None; JSON as Python reads it may hold NaN, and true is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _size(record: Mapping[str, Any], key: str) -> int:
    value = _number(record.get(key))
    return max(0, round(value)) if value is not None else 0


def _box_record(annotation: Mapping[str, Any], box: Box, label: str) -> BoxRecord:
    source, rule = annotation.get("source"), annotation.get("rule")
    return BoxRecord(
        box,
        label=label,
        score=_number(annotation.get("score")),
        source=_named(_SOURCES, source, Source.AUTO),
        threshold=_number(annotation.get("threshold")),
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
        no_object=_number(entry.given.get("no_object")),
    )


def _named(known: Mapping[str, EnumT], given: Any, other: EnumT) -> EnumT:
    """The one of that value; ``other`` where there is none, or what was given is no text."""
    return known.get(given, other) if isinstance(given, str) else other
