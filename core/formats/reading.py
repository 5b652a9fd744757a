"""Readers of public layouts, and the program's own sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from core.base.annotations import ImageBoxes
from core.base.errors import FormatError
from core.base.language import mark, short, tr
from core.formats import coco, labelme, tiny_imagenet, voc, yolo
from core.formats.files import read_json

_LARGEST = 1e9  # pixels: a box beyond belongs to no picture, and its area may be no number
_WANTED = mark("a COCO or CSV file, a VOC, labelme, YOLO or Tiny ImageNet folder")


def read_truth(path: Path, *, places: Mapping[str, str] | None = None) -> list[ImageBoxes]:
    """The boxes at ``path``, whichever layout it has.

    With ``places``, the names of images that are known by where they lie (as
    :func:`core.formats.labelme.place_of` has it), images go by the names they had before any layout.

    Known are COCO (``.json``), our own CSV (``.csv``), a Pascal VOC file or folder, a YOLO folder or its
    ``data.yaml``, a labelme file or folder, a Tiny ImageNet folder, and a folder whose only JSON file is
    COCO, such as the sample's.

    Raises
    ------
    FormatError
        ``path`` is none of these, is damaged, or has a box or a size that no picture has.
    """
    images = _read(Path(path), places)
    for image in images:
        sides = (side for one in image.boxes for side in (one.box.x0, one.box.y0, one.box.x1, one.box.y1))
        if not all(abs(side) <= _LARGEST for side in (image.width, image.height, *sides)):
            raise FormatError(
                tr("“{image}” has a size or a box in {name} that no picture has.").format(
                    image=short(image.name), name=path.name
                )
            )
    return images


def _read(path: Path, places: Mapping[str, str] | None) -> list[ImageBoxes]:
    if path.is_dir():
        return _read_folder(path, places)
    if not path.exists():
        raise FormatError(tr("{path} does not exist; give {wanted}.").format(path=path, wanted=tr(_WANTED)))
    suffix = path.suffix.lower()
    if suffix == ".json":
        content = read_json(path)  # once: it may be large
        if labelme.holds_labelme(content):
            return labelme.read(path, places=places)
        return coco.images_in(content, path)
    if suffix == ".xml":
        return voc.read(path)
    if suffix in yolo.CONFIG_SUFFIXES:
        return yolo.read(path, layout=places is None)
    if suffix == ".csv":
        from core.formats import (
            csv,  # formats.coco reads by core.formats.coco_reading: a circle if at the top
        )

        return csv.read(path)
    raise FormatError(
        tr("{name} is no box file that this program reads; give {wanted}.").format(
            name=path.name, wanted=tr(_WANTED)
        )
    )


def _read_folder(path: Path, places: Mapping[str, str] | None) -> list[ImageBoxes]:
    if tiny_imagenet.is_tiny_imagenet(path):
        return tiny_imagenet.read(path)
    if any(path.rglob("*.xml")):
        return voc.read(path)
    if yolo.is_yolo(path):
        return yolo.read(path, layout=places is None)
    if labelme.is_labelme(path):
        return labelme.read(path, places=places)
    files = sorted(path.glob("*.json"))
    if len(files) == 1:
        return coco.read(files[0])
    raise FormatError(
        tr("{name} holds no true boxes that this program reads; give {wanted}.").format(
            name=path.name or path, wanted=tr(_WANTED)
        )
    )
