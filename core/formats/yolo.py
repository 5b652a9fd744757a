"""YOLO: ``images/{train,val}``, ``labels/{train,val}`` and ``data.yaml``, as Ultralytics trains on it.

Subfolders stay, which keeps namesakes apart, unless flat names are asked for. A folder of the user's that
is itself named ``images`` or ``labels`` gets an underscore: readers replace the last ``images`` of a path to
find its labels. YOLO's tools pass by files with endings that they do not know, so ``a.jfif`` becomes
``a.jpg``. Where a name had to change, ``original-names.json`` holds what every image was called.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from core.base.annotations import DEFAULT_LABEL, ImageBoxes, Status
from core.base.errors import FormatError, ImageError
from core.base.language import mark, short, tr
from core.formats.common import (
    PLAIN,
    ExportSummary,
    Format,
    Prepared,
    WriteOptions,
    no_size,
    not_text,
    numbered_labels,
    same_boxes,
)
from core.formats.files import read_json, read_text, walk, wrong
from core.formats.folders import (
    copied_note,
    each,
    new_picture_folder,
    place_image,
    prepare_files,
    read_back,
    renamed_note,
    unique_stems,
    write_file,
    write_taught,
)
from core.formats.gather import Gathered, ReadOptions, told_or_failed
from core.formats.names import checked_name
from core.formats.others import CLASS_FILES
from core.formats.yolo_names import CONFIG_SUFFIXES, ClassNames
from core.formats.yolo_rows import read_row, words_of
from core.images.decoding import image_size
from core.images.scan import ImageFile, iter_scan

# Written by our export where an image's file had to get another name; other tools pass it over.
ORIGINAL_NAMES = "original-names.json"

_DIGITS = 10
# What Ultralytics reads (its IMG_FORMATS) of what this program reads; an ending of the same kind of file
# that it does not look at becomes one that it does.
_READ = {".bmp", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"}
_SAME_KIND = {".jfif": ".jpg", ".jpe": ".jpg", ".apng": ".png", ".dib": ".bmp"}
_WITHIN = 1e-3  # pixels, of what ten digits of a share leave

_SPLIT = r"(?:(?:train|val|valid|test)/)?"
_LAYOUT = re.compile(rf"^{_SPLIT}(?:images|labels|obj_\w*data)/{_SPLIT}")
_LISTS = {"train.txt", "val.txt", "valid.txt", "test.txt"}


def write(images: Sequence[ImageBoxes], path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """Make the folder ``path`` with image files, label files and ``data.yaml``; it is read back first.

    An image whose file is gone or has another size than its boxes were made on is left out. Without
    ``options.val`` the training images are named for validation too, since YOLO's tools want some.

    Raises
    ------
    FormatError
        ``path`` is no new or empty folder, or cannot be written; then nothing is left of it.
    """
    # Readers pass over a class without a name.
    boxes = [tuple(replace(one, label=one.label or DEFAULT_LABEL) for one in image.boxes) for image in images]
    named = [replace(image, boxes=own) for image, own in zip(images, boxes, strict=True)]
    prepared = prepare_files(named, options, unfit=lambda image: not_text(image) or no_size(image))
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
            copied += not place_image(options.sources[image.name], target, options)
            part = "val" if image.name in options.val else "train"
            write_file(folder / "labels" / part / f"{stems[image.name]}.txt", _lines(image, numbers))
        write_taught(folder, options)
        write_file(folder / "data.yaml", _config(path, labels, validates=bool(options.val)))
        if _are_renamed(stems):
            originals = {place: name for name, place in places.items()}
            write_file(folder / ORIGINAL_NAMES, json.dumps(originals, indent=0).encode("ascii"))
            places = {name: name for name in places}  # as the reader has it
        read_back(path, not prepared.images or _matches(FORMAT.read(folder), prepared, places))
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
        notes.append(tr("“{name}” lists the original names of the images.").format(name=ORIGINAL_NAMES))
    if options.val:
        val = sum(image.name in options.val for image in prepared.images)
        notes.append(
            tr("For training: {train:,}, for validation: {val:,}.").format(
                train=len(prepared.images) - val, val=val
            )
        )
    else:
        notes.append(tr("Training and validation are the same images; split them for honest numbers."))
    notes += copied_note(copied, options)
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


def is_yolo(path: Path) -> bool:
    """Whether a folder is laid out as YOLO: folders ``images`` and ``labels``, at the top or one below."""
    tops = [path, *(images.parent for images in path.glob("*/images"))]
    return any(_holds_both(top) for top in tops) or _is_half(path)


def lies_at(path: Path) -> bool:
    """Whether there are labels of YOLO's in a folder, whatever its layout, or at a file."""
    if path.is_dir():
        return is_yolo(path) or any(_is_label_file(file) for file in walk(path))
    return path.suffix.lower() in CONFIG_SUFFIXES or _is_label_file(path)


