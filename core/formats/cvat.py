"""CVAT's own XML, for images and for films: one file for all of them. Read only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from core.base.geometry import Box
from core.base.language import tr
from core.formats.common import Format
from core.formats.gather import Gathered, box_of, each_file, number, numbers, size
from core.formats.shapes import box_around, ellipse_box, turned_box

_NO_AREA = {"points", "polyline", "skeleton", "tag", "cuboid"}
_SHAPES = {"box", "polygon", "ellipse", "mask", "cuboid", "points", "polyline", "skeleton"}


def _read(root: Any, gathered: Gathered) -> None:
    images = root.findall("image")
    for entry in images:
        name = gathered.image(entry.get("name"), size(entry.get("width")), size(entry.get("height")))
        for at, shape in enumerate(_shapes(entry) if name else (), start=1):
            where = tr("{image}, shape {number}").format(image=name, number=at)
            gathered.box(name or "", _box(shape), shape.get("label"), where=where)
    if not images:
        _read_film(root, gathered)


def _shapes(entry: Element) -> Iterator[Element]:
    return (shape for shape in entry if shape.tag in _SHAPES and shape.tag not in _NO_AREA)


def _read_film(root: Element, gathered: Gathered) -> None:
    """Tracks: an image a frame, by the name that CVAT gives it when it writes the frames out."""
    width, height = (size(root.findtext(f".//original_size/{side}")) for side in ("width", "height"))
    for track in root.findall("track"):
        for shape in _shapes(track):
            frame = shape.get("frame", "")
            if shape.get("outside") == "1":
                continue
            if name := gathered.image(
                f"frame_{frame.zfill(6)}" if frame.isdecimal() else None, width, height
            ):
                where = tr("frame {number}").format(number=frame)
                gathered.box(name, _box(shape), shape.get("label") or track.get("label"), where=where)


def _box(shape: Element) -> Box | None:
    if shape.tag == "polygon":
        points = [point.split(",") for point in (shape.get("points") or "").split(";")]
        return box_around([point[0] for point in points], [point[-1] for point in points])
    if shape.tag == "ellipse":
        return ellipse_box([shape.get(key) for key in ("cx", "cy", "rx", "ry")])
    if shape.tag == "mask":
        return box_of([shape.get(key) for key in ("left", "top", "width", "height")])
    found = numbers([shape.get(key) for key in ("xtl", "ytl", "xbr", "ybr")], 4)
    if found is None:
        return None
    x0, y0, x1, y1 = found
    turned = math.radians(number(shape.get("rotation")) or 0)
    return (
        turned_box(((x0 + x1) / 2, (y0 + y1) / 2), (x1 - x0, y1 - y0), turned)
        if turned
        else Box(x0, y0, x1, y1)
    )


def _knows(root: Any) -> bool:
    return isinstance(root, Element) and root.tag == "annotations"


FORMAT = Format(name="cvat", title="CVAT", suffix=".xml", begin=each_file(_knows, _read))
