"""A project's rows and the records they stand for."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.annotations import BoxRecord, Source, Status
from core.errors import ProjectError
from core.geometry import Box
from core.images.scan import ImageFile
from core.language import tr
from core.project.file import from_db, to_db

IMAGE_COLUMNS = "id, root_id, name, size_bytes, mtime_ns, width, height, status, reason"
BOX_COLUMNS = "image_id, x0, y0, x1, y1, label, score, source, threshold, rule"
_SOURCES = {source.value: source for source in Source}
_STATUSES = {status.value: status for status in Status}


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of a project. ``width`` and ``height`` are pixels as displayed, 0 where unknown.

    ``name`` is relative to ``root``, with forward slashes. ``reason`` says why a ``FAILED`` one failed.
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


def image_of(roots: Mapping[int, Path], row: tuple[Any, ...]) -> ImageRecord:
    image_id, root_id, name, size_bytes, mtime_ns, width, height, status, reason = row
    return ImageRecord(
        image_id,
        roots[root_id],
        from_db(name),
        size_bytes,
        mtime_ns,
        width,
        height,
        _STATUSES.get(status, Status.UNSEEN),
        from_db(reason),
    )


def box_of(row: tuple[Any, ...]) -> BoxRecord:
    _, x0, y0, x1, y1, label, score, source, threshold, rule = row
    # Who made an unknown source's box is not known: taken for a person's, so that no run undoes it.
    maker = _SOURCES.get(source, Source.EDITED)
    return BoxRecord(Box(x0, y0, x1, y1), from_db(label), score, maker, threshold, rule)


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


def _box_row(image_id: int, position: int, record: BoxRecord) -> tuple[Any, ...]:
    box = record.box
    sides = tuple(float(side) for side in (box.x0, box.y0, box.x1, box.y1))
    if not all(map(math.isfinite, sides)):
        raise ProjectError(
            tr("A box of image {image_id} has a side that is not a number.").format(image_id=image_id)
        )
    score = None if record.score is None else float(record.score)
    threshold = None if record.threshold is None else float(record.threshold)
    label = to_db(record.label)
    return (position, image_id, *sides, label, score, record.source.value, threshold, record.rule)
