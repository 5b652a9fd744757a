"""The formats that boxes leave and come back in: one file each, one registry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.formats import (
    camtrap,
    class_folders,
    coco,
    coco_results,
    createml,
    crops,
    csv,
    cvat,
    drawn,
    fiftyone,
    imagefolder,
    label_studio,
    labelme,
    megadetector,
    open_images,
    tiny_imagenet,
    via,
    via3,
    voc,
    yolo,
)
from core.formats.common import ExportSummary, Format, WriteOptions
from core.formats.export import export, split_paths
from core.formats.selection import Selection, Which

__all__ = [
    "FORMATS",
    "WRITTEN",
    "ExportSummary",
    "Format",
    "Selection",
    "Which",
    "WriteOptions",
    "export",
    "split_paths",
]

_ALL = (
    *(open_images, via, via3, csv, coco, coco_results, yolo, voc, megadetector, labelme),
    *(imagefolder, fiftyone, drawn, crops, class_folders, camtrap),
    *(cvat, label_studio, createml, tiny_imagenet),
)
#: Every format by its name; where several would know a file, the first one does.
FORMATS: Mapping[str, Format] = MappingProxyType({one.FORMAT.name: one.FORMAT for one in _ALL})
#: Those that are written.
WRITTEN: Mapping[str, Format] = MappingProxyType({n: f for n, f in FORMATS.items() if f.write is not None})
