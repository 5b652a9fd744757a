"""YOLO: a text file of boxes per image, in a folder ``labels`` beside ``images``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Status
from core.base.errors import FormatError, ImageError
from core.base.geometry import Box
from core.base.language import tr
from core.formats.names import checked_name
from core.images.decoding import image_size
from core.images.scan import ImageFile, iter_scan

# Written by our export where an image's file had to get another name; other tools pass it over.
ORIGINAL_NAMES = "original-names.json"
CONFIG_SUFFIXES = {".yaml", ".yml"}

_LAYOUT = re.compile(r"^(?:(?:train|val|valid|test)/)?images/(?:(?:train|val|valid|test)/)?")
_BOX, _BOX_AND_SCORE = 5, 6
_LEAST_POLYGON = 7  # a class and three corners


def is_yolo(path: Path) -> bool:
    """Whether a folder is laid out as YOLO: folders ``images`` and ``labels``, at the top or one below."""
    tops = [path, *(images.parent for images in path.glob("*/images"))]
    return any(_holds_both(top) for top in tops) or _is_half(path)


def read_truth(path: Path, *, layout: bool = True) -> list[ImageBoxes]:
    """The boxes of all images of a YOLO data set, in natural order.

    Parameters
    ----------
    path
        The folder that holds ``images`` and ``labels`` (as they are, or within ``train``, ``valid``…), its
        ``data.yaml``, or one of these two folders itself. What is no image within ``images`` is passed over.
    layout
        Whether images are named with the folders of the layout. Without, ``images/train/sub/a.jpg`` is
        ``sub/a.jpg`` as before it, unless two would then have one name. What :data:`ORIGINAL_NAMES` says of
        an image counts before that.

    Returns
    -------
    list of ImageBoxes
        Named as they lie below the folder that holds both, such as ``images/val/a.jpg``. The boxes in
        the text are shares of the image; the size is read from the image's header. Labels are the names of
        ``data.yaml`` or ``classes.txt`` where there are some, else the class number. A row of five columns
        is a box, one of six a box and its score, a longer one a polygon, of which the box around it is
        taken. Boxes are clamped to the image; empty ones are left out. An image without a text file
        or rows has no boxes; one that cannot be opened is FAILED, with the reason.

    Raises
    ------
    FormatError
        There is no image with boxes, or a row is damaged.
    """
    path = Path(path)
    root = path.parent if path.suffix.lower() in CONFIG_SUFFIXES or _is_half(path) else path
    names = _class_names(path if path.is_file() else root)
    found, labelled = [], 0
    for image in iter_scan([root]):
        if isinstance(image, ImageFile) and "images" in image.name.split("/")[:-1]:
            label_file = _label_file(image)
            labelled += label_file is not None
            found.append(_image_boxes(image, label_file, names))
    if not labelled:
        raise FormatError(
            tr(
                "{name} has no YOLO labels: none of its images has a text file in a folder "
                "“labels” beside “images”."
            ).format(name=root.name or root)
        )
    return _renamed(found, _original_names(root), layout=layout)


def _renamed(images: Sequence[ImageBoxes], originals: Mapping[str, str], *, layout: bool) -> list[ImageBoxes]:
    plain = [image.name if layout else _LAYOUT.sub("", image.name) for image in images]
    names = [originals.get(image.name, name) for image, name in zip(images, plain, strict=True)]
    if len(set(names)) < len(names):
        return list(images)
    return [replace(image, name=name) for image, name in zip(images, names, strict=True)]


def _original_names(root: Path) -> dict[str, str]:
    """What images were called before an export of ours, by their names in it; empty where it says nothing."""
    file = root / ORIGINAL_NAMES
    if not file.is_file():
        return {}
    try:
        content: Any = json.loads(_text(file))
    except (ValueError, RecursionError) as error:
        raise FormatError(tr("{name} is not valid JSON.").format(name=file.name)) from error
    if not isinstance(content, dict):
        raise FormatError(tr("{name} holds no names of images.").format(name=file.name))
    return {place: checked_name(name, file) for place, name in content.items()}


def _holds_both(path: Path) -> bool:
    return (path / "images").is_dir() and (path / "labels").is_dir()


def _is_half(path: Path) -> bool:
    return path.name in ("images", "labels") and path.is_dir() and _holds_both(path.parent)


def _label_file(image: ImageFile) -> Path | None:
    """The last folder ``images`` of the name replaced by ``labels``, as YOLO's own tools find it."""
    *folders, name = image.name.split("/")
    last = len(folders) - 1 - folders[::-1].index("images")
    folders[last] = "labels"
    file = image.root.joinpath(*folders, name).with_suffix(".txt")
    return file if file.is_file() else None


