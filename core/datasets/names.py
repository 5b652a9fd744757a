"""Names of images as box files give them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from core.errors import FormatError


def checked_name(name: object, source: Path) -> str:
    """``name`` where it stays inside its folder, with forward slashes and without ``./``.

    Raises
    ------
    FormatError
        It is not a text, or it is absolute or climbs out by ``..`` (on any system: a file made
        elsewhere may be read here).
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise FormatError(f"{source.name} names an image by {name!r}, which is no file name.")
    windows = PureWindowsPath(name)
    if name.startswith(("/", "\\")) or windows.drive or ".." in windows.parts:
        raise FormatError(f"{source.name} names an image outside its own folder: {name!r}.")
    if "/" not in name and "\\" in name:
        return windows.as_posix()  # written on Windows
    return PurePosixPath(name).as_posix()
