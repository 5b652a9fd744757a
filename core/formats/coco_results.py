"""COCO results: a bare list of boxes by image id, as ``COCO.loadRes`` and the evaluation servers take it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.base.language import mark, tr
from core.formats.coco import bbox, category_ids, key_of
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    WriteOptions,
    prepare,
)
from core.formats.files import read_json, wrong
from core.formats.gather import Gathered, are_shares, box_of, each_file, share
from core.formats.writing import write_checked

SURE = 1.0


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Write the boxes of ``images`` to ``path``, with the ids that a COCO export of the same images has.

    A box without a score is a person's and gets 1.

    Raises
    ------
    FormatError
        It cannot be written, and ``path`` is as it was.
    """
    prepared = prepare(images)
    categories = category_ids(prepared, options)
    entries = [
        {
            "image_id": image_id,
            "category_id": categories[record.label],
            "bbox": bbox(record.box),
            "score": SURE if record.score is None else float(record.score),
        }
        for image_id, image in enumerate(prepared.images, start=1)
        for record in image.boxes
    ]
    text = json.dumps(entries, allow_nan=False, separators=(",", ":"))
    write_checked(path, (text + "\n").encode("ascii"), lambda written: read_json(written) == entries)
    with_box = sum(bool(image.boxes) for image in prepared.images)
    ids = tr("The ids are those of a COCO export of the same choice of images and classes.")
    return prepared.summary(path, with_box, ids)


def _knows(content: Any) -> bool:
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and "bbox" in first and ("image_id" in first or "file_name" in first)


def _read(content: list[Any], gathered: Gathered) -> None:
    entries = [entry if isinstance(entry, dict) else {} for entry in content]
    boxes = [box_of(entry.get("bbox")) for entry in entries]
    shares = are_shares(boxes)
    labels: Mapping[str, Any] = {}
    names = [entry.get("file_name") or entry.get("image_id") for entry in entries]
    if not any(isinstance(name, str) and not name.isdecimal() for name in names):
        known, labels = _beside(gathered.file, {key_of(name) for name in names})
        names = [known.get(key_of(name)) for name in names]
    if not any(names):
        raise wrong(
            tr("{name} is a COCO results list without image names; give the COCO file with “images”."),
            gathered.file,
        )
    for at, (entry, name, box) in enumerate(zip(entries, names, boxes, strict=True), start=1):
        if image := gathered.image(str(name) if isinstance(name, int) else name):
            number = entry.get("category_id")
            label = entry.get("category_name") or labels.get(key_of(number)) or number
            where = tr("entry {number}").format(number=at)
            gathered.box(image, box, label, where=where, shares=shares, score=share(entry.get("score")))


def _beside(file: Path, wanted: set[str]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The names of images and of classes by their ids, of the one COCO file beside with all of ``wanted``."""
    fits = []
    for beside in sorted(file.parent.glob("*.json")):
        if beside != file and not beside.name.startswith("."):
            try:
                content = read_json(beside)
            except FormatError:
                continue
            names = _by_id(content, "images", "file_name")
            if wanted <= names.keys():
                fits.append((names, _by_id(content, "categories", "name")))
    return fits[0] if len(fits) == 1 else ({}, {})


def _by_id(content: Any, key: str, name: str) -> dict[str, Any]:
    entries = content.get(key) if isinstance(content, dict) else None
    listed = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    return {key_of(one.get("id")): one.get(name) for one in listed}


FORMAT = Format(
    name="coco-results",
    title=mark("COCO results"),
    help=mark(
        "Detections with scores only, to be evaluated against a COCO export of the same images and classes."
    ),
    suffix=".json",
    write=write,
    begin=each_file(_knows, _read),
    needs_box=True,
)