def _image_boxes(image: ImageFile, label_file: Path | None, names: Mapping[int, str]) -> ImageBoxes:
    rows = list(_rows(label_file)) if label_file is not None else []
    try:
        width, height = image_size(image.path)
    except ImageError as error:
        return ImageBoxes(image.name, 0, 0, status=Status.FAILED, reason=str(error))
    boxes = []
    for number, shares, score in rows:
        box = shares.scaled(width, height).clamped(width, height)
        if box.area > 0:
            boxes.append(BoxRecord(box, label=names.get(number, str(number)), score=score))
    return ImageBoxes(image.name, width, height, tuple(boxes))


def _rows(file: Path) -> Iterator[tuple[int, Box, float | None]]:
    """The class, the box in shares of the image, and the score if there is one, of each row."""
    for number, line in enumerate(_text(file).splitlines(), start=1):
        if line.strip():
            try:
                yield _row([float(word) for word in line.split()])
            except (ValueError, OverflowError) as error:
                raise FormatError(
                    tr(
                        "{name}, line {number} is no YOLO box: {text!r} should be a class number and x, "
                        "y, width and height as shares of the image."
                    ).format(name=file.name, number=number, text=line.strip()[:60])
                ) from error


def _row(values: list[float]) -> tuple[int, Box, float | None]:
    if not all(map(math.isfinite, values)) or values[0] != int(values[0]):
        raise ValueError
    number, rest = int(values[0]), values[1:]
    if len(values) in (_BOX, _BOX_AND_SCORE):
        x, y, width, height, *score = rest
        box = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return number, box, (score[0] if score else None)
    if len(values) >= _LEAST_POLYGON and len(rest) % 2 == 0:
        xs, ys = rest[::2], rest[1::2]
        return number, Box(min(xs), min(ys), max(xs), max(ys)), None
    raise ValueError


def _class_names(path: Path) -> Mapping[int, str]:
    """The classes' names by number, from ``data.yaml`` (or the only other such file) or ``classes.txt``."""
    if path.is_file():
        return _yaml_names(path)
    configs = sorted(file for file in path.iterdir() if file.suffix.lower() in CONFIG_SUFFIXES)
    chosen = [file for file in configs if file.stem == "data"] or (configs if len(configs) == 1 else [])
    if chosen:
        return _yaml_names(chosen[0])
    classes = path / "classes.txt"
    return dict(enumerate(_text(classes).splitlines())) if classes.is_file() else {}


def _yaml_names(file: Path) -> Mapping[int, str]:
    try:
        return _numbered(yaml.safe_load(_text(file)))
    except FormatError:
        raise
    except Exception as error:  # of a value that is not what its tag says, PyYAML raises what it meets
        raise FormatError(tr("{name} is not valid YAML.").format(name=file.name)) from error


def _numbered(content: Any) -> dict[int, str]:
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    # A list of lists that name one another is short in the file, and endless as text.
    plain = {key: name for key, name in names.items() if not isinstance(name, (list, dict, set, tuple))}
    return {key: str(name or DEFAULT_LABEL) for key, name in plain.items() if isinstance(key, int)}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FormatError(
            tr("{name} cannot be read: {reason}.").format(
                name=file.name, reason=(error.strerror or str(error)).lower()
            )
        ) from error
    except UnicodeDecodeError as error:
        raise FormatError(tr("{name} is not a text file.").format(name=file.name)) from error
