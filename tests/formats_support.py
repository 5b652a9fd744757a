"""What tests of the formats share: image files, boxes on them, and a strategy for names that are awkward."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from core.base.annotations import BoxRecord, ImageBoxes, Status
from core.base.geometry import Box
from core.formats import WriteOptions
from core.images.scan import EXPORTED

AWKWARD = (
    "Köln am Rhein.png",
    "=1+1.png",
    "two\nlines.png",
    "a b/c & <d>.png",
    "images/x.png",
    "labels/x.png",
)
FOLDER_FORMATS = ("yolo", "voc", "labelme", "imagefolder", "fiftyone", "drawn", "crops")
FOLDER_FORMATS += ("class-folders", "camtrap-dp")

part = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=6
).filter(lambda text: text.strip(" .") != "")
names = st.lists(part, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".png")
labels = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6).filter(str.strip)


@st.composite
def boxes_on(draw: st.DrawFn, width: int, height: int) -> BoxRecord:
    x0, y0 = draw(st.floats(-5, width - 1)), draw(st.floats(-5, height - 1))
    x1 = draw(st.floats(max(x0, 0) + 0.5, width + 5))
    y1 = draw(st.floats(max(y0, 0) + 0.5, height + 5))
    return BoxRecord(Box(x0, y0, x1, y1), draw(labels), score=draw(st.none() | st.floats(0, 1)))


@st.composite
def image_lists(draw: st.DrawFn) -> list[ImageBoxes]:
    """Up to four images of 40 x 30 pixels with names that no system mixes up."""
    found = draw(st.lists(names, min_size=1, max_size=4, unique_by=str.casefold))
    return [ImageBoxes(n, 40, 30, tuple(draw(st.lists(boxes_on(40, 30), max_size=3)))) for n in found]


def record(*sides: float, label: str = "object", score: float | None = 0.5) -> BoxRecord:
    return BoxRecord(Box(*sides), label, score)


def image(
    name: str = "a.png", *boxes: BoxRecord, size: tuple[int, int] = (40, 30), status: Status = Status.UNSEEN
) -> ImageBoxes:
    return ImageBoxes(name, *size, boxes, status)


def saved(folder: Path, images: Iterable[ImageBoxes], **options: object) -> WriteOptions:
    """Options with a real file below ``folder`` for each image: noise, so that crops differ."""
    sources = {}
    for number, one in enumerate(images):
        path = folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (one.height, one.width, 3), np.uint8)
        Image.fromarray(pixels).save(path)
        sources[one.name] = path
    return WriteOptions(sources=sources, **options)  # type: ignore[arg-type]


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def read_only_disk(*_: object, **__: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def files_of(folder: Path) -> set[str]:
    """Of an export: the file that marks it as one left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != EXPORTED)
    return {path.relative_to(folder).as_posix() for path in files}
