"""CreateML: a JSON list of images, as Apple's trainer has it; boxes go by their centre. Read only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.base.annotations import ImageBoxes
from core.base.geometry import Box
from core.base.language import tr
from core.formats.common import Format
from core.formats.gather import (
    EachFile,
    Gathered,
    Reader,
    ReadOptions,
    are_shares,
    first_of,
    numbers,
    read_files,
    share,
)

_IMAGE = ("image", "imagefilename", "filename")
_BOXES = ("annotations", "annotation")


def read(path: Path, options: ReadOptions | None = None) -> list[ImageBoxes]:
    """The boxes of CreateML's files; FormatError where there is none."""
    return read_files(begin, path, {".json"}, "CreateML", options)


def begin(root: Path, options: ReadOptions) -> Reader:
    """A reader of CreateML's files."""
    return EachFile(options, _knows, _read)


def _knows(content: Any) -> bool:
    return isinstance(content, list) and any(
        isinstance(entry, dict)
        and isinstance(first_of(entry, *_IMAGE), str)
        and isinstance(first_of(entry, *_BOXES), list)
        for entry in content[:3]
    )


def _read(content: list[Any], gathered: Gathered) -> None:
    entries = [entry if isinstance(entry, dict) else {} for entry in content]
    boxes = [[(one, _box(one)) for one in first_of(entry, *_BOXES) or []] for entry in entries]
    shares = are_shares(box for of_image in boxes for _, box in of_image)
    for entry, of_image in zip(entries, boxes, strict=True):
        image = gathered.image(first_of(entry, *_IMAGE))
        for at, (one, box) in enumerate(of_image if image else [], start=1):
            given = one if isinstance(one, dict) else {}
            where = tr("{image}, box {number}").format(image=image, number=at)
            gathered.box(
                image or "",
                box,
                given.get("label"),
                where=where,
                shares=shares,
                score=share(given.get("confidence")),
            )


def _box(one: Any) -> Box | None:
    place = one.get("coordinates") if isinstance(one, dict) else None
    found = (
        numbers([place.get(key) for key in ("x", "y", "width", "height")], 4)
        if isinstance(place, dict)
        else None
    )
    if found is None:
        return None
    x, y, width, height = found
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


FORMAT = Format(
    name="createml",
    title="CreateML",
    suffix=".json",
    read=read,
    begin=begin,
)
