"""A project's rows and the records they stand for."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from core.base.annotations import SOURCES, STATUSES, BoxRecord, Source, Status
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.base.language import tr
from core.images.scan import ImageFile
from core.project.file import from_db, to_db
from core.project.names import other_names

IMAGE_COLUMNS = "id, root_id, name, size_bytes, mtime_ns, width, height, status, reason"
#: What follows a column's name where one parameter, a JSON list, holds the ids that are meant.
ONE_OF = "IN (SELECT value FROM json_each(?))"
#: What follows an image's id where a person has set its boxes, or taken them away.
EDITED = "IN (SELECT image_id FROM edited)"
#: Of an image: its boxes, or that it has none, were said to be right (:attr:`Status.is_settled`).
SETTLED = "status IN ('accepted', 'no object')"
#: The ids of images whose boxes only a person may change: who has set them, taken them away or accepted them.
HELD = f"SELECT image_id FROM edited UNION SELECT id FROM image WHERE {SETTLED}"
#: The ids of images of which a person has said anything: those, and the rejected ones.
REVIEWED = f"{HELD} UNION SELECT id FROM image WHERE status = 'rejected'"
HELD_AMONG = f"SELECT id FROM image WHERE id {ONE_OF} AND id IN ({HELD})"
#: Tables of what is known of a heat map besides: gone with it.
BESIDE_MAPS = ("framing", "no_object", "signature", "class_map")
BOX_COLUMNS = "image_id, x0, y0, x1, y1, label, score, source, threshold, rule"


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of a project. ``width`` and ``height`` are pixels as displayed, 0 where unknown.

    ``name`` is relative to ``root``, with forward slashes. ``reason`` says why its file could not be used
    when it was last tried; empty where it could.
    """

    id: int
    root: Path
    name: str
    size_bytes: int
    mtime_ns: int
    width: int
    height: int
    status: Status
    reason: str

    @property
    def path(self) -> Path:
        return self.root / self.name

    @property
    def file(self) -> ImageFile:
        return ImageFile(root=self.root, name=self.name, size_bytes=self.size_bytes, mtime_ns=self.mtime_ns)


@dataclass(frozen=True, slots=True)
class Kept:
    """The boxes of one image. ``edited`` says that a person set them, so that no automatic run may change
    them; an image that a person has emptied has no boxes and is edited. ``made_for`` is the size in pixels
    that the boxes were made for, where the image may have another one now."""

    boxes: tuple[BoxRecord, ...] = ()
    edited: bool = False
    made_for: tuple[int, int] | None = None


def listed(ids: Iterable[int]) -> str:
    """``ids`` as the parameter of :data:`ONE_OF`."""
    return json.dumps([int(image_id) for image_id in ids])


def image_of(roots: Mapping[int, Path], row: tuple[Any, ...]) -> ImageRecord:
    image_id, root_id, name, size_bytes, mtime_ns, width, height, status, reason = row
    known = STATUSES.get(status, Status.UNSEEN)
    place, file = (roots[root_id], from_db(name)), (size_bytes, mtime_ns)
    return ImageRecord(image_id, *place, *file, width, height, known, from_db(reason))


def box_of(row: tuple[Any, ...]) -> BoxRecord:
    _, x0, y0, x1, y1, label, score, source, threshold, rule = row
    # Who made an unknown source's box is not known: taken for a person's, so that no run undoes it.
    maker = SOURCES.get(source, Source.EDITED)
    return BoxRecord(Box(x0, y0, x1, y1), from_db(label), score, maker, threshold, rule)


def map_of(path: Path, height: object, width: object, data: object) -> npt.NDArray[np.float32]:
    """The float32 ``(h, w)`` heat map in a row of the project at ``path``; ProjectError where it is none."""
    whole = isinstance(height, int) and isinstance(width, int) and height > 0 and width > 0
    if not whole or not isinstance(data, bytes) or len(data) != 4 * height * width:  # type: ignore[operator]
        raise ProjectError(
            tr("A heat map in “{name}” is damaged. Create the heat maps again.").format(name=path.name)
        )
    shape = cast("tuple[int, int]", (height, width))
    return np.frombuffer(data, dtype="<f4").reshape(shape).astype(np.float32, copy=False)


