"""What formats of many files share: a folder that appears whole or not at all, names, image files."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.base.annotations import ImageBoxes
from core.base.atomic import atomic_folder, os_errors
from core.base.errors import FormatError, ImageError, as_reason
from core.base.language import mark, short, tr, trn
from core.formats.common import Prepared, WriteOptions, prepare, taught_info
from core.images.decoding import decode, holds_position, image_size, unavailable
from core.images.scan import EXPORTED, is_theirs
from core.images.unplaced import without_position

TAUGHT = "boxscout.json"
NO_FILE = mark("its file is not known")
# Bytes of a file's name, of the 255 that systems allow; the rest is for what is added to it.
_LONGEST = 200
_PHOTO = (".jpg", ".jpeg")
_EXPORTED_TEXT = b"""# Made by Boxscout.
The pictures in this folder are copies that Boxscout exported. Where it lies in a folder of photos, Boxscout
passes it over. Remove this file if its pictures are to count as photos.
"""


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that takes its name at the end, or goes where anything fails.

    Raises
    ------
    FormatError
        Something lies at ``path`` that is no empty folder, or it cannot be written.
    """
    with os_errors(FormatError, tr("“{name}” could not be written: {reason}."), name=path.name):
        if path.exists() and not (path.is_dir() and not any(path.iterdir())):
            raise FormatError(
                tr("“{name}” already exists. Choose a new or an empty folder.").format(name=path.name)
            )
        with atomic_folder(path) as temporary:
            yield temporary


@contextmanager
def new_picture_folder(path: Path) -> Iterator[Path]:
    """:func:`new_folder`, marked: in a folder of photos its copies must not count as photos the next time."""
    with new_folder(path) as folder:
        write_file(folder / EXPORTED, _EXPORTED_TEXT)
        yield folder


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and sync it; folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_taught(folder: Path, options: WriteOptions) -> None:
    """Say in a file of its own by which corrections the boxes were found, where any taught."""
    if options.taught:
        write_file(folder / TAUGHT, json.dumps(taught_info(options), indent=1).encode("ascii"))


def read_back(path: Path, fits: bool) -> None:
    """FormatError where what was written does not read back."""
    if not fits:
        raise FormatError(
            tr("“{name}” did not read back as it was written; nothing was exported.").format(name=path.name)
        )


def place_image(source: Path, target: Path, options: WriteOptions) -> bool:
    """Put the image file at ``target``, by a hard link where wanted or by a copy; whether it is a link.

    Where the file system has no hard links, or lies elsewhere, it is copied. So is a photo that says where it
    was taken, without that, unless that is wanted.

    Raises
    ------
    FormatError
        Where it was taken cannot be taken out of it.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not options.with_gps and holds_position(source):
        try:
            write_file(target, without_position(source.read_bytes()))
        except ImageError as error:
            what = tr("“{name}” cannot be copied: {reason}.")
            raise FormatError(what.format(name=short(source.name), reason=error)) from error
        return False
    if options.link:
        with suppress(OSError):
            os.link(os.path.realpath(source), target)  # the file, where it is a link itself
            return True
    shutil.copyfile(source, target)
    with target.open("rb+") as file:
        os.fsync(file.fileno())
    return False


def copied_note(copied: int, options: WriteOptions) -> list[str]:
    """Tell, where links were wanted, how many images were ``copied`` instead."""
    if not options.link or not copied:
        return []
    text = tr("Copied, since a link is not possible or would say where they were taken (GPS): {copied:,}.")
    return [text.format(copied=copied)]


def prepare_files(
    images: Sequence[ImageBoxes],
    options: WriteOptions,
    *,
    unfit: Callable[[ImageBoxes], str] = lambda image: "",
) -> Prepared:
    """:func:`prepare`, and leave out images whose file is not what their boxes were drawn on."""
    prepared = prepare(images, unfit=unfit)
    return prepared.without(unusable_sources(prepared.images, options))


def unusable_sources(images: Iterable[ImageBoxes], options: WriteOptions) -> dict[str, str]:
    """The reason, by name, for each image whose file is not what its boxes were drawn on."""
    reasons = {}
    for image in images:
        source = options.sources.get(image.name)
        reason = tr(NO_FILE) if source is None else unusable(source, image)
        if reason:
            reasons[image.name] = reason
    return reasons


class Taken(Protocol):
    """Names that are given: a set, or something like one that is not in memory."""

    def __contains__(self, name: object, /) -> bool: ...

    def add(self, name: str, /) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stems:
    """Paths without ending, one for each name, so that ``a.jpg`` and ``a.png`` do not claim one file.

    With ``endings`` the paths keep them, and these two names are no namesakes. Capitals make no difference,
    since to some systems they make none. ``reserved`` names of folders, which have a meaning to readers, get
    an underscore, and so do names that are hidden from them. ``flat`` ones have no folders: ``a/b/c.jpg`` is
    ``a_b_c``.
    """

    taken: Taken = field(default_factory=set[str])
    reserved: Collection[str] = ()
    flat: bool = False
    endings: bool = False

    def of(self, name: str) -> str:
        """The path for one more name."""
        *folders, last = [name.replace("/", "_")] if self.flat else name.split("/")
        folders = [_visible(f"{part}_" if part.casefold() in self.reserved else part) for part in folders]
        stem, dot, ending = last.rpartition(".")
        stem = _visible(stem or last)
        suffix = dot + ending if self.endings and stem != last else ""
        if len(os.fsencode(stem)) > _LONGEST:
            stem = os.fsencode(stem)[:_LONGEST].decode("utf-8", "ignore")
        unique = "/".join([*folders, stem + suffix])
        number = 2
        while unique.casefold() in self.taken:
            unique = "/".join([*folders, f"{stem}-{number}{suffix}"])
            number += 1
        self.taken.add(unique.casefold())
        return unique


def unique_stems(
    names: Iterable[str], *, reserved: Collection[str] = (), flat: bool = False, endings: bool = False
) -> dict[str, str]:
    """The path of :class:`Stems` for each of ``names``."""
    stems = Stems(reserved=reserved, flat=flat, endings=endings)
    return {name: stems.of(name) for name in names}


def renamed_note(stems: Mapping[str, str]) -> list[str]:
    """A sentence on the images whose files go by another name than their own."""
    return renamed_sentence(sum(is_renamed(name, stem) for name, stem in stems.items()))


def is_renamed(name: str, stem: str) -> bool:
    """Whether an image's file goes by another name than its own."""
    return name != stem and not name.startswith(f"{stem}.")


