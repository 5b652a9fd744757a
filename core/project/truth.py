"""True boxes that a person brought into a project to measure by. Nothing else ever looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from core.base.annotations import BoxRecord, Source
from core.base.geometry import Box
from core.project.file import from_db, to_db
from core.project.rows import ONE_OF, listed

if TYPE_CHECKING:
    from core.project.store import Project

_COLUMNS = "image_id, position, x0, y0, x1, y1, label"
_AMONG = f"WHERE image_id {ONE_OF}"


def set_truth(project: Project, boxes: Mapping[int, Sequence[BoxRecord]]) -> None:
    """Keep the true boxes of images by id in place of those they had; all of them or, on an error, none."""
    rows = [
        (image_id, i, *map(float, one.box.sides), to_db(one.label))
        for image_id, true in boxes.items()
        for i, one in enumerate(true)
    ]
    with project.transaction() as db:
        db.execute(f"DELETE FROM truth {_AMONG}", (listed(boxes),))
        db.executemany(f"INSERT INTO truth ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def true_boxes(project: Project, ids: Iterable[int] | None = None) -> dict[int, tuple[BoxRecord, ...]]:
    """The true boxes, by image id, of all images that have any, or of those among ``ids``."""
    where, asked = ("", ()) if ids is None else (_AMONG, (listed(ids),))
    rows = project.select(f"SELECT {_COLUMNS} FROM truth {where} ORDER BY image_id, position", *asked)
    return {
        image_id: tuple(
            BoxRecord(Box(*sides), label=from_db(label), source=Source.EDITED)
            for _, _, *sides, label in group
        )
        for image_id, group in groupby(rows, lambda row: row[0])
    }
