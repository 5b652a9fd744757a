"""MegaDetector's batch results, format 1.6, as Timelapse, AddaxAI and the camera-trap tools read them.

Source: https://lila.science/megadetector-output-format. Boxes are shares of the image; "0" is left to the
empty category; an image without a box has an empty list, one that could not be used has ``failure`` and
no list at all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core import __version__
from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Status
from core.base.language import mark, tr
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    WriteOptions,
    no_size,
    numbered_labels,
    prepare,
    write_checked,
)
from core.formats.files import read_json

VERSION = "1.6"
_SURE = 1.0


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Write ``images``, failed ones too, to ``path``; it is read back and compared before it takes its name.

    Raises
    ------
    FormatError
        It cannot be written, and ``path`` is as it was.
    """
    prepared = prepare(images, unfit=no_size, keeps_failed=True)
    keys = {label: str(number) for number, label in enumerate(numbered_labels(prepared.images, options), 1)}
    ready = {image.name: image for image in prepared.images}
    entries = []
    for image in images:
        if image.status is Status.FAILED:
            reason = image.reason or tr("The image could not be used.")
            entries.append({"file": image.name, "failure": reason, "detections": None})
        elif image.name in ready:
            entries.append(_entry(ready[image.name], keys))
    document = {
        "info": {"format_version": VERSION, "detector": f"boxscout {__version__}"},
        "detection_categories": {key: label.strip() or DEFAULT_LABEL for label, key in keys.items()},
        "images": entries,
    }
    text = json.dumps(document, allow_nan=False, indent=1)
    write_checked(path, (text + "\n").encode("ascii"), lambda written: read_json(written) == document)
    return prepared.summary(path, len(prepared.images))


FORMAT = Format(
    name="megadetector",
    title="MegaDetector",
    help=mark("Results in format 1.6 for Timelapse, AddaxAI and other camera-trap tools."),
    suffix=".json",
    write=write,
)


def _entry(image: ImageBoxes, keys: dict[str, str]) -> dict[str, Any]:
    return {"file": image.name, "detections": [_detection(image, one, keys) for one in image.boxes]}


def _detection(image: ImageBoxes, record: BoxRecord, keys: dict[str, str]) -> dict[str, Any]:
    box = record.box.scaled(1 / image.width, 1 / image.height).clamped(1.0, 1.0)
    score = _SURE if record.score is None else min(max(float(record.score), 0.0), 1.0)
    return {
        "category": keys[record.label],
        "conf": score,
        "bbox": [box.x0, box.y0, min(box.width, 1 - box.x0), min(box.height, 1 - box.y0)],
    }