def renamed_sentence(changed: int) -> list[str]:
    """A sentence on so many renamed images; none on none."""
    if not changed:
        return []
    return [
        trn(
            "{count:,} image got another file name, "
            "since its own was taken, too long or has a meaning of its own.",
            "{count:,} images got another file name, "
            "since its own was taken, too long or has a meaning of its own.",
            changed,
        )
    ]


def picture_suffix(name: str) -> str:
    """What a picture made from the image ``name`` is saved as: photos as photos, all else without loss."""
    return ".jpg" if name.lower().endswith(_PHOTO) else ".png"


def encode(pixels: npt.NDArray[np.uint8], suffix: str) -> bytes:
    """uint8 (H, W, 3) as a JPEG (quality 95, no colour thinned out) or PNG file."""
    buffer = BytesIO()
    if suffix == ".jpg":
        Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    else:
        Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_picture(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write ``pixels`` as the suffix says and check that they have their size when read."""
    write_file(path, encode(pixels, path.suffix))
    height, width = pixels.shape[:2]
    with Image.open(path) as back:
        read_back(path, back.size == (width, height))


def each_decoded(
    images: Collection[ImageBoxes], options: WriteOptions, damaged: dict[str, str]
) -> Iterator[tuple[ImageBoxes, npt.NDArray[np.uint8]]]:
    """:func:`each` with its pixels, uint8 (H, W, 3); those without go to ``damaged``, with the reason."""
    for image in each(images, options.on_file):
        try:
            pixels = decode(options.sources[image.name]).pixels
        except ImageError as error:
            damaged[image.name] = as_reason(error)
        else:
            yield image, pixels


def each(images: Collection[ImageBoxes], on_file: Callable[[int, int], None]) -> Iterator[ImageBoxes]:
    """The images, with their progress told before each and at the end."""
    for done, image in enumerate(images):
        on_file(done, len(images))
        yield image
    on_file(len(images), len(images))


def _visible(part: str) -> str:
    return part if is_theirs(part) else f"_{part}"


def unusable(source: Path, image: ImageBoxes) -> str:
    """Why the file ``source`` is not what the boxes of ``image`` were drawn on; empty where it is."""
    try:
        if not stat.S_ISREG(source.stat().st_mode):
            return tr("its file is no ordinary file any more")
        width, height = image_size(source)
    except OSError as error:
        return as_reason(unavailable(error))
    except ImageError as error:
        return as_reason(error)
    if image.width and (width, height) != (image.width, image.height):
        now, then = f"{width} x {height}", f"{image.width} x {image.height}"
        return tr("its file now has {now} pixels, its boxes were made on {then}").format(now=now, then=then)
    return ""
