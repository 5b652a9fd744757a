"""True boxes that lie beside the images of a folder, as public data sets have them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.base.errors import BoxscoutError
from core.formats.yolo_reading import is_yolo
from core.project.exchange import ImportPlan, plan_import
from core.project.store import Project
from core.project.truth import true_boxes

# Boxes that this program found itself are no truth.
_OURS = (
    *(b"Boxes found by Boxscout", b"<database>Boxscout<", b"# Made by Boxscout"),
    *(b'"boxscout":', b'"detector": "boxscout '),
)
_IMAGE_FOLDERS = ("images", "jpegimages")
_ANNOTATIONS = ("Annotations", "annotations")
# Files that hold true boxes, or say where they are.
_KINDS = ("xml", "json", "yaml", "txt")
_LOOKED_AT, _MOST_BYTES = 3, 1 << 20


@dataclass(frozen=True, slots=True)
class FoundTruth:
    """What lies beside the images of ``folder``; nothing has come in yet."""

    folder: Path
    plan: ImportPlan

    @property
    def boxes(self) -> int:
        """How many boxes would come in."""
        return self.plan.count(replace_held=True)[1]


def truth_beside(project: Project, folders: Sequence[Path]) -> FoundTruth | None:
    """The first true boxes in, or right beside, ``folders`` for images of ``project`` that have none yet.

    What cannot be understood is passed over: nobody asked for it. So is what this program wrote itself.
    """
    known = true_boxes(project).keys()
    for folder in folders:
        for place in _places(folder):
            files = _first_files(place)
            if not (files or is_yolo(place)) or _made_here(files):
                continue  # labels of YOLO's may lie beside the images' own folder
            try:
                plan = plan_import(project, place)
            except (BoxscoutError, OSError):
                continue
            if plan.boxes.keys() - known:
                return FoundTruth(folder, plan)
    return None


def _places(folder: Path) -> Iterator[Path]:
    above = [folder.parent] if folder.name.lower() in _IMAGE_FOLDERS else []
    beside = [top / name for top in (folder, *above) for name in _ANNOTATIONS]
    return (place for place in (folder, *beside) if place.is_dir())


def _first_files(place: Path) -> list[Path]:
    """Some files of each kind, from one walk: most folders of photos have none, and need no second look."""
    found: dict[str, list[Path]] = {kind: [] for kind in _KINDS}
    for folder, _, names in os.walk(place):
        for name in names:
            same = found.get(name.rpartition(".")[2])
            if same is not None and len(same) < _LOOKED_AT:
                same.append(Path(folder, name))
    return [file for same in found.values() for file in same]


def _made_here(files: Sequence[Path]) -> bool:
    try:
        return any(mark in _beginning(file) for file in files for mark in _OURS)
    except OSError:
        return False


def _beginning(file: Path) -> bytes:
    if not file.is_file():
        return b""
    with file.open("rb") as opened:
        return opened.read(_MOST_BYTES)
