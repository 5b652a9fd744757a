"""VGG Image Annotator 3: its project, and the table that it exports. Rectangles, circles and polygons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.base.geometry import Box
from core.base.language import tr
from core.base.plain_json import parse_json
from core.formats.common import Format
from core.formats.files import Table
from core.formats.gather import Gathered, box_of, each_file, numbers
from core.formats.shapes import box_around, ellipse_box

_HEAD = "CSV_HEADER"
# What the first number of a shape's says, which it calls a shape id.
_POINT, _RECTANGLE, _CIRCLE, _ELLIPSE, _LINE, _POLYLINE, _POLYGON = 1, 2, 3, 4, 5, 6, 7


def _knows(content: Any) -> bool:
    if isinstance(content, Table):
        return any(_HEAD in cell for _, row in content.rows[:4] for cell in row)
    parts = ("project", "file", "view", "metadata")
    return isinstance(content, dict) and all(isinstance(content.get(part), dict) for part in parts)


def _read(content: Any, gathered: Gathered) -> None:
    if isinstance(content, Table):
        _read_table(content, gathered)
        return
    names: dict[str, str | None] = {}
    for key, file in content["file"].items():
        names[str(key)] = gathered.image(file.get("fname") if isinstance(file, dict) else None)
    for key, given in content["metadata"].items():
        entry = given if isinstance(given, dict) else {}
        view = content["view"].get(str(entry.get("vid")))
        files = view.get("fid_list") if isinstance(view, dict) else None
        name = names.get(str(files[0])) if isinstance(files, list) and files else None
        if name:
            _add(gathered, name, entry.get("xy"), entry.get("av"), tr("entry {number}").format(number=key))


def _read_table(table: Table, gathered: Gathered) -> None:
    """Columns are an id, files, flags, times, the shape, and attributes; lines before begin with ``#``."""
    for line, row in table.rows:
        if row[0].lstrip().startswith("#"):
            continue
        cells = [*map(_parsed, row), *[None] * 6]
        files = cells[1]
        if isinstance(files, list) and files and (name := gathered.image(files[0])):
            where = tr("line {number}").format(number=line)
            _add(gathered, name, cells[4], cells[5], where)


def _add(gathered: Gathered, name: str, shape: Any, attributes: Any, where: str) -> None:
    if not isinstance(shape, list) or not shape or shape[0] in (_POINT, _LINE, _POLYLINE):
        return
    values = attributes.values() if isinstance(attributes, Mapping) else ()
    label = next((str(one).strip() for one in values if isinstance(one, str) and one.strip()), None)
    gathered.box(name, _box(shape), label, where=where)


def _box(shape: Sequence[Any]) -> Box | None:
    kind, sides = shape[0], list(shape[1:])
    if kind == _RECTANGLE:
        return box_of(sides)
    if kind == _CIRCLE:
        found = numbers(sides, 3)
        return ellipse_box([*found, found[2]]) if found else None
    if kind == _ELLIPSE:
        return ellipse_box(sides)
    return box_around(sides[::2], sides[1::2]) if kind == _POLYGON else None


def _parsed(cell: str) -> Any:
    try:
        return parse_json(cell)
    except ValueError:
        return None


FORMAT = Format(name="via3", title="VGG Image Annotator 3", suffix=".json", begin=each_file(_knows, _read))
