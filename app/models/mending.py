"""Where the project no longer fits the files that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.project.places import LostFolder


@dataclass(frozen=True, slots=True)
class Mending:
    """Folders that are gone and not left at that; by image id, the size that boxes were made for where it is
    another now."""

    lost: tuple[LostFolder, ...] = ()
    former_sizes: Mapping[int, tuple[int, int]] = field(default_factory=dict)
