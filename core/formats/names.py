"""Names of images as box files give them."""

from __future__ import annotations

import os
from pathlib import Path

from core.base.errors import FormatError
from core.base.language import tr


def checked_name(name: object, source: Path) -> str:
    """``name``, unchanged, where it stays inside its folder.

    A backslash and a colon are ordinary characters of a name except on Windows.

    Raises
    ------
    FormatError
        It is no text, or it is absolute or climbs out by ``..`` on this system.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise FormatError(
            tr("{name} names an image by {given!r}, which is no file name.").format(
                name=source.name, given=str(name)[:80]
            )
        )
    flat = name.replace("\\", "/") if os.name == "nt" else name
    has_drive = os.name == "nt" and flat[1:2] == ":"
    if flat.startswith("/") or has_drive or ".." in flat.split("/"):
        raise FormatError(
            tr("{name} names an image outside its own folder: {other!r}.").format(
                name=source.name, other=name[:80]
            )
        )
    return name
