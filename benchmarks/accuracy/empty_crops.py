"""Crops with an object and crops without one, alike in everything else, cut from photos with true boxes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from photo_sets import PhotoSet

from core.base.annotations import ImageBoxes
from core.images.decoding import decode

#: Width by height of the windows that are tried.
ASPECTS = (1 / 2, 2 / 3, 1.0, 3 / 2, 2.0)
SMALLEST = 32  # pixels of a window's shorter side
_SIZES = 24  # tried of each aspect, the largest first
_STEPS = 12  # places tried along a window's side

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two windows of one photo and one size, in whole pixels: x0 y0 x1 y1.

    ``empty`` touches no true box, ``full`` holds a whole one.
    """

    photo: str
    empty: tuple[int, int, int, int]
    full: tuple[int, int, int, int]


def pairs_of(photos: PhotoSet, *, count: int, seed: int) -> list[Pair]:
    """At most ``count`` pairs, one a photo; the same seed gives the same ones.

    Windows are as large as a photo allows, since the less is cut off the more a crop is like a photo.
    """
    # A photo's own stream, so that one more photo changes no other's windows.
    streams = [np.random.default_rng([seed, zlib.crc32(image.name.encode())]) for image in photos.truth]
    drawn = np.argsort([rng.random() for rng in streams], kind="stable")
    found: list[Pair] = []
    for i in drawn:
        pair = _pair(photos.truth[i], streams[i])
        if pair is not None:
            found.append(pair)
        if len(found) == count:
            break
    return sorted(found, key=lambda pair: pair.photo)


def write_crops(pairs: Sequence[Pair], photos: PhotoSet, out: Path) -> list[tuple[Path, Path]]:
    """Both windows of each pair as PNG below ``out``; (empty, full) files."""
    written = []
    for i, pair in enumerate(pairs):
        pixels = decode(photos.folder / pair.photo).pixels
        files = []
        for kind, (x0, y0, x1, y1) in (("empty", pair.empty), ("full", pair.full)):
            path = out / f"{kind}-{i:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), pixels[y0:y1, x0:x1, ::-1])
            files.append(path)
        written.append((files[0], files[1]))
    return written


def _pair(image: ImageBoxes, rng: np.random.Generator) -> Pair | None:
    boxes = np.array([record.box.sides for record in image.boxes])
    sizes = {(round(w), round(h)) for w, h in _sizes(image.width, image.height)}
    for width, height in sorted(sizes, key=lambda size: (-size[0] * size[1], size)):
        windows = _windows(image.width, image.height, width, height)
        apart = (windows[:, None, :2] >= boxes[None, :, 2:]) | (windows[:, None, 2:] <= boxes[None, :, :2])
        empty = np.flatnonzero(apart.any(axis=2).all(axis=1))
        holds = (windows[:, None, :2] <= boxes[None, :, :2]) & (windows[:, None, 2:] >= boxes[None, :, 2:])
        full = np.flatnonzero(holds.all(axis=2).any(axis=1))
        if len(empty) and len(full):
            one, other = (windows[rng.choice(places)].tolist() for places in (empty, full))
            return Pair(image.name, tuple(one), tuple(other))
    return None


def _sizes(width: int, height: int) -> list[tuple[float, float]]:
    found = []
    for aspect in ASPECTS:
        largest = min(width, height * aspect)
        for share in np.geomspace(1.0, 0.05, _SIZES):
            size = largest * share, largest * share / aspect
            if min(size) >= SMALLEST:
                found.append(size)
    return found


def _windows(photo_width: int, photo_height: int, width: int, height: int) -> Ints:
    """Windows of one size all over a photo, to its very edges; int64 (n, 4)."""
    x, y = (
        np.unique(np.linspace(0, whole - side, 1 + -(-_STEPS * (whole - side) // side)).astype(np.int64))
        for whole, side in ((photo_width, width), (photo_height, height))
    )
    x, y = (grid.ravel() for grid in np.meshgrid(x, y))
    return np.stack([x, y, x + width, y + height], axis=1)
