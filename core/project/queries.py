"""Questions to a project about many images at once, each answered by one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core.base.annotations import STATUSES, BoxRecord, Status
from core.base.plain_json import parse_json
from core.boxes.classes import ClassMap
from core.boxes.moments import framing_rows as rows_of
from core.boxes.options import BoxOptions
from core.boxes.prior import Prior
from core.maps.class_units import names_of
from core.maps.signature import LENGTH
from core.project import resized
from core.project.facts import BoxFacts
from core.project.file import from_db, to_db
from core.project.rows import (
    BOX_COLUMNS,
    HELD,
    HELD_AMONG,
    ONE_OF,
    REVIEWED,
    SETTLED,
    Kept,
    box_of,
    listed,
    map_of,
)

if TYPE_CHECKING:
    from core.project.store import Project
    from core.project.survey import MapSource

_FACTS = """
    SELECT box.image_id, min(box.score),
        max((x1 - x0) * (y1 - y0)) / nullif(image.width * image.height, 0),
        box.image_id IN (SELECT image_id FROM edited), count(*), no_object.probability
    FROM box JOIN image ON image.id = box.image_id LEFT JOIN no_object ON no_object.image_id = box.image_id
    {where} GROUP BY box.image_id ORDER BY box.image_id"""
_BOXLESS = """
    SELECT image.id, NULL, NULL, edited.image_id IS NOT NULL, 0, no_object.probability
    FROM image LEFT JOIN edited ON edited.image_id = image.id
        LEFT JOIN no_object ON no_object.image_id = image.id
    WHERE coalesce(edited.image_id, no_object.image_id) IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM box WHERE box.image_id = image.id)"""
_DECIDED = """
    SELECT image.id, image.width, image.height, count(box.image_id), count(box.threshold),
        min(box.threshold), max(box.threshold), min(box.rule), max(box.rule),
        image.id IN (HELD), coalesce(box_limit.boxes, 1)
    FROM heat_map JOIN image ON image.id = heat_map.image_id LEFT JOIN box ON box.image_id = image.id
        LEFT JOIN box_limit ON box_limit.image_id = image.id
    WHERE image.width > 0 {among} GROUP BY image.id ORDER BY image.id""".replace("HELD", HELD)
_EARLIER = f"""
    SELECT image_id FROM heat_map LEFT JOIN map_source USING (image_id)
    WHERE coalesce(map_source.source, '') <> ? AND image_id IN (SELECT image_id FROM box)
        AND image_id NOT IN ({HELD}) ORDER BY image_id"""
_AMONG = f"WHERE image_id {ONE_OF}"


def box_facts(project: Project, *image_ids: int) -> BoxFacts:
    """What the list's filters and orders know of all images that have boxes, or had, or of these alone.

    Images without a box whose probability of no object is known are among them.
    """
    asked = (listed(image_ids),) if image_ids else ()
    rows = project.select(_FACTS.format(where=f"WHERE box.image_id {ONE_OF}" if asked else ""), *asked)
    rows += project.select(f"{_BOXLESS} AND image.id {ONE_OF}" if asked else _BOXLESS, *asked)
    # Column by column: a zip of 100,000 rows would hold up the window's thread until it is done.
    return BoxFacts(
        np.array([row[0] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.float32),  # None becomes NaN
        np.array([row[2] for row in rows], np.float32),
        np.array([row[3] for row in rows], np.bool_),
        np.array([row[4] for row in rows], np.int32),
        np.array([row[5] for row in rows], np.float32),
    )


def undecided(
    project: Project, options: BoxOptions, among: Sequence[int] | None = None
) -> dict[int, tuple[int, int]]:
    """The size in pixels of each image with a heat map whose automatic boxes are not those of ``options``.

    By id, of all images or of those ``among``. Images whose boxes only a person may change are left out.
    """
    asked = () if among is None else (listed(among),)
    rows = project.select(_DECIDED.format(among=f"AND image.id {ONE_OF}" if asked else ""), *asked)
    found, thresholds = {}, options.thresholds_of([row[0] for row in rows]).tolist()
    for row, wanted in zip(rows, thresholds, strict=True):
        image_id, width, height, boxes, known, low, high, first, last, held, limit = row
        is_so = boxes and known == boxes and low == high == wanted and first == last == options.rule
        is_so = is_so and limit == options.max_boxes and boxes <= options.max_boxes
        if not held and not is_so:
            found[image_id] = width, height
    return found


def boxes_of_earlier_maps(project: Project) -> list[int]:
    """The ids of images whose automatic boxes come from a heat map that is not of the newest localization."""
    survey = project.load_survey()
    if survey is None or survey.source is None:
        return []
    rows = project.select(_EARLIER, survey.source.key)
    return [row[0] for row in rows]


def under_priors(project: Project, ids: Sequence[int]) -> list[tuple[Prior | None, list[int]]]:
    """Those of ``ids`` that are read with the project's prior, and those that are read with none.

    It speaks of the heat maps of the newest localization alone, as far as is known which these are: another
    network's have other levels and framings.
    """
    survey = project.load_survey()
    newest = set(ids)
    if survey is not None and survey.source is not None:
        statement = f"SELECT image_id FROM map_source WHERE source = ? AND image_id {ONE_OF}"
        rows = project.select(statement, survey.source.key, listed(ids))
        newest = {row[0] for row in rows}
    prior = survey.prior if survey else None
    parts = [(prior, [i for i in ids if i in newest]), (None, [i for i in ids if i not in newest])]
    return [(known, some) for known, some in parts if some]


def sized_images(project: Project) -> list[int]:
    """The ids of all images whose size is known, in the order added."""
    return [row[0] for row in project.select("SELECT id FROM image WHERE width > 0 ORDER BY id")]


def heat_maps(project: Project, ids: Sequence[int]) -> dict[int, npt.NDArray[np.float32]]:
    """The float32 ``(h, w)`` heat maps, by image id, of those in ``ids`` that have one; read-only.

    Raises
    ------
    ProjectError
        One has another length than its size says.
    """
    statement = f"SELECT image_id, height, width, data FROM heat_map {_AMONG} ORDER BY image_id"
    rows = project.select(statement, listed(ids))
    return {image_id: map_of(project.path, *row) for image_id, *row in rows}


def class_maps(project: Project, ids: Sequence[int]) -> dict[int, ClassMap]:
    """The classes of heat maps' cells, by image id, of those in ``ids`` where classes were learned.

    Rows that no heat map fits, or that nobody can read, are passed over: those boxes have no class.
    """
    statement = f"""SELECT image_id, height, width, names, class_map.data
        FROM class_map JOIN heat_map USING (image_id) {_AMONG} ORDER BY image_id"""
    found = ((row[0], _class_map(*row[1:])) for row in project.select(statement, listed(ids)))
    return {image_id: one for image_id, one in found if one is not None}


def _class_map(height: int, width: int, names: str | bytes, data: bytes) -> ClassMap | None:
    with suppress(ValueError, TypeError):
        known = names_of(parse_json(names))
        cells = np.frombuffer(data, np.uint8).reshape(height, width)
        if cells.max() < len(known):
            return ClassMap(known, cells)
    return None


def framings(project: Project, ids: Sequence[int]) -> dict[int, npt.NDArray[np.float64]]:
    """What :func:`framings` said, float64 (4,) by image id, of those in ``ids`` that have it."""
    statement = f"SELECT image_id, x, y, width, height FROM framing {_AMONG} ORDER BY image_id"
    rows = project.select(statement, listed(ids))
    return {image_id: np.array(row, np.float64) for image_id, *row in rows}


def framing_rows(project: Project, ids: Sequence[int]) -> npt.NDArray[np.float64]:
    """:func:`framings` as one row for each of ``ids``, NaN where there is none: float64 (n, 4)."""
    return rows_of(framings(project, ids), ids)


def maps_made_by(project: Project, source: MapSource, *, step: int) -> set[int]:
    """The ids of all images whose heat map ``source`` has made, after ``step`` training steps."""
    statement = "SELECT image_id FROM heat_map JOIN map_source USING (image_id) WHERE step = ? AND source = ?"
    rows = project.select(statement, int(step), source.key)
    return {image_id for (image_id,) in rows}


def kept(project: Project, ids: Iterable[int]) -> dict[int, Kept]:
    """The boxes of each image in ``ids``, whose they are and what size they are for."""
    boxes: dict[int, list[BoxRecord]] = {int(image_id): [] for image_id in ids}
    statement = f"SELECT {BOX_COLUMNS} FROM box {_AMONG} ORDER BY image_id, position"
    for row in project.select(statement, listed(boxes)):
        boxes[row[0]].append(box_of(row))
    edited, sizes = edited_among(project, boxes), resized.former_sizes(project)
    return {i: Kept(tuple(own), i in edited, sizes.get(i)) for i, own in boxes.items()}


def edited_among(project: Project, ids: Iterable[int]) -> set[int]:
    """Those of ``ids`` whose boxes a person has set, or taken away."""
    return {row[0] for row in project.select(f"SELECT image_id FROM edited {_AMONG}", listed(ids))}


def held_among(project: Project, ids: Iterable[int]) -> set[int]:
    """Those of ``ids`` whose boxes only a person may change: edited, emptied or accepted ones."""
    return {row[0] for row in project.select(HELD_AMONG, listed(ids))}


def settled_among(project: Project, ids: Iterable[int]) -> dict[int, Status]:
    """Of those of ``ids`` that are accepted or show no object, which of the two."""
    statement = f"SELECT id, status FROM image WHERE {SETTLED} AND id {ONE_OF}"
    return {image_id: STATUSES[status] for image_id, status in project.select(statement, listed(ids))}


def reviewed_images(project: Project) -> set[int]:
    """The ids of the images that a person has accepted, rejected, edited or emptied."""
    return {row[0] for row in project.select(REVIEWED)}


def replaced_among(project: Project, ids: Iterable[int]) -> set[int]:
    """Those of ``ids`` whose file became another one after a person had reviewed it."""
    return {row[0] for row in project.select(f"SELECT image_id FROM replaced {_AMONG}", listed(ids))}


def signatures(project: Project) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]:
    """The ids of all images whose signature is known, ascending, and the signatures: float16 (n, LENGTH)."""
    rows = project.select("SELECT image_id, data FROM signature ORDER BY image_id")
    ids = np.array([row[0] for row in rows], np.int64)
    data = np.frombuffer(b"".join(row[1] for row in rows), "<f2")
    return ids, data.astype(np.float16, copy=False).reshape(len(ids), LENGTH)


def labelled(project: Project, label: str) -> npt.NDArray[np.int64]:
    """The ids, ascending, of images with a box of this class."""
    rows = project.select("SELECT DISTINCT image_id FROM box WHERE label = ? ORDER BY image_id", to_db(label))
    return np.array([image_id for (image_id,) in rows], np.int64)


def labels(project: Project) -> list[str]:
    """The class names in the project, the most used first."""
    rows = project.select("SELECT label FROM box GROUP BY label ORDER BY count(*) DESC, label")
    return [from_db(label) for (label,) in rows]
