"""Images whose files have changed since the project last looked: edited, or replaced by other photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.base.errors import ImageError
from core.base.language import tr
from core.images.decoding import image_size

if TYPE_CHECKING:
    from core.project.store import ImageRecord, Project


def as_it_is(record: ImageRecord) -> ImageRecord:
    """``record`` with bytes, time and size of its file now; itself where that is the same or unreadable."""
    try:
        stat = record.path.stat()
        if (stat.st_size, stat.st_mtime_ns) == (record.size_bytes, record.mtime_ns):
            return record
        width, height = image_size(record.path)
    except (ImageError, OSError, ValueError):
        return record
    now = replace(record, size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)
    return replace(now, width=width, height=height)


def take_in(project: Project, changed: Sequence[ImageRecord]) -> None:
    """Forget heat maps of images whose files are others now; boxes and reviews stay."""
    with project.transaction():
        project.add_images([record.file for record in changed])
        project.set_sizes({record.id: (record.width, record.height) for record in changed})


def look_again(project: Project, records: Iterable[ImageRecord]) -> int:
    """:func:`take_in` of those of ``records`` whose files are others now; how many."""
    pairs = ((record, as_it_is(record)) for record in records)
    changed = [now for record, now in pairs if now != record]
    if changed:
        take_in(project, changed)
    return len(changed)


def sentence(record: ImageRecord, *, reviewed: bool) -> str:
    """What a person is told of an image in view whose file is another now."""
    text = tr("The file of “{name}” has changed; its box was found in the former one. Find objects again.")
    if reviewed:
        text = tr("The file of “{name}” has changed since you reviewed it. Are its boxes still right?")
    return text.format(name=record.name)
