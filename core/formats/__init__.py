"""The formats that boxes leave and come back in: one file each, one registry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.formats import coco, coco_results, crops, csv, drawn, labelme, megadetector, voc, yolo
from core.formats.common import ExportSummary, Format, WriteOptions
from core.formats.export import export, split_paths
from core.formats.selection import Selection, Which

__all__ = [
    "FORMATS",
    "ExportSummary",
    "Format",
    "Selection",
    "Which",
    "WriteOptions",
    "export",
    "split_paths",
]

_ALL = (csv, coco, coco_results, yolo, voc, megadetector, labelme, drawn, crops)
FORMATS: Mapping[str, Format] = MappingProxyType({one.FORMAT.name: one.FORMAT for one in _ALL})
