"""Exports of more images than fit in memory: a format goes through them one by one, as often as it needs.

What is written is what :func:`core.formats.export.export` writes, but that it is not read back.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.base.annotations import ImageBoxes, Status
from core.base.errors import FormatError
from core.base.language import short, tr, trn
from core.formats.common import PLAIN, ExportSummary, Format, Skipped, WriteOptions, fitted
from core.formats.names import checked_name
from core.formats.notes import Told
from core.formats.selection import EachByItself, Selection, selected

_KEPT = 100  # images left out that are told one by one


@dataclass(frozen=True, slots=True)
class Leaving:
    """An image with its boxes; ``opened`` gives its file while a block lasts, or raises ImageError."""

    image: ImageBoxes
    opened: Callable[[], AbstractContextManager[Path]]


#: Gives all images from the first on, in ascending order of names, each time it is called.
Source = Callable[[], Iterable[Leaving]]


@dataclass(slots=True)
class Count:
    """What is counted while images go by."""

    told: Told = field(default_factory=Told)
    labels: dict[str, None] = field(default_factory=dict)
    images: int = 0
    boxes: int = 0
    without_box: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    unlisted: int = 0

    def add(self, image: ImageBoxes) -> None:
        self.images += 1
        self.boxes += len(image.boxes)
        self.without_box += not image.boxes
        self.labels.update(dict.fromkeys(record.label for record in image.boxes))

    def skip(self, name: str, reason: str) -> None:
        if len(self.skipped) < _KEPT:
            self.skipped.append(Skipped(name, reason))
        else:
            self.unlisted += 1


@dataclass(frozen=True, slots=True)
class Stream:
    """The images of ``source`` that ``selection`` leaves, as they are."""

    source: Source
    selection: Selection = field(default_factory=Selection)

    def prepare(
        self, *, unfit: Callable[[ImageBoxes], str] = lambda image: "", keeps_failed: bool = False
    ) -> PreparedStream:
        """:func:`core.formats.common.prepare`, one by one; all are counted by one pass.

        Raises
        ------
        FormatError
            Names do not ascend or leave their folder, a box holds no numbers, or no box is left.
        """
        prepared = PreparedStream(self, unfit, keeps_failed)
        for one in prepared.leaving(prepared.count):
            if one.image.status is not Status.FAILED:
                prepared.count.add(one.image)
        if not prepared.count.boxes:
            raise FormatError(
                tr("No box is left to export: accept some images, lower the score, or choose more classes.")
            )
        return prepared


@dataclass(frozen=True, slots=True)
class PreparedStream:
    """The images as they leave, each time it is gone through, and what :meth:`Stream.prepare` counted."""

    stream: Stream
    unfit: Callable[[ImageBoxes], str]
    keeps_failed: bool
    count: Count = field(default_factory=Count)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes by first appearance."""
        return tuple(self.count.labels)

    def __iter__(self) -> Iterator[ImageBoxes]:
        return (one.image for one in self.leaving(Count()))

    def leaving(self, count: Count) -> Iterator[Leaving]:
        """The images with their files; what happens to boxes is counted in ``count``."""
        last, whose = "", Path(tr("The data set"))
        for one in self.stream.source():
            name = checked_name(one.image.name, whose)
            if name <= last:
                text = tr("The data set does not list its images by name: “{name}” comes after “{last}”.")
                raise FormatError(text.format(name=short(name), last=short(last)))
            last = name
            for image in selected([one.image], self.stream.selection):
                if image.status is Status.FAILED:
                    count.told.failed += 1
                    if self.keeps_failed:
                        yield replace(one, image=image)
                elif reason := self.unfit(image):
                    count.skip(image.name, reason)
                else:
                    yield replace(one, image=fitted(image, count.told))

    def summary(self, path: Path, images: int, *notes: str, count: Count | None = None) -> ExportSummary:
        """What was written; ``count`` is of what was, where that is less than what was to be."""
        count = count or self.count
        unlisted = trn(
            "{count:,} more image was left out.", "{count:,} more images were left out.", count.unlisted
        )
        return ExportSummary(
            path,
            images,
            count.boxes,
            count.without_box,
            count.told.clamped,
            count.told.failed,
            (
                *count.told.sentences(keeps_failed=self.keeps_failed),
                *notes,
                *([unlisted] if count.unlisted else []),
            ),
            skipped=tuple(count.skipped),
        )


def export_stream(
    stream: Stream, path: Path, *, format: Format, options: WriteOptions = PLAIN
) -> ExportSummary:
    """Write all images of ``stream``, with memory that does not grow with their number.

    Raises
    ------
    FormatError
        The format takes all images at once, has no place for the split that is asked for, or it cannot be
        written; the files of before are then as they were.
    """
    if format.stream is None:
        text = tr("{title} cannot be written from a data set: choose COCO, CSV, MegaDetector or YOLO.")
        raise FormatError(text.format(title=tr(format.title)))
    share, seed = stream.selection.val_share, stream.selection.seed
    if share and not format.splits:
        text = tr("{title} cannot be split from a data set: choose YOLO, or no images for validation.")
        raise FormatError(text.format(title=tr(format.title)))
    options = replace(options, val=EachByItself(share, seed)) if share else options
    return format.stream(stream, path, options)


class NamesOnDisk:
    """A set of names that may be larger than memory, while a :func:`names_on_disk` block lasts."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __contains__(self, name: object) -> bool:
        return self._db.execute("SELECT 1 FROM name WHERE name = ?", (_bytes(name),)).fetchone() is not None

    def add(self, name: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO name VALUES (?)", (_bytes(name),))


@contextmanager
def names_on_disk() -> Iterator[NamesOnDisk]:
    """An empty set of names in the system's folder for temporary files."""
    with tempfile.TemporaryDirectory(prefix="boxscout-") as folder:
        db = sqlite3.connect(Path(folder) / "names", isolation_level=None)
        try:
            db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")
            db.execute("CREATE TABLE name (name BLOB PRIMARY KEY) WITHOUT ROWID")
            yield NamesOnDisk(db)
        finally:
            db.close()


def _bytes(name: Any) -> bytes:
    return str(name).encode("utf-8", "surrogateescape")
