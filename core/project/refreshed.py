"""Images whose files have changed since the project last looked: edited, or replaced by other photos."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.base.language import tr
from core.images.scan import ImageFile

if TYPE_CHECKING:
    from core.project.store import ImageRecord, Project


def other_file(record: ImageRecord) -> ImageFile | None:
    """The file of an image as it is now, where its bytes or its time are others; None where it is gone."""
    try:
        stat = record.path.stat()
    except (OSError, ValueError):
        return None
    now = ImageFile(record.root, record.name, stat.st_size, stat.st_mtime_ns)
    return None if (now.size_bytes, now.mtime_ns) == (record.size_bytes, record.mtime_ns) else now


def take_in(project: Project, files: Iterable[ImageFile]) -> None:
    """Forget heat maps and sizes of images that these files are now; boxes and reviews stay."""
    project.add_images(files)


def look_again(project: Project, records: Iterable[ImageRecord]) -> int:
    """:func:`take_in` of all ``records`` whose files are others now; how many."""
    found = [file for record in records if (file := other_file(record)) is not None]
    if found:
        take_in(project, found)
    return len(found)


def sentence(record: ImageRecord, *, reviewed: bool) -> str:
    """What a person is told of an image in view whose file is another now."""
    text = tr("The file of “{name}” has changed; its box was found in the former one. Find objects again.")
    if reviewed:
        text = tr("The file of “{name}” has changed since you reviewed it. Are its boxes still right?")
    return text.format(name=record.name)
