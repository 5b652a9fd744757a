"""Images that were sorted into folders by class: the folder's name is the class of their boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.base.annotations import BoxRecord, in_class
from core.learn.labels import class_names
from core.project.rows import ImageRecord


def folder_classes(records: Sequence[ImageRecord]) -> dict[int, str]:
    """The class that each image's folder names, by image id, as a training with class labels finds it.

    An image in no class's folder is left out.
    """
    roots = list(dict.fromkeys(record.root for record in records))
    names = class_names([record.path for record in records], roots)
    return {record.id: name for record, name in zip(records, names, strict=True) if name}


def by_folder(
    boxes: Mapping[int, tuple[BoxRecord, ...]], classes: Mapping[int, str]
) -> dict[int, tuple[BoxRecord, ...]]:
    """The boxes of images by id, those without a class of their own in that of their image's folder."""
    return {i: in_class(own, classes[i]) if i in classes else own for i, own in boxes.items()}
