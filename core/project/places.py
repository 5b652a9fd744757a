"""Folders of a project that are no longer there, and where their images lie now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.base.errors import Cancelled, ImageError, ProjectError
from core.base.language import tr, trn
from core.images.decoding import image_size
from core.images.scan import ImageFile
from core.project.file import absolute, from_db, to_db
from core.project.results import note_moved

if TYPE_CHECKING:
    from core.project.store import ImageRecord, Project

Size = tuple[int, int]
# Beside the project: how many folders up, and how many of its images are asked for there.
_ENDS, _ASKED_FOR = 4, 5


@dataclass(frozen=True, slots=True)
class LostFolder:
    """A folder of the project that is not there, or is empty, with how many images it had.

    ``beside`` is where they seem to lie now, beside the project that was moved with them; None for nowhere.
    """

    root: Path
    images: int
    is_empty: bool = False
    beside: Path | None = None

    def sentence(self) -> str:
        """What a person is told."""
        if self.beside is not None:
            moved = tr("The folder “{folder}” is no longer there. Its images seem to be in “{place}” now.")
            return moved.format(folder=self.root, place=self.beside)
        kept = trn("its {count} image keeps its boxes.", "its {count} images keep their boxes.", self.images)
        gone = tr("The folder “{folder}” is no longer there; {kept}")
        empty = tr("The folder “{folder}” is empty now; {kept}")
        return (empty if self.is_empty else gone).format(folder=self.root, kept=kept)


@dataclass(frozen=True, slots=True)
class Move:
    """What of a lost folder was found at ``new``: images by id, and those that have another size there.

    ``missing`` are not there; they stay in the project, with their boxes.
    """

    old: Path
    new: Path
    files: dict[int, ImageFile]
    sizes: dict[int, Size]
    missing: tuple[int, ...]

    def sentence(self) -> str:
        """What a person is told."""
        count = len(self.files) + len(self.sizes)
        found = trn("{count} image found", "{count} images found", count)
        parts = [tr("{found} in “{folder}”.").format(found=found, folder=self.new)]
        if self.missing:
            text = trn(
                "{count} is missing. It stays in the project with its boxes.",
                "{count} are missing. They stay in the project with their boxes.",
                len(self.missing),
            )
            parts.append(text)
        if self.sizes:
            text = trn(
                "{count} has another size there; look at its boxes.",
                "{count} have other sizes there; look at their boxes.",
                len(self.sizes),
            )
            parts.append(text)
        return " ".join(parts)


def lost_folders(project: Project) -> tuple[LostFolder, ...]:
    """Every folder of the project that holds images and is not there, in the order added.

    An empty one counts too: such is the place of a disk while that is away.
    """
    rows = project.select(
        """SELECT roots.path, count(*) FROM roots JOIN image ON image.root_id = roots.id
           GROUP BY roots.id ORDER BY roots.id"""
    )
    lost = []
    for path, count in rows:
        is_there = _is_there(path)
        if not is_there or _is_empty(path):
            root = Path(from_db(path))
            lost.append(LostFolder(root, count, is_empty=is_there, beside=_beside(project, root)))
    return tuple(lost)


def _beside(project: Project, root: Path) -> Path | None:
    """Where images of the lost ``root`` lie beside the project: an end of that path, or the very folder."""
    rows = project.select(
        """SELECT name FROM image WHERE root_id = (SELECT id FROM roots WHERE path = ?)
           ORDER BY id LIMIT ?""",
        to_db(str(root)),
        _ASKED_FOR,
    )
    names = [from_db(name) for (name,) in rows]
    home = project.path.parent
    places = [home.joinpath(*root.parts[-n:]) for n in range(1, min(_ENDS, len(root.parts)))]
    for place in (*reversed(places), home):
        if place != root and any(_is_there(str(place / name)) for name in names):
            return place
    return None


def find_moved(
    project: Project,
    old: Path,
    new: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Move:
    """Look for the images of the folder ``old`` by their relative names in ``new``; nothing is changed.

    A folder of the old one's name inside ``new`` does as well. A file whose bytes and time are not those on
    record is the same image where it has the same size in pixels.

    Raises
    ------
    ProjectError
        ``old`` is not in the project, ``new`` is no folder, or none of the images is there.
    """
    old, new = absolute(old), absolute(new)
    records = [record for record in project.images() if record.root == old]
    if not records:
        raise ProjectError(tr("The folder “{folder}” is not in the project.").format(folder=old))
    if not new.is_dir():
        raise ProjectError(tr("There is no folder “{folder}”.").format(folder=new))
    place = max((new, new / old.name), key=lambda folder: _hits(folder, records))
    files: dict[int, ImageFile] = {}
    sizes: dict[int, Size] = {}
    missing = []
    for done, record in enumerate(records, 1):
        if cancelled is not None and cancelled():
            raise Cancelled(tr("Stopped; nothing was changed."))
        found = _found(record, place)
        if found is None:
            missing.append(record.id)
        elif isinstance(found, ImageFile):
            files[record.id] = found
        else:
            sizes[record.id] = found
        if on_progress is not None:
            on_progress(done, len(records))
    if not files and not sizes:
        text = tr("None of the images of “{old}” is in “{new}”; choose the folder that holds them now.")
        raise ProjectError(text.format(old=old.name, new=new))
    return Move(old, place, files, sizes, tuple(missing))


def apply_move(project: Project, move: Move) -> None:
    """Let the images of ``move.old`` be those in ``move.new``; boxes, statuses, heat maps and ids stay."""
    project.relocate(move.old, move.new, move.files)
    note_moved(project, move.files)
    project.set_sizes(move.sizes)


def _hits(folder: Path, records: Sequence[ImageRecord]) -> int:
    # As many as tell two places apart: each look may cost a round trip over a network.
    return sum(_is_there(str(folder / record.name)) for record in records[:: max(1, len(records) // 200)])


def _found(record: ImageRecord, folder: Path) -> ImageFile | Size | None:
    """The same image in ``folder``, or the other size that it has there; None where it is not there."""
    path = folder / record.name
    try:
        stat = path.stat()
        file = ImageFile(folder, record.name, stat.st_size, stat.st_mtime_ns)
        if record.width and (stat.st_size, stat.st_mtime_ns) != (record.size_bytes, record.mtime_ns):
            size = image_size(path)
            if size != (record.width, record.height):
                return size
    except (ImageError, OSError, ValueError):
        return None
    return file


def _is_empty(path: str | bytes) -> bool:
    try:
        return not any(Path(from_db(path)).iterdir())
    except (OSError, ValueError):
        return False  # no folder, or one that nobody may look into


def _is_there(path: str | bytes) -> bool:
    try:
        return Path(from_db(path)).exists()
    except (OSError, ValueError):
        return False
