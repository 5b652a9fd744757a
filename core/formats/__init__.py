"""The formats that boxes leave and come back in: one file each, one registry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.formats import coco, csv
from core.formats.common import ExportSummary, Format

__all__ = ["FORMATS", "ExportSummary", "Format"]

FORMATS: Mapping[str, Format] = MappingProxyType({one.name: one for one in (csv.FORMAT, coco.FORMAT)})
