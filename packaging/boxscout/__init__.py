"""Boxscout finds the object in every photo of a folder, without a single label of yours.

    >>> import boxscout
    >>> found = boxscout.find_objects("photos")
    >>> found.export("coco", "boxes.json")

The functions are those of ``core/api.py`` in the repository. They are loaded when they are first asked for:
``boxscout --version`` waits for no library.
"""

from __future__ import annotations

from typing import Any

from core import __version__

__all__ = ["Found", "FoundBox", "__version__", "draw_sample", "find_objects", "learn_from"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from core import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
