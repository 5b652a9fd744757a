"""Boxes that look at no pixel, and boxes that look but never learned."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.base.annotations import ImageBoxes
from core.base.errors import ImageError
from core.base.geometry import Box
from core.boxes.overlap import CORRECT_IOU, Floats, Truth
from core.images.decoding import decode_squashed

CENTRED_SHARE = 0.8
FIXED_STEP = 0.02

_GRID = 64
_SIGMA = 16.0
_SPREAD = 1.9


def centred_boxes(sizes: Floats, width: float, height: float) -> Floats:
    """One centred box per image, float64 (n, 4) pixels, of ``width`` and ``height`` as shares of it."""
    half = np.array([width, height]) / 2
    return np.hstack([sizes * (0.5 - half), sizes * (0.5 + half)])


def best_fixed_box(
    truth: Truth, *, step: float = FIXED_STEP, iou: float = CORRECT_IOU
) -> tuple[tuple[float, float], int]:
    """The centred box, one for all images, that is right most often, found by trying all on the truth.

    Right is an IoU of ``iou`` or more.

    Returns
    -------
    (width, height) as shares of the image, in steps of ``step``, and how many images it gets right.
    """
    shares = np.linspace(step, 1.0, round(1 / step))
    # Everything in shares of the image, where one box is the same box for all.
    scaled = truth.boxes / np.tile(truth.sizes[truth.image_of], 2)
    # Axis by axis: the overlap of a wide and low box is its overlap in x times that in y.
    shared_x, shared_y = (
        np.clip(
            np.minimum(scaled[:, axis + 2], 0.5 + shares[:, None] / 2)
            - np.maximum(scaled[:, axis], 0.5 - shares[:, None] / 2),
            0,
            None,
        )
        for axis in (0, 1)
    )
    areas = (scaled[:, 2] - scaled[:, 0]) * (scaled[:, 3] - scaled[:, 1])
    several, starts = len(scaled) > truth.n, truth.starts
    best, best_shares = -1, (0.0, 0.0)
    for i, width in enumerate(shares):
        for j, height in enumerate(shares):
            shared = shared_x[i] * shared_y[j]
            right = shared >= iou * (areas + width * height - shared)
            if several:
                right = np.logical_or.reduceat(right, starts)
            if (count := int(np.count_nonzero(right))) > best:
                best, best_shares = count, (round(float(width), 2), round(float(height), 2))
    return best_shares, best


def colour_contrast(pixels: npt.NDArray[np.uint8]) -> Box:
    """The box of what differs in colour from the image's border and has edges: no training at all.

    Parameters
    ----------
    pixels
        uint8 (H, W, 3), RGB.

    Returns
    -------
    A box in pixels of ``pixels``, inside them.
    """
    height, width = pixels.shape[:2]
    small = pixels
    if (height, width) != (_GRID, _GRID):
        small = cv2.resize(pixels, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.uint8)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).astype(np.float64)
    places = np.arange(0.5, _GRID)
    bell = np.exp(-((places - _GRID / 2) ** 2) / (2 * _SIGMA**2))
    weight = (_scaled(_border_distance(lab)) + _scaled(_edges(lab[:, :, 0]))) * np.outer(bell, bell)
    box = Box(*_moments(weight, places.astype(np.float64))).scaled(width / _GRID, height / _GRID)
    return box.clamped(float(width), float(height))


def contrast_boxes(root: Path, truth: Sequence[ImageBoxes], guesses: Sequence[ImageBoxes | None]) -> Floats:
    """:func:`colour_contrast` of each image of the truth, float64 (n, 4) pixels; NaN where unreadable.

    An image is looked for under ``root`` by the truth's name, then by the predicted one.
    """
    inside = root.resolve()
    boxes = np.full((len(truth), 4), np.nan)

    def one(i: int) -> tuple[float, float, float, float] | None:
        guess = guesses[i]
        names = [truth[i].name, *([guess.name] if guess else [])]
        return _contrast_box(inside, names, truth[i])

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for i, box in enumerate(pool.map(one, range(len(truth)))):
            if box is not None:
                boxes[i] = box
    return boxes


def _contrast_box(
    root: Path, names: Sequence[str], true: ImageBoxes
) -> tuple[float, float, float, float] | None:
    for name in names:
        # A truth file's names are not ours: none may lead out of the folder, by a link either.
        try:
            path = (root / name).resolve()
            if not path.is_relative_to(root) or not path.is_file():
                continue
            decoded = decode_squashed(path, size=_GRID)
        except (ImageError, OSError, ValueError):
            continue
        box = colour_contrast(decoded.pixels)
        box = box.scaled((true.width or decoded.width) / _GRID, (true.height or decoded.height) / _GRID)
        return box.sides
    return None


def _border_distance(lab: Floats) -> Floats:
    """How unlike the border's colours each pixel is: the Mahalanobis distance, (64, 64)."""
    border = np.concatenate([lab[0], lab[-1], lab[1:-1, 0], lab[1:-1, -1]])
    away = lab - border.mean(axis=0)
    # A border of one colour has no spread to measure by; one unit of Lab, hardly visible, stands in.
    spread = np.cov(border, rowvar=False) + np.eye(3)
    distance: Floats = np.sqrt(np.einsum("yxi,ij,yxj->yx", away, np.linalg.inv(spread), away))
    return distance


def _edges(lightness: Floats) -> Floats:
    across, down = cv2.Sobel(lightness, cv2.CV_64F, 1, 0), cv2.Sobel(lightness, cv2.CV_64F, 0, 1)
    return cv2.GaussianBlur(np.hypot(across, down), (0, 0), 2.0).astype(np.float64)


def _scaled(values: Floats) -> Floats:
    low, high = float(values.min()), float(values.max())
    # Of a flat image nothing stands out: what remains is the centred bell alone.
    return (values - low) / (high - low) if high - low > 1e-9 else np.ones_like(values)


def _moments(weight: Floats, places: Floats) -> tuple[float, float, float, float]:
    """Weighted mean +- 1.9 weighted standard deviations of each axis, as x0 y0 x1 y1."""
    sides = []
    for axis in (0, 1):
        share = weight.sum(axis=axis) / weight.sum()
        middle = float((share * places).sum())
        reach = _SPREAD * float(np.sqrt((share * (places - middle) ** 2).sum()))
        sides.append((middle - reach, middle + reach))
    (x0, x1), (y0, y1) = sides
    return x0, y0, x1, y1
