"""What a person asks of an export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.formats import Selection


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What the person chose: a name in ``FORMATS``, where to, and which images and boxes."""

    format: str
    path: Path
    selection: Selection
