"""Names of images as box files give them."""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import FormatError


def checked_name(name: object, source: Path) -> str:
    """``name``, unchanged, where it stays inside its folder.

    A backslash and a colon are ordinary characters of a name except on Windows.

    Raises
    ------
    FormatError
        It is no text, or it is absolute or climbs out by ``..`` on this system.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise FormatError(f"{source.name} names an image by {str(name)[:80]!r}, which is no file name.")
    flat = name.replace("\\", "/") if os.name == "nt" else name
    has_drive = os.name == "nt" and flat[1:2] == ":"
    if flat.startswith("/") or has_drive or ".." in flat.split("/"):
        raise FormatError(f"{source.name} names an image outside its own folder: {name[:80]!r}.")
    return name