def read(path: Path, options: ReadOptions | None = None) -> list[ImageBoxes]:
    """The boxes of all images of a YOLO data set, in natural order, then of labels without an image.

    Parameters
    ----------
    path
        The folder that holds ``images`` and ``labels`` (as they are, or within ``train``, ``valid``…), its
        ``data.yaml``, one of these two folders itself, or a folder of text files, with the images beside
        them or elsewhere. Where there is a folder ``images``, what is no image within it is passed over.
    options
        Without ``places`` images are named with the folders of the layout. With them,
        ``images/train/sub/a.jpg`` is ``sub/a.jpg`` as before it, unless two would then have one name. What
        :data:`ORIGINAL_NAMES` says of an image counts before that.

    Returns
    -------
    list of ImageBoxes
        Named as they lie below the folder that holds both, such as ``images/val/a.jpg``. The boxes in
        the text are shares of the image; the size is read from the image's header. Labels are as
        :class:`core.formats.yolo_names.ClassNames` finds them, else the class number. A row is what
        :func:`core.formats.yolo_rows.read_row` has. An image without a text file or rows has no boxes; one
        that cannot be opened is FAILED, with the reason.

    Raises
    ------
    FormatError
        There is no image with boxes, or no row can be read.
    """
    options, path = options or ReadOptions(), Path(path)
    root = path.parent if path.is_file() or _is_half(path) else path
    files = list(walk(root))
    if path.is_file() and path.suffix.lower() == ".txt":
        files = [path, *(file for file in files if not _is_label_file(file))]
    labels = [file for file in files if _may_hold_labels(file)]
    above = [] if root.name != "labels" else [file for file in root.parent.iterdir() if file.is_file()]
    config = path if path.suffix.lower() in CONFIG_SUFFIXES else None
    classes = ClassNames(root, [*files, *above], options.told, config)
    pairs = _pairs(list(_images(root)), labels)
    if path in labels:  # one file was asked for, and its image
        pairs = [(image, file) for image, file in pairs if file is not None]
    used = {file for _, file in pairs if file is not None}
    alone = [file for file in labels if file not in used and _is_label_file(file)]
    if not alone and not used:
        raise wrong(
            tr(
                "{name} has no YOLO labels: none of its images has a text file in a folder "
                "“labels” beside “images”."
            ),
            root,
        )
    found = [_image_boxes(image, file, classes, options) for image, file in pairs]
    named = _renamed(found, _original_names(root), layout=options.places is None)
    lonely = [_boxes_alone(file, root, classes, options) for file in alone]
    return told_or_failed([*named, *_renamed(lonely, {}, layout=False)], options.told)


def _images(root: Path) -> Iterator[ImageFile]:
    """The image files; where there are folders ``images``, only those within."""
    images = [image for image in iter_scan([root]) if isinstance(image, ImageFile)]
    laid_out = [image for image in images if "images" in image.name.split("/")[:-1]]
    return iter(laid_out or images)


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
    content = read_json(file)
    if not isinstance(content, dict):
        raise wrong(tr("{name} holds no names of images."), file)
    return {place: checked_name(name, file) for place, name in content.items()}


def _holds_both(path: Path) -> bool:
    return (path / "images").is_dir() and (path / "labels").is_dir()


