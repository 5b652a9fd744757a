"""Which column of a table is which, whoever wrote it: by its name, or, without a first line, by its cells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.base.geometry import Box
from core.base.language import short, tr
from core.base.plain_json import parse_json
from core.formats.files import Table
from core.formats.gather import number, numbers

SIDES = ("xmin", "ymin", "xmax", "ymax")
# What other programs call our columns, in small letters and without what is no letter or digit. The first
# name of a row that the table has counts.
_CALLED: Mapping[str, str] = {
    "filename": "filename imagefilename imagename imgname filepath imagepath imgpath image img imageid "
    "imageids imagefile mediaid photo picture file path imageurl url uri name id",
    "class": "class label classname labelname category categoryname species objectclass classlabel object "
    "tag labels classes category1 observationtype type name regionlabel commonname scientificname classid "
    "categoryid labelid",
    "xmin": "xmin x1 left x0 xtl bboxxmin bboxx1 xminimum boxleft startx minx bboxleft tlx topleftx xleft",
    "ymin": "ymin y1 top y0 ytl bboxymin bboxy1 yminimum boxtop starty miny bboxtop tly toplefty ytop upper",
    "xmax": "xmax x2 right xbr bboxxmax bboxx2 xmaximum boxright endx maxx bboxright brx bottomrightx xright",
    "ymax": "ymax y2 bottom ybr bboxymax bboxy2 ymaximum boxbottom endy maxy bboxbottom bry bottomrighty "
    "ybottom lower",
    "x": "x bboxx boxx xmin left bbox1 xtopleft",
    "y": "y bboxy boxy ymin top bbox2 ytopleft",
    "cx": "cx xcenter xcentre xc centerx centrex bboxcx",
    "cy": "cy ycenter ycentre yc centery centrey bboxcy",
    "w": "w bboxwidth boxwidth bboxw bw boxw bbox3 width",
    "h": "h bboxheight boxheight bboxh bh boxh bbox4 height",
    "bbox": "bbox box boundingbox coordinates boxes",
    "width": "width imagewidth imgwidth imwidth imgw imagew originalwidth",
    "height": "height imageheight imgheight imheight imgh imageh originalheight",
    "score": "score confidence conf probability prob detectionscore confidencescore certainty",
    "threshold": "threshold",
    "rule": "rule",
    "source": "source",
    "status": "status",
    "no_object": "noobject",
    "captured": "captured datecaptured datetimeoriginal",
    "latitude": "latitude",
    "longitude": "longitude",
}
# Ways to give a box, the surest first.
_WAYS = (SIDES, ("cx", "cy", "w", "h"), ("x", "y", "w", "h"), ("bbox",))
_PICTURE = re.compile(r"\.(?:jpe?g|png|bmp|gif|tiff?|webp|jfif)$", re.IGNORECASE)
_NUMBERS = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Columns:
    """``names`` of the first line, ``places`` of what we know among them, and the ``rows`` below."""

    names: tuple[str, ...]
    places: Mapping[str, int]
    rows: Sequence[tuple[int, Sequence[str]]]
    decimal_comma: bool

    def values(self, row: Sequence[str]) -> dict[str, str]:
        """The cells of a row by what they are; those that it lacks are left out."""
        cells = {key: row[at] for key, at in self.places.items() if at < len(row)}
        more = len([cell for cell in row[len(self.names) :] if cell.strip()]) if self.names else 0
        return {**cells, "more": "x"} if more else cells

    def problem(self, values: Mapping[str, str]) -> str:
        """What is wrong with a row's number of cells; empty where nothing is."""
        if len([key for key in values if key != "more"]) < len(self.places) or "more" in values:
            return tr("it has another number of cells than the first line")
        return ""


def columns_of(table: Table) -> Columns | None:
    """The columns of a table of boxes; None where it is none."""
    if not table.rows:
        return None
    (_, first), rest = table.rows[0], table.rows[1:]
    names = tuple(cell.strip() for cell in first)
    comma = table.decimal_comma
    places = _places_by_name(names)
    if places is not None:  # tables that were put together say their first line again
        below = [(line, row) for line, row in rest if tuple(cell.strip() for cell in row) != names]
        return Columns(names, places, below, comma)
    places = _places_by_cells(table)
    return None if places is None else Columns((), places, table.rows, comma)


def missing(table: Table) -> list[str]:
    """Our names of the columns that a table of boxes lacks."""
    plain = {_plain(cell) for cell in (table.rows[0][1] if table.rows else ())}
    return [name for name in ("filename", *SIDES) if not plain & set(_CALLED[name].split())]


