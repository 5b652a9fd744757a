"""The photos that runs learn from and are measured on: all there before training, the same ones later."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.base.errors import BoxscoutError
from core.formats import tiny_imagenet
from core.paper.plan import Job, Run


@dataclass(frozen=True, slots=True)
class Photos:
    """The files of a set's train and val images."""

    train: tuple[Path, ...]
    val: tuple[Path, ...]

    def record(self) -> dict[str, Any]:
        """How many there are, and a mark that other photos do not have; where they lie does not matter."""
        return {"train": len(self.train), "val": len(self.val), "mark": _mark([*self.train, *self.val])}


def photos_of(data: Path, set_name: str) -> Photos:
    """The photos of a set; FormatError, which says what is missing, where it is not whole."""
    train, val = (tuple(tiny_imagenet.images_of(data, set_name, split)) for split in ("train", "val"))
    return Photos(train, val)


def check_sets(job: Job) -> None:
    """Find every set of ``job``: what is missing should show before hours of training, not after.

    Raises
    ------
    BoxscoutError
        A set's images are missing.
    """
    for set_name in job.sets:
        photos_of(job.data, set_name)


def check_same(run: Run, data: Path, photos: Photos) -> None:
    """Refuse photos that are not those ``run`` began with.

    Raises
    ------
    BoxscoutError
        It began with others.
    """
    known = run.record().get("photos")
    if known is not None and known != photos.record():
        raise BoxscoutError(
            f"{run.project} was trained on other images than {data} holds now; choose another --out."
        )


def _mark(files: Iterable[Path]) -> str:
    """Of names, classes and sizes: reading every photo for each run would take minutes."""
    lines = (f"{file.parent.parent.name}/{file.name} {file.stat().st_size}" for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
