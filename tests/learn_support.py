"""What tests of learning by command share: a quick project of drawn photos, and copies of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from core.cli.app import main

FAST = ("--image-size", "224", "--threads", "1", "--device", "cpu", "--sample", "12")


def find_boxes(photos: Path, project: Path) -> None:
    """Learn from the folder ``photos`` and find its boxes, into a new ``project``."""
    assert main(["train", str(photos), "--project", str(project), *FAST]) == 0
    assert main(["localize", str(photos), "--project", str(project)]) == 0


def copy_of(learned: Path, place: Path) -> Path:
    """``place`` with a copy of ``learned``'s project, and its photos by a link: they are the same files."""
    shutil.copytree(learned / "a.boxscout-data", place / "a.boxscout-data")
    shutil.copy(learned / "a.boxscout", place / "a.boxscout")
    (place / "photos").symlink_to(learned / "photos")
    return place
