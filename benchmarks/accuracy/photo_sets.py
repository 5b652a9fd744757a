"""The real photos that accuracy is measured on: the six sets, their true boxes and their halves.

Each lies zipped in ``$BOXSCOUT_DATA``, or ``../shared/data`` beside this repository, with its photos in
``images`` and true boxes in ``annotations``, in Pascal VOC's form.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.base.annotations import ImageBoxes
from core.formats import reading

SETS = ("raccoon", "rabbit", "capybara", "ships", "pest", "bccd-wbc")
#: A box that looks at nothing is right on three of four raccoons, so that these tell little.
JUDGES = SETS[1:]
TINY_IMAGENET = "tiny-imagenet-six"
HALVES = ("even", "odd", "whole")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PhotoSet:
    """Photos in ``folder`` / ``images`` with at least one true box each, named relative to ``folder``."""

    name: str
    folder: Path
    truth: tuple[ImageBoxes, ...]

    @property
    def images(self) -> Path:
        return self.folder / "images"

    @property
    def files(self) -> list[Path]:
        return [self.folder / image.name for image in self.truth]


def data_folder() -> Path:
    """Where the zipped sets lie."""
    return Path(os.environ.get("BOXSCOUT_DATA") or Path(__file__).parents[3] / "shared" / "data")


def unzipped(name: str, work: Path) -> Path:
    """The folder of a set below ``work``, unzipped there if it was not before."""
    folder = work / name
    if not folder.is_dir():
        part = work / f"{name}.part"
        with zipfile.ZipFile(data_folder() / f"{name}.zip") as archive:
            archive.extractall(part)
        (part / name).rename(folder)
        part.rmdir()
    return folder


def photo_set(name: str, work: Path) -> PhotoSet:
    """One of :data:`SETS`, unzipped below ``work``."""
    folder = unzipped(name, work)
    truth = (image for image in reading.read_truth(folder) if image.boxes)
    return PhotoSet(name, folder, tuple(truth))


def even_ranks(names: Sequence[str]) -> Flags:
    """Whether each image is for choosing: of even rank by the SHA-1 of its file's name; bool (n,).

    Whatever is chosen, by a person or by trying, is chosen on these; the others report it.
    """
    digests = [hashlib.sha1(Path(name).name.encode()).hexdigest() for name in names]
    even = np.zeros(len(names), bool)
    even[np.argsort(np.array(digests), kind="stable")[::2]] = True
    return even


def half(names: Sequence[str], which: str) -> Flags:
    """Which images belong to one of :data:`HALVES`; bool (n,)."""
    even = even_ranks(names)
    return {"even": even, "odd": ~even, "whole": np.ones(len(names), bool)}[which]


def first_of(photos: PhotoSet, count: int) -> PhotoSet:
    """The same set with ``count`` of its photos."""
    return replace(photos, truth=photos.truth[:count])
