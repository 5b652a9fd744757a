"""Open Images: a CSV of shares, whose classes are codes that a second file names. Read only.

The names of classes are those of a ``class-descriptions…csv`` beside the file, else they stay codes. A box
around a group is left out, as a crowd of COCO's is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.base.errors import FormatError
from core.base.geometry import Box
from core.base.language import tr
from core.formats.common import Format
from core.formats.files import Table, read_table
from core.formats.gather import Gathered, each_file, numbers, share

_COLUMNS = ("ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax")
_NAMES = "class-descriptions*.csv"


def _knows(content: Any) -> bool:
    return isinstance(content, Table) and bool(content.rows) and set(_COLUMNS) <= _places(content).keys()


def _places(table: Table) -> dict[str, int]:
    return {name.strip(): at for at, name in enumerate(table.rows[0][1])}


def _read(table: Table, gathered: Gathered) -> None:
    places, classes, groups = _places(table), _classes(gathered.file), 0
    for line, row in table.rows[1:]:
        cells = {name: row[at].strip() for name, at in places.items() if at < len(row)}
        image = gathered.image(cells.get("ImageID"))
        if cells.get("IsGroupOf") == "1":
            groups += 1
        elif image:
            x0, x1, y0, y1 = (cells.get(key) for key in _COLUMNS[2:])
            sides = numbers([x0, y0, x1, y1], 4)
            code = cells.get("LabelName") or None
            # A person's box has a confidence of 1 and says so in its source; a detector's has no source.
            score = None if cells.get("Source") else share(cells.get("Confidence") or cells.get("Score"))
            where = tr("line {number}").format(number=line)
            label = classes.get(code, code) if code else None
            gathered.box(image, Box(*sides) if sides else None, label, where=where, shares=True, score=score)
    gathered.leave_out_crowds(groups)


def _classes(file: Path) -> dict[str, str]:
    """The names of classes by their codes, from the files beside."""
    names: dict[str, str] = {}
    for beside in sorted(file.parent.glob(_NAMES)):
        try:
            rows = read_table(beside).rows
        except FormatError:
            continue
        names |= {row[0].strip(): row[1].strip() for _, row in rows if len(row) > 1}
    return names


FORMAT = Format(name="open-images", title="Open Images", suffix=".csv", begin=each_file(_knows, _read))