def box_in(values: Mapping[str, str], *, decimal_comma: bool) -> Box | str | None:
    """The box of a row; None where its cells are blank, a text that says what is wrong with them."""
    way = next(way for way in _WAYS if all(key in values for key in way) or way == ("bbox",))
    cells = [values.get(key, "").strip() for key in way]
    if not any(cells):
        return None
    if way == ("bbox",):
        cells = _in_one_cell(cells[0])
    found = [_number(cell, decimal_comma=decimal_comma) for cell in cells]
    sides = numbers(found, 4)
    if sides is None:
        odd = next(
            (cell for cell, value in zip(cells, found, strict=True) if value is None), values.get("bbox", "")
        )
        return tr("“{cell}” is not a number").format(cell=short(odd))
    a, b, c, d = sides
    if way == SIDES:
        return Box(a, b, c, d)
    return Box(a - c / 2, b - d / 2, a + c / 2, b + d / 2) if way[0] == "cx" else Box(a, b, a + c, b + d)


def _in_one_cell(cell: str) -> list[str]:
    """The four numbers of a cell such as ``[1, 2, 3, 4]``, as text."""
    try:
        content = parse_json(cell)
    except ValueError:
        content = None
    if isinstance(content, dict):
        by_name = {_plain(str(key)): value for key, value in content.items()}
        return [str(by_name.get(key, "")) for key in ("x", "y", "width", "height")]
    return _NUMBERS.findall(cell)


def _places_by_name(names: Sequence[str]) -> dict[str, int] | None:
    plain = [_plain(name) for name in names]
    places: dict[str, int] = {}
    for key, called in _CALLED.items():
        if (found := next((name for name in called.split() if name in plain), None)) is not None:
            places[key] = plain.index(found)
    if _plain(names[0] if names else "") == "" and "filename" not in places:
        return None
    way = next((way for way in _WAYS if all(key in places for key in way)), None)
    if way is None or "filename" not in places:
        return None
    if way in (SIDES, ("bbox",)):
        unused = {"x", "y", "cx", "cy", "w", "h"}
    else:  # width and height are then the box's, unless these have names of their own
        unused = {
            *SIDES,
            *(one for one, side in (("width", "w"), ("height", "h")) if places.get(one) == places[side]),
        }
        unused |= {"x", "y"} if way[0] == "cx" else {"cx", "cy"}
    unused |= set() if way == ("bbox",) else {"bbox"}
    if places.get("class") == places["filename"]:
        unused.add("class")
    return {key: at for key, at in places.items() if key not in unused}


def _places_by_cells(table: Table) -> dict[str, int] | None:
    """Without a first line: a name, four numbers one after the other, perhaps a class and a size."""
    for _, row in table.rows:
        is_number = [_number(cell, decimal_comma=table.decimal_comma) is not None for cell in row]
        if (run := re.search("1{4,}(?!.*1{4})", "".join("01"[one] for one in is_number))) is not None:
            texts = [i for i, one in enumerate(is_number) if not one and row[i].strip()]
            files = [i for i in texts if _PICTURE.search(row[i])] or texts
            return _places_around(run.start(), run.end(), files, texts, is_number)
    return None


def _places_around(
    start: int, end: int, files: Sequence[int], texts: Sequence[int], is_number: Sequence[bool]
) -> dict[str, int] | None:
    if not files:
        return None
    places = {"filename": files[0]}
    if files[0] > end - 1:  # makesense.ai: class, x, y, width and height, name and size
        places |= {key: start + i for i, key in enumerate(("x", "y", "w", "h"))}
        places |= {"width": files[0] + 1, "height": files[0] + 2} if len(is_number) > files[0] + 2 else {}
    elif end - start >= 6 and start == 1:
        places |= {"width": 1, "height": 2, **{side: 3 + i for i, side in enumerate(SIDES)}}
    else:
        places |= {side: start + i for i, side in enumerate(SIDES)}
        places |= {"width": 1, "height": 2} if start >= 3 and is_number[1] and is_number[2] else {}
    classes = [i for i in texts if i != files[0]]
    if classes:
        places["class"] = classes[0]
    elif end - start == 5 and files[0] < start:  # a class that is a number
        places["class"] = end - 1
    return places


def _number(cell: str, *, decimal_comma: bool) -> float | None:
    return number(cell.replace(",", ".") if decimal_comma else cell)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