def _is_half(path: Path) -> bool:
    return path.name in ("images", "labels") and path.is_dir() and _holds_both(path.parent)


def _may_hold_labels(file: Path) -> bool:
    name = file.name.lower()
    return name.endswith(".txt") and name not in CLASS_FILES and name not in _LISTS


def _is_label_file(file: Path) -> bool:
    """Whether a text file begins with a row of numbers, one more than a box has at least."""
    if not _may_hold_labels(file):
        return False
    try:
        row = next((line for line in read_text(file).splitlines() if line.strip()), "")
        return len([float(word) for word in words_of(row)]) > 4
    except (FormatError, ValueError):
        return False


def _pairs(images: Sequence[ImageFile], labels: Iterable[Path]) -> list[tuple[ImageFile, Path | None]]:
    """Each image with its label file: where YOLO's tools look for it, else the only one of its name."""
    left = dict.fromkeys(labels)
    found = {image: file for image in images if (file := _label_file(image, left))}
    for file in found.values():
        left.pop(file, None)
    by_stem: dict[str, list[Path]] = {}
    for file in left:
        by_stem.setdefault(file.stem, []).append(file)
    times = Counter(image.path.stem for image in images if image not in found)
    for image in images:
        same = by_stem.get(image.path.stem, [])
        if image not in found and len(same) == 1 == times[image.path.stem] and _is_label_file(same[0]):
            found[image] = same[0]
    return [(image, found.get(image)) for image in images]


def _label_file(image: ImageFile, labels: Container[Path]) -> Path | None:
    """The last folder ``images`` of the name replaced by ``labels``, as YOLO's tools find it; else beside."""
    *folders, name = image.name.split("/")
    places = [folders]
    if "images" in folders:
        last = len(folders) - 1 - folders[::-1].index("images")
        places.insert(0, [*folders[:last], "labels", *folders[last + 1 :]])
    for place in places:
        for suffix in (".txt", ".TXT"):
            file = image.root.joinpath(*place, name).with_suffix(suffix)
            if file in labels:
                return file
    return None


def _image_boxes(
    image: ImageFile, label_file: Path | None, classes: ClassNames, options: ReadOptions
) -> ImageBoxes:
    try:
        width, height = image_size(image.path)
    except ImageError as error:
        return ImageBoxes(image.name, 0, 0, status=Status.FAILED, reason=str(error))
    if label_file is None:
        return ImageBoxes(image.name, width, height)
    return _gathered(image.name, label_file, classes, options, width, height)


def _boxes_alone(file: Path, root: Path, classes: ClassNames, options: ReadOptions) -> ImageBoxes:
    """The boxes of a label file whose image lies elsewhere; it is named by the file, without an ending."""
    name = file.relative_to(root).with_suffix("").as_posix()
    return _gathered(name, file, classes, options, 0, 0)


def _gathered(
    name: str, file: Path, classes: ClassNames, options: ReadOptions, width: int, height: int
) -> ImageBoxes:
    gathered = Gathered(file, options.told)
    gathered.image(name, width, height)
    held = classes.of(file)
    for number, line in enumerate(_rows_of(file, options), start=1):
        where = tr("line {number}").format(number=number)
        try:
            row = read_row(line, held.keypoints) if line.strip() else None
        except ValueError as error:
            what = tr("{name}, {where} is no YOLO box: {why}.")
            options.told.box(what.format(name=short(file.name), where=where, why=error))
        else:
            if row is not None:
                label = held.names.get(row.number) or options.told.unnamed_class(row.number)
                gathered.box(name, row.box, label, where=where, shares=True, score=row.score)
    (image,) = gathered.images()
    return image


def _rows_of(file: Path, options: ReadOptions) -> list[str]:
    try:
        return read_text(file).splitlines()
    except FormatError as error:
        options.told.entry(str(error))
        return []


FORMAT = Format(
    name="yolo",
    title="YOLO",
    help=mark("A folder of images and labels with data.yaml, ready for training."),
    suffix="",
    write=write,
    layout=lies_at,
    read_layout=read,
    own=("link", "flat", "with_gps"),
    splits=True,
)
