"""COCO results: a bare list of boxes by image id, as ``COCO.loadRes`` and the evaluation servers take it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from core.base.annotations import ImageBoxes
from core.base.language import mark, tr
from core.formats.coco import bbox, category_ids
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    WriteOptions,
    prepare,
    write_checked,
)
from core.formats.files import read_json

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


FORMAT = Format(
    name="coco-results",
    title=mark("COCO results"),
    help=mark("Bare detections with scores, to be measured against a COCO export of the same choice."),
    suffix=".json",
    write=write,
    needs_box=True,
)
