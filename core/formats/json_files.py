"""JSON files of any size, read so that other threads come to their turn meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.base.errors import FormatError
from core.base.language import tr


def read(path: Path) -> Any:
    """What the JSON file at ``path`` holds.

    Raises
    ------
    FormatError
        It cannot be read, or is no JSON.
    """
    try:
        return json.loads(path.read_bytes(), object_hook=_as_it_is)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FormatError(
            tr("{name} cannot be read: {reason}.").format(name=path.name, reason=reason)
        ) from error
    except (ValueError, RecursionError) as error:
        detail = str(error).splitlines()[0][:100]
        raise FormatError(
            tr("{name} is not valid JSON: {detail}.").format(name=path.name, detail=detail)
        ) from error


def _as_it_is(entry: dict[str, Any]) -> dict[str, Any]:
    """Called for every object: only in a function of Python's does a thread let others run.

    Without it the window stands still while the annotations of 100,000 images are read.
    """
    return entry
