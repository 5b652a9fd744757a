"""COCO ground truth, as pycocotools and every COCO reader accept it. Coordinates are not rounded."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core import __version__
from core.base.annotations import BoxRecord, ImageBoxes
from core.base.geometry import Box
from core.base.language import mark, trn
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


def read(path: Path) -> list[ImageBoxes]:
    """The boxes in a COCO ground truth file; FormatError where it cannot be understood."""
    from core.datasets import coco  # the one reader of COCO files

    return coco.read(path)


FORMAT = Format(
    name="coco",
    title="COCO",
    help=mark("Ground truth for training and measuring; coordinates are not rounded."),
    suffix=".json",
    write=write,
    read=read,
)


def _document(prepared: Prepared, options: WriteOptions) -> dict[str, Any]:
    categories = category_ids(prepared, options)
    annotations: list[dict[str, Any]] = []
    for image_id, image in enumerate(prepared.images, start=1):
        for record in image.boxes:
            annotations.append(_annotation(len(annotations) + 1, image_id, categories[record.label], record))
    return {
        "info": {"description": "Boxes found by Boxscout", "version": __version__},
        "licenses": [],
        "images": [_image(number, image) for number, image in enumerate(prepared.images, start=1)],
        "annotations": annotations,
        "categories": [
            {"id": number, "name": label, "supercategory": ""} for label, number in categories.items()
        ],
    }


def category_ids(prepared: Prepared, options: WriteOptions) -> dict[str, int]:
    """The id of each class, from 1."""
    return {label: number for number, label in enumerate(numbered_labels(prepared.images, options), start=1)}


def _image(number: int, image: ImageBoxes) -> dict[str, Any]:
    entry = {"id": number, "file_name": image.name, "width": int(image.width), "height": int(image.height)}
    return entry if image.no_object is None else {**entry, "no_object": float(image.no_object)}


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
        (a.name, a.width, a.height, a.no_object, len(a.boxes))
        == (b.name, b.width, b.height, b.no_object, len(b.boxes))
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
