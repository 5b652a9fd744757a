"""What lies in a file, and one sentence where it cannot be read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from core.base.atomic import os_reason
from core.base.errors import FormatError
from core.base.language import tr


def read_bytes(path: Path) -> bytes:
    """All of ``path``.

    Raises
    ------
    FormatError
        It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        reason = tr("it does not exist") if isinstance(error, FileNotFoundError) else os_reason(error)
        raise wrong(tr("{name} cannot be read: {reason}."), path, reason=reason) from error


def read_text(path: Path) -> str:
    """The text in ``path``, in UTF-8 with or without a mark at its start; FormatError where it is none."""
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise wrong(tr("{name} is not text in UTF-8; save it as UTF-8 and try again."), path) from error


def read_json(path: Path) -> Any:
    """What the JSON file at ``path`` holds; FormatError where it is none."""
    try:
        return json.loads(read_bytes(path), object_hook=_as_it_is)
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0][:100]
        raise wrong(tr("{name} is not valid JSON: {detail}."), path, detail=detail) from error


def wrong(text: str, path: Path, **fields: object) -> FormatError:
    """The error that says ``text`` of the file at ``path``, which goes in for ``{name}``."""
    return FormatError(text.format(name=path.name or path, **fields))


def finite(value: Any) -> float | None:
    """A finite number of JSON's, else None: Python's reader takes NaN, and true is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def size_of(value: Any) -> int:
    """A width or height in whole pixels; 0 where ``value`` is none."""
    return max(0, round(finite(value) or 0))


def _as_it_is(entry: dict[str, Any]) -> dict[str, Any]:
    """Called for every object: only in a function of Python's does a thread let others run.

    Without it the window stands still while the annotations of 100,000 images are read.
    """
    return entry
