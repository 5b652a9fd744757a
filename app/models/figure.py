"""What a person asks of a figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FigureKind = Literal["boxes", "samples", "diversity", "accuracy"]


@dataclass(frozen=True, slots=True)
class FigureRequest:
    """What to draw, of which images (by id, for ``boxes``), and where to."""

    kind: FigureKind
    path: Path
    images: tuple[int, ...] = ()
