"""YOLO: ``images/{train,val}``, ``labels/{train,val}`` and ``data.yaml``, as Ultralytics trains on it.

Subfolders stay, which keeps namesakes apart, unless flat names are asked for. A folder of the user's that
is itself named ``images`` or ``labels`` gets an underscore: readers replace the last ``images`` of a path to
find its labels. YOLO's tools pass by files with endings that they do not know, so ``a.jfif`` becomes
``a.jpg``. Where a name had to change, ``original-names.json`` holds what every image was called.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from core.base.annotations import DEFAULT_LABEL, BoxRecord, ImageBoxes, Status
from core.base.errors import FormatError, ImageError
from core.base.geometry import Box
from core.base.language import mark, tr
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    Prepared,
    WriteOptions,
    no_size,
    not_text,
    numbered_labels,
    prepare,
    same_boxes,
)
from core.formats.files import read_text, wrong
from core.formats.folders import (
    each,
    new_picture_folder,
    place_image,
    read_back,
    renamed_note,
    unique_stems,
    unusable_sources,
    write_file,
)
from core.formats.names import checked_name
from core.images.decoding import image_size
from core.images.scan import ImageFile, iter_scan

_DIGITS = 10
# What Ultralytics reads (its IMG_FORMATS) of what this program reads; an ending of the same kind of file
# that it does not look at becomes one that it does.
_READ = {".bmp", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"}
_SAME_KIND = {".jfif": ".jpg", ".jpe": ".jpg", ".apng": ".png", ".dib": ".bmp"}
_WITHIN = 1e-3  # pixels, of what ten digits of a share leave


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path`` with image files, label files and ``data.yaml``; it is read back first.

    An image whose file is gone or has another size than its boxes were made on is left out. Without
    ``options.val`` the training images are named for validation too, since YOLO's tools want some.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    prepared = prepare(images, unfit=lambda image: not_text(image) or no_size(image))
    prepared = prepared.without(unusable_sources(prepared.images, options))
    labels = numbered_labels(prepared.images, options)
    numbers = {label: number for number, label in enumerate(labels)}
    stems = unique_stems(
        (image.name for image in prepared.images), reserved=("images", "labels"), flat=options.flat
    )
    places = {name: _place(name, stem, options) for name, stem in stems.items()}
    copied = 0
    with new_picture_folder(path) as folder:
        for part in ("train", *(["val"] if options.val else [])):
            for kind in ("images", "labels"):
                (folder / kind / part).mkdir(parents=True)
        for image in each(prepared.images, options.on_file):
            target = folder / places[image.name]
            copied += not place_image(options.sources[image.name], target, link=options.link)
            part = "val" if image.name in options.val else "train"
            write_file(folder / "labels" / part / f"{stems[image.name]}.txt", _lines(image, numbers))
        write_file(folder / "data.yaml", _config(path, labels, validates=bool(options.val)))
        if _are_renamed(stems):
            originals = {place: name for name, place in places.items()}
            write_file(folder / ORIGINAL_NAMES, json.dumps(originals, indent=0).encode("ascii"))
            places = {name: name for name in places}  # as the reader has it
        read_back(path, not prepared.images or _matches(read(folder), prepared, places))
    return prepared.summary(path, len(prepared.images), *_notes(prepared, stems, copied, options))


def _place(name: str, stem: str, options: WriteOptions) -> str:
    return f"images/{'val' if name in options.val else 'train'}/{stem}{_suffix(name)}"


def _suffix(name: str) -> str:
    suffix = Path(name).suffix
    return _SAME_KIND.get(suffix.lower(), suffix)


def _are_renamed(stems: Mapping[str, str]) -> bool:
    return any(name != stem + _suffix(name) for name, stem in stems.items())


def _lines(image: ImageBoxes, numbers: Mapping[str, int]) -> bytes:
    rows = []
    for record in image.boxes:
        box = record.box.scaled(1 / image.width, 1 / image.height).clamped(1.0, 1.0)
        (x, y), width, height = box.center, box.width, box.height
        shares = " ".join(f"{min(max(share, 0.0), 1.0):.{_DIGITS}f}" for share in (x, y, width, height))
        rows.append(f"{numbers[record.label]} {shares}\n")
    return "".join(rows).encode("ascii")


def _config(path: Path, labels: Sequence[str], *, validates: bool) -> bytes:
    content: dict[str, object] = {
        "path": os.path.realpath(path),
        "train": "images/train",
        "val": "images/val" if validates else "images/train",
        "names": dict(enumerate(labels)),
    }
    try:
        os.path.realpath(path).encode("utf-8")
    except UnicodeEncodeError:  # readers then take the folder of this file
        del content["path"]
    # Escaped rather than as it is: a reader may open it in the encoding of its system.
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=False)
    return ("# Made by Boxscout. Change “path” when this folder has moved.\n" + text).encode()


def _matches(found: Sequence[ImageBoxes], prepared: Prepared, names: Mapping[str, str]) -> bool:
    by_name = {image.name: image for image in found}
    for image in prepared.images:
        back = by_name.get(names[image.name])
        if back is None or not same_boxes(back.boxes, image.boxes, within=_WITHIN):
            return False
    return len(by_name) == len(prepared.images)


def _notes(prepared: Prepared, stems: Mapping[str, str], copied: int, options: WriteOptions) -> list[str]:
    notes = [] if options.flat else renamed_note(stems)
    if _are_renamed(stems):
        notes.append(tr("“{name}” holds what each image was called.").format(name=ORIGINAL_NAMES))
    if options.val:
        val = sum(image.name in options.val for image in prepared.images)
        notes.append(
            tr("For training: {train:,}, for validation: {val:,}.").format(
                train=len(prepared.images) - val, val=val
            )
        )
    else:
        notes.append(tr("Training and validation are the same images; split them for honest numbers."))
    if options.link and copied:
        notes.append(tr("{copied:,} could not be linked and were copied.").format(copied=copied))
    if nested := sum("/" in stems[image.name] for image in prepared.images):
        notes.append(
            tr(
                "{nested:,} lie in subfolders, as in the project; tools that do not look there "
                "(such as supervision) miss them."
            ).format(nested=nested)
        )
    unread = [suffix for image in prepared.images if (suffix := _suffix(image.name).lower()) not in _READ]
    for suffix, count in sorted(Counter(unread).items()):
        notes.append(
            tr("{count:,} {kind}: YOLO's own tools do not read this kind of file.").format(
                count=count, kind=suffix.removeprefix(".").upper() or tr("without an ending")
            )
        )
    return notes


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


def read(path: Path, *, layout: bool = True) -> list[ImageBoxes]:
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
        raise wrong(
            tr(
                "{name} has no YOLO labels: none of its images has a text file in a folder "
                "“labels” beside “images”."
            ),
            root,
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
        content: Any = json.loads(read_text(file))
    except (ValueError, RecursionError) as error:
        raise wrong(tr("{name} is not valid JSON."), file) from error
    if not isinstance(content, dict):
        raise wrong(tr("{name} holds no names of images."), file)
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
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if line.strip():
            try:
                yield _row([float(word) for word in line.split()])
            except (ValueError, OverflowError) as error:
                raise wrong(
                    tr(
                        "{name}, line {number} is no YOLO box: {row!r} should be a class number and x, "
                        "y, width and height as shares of the image."
                    ),
                    file,
                    number=number,
                    row=line.strip()[:60],
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
    return dict(enumerate(read_text(classes).splitlines())) if classes.is_file() else {}


def _yaml_names(file: Path) -> Mapping[int, str]:
    try:
        return _numbered(yaml.safe_load(read_text(file)))
    except FormatError:
        raise
    except Exception as error:  # of a value that is not what its tag says, PyYAML raises what it meets
        raise wrong(tr("{name} is not valid YAML."), file) from error


def _numbered(content: Any) -> dict[int, str]:
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    # A list of lists that name one another is short in the file, and endless as text.
    plain = {key: name for key, name in names.items() if not isinstance(name, (list, dict, set, tuple))}
    return {key: str(name or DEFAULT_LABEL) for key, name in plain.items() if isinstance(key, int)}


FORMAT = Format(
    name="yolo",
    title="YOLO",
    help=mark("A folder of images and labels with data.yaml, ready to train on."),
    suffix="",
    write=write,
    read=read,
    own=("link", "flat"),
    splits=True,
)
