"""YOLO: ``images/{train,val}``, ``labels/{train,val}`` and ``data.yaml``, as Ultralytics trains on it.

Subfolders stay, which keeps namesakes apart, unless flat names are asked for. A folder of the user's that
is itself named ``images`` or ``labels`` gets an underscore: readers replace the last ``images`` of a path to
find its labels. YOLO's tools pass by files with endings that they do not know, so ``a.jfif`` becomes
``a.jpg``. Where a name had to change, ``original-names.json`` holds what every image was called.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from core.base.annotations import ImageBoxes
from core.base.language import mark, tr
from core.formats import yolo_reading as yolo
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
            write_file(folder / "labels" / part / f"{stems[image.name]}.txt", _rows(image, numbers))
        write_file(folder / "data.yaml", _config(path, labels, validates=bool(options.val)))
        if _are_renamed(stems):
            originals = {place: name for name, place in places.items()}
            write_file(folder / yolo.ORIGINAL_NAMES, json.dumps(originals, indent=0).encode("ascii"))
            places = {name: name for name in places}  # as the reader has it
        read_back(path, not prepared.images or _matches(read(folder), prepared, places))
    return prepared.summary(path, len(prepared.images), *_notes(prepared, stems, copied, options))


def read(path: Path) -> list[ImageBoxes]:
    """The boxes of a YOLO folder; FormatError where it cannot be understood."""
    return yolo.read_truth(path)


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


def _place(name: str, stem: str, options: WriteOptions) -> str:
    return f"images/{'val' if name in options.val else 'train'}/{stem}{_suffix(name)}"


def _suffix(name: str) -> str:
    suffix = Path(name).suffix
    return _SAME_KIND.get(suffix.lower(), suffix)


def _are_renamed(stems: Mapping[str, str]) -> bool:
    return any(name != stem + _suffix(name) for name, stem in stems.items())


def _rows(image: ImageBoxes, numbers: Mapping[str, int]) -> bytes:
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
        notes.append(tr("“{name}” holds what each image was called.").format(name=yolo.ORIGINAL_NAMES))
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
