"""JSON of any origin: what cannot be understood is a ValueError, however it is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Hook = Callable[[dict[str, Any]], Any]


def parse_json(data: str | bytes, *, object_hook: Hook | None = None) -> Any:
    """What the JSON in ``data`` holds; ``object_hook`` is that of :func:`json.loads`.

    Numbers may be infinite or not a number, and of any size.

    Raises
    ------
    ValueError
        It is not JSON, not text in UTF-8, -16 or -32, or nested more deeply than Python's stack.
    """
    try:
        return json.loads(data, object_hook=object_hook)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
