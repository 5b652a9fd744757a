"""labelme: one JSON file for each image, beside it or in a folder of its own."""

from __future__ import annotations

import math
import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes
from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import tr
from core.formats import json_files
from core.images.scan import natural_key

# Shapes without an inside.
_NO_AREA = ("point", "points", "line", "linestrip")
_DRIVE = re.compile(r"^[A-Za-z]:(?=/)")


def is_labelme(path: Path) -> bool:
    """Whether a JSON file is labelme's, or the first one below a folder is."""
    try:
        file = next(_json_files(path), None) if path.is_dir() else path
        return file is not None and holds_labelme(json_files.read(file))
    except (OSError, FormatError):
        return False


def read_truth(path: Path, *, places: Mapping[str, str] | None = None) -> list[ImageBoxes]:
    """The boxes of all labelme files below a folder (or of one file), in natural order.

    A rectangle is a box; of a polygon, a mask or a circle the box around it is taken; points and lines are
    left out. Boxes are clamped to an image whose size is given. ``imagePath`` is meant from the folder of its
    JSON file, and may lead out of it, as labelme itself writes it: no file is opened by it. An image is named
    by what ``places`` has for that path (absolute, by :func:`place_of`), else by its path from ``path`` on,
    without what climbs out of it.

    Raises
    ------
    FormatError
        There is no labelme file, or one is damaged.
    """
    path = Path(path)
    root = path if path.is_dir() else path.parent
    files = [path] if path.is_file() else sorted(_json_files(path), key=lambda f: natural_key(f.as_posix()))
    images = [_image_boxes(file, root, places or {}) for file in files]
    if not images:
        raise FormatError(tr("{name} has no labelme file (JSON) in it.").format(name=path.name or path))
    return images


def place_of(folder: Path, name: str) -> str:
    """The absolute path of ``name`` as seen from ``folder``, by which ``places`` are known."""
    return os.path.normpath(Path(os.path.realpath(folder)) / name)


def _json_files(path: Path) -> Iterator[Path]:
    return (file for file in path.rglob("*.json") if not file.name.startswith("."))


def holds_labelme(content: Any) -> bool:
    """The same of what a JSON file holds."""
    return isinstance(content, dict) and isinstance(content.get("shapes"), list) and "imagePath" in content


def _image_boxes(file: Path, root: Path, places: Mapping[str, str]) -> ImageBoxes:
    content = json_files.read(file)
    if not holds_labelme(content):
        raise FormatError(
            tr("{name} is no labelme file: it has no 'shapes' and 'imagePath'.").format(name=file.name)
        )
    width, height = (_size(content.get(key)) for key in ("imageWidth", "imageHeight"))
    boxes = []
    for shape in content["shapes"]:
        record = _record(shape, file)
        if record is None:
            continue
        box = record.box.clamped(width, height) if width and height else record.box
        if box.area > 0:
            boxes.append(BoxRecord(box, label=record.label, score=record.score))
    return ImageBoxes(_name(content["imagePath"], file, root, places), width, height, tuple(boxes))


def _name(given: Any, file: Path, root: Path, places: Mapping[str, str]) -> str:
    text = given if isinstance(given, str) and "\0" not in given else ""
    text = text.replace("\\", "/")  # as labelme reads it
    if text.rpartition("/")[2] in ("", ".", ".."):
        raise FormatError(tr("{name} does not say which image it belongs to.").format(name=file.name))
    if places and (known := places.get(place_of(file.parent, text))):
        return known
    is_absolute = text.startswith("/") or bool(_DRIVE.match(text))
    from_root = text if is_absolute else f"{file.parent.relative_to(root).as_posix()}/{text}"
    parts = posixpath.normpath(_DRIVE.sub("", from_root)).split("/")
    return "/".join(part for part in parts if part not in ("", ".."))


def _record(shape: Any, file: Path) -> BoxRecord | None:
    if not isinstance(shape, dict):
        raise FormatError(tr("{name} is damaged: a shape is no object.").format(name=file.name))
    if shape.get("shape_type") in _NO_AREA:
        return None
    points = shape.get("points")
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        raise FormatError(
            tr("{name} has a shape whose points are not pairs of numbers.").format(name=file.name)
        )
    if len(points) < 2:
        return None
    if shape.get("shape_type") == "circle":  # its centre, and a point on it
        (x, y), rim = points[0], points[1]
        radius = math.dist((x, y), rim)
        points = [(x - radius, y - radius), (x + radius, y + radius)]
    xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    label, score = shape.get("label"), shape.get("score")
    return BoxRecord(
        Box(min(xs), min(ys), max(xs), max(ys)),
        label=label if isinstance(label, str) else DEFAULT_LABEL,
        score=None if score is None or not _is_number(score) else float(score),
    )


def _is_point(point: Any) -> bool:
    return isinstance(point, list) and len(point) == 2 and all(map(_is_number, point))


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _size(value: Any) -> int:
    return max(0, round(value)) if _is_number(value) else 0
