"""What a person asks of an export and of an import."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.base.annotations import ImageBoxes, Status
from core.formats import Selection, WriteOptions
from core.formats.notes import Outdated
from core.project.exchange import ImportPlan


@dataclass(frozen=True, slots=True)
class Listed:
    """What there is to export: every image with its boxes, which of them are outdated, and whether folders
    name classes."""

    images: list[ImageBoxes]
    outdated: Outdated
    in_class_folders: bool = False


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What the person chose: a name in ``WRITTEN``, where to, which images and boxes, the format's own, and
    whether boxes without a class of their own get that of their image's folder."""

    format: str
    path: Path
    selection: Selection = field(default_factory=Selection)
    options: WriteOptions = field(default_factory=WriteOptions)
    folder_classes: bool = False


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What the person chose of a plan: what the images become, and whether edited boxes go.

    With ``as_truth`` the boxes are true ones to measure by, and nothing else counts.
    """

    plan: ImportPlan
    status: Status = Status.UNSEEN
    replace_held: bool = False
    as_truth: bool = False
