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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import yaml

from core.base.annotations import DEFAULT_LABEL, ImageBoxes
from core.base.errors import ImageError, as_reason
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
    same_boxes,
)
from core.formats.folders import (
    Stems,
    copied_note,
    each,
    is_renamed,
    new_picture_folder,
    place_image,
    prepare_files,
    read_back,
    renamed_sentence,
    unusable,
    write_file,
    write_taught,
)
from core.formats.streaming import Count, Stream, names_on_disk
from core.formats.yolo_reading import ORIGINAL_NAMES, lies_at, read

_DIGITS = 10
# What Ultralytics reads (its IMG_FORMATS) of what this program reads; an ending of the same kind of file
# that it does not look at becomes one that it does.
_READ = {".bmp", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"}
_SAME_KIND = {".jfif": ".jpg", ".jpe": ".jpg", ".apng": ".png", ".dib": ".bmp"}
_RESERVED = ("images", "labels")
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
    prepared = prepare_files(list(map(_named, images)), options, unfit=_unfit)
    labels = numbered_labels(prepared.images, options)
    stems = Stems(reserved=_RESERVED, flat=options.flat)
    with new_picture_folder(path) as folder, _placing(folder, stems, labels, options) as placing:
        places = {
            image.name: placing.put(image, options.sources[image.name])
            for image in each(prepared.images, options.on_file)
        }
        placing.finish(path)
        if placing.renamed_places:  # the reader then has the original names
            places = {name: name for name in places}
        read_back(path, not prepared.images or _matches(FORMAT.read(folder), prepared, places))
    return prepared.summary(path, len(prepared.images), *placing.notes())


def stream(images: Stream, path: Path, options: WriteOptions = PLAIN) -> ExportSummary:
    """:func:`write` for more images than fit in memory; images that lie elsewhere are fetched one by one."""
    prepared = images.prepare(unfit=_unfit)
    count = Count()
    with names_on_disk() as taken, new_picture_folder(path) as folder:
        stems = Stems(taken=taken, reserved=_RESERVED, flat=options.flat)
        with _placing(folder, stems, prepared.labels, options) as placing:
            for one in prepared.leaving(count):
                try:
                    with one.opened() as source:
                        reason = unusable(source, one.image)
                        if not reason:
                            placing.put(one.image, source)
                            count.add(one.image)
                except ImageError as error:
                    reason = as_reason(error)
                if reason:
                    count.skip(one.image.name, reason)
            placing.finish(path)
    return prepared.summary(path, count.images, *placing.notes(), count=count)


def _named(image: ImageBoxes) -> ImageBoxes:
    """The image with a name for each class: readers pass over a class without one."""
    boxes = tuple(replace(one, label=one.label or DEFAULT_LABEL) for one in image.boxes)
    return replace(image, boxes=boxes)


def _unfit(image: ImageBoxes) -> str:
    return not_text(image) or no_size(image)


class _Placing:
    """Images and labels put into a new folder one by one, and what there is to tell of them."""

    def __init__(
        self, folder: Path, stems: Stems, labels: Sequence[str], options: WriteOptions, originals: TextIO
    ) -> None:
        self._folder, self._stems, self._options = folder, stems, options
        self._labels, self._originals = labels, originals
        self._numbers = {label: number for number, label in enumerate(labels)}
        self._images = self._val = self._copied = self._renamed = self._nested = 0
        self._unread: Counter[str] = Counter()
        self.renamed_places = 0

    def put(self, image: ImageBoxes, source: Path) -> str:
        """Place an image and its labels; where it is now."""
        stem, suffix = self._stems.of(image.name), _suffix(image.name)
        part = "val" if image.name in self._options.val else "train"
        place = f"images/{part}/{stem}{suffix}"
        self._copied += not place_image(source, self._folder / place, self._options)
        write_file(self._folder / "labels" / part / f"{stem}.txt", _lines(image, self._numbers))
        between = ",\n" if self._images else "\n"
        self._originals.write(f"{between}{json.dumps(place)}: {json.dumps(image.name)}")
        self._images += 1
        self._val += part == "val"
        self._renamed += is_renamed(image.name, stem)
        self._nested += "/" in stem
        self.renamed_places += image.name != stem + suffix
        if suffix.lower() not in _READ:
            self._unread[suffix.lower()] += 1
        return place

    def finish(self, path: Path) -> None:
        """Write what is no image; ``path`` is what the folder will be called."""
        write_taught(self._folder, self._options)
        config = _config(path, self._labels, validates=bool(self._options.val))
        write_file(self._folder / "data.yaml", config)
        self._originals.write("\n}")
        self._originals.flush()
        os.fsync(self._originals.fileno())
        self._originals.close()
        if not self.renamed_places:
            (self._folder / ORIGINAL_NAMES).unlink()

    def notes(self) -> list[str]:
        """What a person is told."""
        options = self._options
        notes = [] if options.flat else renamed_sentence(self._renamed)
        if self.renamed_places:
            notes.append(tr("“{name}” lists the original names of the images.").format(name=ORIGINAL_NAMES))
        if options.val:
            notes.append(
                tr("For training: {train:,}, for validation: {val:,}.").format(
                    train=self._images - self._val, val=self._val
                )
            )
        else:
            notes.append(tr("Training and validation are the same images; split them for honest numbers."))
        notes += copied_note(self._copied, options)
        if self._nested:
            notes.append(
                tr(
                    "{nested:,} lie in subfolders, as in the project; tools that do not look there "
                    "(such as supervision) miss them."
                ).format(nested=self._nested)
            )
        for suffix, count in sorted(self._unread.items()):
            notes.append(
                tr("{count:,} {kind}: YOLO's own tools do not read this kind of file.").format(
                    count=count, kind=suffix.removeprefix(".").upper() or tr("without an ending")
                )
            )
        return notes


@contextmanager
def _placing(folder: Path, stems: Stems, labels: Sequence[str], options: WriteOptions) -> Iterator[_Placing]:
    for part in ("train", *(["val"] if options.val else [])):
        for kind in ("images", "labels"):
            (folder / kind / part).mkdir(parents=True)
    with (folder / ORIGINAL_NAMES).open("x", encoding="ascii", newline="") as originals:
        originals.write("{")
        yield _Placing(folder, stems, labels, options, originals)


def _suffix(name: str) -> str:
    suffix = Path(name).suffix
    return _SAME_KIND.get(suffix.lower(), suffix)


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


FORMAT = Format(
    name="yolo",
    title="YOLO",
    help=mark("A folder of images and labels with data.yaml, ready for training."),
    suffix="",
    write=write,
    stream=stream,
    layout=lies_at,
    read_layout=read,
    own=("link", "flat", "with_gps"),
    splits=True,
)
