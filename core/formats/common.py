"""What every format shares: which boxes leave, how the file is written and checked, what was done."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.annotations import BoxRecord, ImageBoxes, Status
from core.atomic import atomic_write, os_reason
from core.datasets.names import checked_name
from core.errors import FormatError
from core.geometry import Box

# Less than any pixel that a person could see: arithmetic, not a box that stuck out.
_NOT_CLAMPED = 1e-6
_SMALLEST_SIDE = 1e-3


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What an export wrote: ``images`` and ``boxes`` in the file, ``clamped`` boxes cut to their image.

    ``without_box`` counts usable images that have no box, ``failed`` those that could not be used, which
    no format contains. ``notes`` are whole sentences for the person.
    """

    path: Path
    images: int
    boxes: int
    without_box: int
    clamped: int
    failed: int
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The summary as sentences, what was written first."""
        boxes = "1 box" if self.boxes == 1 else f"{self.boxes:,} boxes"
        images = "1 image" if self.images == 1 else f"{self.images:,} images"
        return [f"Wrote {boxes} and {images} to {self.path}.", *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """The summary for JSON."""
        return {**asdict(self), "path": str(self.path), "notes": list(self.notes)}


@dataclass(frozen=True, slots=True)
class Format:
    """One format. ``write(images, path)`` and ``read(path)`` raise FormatError, and nothing else."""

    name: str
    title: str
    suffix: str
    write: Callable[[Sequence[ImageBoxes], Path], ExportSummary]
    read: Callable[[Path], list[ImageBoxes]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """The images as they leave: usable ones only, each box inside its image and not empty."""

    images: tuple[ImageBoxes, ...]
    without_box: int
    clamped: int
    failed: int
    notes: tuple[str, ...]

    def summary(self, path: Path, images: int, *notes: str) -> ExportSummary:
        boxes = sum(len(image.boxes) for image in self.images)
        return ExportSummary(
            path, images, boxes, self.without_box, self.clamped, self.failed, (*self.notes, *notes)
        )


def prepare(images: Sequence[ImageBoxes]) -> Prepared:
    """Cut boxes to their images, leave out what no reader can use, and count it all.

    Raises
    ------
    FormatError
        Two images of one name, a name that leaves its folder, or a box whose side or score is not a number.
    """
    usable = [image for image in images if image.status is not Status.FAILED]
    _check_names(usable)
    kept, clamped, outside = [], 0, 0
    for image in usable:
        boxes = [_inside(image, record) for record in image.boxes]
        inside = tuple(record for record in boxes if _has_area(record))
        clamped += sum(_moved(a, b) for a, b in zip(image.boxes, boxes, strict=True) if _has_area(b))
        outside += len(boxes) - len(inside)
        kept.append(replace(image, boxes=inside))
    failed = len(images) - len(usable)
    notes = [
        *_case_notes(usable),
        *_counted(outside, "box lies", "boxes lie", "wholly outside the image or without area: left out"),
        *_counted(clamped, "box was", "boxes were", "cut at the edge of the image"),
        *_counted(failed, "image", "images", "could not be used: left out"),
        *_counted(
            sum("\\" in image.name or ":" in image.name for image in usable),
            "file name holds",
            "file names hold",
            "a backslash or a colon, which Windows takes for a folder or a drive",
        ),
        *_counted(
            sum(image.width < 1 or image.height < 1 for image in usable),
            "image has",
            "images have",
            "no known size yet: not cut to the image, and written with width and height 0",
        ),
    ]
    without_box = sum(not image.boxes for image in kept)
    return Prepared(tuple(kept), without_box, clamped, failed, tuple(notes))


def write_checked(path: Path, data: bytes, check: Callable[[Path], bool]) -> None:
    """Write ``data`` to ``path``, whole or not at all, and only where reading it back satisfies ``check``.

    Raises
    ------
    FormatError
        It cannot be written or does not read back; ``path`` is then as it was.
    """
    try:
        with atomic_write(path) as temporary:
            temporary.write_bytes(data)
            if not check(temporary):
                raise FormatError(f"“{path.name}” did not read back as it was written; nothing was exported.")
    except OSError as error:
        raise FormatError(f"“{path.name}” could not be written: {os_reason(error)}.") from error


def read_bytes(path: Path) -> bytes:
    """All of ``path``; FormatError, as one sentence, where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else os_reason(error)
        raise FormatError(f"“{path.name}” cannot be read: {reason}.") from error


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "…"


def _inside(image: ImageBoxes, record: BoxRecord) -> BoxRecord:
    sides = (record.box.x0, record.box.y0, record.box.x1, record.box.y1)
    numbers = (*sides, *(value for value in (record.score, record.threshold) if value is not None))
    if not all(map(math.isfinite, numbers)):
        raise FormatError(f"A box of “{_short(image.name)}” holds a value that is not a number.")
    box = Box(*map(float, sides))
    if image.width > 0 and image.height > 0:
        box = box.clamped(float(image.width), float(image.height))
    return replace(record, box=box)


def _moved(before: BoxRecord, after: BoxRecord) -> bool:
    a, b = before.box, after.box
    shift = max(abs(a.x0 - b.x0), abs(a.y0 - b.y0), abs(a.x1 - b.x1), abs(a.y1 - b.y1))
    return shift > _NOT_CLAMPED


def _has_area(record: BoxRecord) -> bool:
    return min(record.box.width, record.box.height) >= _SMALLEST_SIDE


def _check_names(images: Sequence[ImageBoxes]) -> None:
    for image in images:
        checked_name(image.name, Path("The project"))
    name, count = next(iter(Counter(image.name for image in images).most_common(1)), ("", 0))
    if count > 1:
        raise FormatError(f"{count} images are named “{_short(name)}”; a reader could not tell them apart.")


def _case_notes(images: Sequence[ImageBoxes]) -> list[str]:
    same = sum(count - 1 for count in Counter(image.name.casefold() for image in images).values())
    what = "differs from another only in capitals: Windows and macOS take the two for one"
    return _counted(same, "file name", "file names", what)


def _counted(count: int, one: str, many: str, what: str) -> list[str]:
    if not count:
        return []
    return [f"{count:,} {one if count == 1 else many} {what}."]
