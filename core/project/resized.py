"""Images that have another size in pixels than when their boxes were made."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.base.annotations import BoxRecord
from core.base.geometry import Box
from core.base.language import tr, trn
from core.project.rows import HELD, ONE_OF, listed

if TYPE_CHECKING:
    from core.project.store import Project

Size = tuple[int, int]
_AMONG = f"image_id {ONE_OF}"


def note(db: sqlite3.Connection, sizes: Sequence[tuple[int, int, int]]) -> None:
    """Take in (width, height, image id) before the images get these sizes.

    Where the size is another one, automatic boxes go: they are read again from the heat map, or made by the
    next localization. Boxes that a person set or accepted stay, and the size they were made for stays known.
    """
    new = json.dumps([[image_id, width, height] for width, height, image_id in sizes])
    of_new = """FROM json_each(?) AS new JOIN {0} ON {0}.{1} = json_extract(new.value, '$[0]')
        AND ({0}.width, {0}.height) {2} (json_extract(new.value, '$[1]'), json_extract(new.value, '$[2]'))"""
    other = f"SELECT image.id, image.width, image.height {of_new.format('image', 'id', '<>')}"
    db.execute(f"INSERT OR IGNORE INTO resized {other} WHERE image.width > 0", (new,))
    # The size that the boxes were made for is back.
    same = f"SELECT resized.image_id {of_new.format('resized', 'image_id', '=')}"
    db.execute(f"DELETE FROM resized WHERE image_id IN ({same})", (new,))
    ids = listed(image_id for _, _, image_id in sizes)
    db.execute(
        f"""DELETE FROM box WHERE {_AMONG} AND image_id IN (SELECT image_id FROM resized)
            AND image_id NOT IN ({HELD})""",
        (ids,),
    )
    db.execute(f"DELETE FROM resized WHERE {_AMONG} AND image_id NOT IN (SELECT image_id FROM box)", (ids,))


def remember(db: sqlite3.Connection, sizes: Mapping[int, Size]) -> None:
    """The boxes of these images, by id, are made for ``sizes``, where they have others now."""
    db.executemany(
        """INSERT OR REPLACE INTO resized
           SELECT id, ?1, ?2 FROM image WHERE id = ?3 AND (width, height) <> (?1, ?2)""",
        [(width, height, image_id) for image_id, (width, height) in sizes.items()],
    )


def forget(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    """The boxes of these images are made for the size that they have now."""
    db.execute(f"DELETE FROM resized WHERE {_AMONG}", (listed(ids),))


def former_sizes(project: Project) -> dict[int, Size]:
    """(width, height), by image id, that boxes were made for, where images have, or may have, another now."""
    rows = project.select("SELECT image_id, width, height FROM resized ORDER BY image_id")
    return {image_id: (width, height) for image_id, width, height in rows}


def keep(project: Project, ids: Iterable[int]) -> None:
    """Say that the boxes of these images are right as they are."""
    with project.transaction() as db:
        forget(db, ids)


def scaled(boxes: Sequence[BoxRecord], before: Size, now: Size) -> tuple[BoxRecord, ...]:
    """``boxes`` made for an image of size ``before`` where it has been scaled to ``now``."""
    x, y = now[0] / before[0], now[1] / before[1]
    return tuple(
        replace(one, box=Box(one.box.x0 * x, one.box.y0 * y, one.box.x1 * x, one.box.y1 * y)) for one in boxes
    )


def sentence(name: str, before: Size, now: Size) -> str:
    """What a person is told of one image."""
    return tr("“{name}” now has {now} pixels. Its boxes were made when it had {before}.").format(
        name=name, now=f"{now[0]} × {now[1]}", before=f"{before[0]} × {before[1]}"
    )


def summary(sizes: Mapping[int, Size]) -> str:
    """What a person is told of all of them; empty where there are none."""
    if not sizes:
        return ""
    return trn(
        "{count} image has another size than its boxes were made for; they were kept as they are.",
        "{count} images have other sizes than their boxes were made for; they were kept as they are.",
        len(sizes),
    )
