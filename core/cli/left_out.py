"""What commands say of files that they could not use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.base.language import printable
from core.images.film import holds_images_of, is_film
from core.images.scan import RejectedFile
from core.project.file import absolute
from core.project.store import Project

_SHOWN = 5  # files, each with its reason


def not_used(project: Project, paths: Sequence[Path], failed: Iterable[RejectedFile]) -> list[RejectedFile]:
    """The images that ``failed``, and what lies below ``paths`` and is no image that is read: HEIC, say.

    A film whose images are among ``paths`` is used.
    """
    tops = [absolute(path) for path in paths]
    images = {record.path for record in project.images()}
    others = [
        file
        for file in project.rejected()
        if file.path not in images and os.path.lexists(file.path) and any(map(file.path.is_relative_to, tops))
    ]
    return [*failed, *(file for file in others if not _is_taken(file.path, tops))]


def _is_taken(path: Path, folders: Sequence[Path]) -> bool:
    return is_film(path) and any(holds_images_of(folder, path) for folder in folders)


def sentence(files: Sequence[RejectedFile]) -> str:
    """How many there are, after what was said before; empty where there is none."""
    return f" Files that could not be used: {len(files):,}." if files else ""


def lines(files: Sequence[RejectedFile]) -> str:
    """The first of them with their reasons, each on a line of its own, after what was said before."""
    shown = [f"Left out “{printable(str(file.path))}”: {file.reason}" for file in files[:_SHOWN]]
    more = len(files) - len(shown)
    rest = [f"Left out besides: {more:,}; --json lists them all."] if more else []
    return "".join(f"\n{line}" for line in [*shown, *rest])


def in_json(files: Sequence[RejectedFile]) -> list[dict[str, str]]:
    return [{"file": str(file.path), "reason": file.reason} for file in files]


def told(result: Mapping[str, Any], files: Sequence[RejectedFile]) -> dict[str, Any]:
    """The ``result`` of a command, whose text and JSON name these files too."""
    text = result["text"] + sentence(files) + lines(files)
    return {**result, "text": text, "failed": in_json(files)}
