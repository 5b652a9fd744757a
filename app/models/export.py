"""What a person asks of an export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What the person chose: a name in ``FORMATS``, which images, where to."""

    format: str
    path: Path
    accepted_only: bool = False
