"""MegaDetector's batch results, format 1.6, as Timelapse, AddaxAI and the camera-trap tools read them.

Source: https://lila.science/megadetector-output-format. Boxes are shares of the image; "0" is left to the
empty category; an image without a box has an empty list, one that could not be used has ``failure`` and
no list at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import Any

from core import __version__
from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Status
from core.base.geometry import Box
from core.base.language import mark, tr
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    WriteOptions,
    no_size,
    numbered_labels,
    prepare,
    taught_info,
)
from core.formats.files import read_json
from core.formats.gather import Gathered, box_of, each_file, first_of, numbers, share, size
from core.formats.streaming import Stream
from core.formats.writing import write_checked, write_parts

VERSION = "1.6"
_SURE = 1.0
MADE_HERE = "boxscout "
ANIMAL = "animal"
_LOOKED_AT = 20  # entries of a list, to know it by
# Every box leaves because a person wants it: no reader's threshold is to hide one.
_METADATA = {"typical_detection_threshold": 0.01, "conservative_detection_threshold": 0.01}


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Write ``images``, failed ones too, to ``path``; it is read back and compared before it takes its name.

    Raises
    ------
    FormatError
        It cannot be written, and ``path`` is as it was.
    """
    prepared = prepare(images, unfit=no_size, keeps_failed=True)
    ready = {image.name: image for image in prepared.images}
    leaving = [
        ready.get(image.name, image)
        for image in images
        if image.status is Status.FAILED or image.name in ready
    ]
    options = replace(options, labels=numbered_labels(prepared.images, options))
    text = "".join(parts(leaving, options))
    write_checked(path, text.encode("ascii"), lambda written: read_json(written) == json.loads(text))
    return prepared.summary(path, len(prepared.images))


def stream(images: Stream, path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """:func:`write` for more images than fit in memory."""
    prepared = images.prepare(unfit=no_size, keeps_failed=True)
    write_parts(path, parts(prepared, replace(options, labels=(*options.labels, *prepared.labels))))
    return prepared.summary(path, prepared.count.images)


def parts(images: Iterable[ImageBoxes], options: WriteOptions) -> Iterator[str]:
    """The file that holds ``images``, failed ones too, piece by piece; ``options.labels`` are all classes."""
    categories = {label: _category(label, options) for label in options.labels}
    numbers = {name: str(number) for number, name in enumerate(dict.fromkeys(categories.values()), 1)}
    keys = {label: numbers[name] for label, name in categories.items()}
    info = {
        "format_version": VERSION,
        "detector": MADE_HERE + __version__,
        "detector_metadata": _METADATA,
        **taught_info(options),
    }
    head = {"info": info, "detection_categories": {key: name for name, key in numbers.items()}}
    yield _text(head).removesuffix("\n}") + ',\n "images": ['
    between = ""
    for image in images:
        yield f"{between}\n" + indent(_text(_entry(image, keys)), "  ")
        between = ","
    yield ("\n ]" if between else "]") + "\n}\n"


def _text(value: object) -> str:
    return json.dumps(value, allow_nan=False, indent=1)


def _category(label: str, options: WriteOptions) -> str:
    """The class, or ``animal`` for the one without a name: the tools sort and count by that word."""
    name = label.strip() or DEFAULT_LABEL
    return ANIMAL if options.animal and name == DEFAULT_LABEL else name


def _entry(image: ImageBoxes, keys: dict[str, str]) -> dict[str, Any]:
    if image.status is Status.FAILED:
        reason = image.reason or tr("The image could not be used.")
        return {"file": image.name, "failure": reason, "detections": None}
    return {"file": image.name, "detections": [_detection(image, one, keys) for one in image.boxes]}


def _detection(image: ImageBoxes, record: BoxRecord, keys: dict[str, str]) -> dict[str, Any]:
    box = record.box.scaled(1 / image.width, 1 / image.height).clamped(1.0, 1.0)
    score = _SURE if record.score is None else min(max(float(record.score), 0.0), 1.0)
    return {
        "category": keys[record.label],
        "conf": score,
        "bbox": [box.x0, box.y0, min(box.width, 1 - box.x0), min(box.height, 1 - box.y0)],
    }


def _knows(content: Any) -> bool:
    if isinstance(content, dict):
        predictions = content.get("predictions")
        is_ours = "detection_categories" in content and "images" in content
        return is_ours or (isinstance(predictions, list) and _have_detections(predictions, "filepath"))
    return isinstance(content, list) and _have_detections(content, "file")


def _have_detections(entries: Sequence[Any], name: str) -> bool:
    return any(isinstance(one, dict) and name in one and "detections" in one for one in entries[:_LOOKED_AT])


def _read(content: Any, gathered: Gathered) -> None:
    """Boxes as shares of images whose size the file does not tell; an image with ``failure`` is FAILED.

    SpeciesNet's results, and the list that PyTorch-Wildlife writes, with the corners of boxes in pixels, are
    read too.
    """
    in_pixels = isinstance(content, list)
    categories = {} if in_pixels else content.get("detection_categories", {})
    names = {str(key): name for key, name in categories.items()} if isinstance(categories, dict) else {}
    images = content if in_pixels else content.get("images", content.get("predictions"))
    for entry in images if isinstance(images, list) else []:
        given = entry if isinstance(entry, dict) else {}
        failure = given.get("failure") or given.get("failures")
        status = Status.FAILED if failure and not given.get("detections") else Status.UNSEEN
        reason = str(failure)[:200] if status is Status.FAILED else ""
        width, height = size(given.get("width")), size(given.get("height"))
        name = first_of(given, "file", "filepath")
        image = gathered.image(name, width, height, status=status, reason=reason)
        detections = given.get("detections") or []
        for at, one in enumerate(detections if isinstance(detections, list) else [], start=1):
            found = one if isinstance(one, dict) else {}
            if image:
                key = found.get("category")
                gathered.box(
                    image,
                    _corners(found.get("bbox")) if in_pixels else box_of(found.get("bbox")),
                    found.get("label", names.get(str(key), key)),
                    where=tr("{image}, detection {number}").format(image=image, number=at),
                    shares=not in_pixels,
                    score=share(first_of(found, "conf", "confidence")),
                )


def _corners(values: object) -> Box | None:
    sides = numbers(values, 4)
    return None if sides is None else Box(*sides)


FORMAT = Format(
    name="megadetector",
    title="MegaDetector",
    help=mark("Results in format 1.6 for Timelapse, AddaxAI and other camera-trap tools."),
    suffix=".json",
    write=write,
    stream=stream,
    begin=each_file(_knows, _read),
    own=("animal",),
)
