"""Label Studio: its JSON and JSON-MIN, a list of tasks; places are in per cent of the image. Read only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from core.base.geometry import Box
from core.base.language import tr, trn
from core.base.names import inside
from core.formats.common import Format
from core.formats.gather import Gathered, each_file, number, numbers, share, size
from core.formats.shapes import box_around, ellipse_box

_PICTURES = ("image", "img", "photo", "picture", "image_url", "url")
_LABELS = ("rectanglelabels", "polygonlabels", "ellipselabels", "labels", "choices", "taxonomy")
_NO_AREA = {"keypoint", "keypointlabels", "choices", "textarea", "rating", "taxonomy", "number", "vector"}


def _tasks(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _knows(content: Any) -> bool:
    return any(isinstance(task, dict) and (_is_full(task) or _is_short(task)) for task in _tasks(content)[:3])


def _is_full(task: Mapping[str, Any]) -> bool:
    return isinstance(task.get("data"), dict) and (
        "annotations" in task or "predictions" in task or "id" in task
    )


def _is_short(task: Mapping[str, Any]) -> bool:
    """JSON-MIN: the task's data and its labels side by side."""
    return "annotation_id" in task or any(
        isinstance(value, list) and value and isinstance(value[0], dict) and "original_width" in value[0]
        for value in task.values()
    )


def _read(content: Any, gathered: Gathered) -> None:
    others = 0
    for given in _tasks(content):
        task = given if isinstance(given, dict) else {}
        results, more = _results(task)
        others += more
        sizes = next(((one.get("original_width"), one.get("original_height")) for one in results), (0, 0))
        image = gathered.image(_picture(task), size(sizes[0]), size(sizes[1]))
        by_id = {
            str(one["id"]): label for one in results if one.get("id") and (label := _label(one)) is not None
        }
        seen: set[str] = set()
        for at, one in enumerate(results if image else [], start=1):
            key = str(one.get("id") or at)
            kind = one.get("type")
            if (isinstance(kind, str) and kind in _NO_AREA) or key in seen:
                continue
            seen.add(key)
            label = _label(one) or by_id.get(key)
            where = tr("{image}, region {number}").format(image=image, number=at)
            value = one.get("value", one)
            box = _box(value, _ratio(one)) if isinstance(value, dict) else None
            gathered.box(image or "", box, label, where=where, shares=True, score=share(one.get("score")))
    if others:
        tasks = trn("{count:,} image", "{count:,} images", others)
        gathered.told.note(
            tr("Several people drew boxes; those of the first are used: {images}.").format(images=tasks)
        )


def _results(task: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
    """The regions of a task, and whether others drew some too; predictions where nobody has drawn any."""
    if not _is_full(task):
        found = (value for value in task.values() if isinstance(value, list) and value)
        return _dicts(next((value for value in found if isinstance(value[0], dict)), [])), False
    made = [one for one in _dicts(task.get("annotations")) if not one.get("was_cancelled")]
    drawn = [_dicts(one.get("result")) for one in made or _dicts(task.get("predictions"))]
    return (drawn[0] if drawn else []), len([one for one in drawn if one]) > 1


def _dicts(values: Any) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _picture(task: Mapping[str, Any]) -> str | None:
    data = task.get("data") if _is_full(task) else task
    if not isinstance(data, dict):
        return None
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    ordered = [*(texts[key] for key in _PICTURES if key in texts), *texts.values()]
    return _path(ordered[0]) if ordered else None


def _path(address: str) -> str:
    """Where a task's address leads: ``?d=`` of a local file, else its path."""
    if "?" not in address and "://" not in address:
        return address
    try:
        parts = urlsplit(address)
        local = parse_qs(parts.query).get("d")
    except ValueError:
        return inside(address)
    return local[0] if local else parts.path


def _label(one: Mapping[str, Any]) -> str | None:
    value = one.get("value", one)
    named = [value[key] for key in _LABELS if key in value] if isinstance(value, dict) else []
    first = next((label for label in named if isinstance(label, list) and label), None)
    return None if first is None else str(first[0])


def _ratio(one: Mapping[str, Any]) -> float:
    """How many per cent of the height one per cent of the width is."""
    width, height = (number(one.get(f"original_{side}")) or 0 for side in ("width", "height"))
    return width / height if width > 0 and height > 0 else 1.0


def _box(value: Mapping[str, Any], ratio: float) -> Box | None:
    """In shares of the image; a rectangle is turned about its upper left corner, in per cent of pixels."""
    points = value.get("points")
    if isinstance(points, list):
        pairs = [point if isinstance(point, list) and len(point) == 2 else [None, None] for point in points]
        around = box_around([x for x, _ in pairs], [y for _, y in pairs])
        return around.scaled(0.01, 0.01) if around else None
    if "radiusX" in value:
        ellipse = ellipse_box([value.get(key) for key in ("x", "y", "radiusX", "radiusY")])
        return ellipse.scaled(0.01, 0.01) if ellipse else None
    found = numbers([value.get(key) for key in ("x", "y", "width", "height")], 4)
    if found is None:
        return None
    x, y, width, height = found
    angle = math.radians(number(value.get("rotation")) or 0)
    if not angle:
        return Box(x, y, x + width, y + height).scaled(0.01, 0.01)
    cos, sin = math.cos(angle), math.sin(angle)
    right, down = (width * cos, width * sin * ratio), (-height * sin / ratio, height * cos)
    xs = [x, x + right[0], x + down[0], x + right[0] + down[0]]
    ys = [y, y + right[1], y + down[1], y + right[1] + down[1]]
    return Box(min(xs), min(ys), max(xs), max(ys)).scaled(0.01, 0.01)


FORMAT = Format(name="label-studio", title="Label Studio", suffix=".json", begin=each_file(_knows, _read))
