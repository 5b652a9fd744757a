"""VGG Image Annotator: its JSON, alone or in a project, and its CSV. Read only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.base.geometry import Box
from core.base.language import tr
from core.base.plain_json import parse_json
from core.formats.common import Format
from core.formats.files import Table
from core.formats.gather import Gathered, box_of, each_file
from core.formats.shapes import box_around, ellipse_box

_NO_AREA = {"point", "polyline"}
_CLASSES = ("class", "label", "name", "type", "category", "species", "object", "classname", "object_class")
_COLUMNS = ("filename", "region_shape_attributes", "region_attributes")


def _knows(content: Any) -> bool:
    if isinstance(content, Table):
        return bool(content.rows) and set(_COLUMNS) <= set(_names(content))
    entries = _entries(content)
    return bool(entries) and all(
        isinstance(entry, dict) and "filename" in entry and "regions" in entry
        for entry in list(entries.values())[:3]
    )


def _entries(content: Any) -> Mapping[str, Any]:
    found = content.get("_via_img_metadata", content) if isinstance(content, dict) else {}
    return found if isinstance(found, dict) else {}


def _read(content: Any, gathered: Gathered) -> None:
    if isinstance(content, Table):
        return _read_table(content, gathered)
    for entry in _entries(content).values():
        given = entry if isinstance(entry, dict) else {}
        if image := gathered.image(given.get("filename")):
            for at, region in enumerate(_regions(given.get("regions")), start=1):
                where = tr("{image}, region {number}").format(image=image, number=at)
                _add(gathered, image, region.get("shape_attributes"), region.get("region_attributes"), where)
    return None


def _regions(regions: Any) -> Iterator[Mapping[str, Any]]:
    listed = regions.values() if isinstance(regions, dict) else regions if isinstance(regions, list) else ()
    return (region if isinstance(region, dict) else {} for region in listed)


def _read_table(table: Table, gathered: Gathered) -> None:
    _, *rows = table.rows
    places = [_names(table).index(column) for column in _COLUMNS]
    for line, row in rows:
        name, shape, attributes = (row[at] if at < len(row) else "" for at in places)
        if (image := gathered.image(name)) and shape.strip() not in ("", "{}"):
            _add(
                gathered, image, _parsed(shape), _parsed(attributes), tr("line {number}").format(number=line)
            )


def _names(table: Table) -> list[str]:
    """The columns; VIA 1 has a number sign before the first."""
    return [cell.strip().lstrip("#") for cell in table.rows[0][1]]


def _parsed(cell: str) -> Any:
    try:
        return parse_json(cell)
    except ValueError:
        return None


def _add(gathered: Gathered, image: str, shape: Any, attributes: Any, where: str) -> None:
    given = shape if isinstance(shape, dict) else {}
    if given.get("name") not in _NO_AREA:
        gathered.box(image, _box(given), _class(attributes), where=where)


def _box(shape: Mapping[str, Any]) -> Box | None:
    xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
    if isinstance(xs, list) and isinstance(ys, list):
        return box_around(xs, ys)
    if "cx" in shape:
        radius = shape.get("r", shape.get("rx"))
        return ellipse_box([shape.get("cx"), shape.get("cy"), radius, shape.get("ry", radius)])
    return box_of([shape.get(key) for key in ("x", "y", "width", "height")])


def _class(attributes: Any) -> str | None:
    """The attribute that is a class by its name, else the first that says something."""
    given = (
        {str(key).casefold(): value for key, value in attributes.items()}
        if isinstance(attributes, dict)
        else {}
    )
    ordered = [*(given[key] for key in _CLASSES if key in given), *given.values()]
    for value in ordered:
        if isinstance(value, dict):  # of boxes to tick, those that are
            value = next((key for key, ticked in value.items() if ticked), "")
        if isinstance(value, (str, int, float)) and str(value).strip():
            return str(value).strip()
    return None


FORMAT = Format(name="via", title="VGG Image Annotator", suffix=".json", begin=each_file(_knows, _read))
