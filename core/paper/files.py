"""Everything that a job writes below its folder, atomically, folders made where they are missing."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.base.annotations import ImageBoxes
from core.base.atomic import os_errors, write_atomically
from core.base.errors import BoxscoutError
from core.formats import csv


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8; BoxscoutError where that fails."""
    _write(path, text.encode())


def write_array(path: Path, array: npt.NDArray[np.float32]) -> None:
    """Write ``array`` in NumPy's own format; BoxscoutError where that fails."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    _write(path, content.getvalue())


def write_boxes(path: Path, images: Sequence[ImageBoxes]) -> None:
    """Write boxes as CSV, unrounded, so that the file gives the table's numbers; BoxscoutError on failure."""
    make_folder(path.parent)
    csv.write_exact(images, path)


def make_folder(path: Path) -> None:
    """Make ``path`` unless it is there; BoxscoutError where that fails."""
    with os_errors(BoxscoutError, "{path} cannot be made: {reason}.", path=path):
        path.mkdir(parents=True, exist_ok=True)


def _write(path: Path, data: bytes) -> None:
    make_folder(path.parent)
    with os_errors(BoxscoutError, "{path} cannot be written: {reason}.", path=path):
        write_atomically(path, data)
