"""Names of images as box files give them."""

from __future__ import annotations

import os
from pathlib import Path

from core.base.errors import FormatError
from core.base.language import tr


def as_on_this_system(name: str) -> str:
    """``name`` with forward slashes. A backslash is an ordinary character of a name except on Windows."""
    return name.replace("\\", "/") if os.name == "nt" else name


def leaves(flat: str) -> bool:
    """Whether a name :func:`as_on_this_system` is absolute, or climbs out by ``..``."""
    return flat.startswith("/") or ".." in flat.split("/") or (os.name == "nt" and flat[1:2] == ":")


def checked_name(name: object, source: Path) -> str:
    """``name``, unchanged, where it stays inside its folder.

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
    if leaves(as_on_this_system(name)):
        raise FormatError(
            tr("{name} names an image outside its own folder: {other!r}.").format(
                name=source.name, other=name[:80]
            )
        )
    return name
