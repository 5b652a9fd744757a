"""Where the program keeps its own files, and its settings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import platformdirs
from PySide6.QtCore import QSettings

from core.base.preferences import APP, settings_file
from core.project.file import SUFFIX

__all__ = ["APP", "settings_file"]

MAX_RECENT = 8
# A file name must fit into 255 bytes with the hash and the suffix of the data folder.
_MAX_NAME_BYTES = 120


def data_folder() -> Path:
    """The folder of projects and the sample; made when asked for."""
    folder = platformdirs.user_data_path(APP, appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def log_file() -> Path:
    folder = platformdirs.user_log_path(APP, appauthor=False)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "boxscout.log"


def guide_file(language: str = "en") -> Path:
    """The user guide in ``language``, else in English; it lies in the checkout that the program runs from."""
    folder = Path(__file__).parent.parent / "docs"
    own = folder / f"guide.{language}.md"
    return own if own.is_file() else folder / "guide.md"


def default_project(paths: Sequence[Path]) -> Path:
    """The project of these folders or files: the same paths always give the same project."""
    resolved = sorted({path.expanduser().resolve() for path in paths})
    # surrogateescape: names that are not UTF-8 have a project as well.
    text = "\n".join(str(path) for path in resolved).encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(text).hexdigest()[:10]
    first = resolved[0]
    name = first.name if first.is_dir() else first.parent.name
    folder = data_folder() / "projects"
    folder.mkdir(exist_ok=True)
    return folder / f"{_plain(name)}-{digest}{SUFFIX}"


def title(project: Path) -> str:
    """What a project is called on the screen: without the digits that only keep our own files apart."""
    if project.parent == data_folder() / "projects":
        return re.sub(r"-[0-9a-f]{10}$", "", project.stem)
    return project.stem


def _plain(name: str) -> str:
    cleaned = re.sub(r"[^\w .()+-]", "_", name).strip(" .") or "images"
    return cleaned.encode("utf-8", "replace")[:_MAX_NAME_BYTES].decode("utf-8", "ignore")


def settings() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, APP, APP)


def recent_projects() -> list[Path]:
    """Projects opened lately that still exist, the newest first."""
    stored = settings().value("recent", [])
    listed = stored if isinstance(stored, list) else [stored]
    return [Path(text) for text in listed if isinstance(text, str) and Path(text).is_file()]


def remember_project(path: Path) -> None:
    kept = [path, *(other for other in recent_projects() if other != path)][:MAX_RECENT]
    settings().setValue("recent", [str(each) for each in kept])


def forget_project(path: Path) -> None:
    settings().setValue("recent", [str(each) for each in recent_projects() if each != path])


def forget_recent() -> None:
    settings().remove("recent")