def replace_boxes(db: sqlite3.Connection, boxes: Mapping[int, Sequence[BoxRecord]]) -> None:
    db.executemany("DELETE FROM box WHERE image_id = ?", [(image_id,) for image_id in boxes])
    db.executemany(
        f"INSERT INTO box (position, {BOX_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (_box_row(image_id, i, box) for image_id, new in boxes.items() for i, box in enumerate(new)),
    )


def mark_edited(db: sqlite3.Connection, edited: Mapping[int, bool]) -> None:
    """Say of images by id whether their boxes are a person's."""
    for statement, wanted in (
        ("INSERT OR IGNORE INTO edited (image_id) VALUES (?)", True),
        ("DELETE FROM edited WHERE image_id = ?", False),
    ):
        db.executemany(statement, [(image_id,) for image_id, is_so in edited.items() if is_so is wanted])


def note_reviewed(db: sqlite3.Connection, ids: Iterable[int]) -> None:
    """A person has said something of images, as their files are now.

    Those that were accepted show no object where they have no box, and only there.
    """
    asked = (listed(ids),)
    db.execute(f"DELETE FROM replaced WHERE image_id {ONE_OF}", asked)
    db.execute(
        f"""UPDATE image SET status = iif(
            EXISTS (SELECT 1 FROM box WHERE image_id = image.id), 'accepted', 'no object')
            WHERE {SETTLED} AND id {ONE_OF}""",
        asked,
    )


def _box_row(image_id: int, position: int, record: BoxRecord) -> tuple[Any, ...]:
    sides = tuple(map(float, record.box.sides))
    if not all(map(math.isfinite, sides)):
        raise ProjectError(
            tr("A box of image {image_id} has a coordinate that is not a number.").format(image_id=image_id)
        )
    score = None if record.score is None else float(record.score)
    threshold = None if record.threshold is None else float(record.threshold)
    label = to_db(record.label)
    return (position, image_id, *sides, label, score, record.source.value, threshold, record.rule)


def forget_changed_files(db: sqlite3.Connection, keys: Sequence[tuple[int, str | bytes, int, int]]) -> None:
    """Of (root id, name, bytes, time): what is said of images that are other files now, but their boxes.

    The size for which their boxes were made stays known, and that a person reviewed another file.
    """
    changed = "FROM image WHERE root_id = ? AND name = ? AND (size_bytes, mtime_ns) <> (?, ?)"
    for table in ("heat_map", *BESIDE_MAPS, "taken"):
        db.executemany(f"DELETE FROM {table} WHERE image_id = (SELECT id {changed})", keys)
    db.executemany(f"INSERT OR IGNORE INTO replaced SELECT id {changed} AND id IN ({HELD})", keys)
    db.executemany(f"INSERT OR IGNORE INTO resized SELECT id, width, height {changed} AND width > 0", keys)


def root_ids(db: sqlite3.Connection, roots: Iterable[Path]) -> dict[Path, int]:
    """The id of every folder in the project, ``roots`` among them."""
    db.executemany(
        "INSERT OR IGNORE INTO roots (path) VALUES (?)",
        [(to_db(str(root)),) for root in dict.fromkeys(roots)],
    )
    return {Path(from_db(path)): i for i, path in db.execute("SELECT id, path FROM roots")}


def at_known_roots(
    db: sqlite3.Connection, rows: list[tuple[Path, str, int, int]], nested: Mapping[Path, int]
) -> list[tuple[Path, str, int, int]]:
    """``rows`` (root, name, bytes, time); a path known under another root is moved to that root."""
    met: dict[Path, tuple[Path, str]] = {}
    moved = []
    for root, name, size_bytes, mtime_ns in rows:
        place = (root, name)
        if root in nested:
            place = met.setdefault(root / name, place)
        for other, rest in other_names(root, name, nested) if place == (root, name) else ():
            here = db.execute(
                "SELECT 1 FROM image WHERE root_id = ? AND name = ?", (nested[other], to_db(rest))
            )
            if here.fetchone():
                met[root / name] = place = (other, rest)
        moved.append((*place, size_bytes, mtime_ns))
    return moved
