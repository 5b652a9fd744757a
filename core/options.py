"""The options that several commands have, and how a result is shown."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from core.console import say
from core.datasets.tiny_imagenet import SETS, SPLITS


def one_of(values: Iterable[str], help: str, *names: str) -> Any:
    """An option whose value is one of ``values``."""
    allowed = tuple(values)

    def check(value: str | None) -> str | None:
        if value is not None and value not in allowed:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}.")
        return value

    return typer.Option(*names, callback=check, metavar="|".join(allowed), help=help)
