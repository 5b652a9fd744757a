"""CreateML: a JSON list of images, as Apple's trainer has it; boxes go by their centre. Read only."""

from __future__ import annotations

from typing import Any

from core.base.geometry import Box
from core.base.language import tr
from core.formats.common import Format
from core.formats.gather import Gathered, are_shares, each_file, first_of, numbers, share

_IMAGE = ("image", "imagefilename", "filename")
_BOXES = ("annotations", "annotation")


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
            label, score = given.get("label"), share(given.get("confidence"))
            gathered.box(image or "", box, label, where=where, shares=shares, score=score)


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


FORMAT = Format(name="createml", title="CreateML", suffix=".json", begin=each_file(_knows, _read))
