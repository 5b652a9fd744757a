"""What stands out in a picture before anything is learned, and which way its outlines run.

A discriminator's map is coarse and knows what objects of the folder look like; contrast is fine and knows
nothing of them. Their product is hot where both agree (:func:`guided`). Everything here is arithmetic on
single pictures, without training and without labels.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Maps = npt.NDArray[np.float32]

GRID = 64
# Chosen on the train boxes of Artiodactyla, Bottle and Dog and on raccoon: docs/decisions/0009-contrast.md.
_FLOOR = 0.3
_BLUR = 4.0
_OUTLINE_BLUR = 2.0
_OUTLINE_SIGMA = 20.0

_BAND = 6  # cells at the border that stand for the background
_SWEEPS = 2


def contrast_maps(images: Images) -> Maps:
    """How much each place stands out: barrier distance + colour distance + edges, each scaled to 0..1.

    Parameters
    ----------
    images
        uint8 (N, H, W, 3), RGB.

    Returns
    -------
    float32 (N, GRID, GRID), 0..3
    """
    if not len(images):
        return np.zeros((0, GRID, GRID), np.float32)
    small = [_small(image) for image in images]
    lab = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2LAB) for image in small]).astype(np.float32)
    cues = barrier_distance(_blurred(lab, 0.8)), _border_colour_distance(_blurred(lab, 1.0)), _edges(small)
    total: Maps = np.sum([_scaled(cue) for cue in cues], axis=0, dtype=np.float32)
    return total


def guided(heat_maps: Maps, contrast: Maps) -> Maps:
    """Heat where the network's map and the picture's own contrast agree.

    Each map, scaled to 0..1, is multiplied by 0.3 + contrast and blurred: contrast alone would favour the
    outline, and 0.3 keeps what the network sees in an even part of the object.

    Parameters
    ----------
    heat_maps
        float32 (N, h, w), any range.
    contrast
        float32 (N, GRID, GRID), as :func:`contrast_maps` gives it.

    Returns
    -------
    float32 (N, h, w), at least 0
    """
    rows, columns = heat_maps.shape[1:]
    result = np.empty(heat_maps.shape, np.float32)
    for i, (heat, cue) in enumerate(zip(_scaled(heat_maps), contrast, strict=True)):
        fine = cv2.resize(heat, (GRID, GRID), interpolation=cv2.INTER_LINEAR)
        product = cv2.GaussianBlur(fine * (_FLOOR + cue), (0, 0), _BLUR)
        result[i] = cv2.resize(product, (columns, rows), interpolation=cv2.INTER_AREA)
    return result


def outline_ratios(images: Images) -> npt.NDArray[np.float64]:
    """The logarithm of how much more outline runs down than across, of each picture, weighted to its middle.

    The outline of a box of width w and height h holds 2 h of vertical and 2 w of horizontal edge, so the sums
    of absolute derivatives in x and in y have the ratio h / w. In whole photos that is diluted by everything
    else in view.

    Parameters
    ----------
    images
        uint8 (N, H, W, 3), RGB.

    Returns
    -------
    float64 (N,)
        Natural logarithm; 0 where a picture has no outline at all.
    """
    places = (np.arange(GRID) + 0.5 - GRID / 2) / _OUTLINE_SIGMA
    bell = np.exp(-0.5 * places**2)
    weight = np.outer(bell, bell)
    ratios = np.zeros(len(images))
    for i, image in enumerate(images):
        lab = cv2.cvtColor(_small(image), cv2.COLOR_RGB2LAB).astype(np.float32)
        smooth = cv2.GaussianBlur(lab, (0, 0), _OUTLINE_BLUR)
        down, across = (
            float((np.linalg.norm(cv2.Sobel(smooth, cv2.CV_32F, *order), axis=2) * weight).sum())
            for order in ((1, 0), (0, 1))
        )
        if down > 0 and across > 0:
            ratios[i] = np.log(down / across)
    return ratios


def barrier_distance(lab: Maps) -> Maps:
    """The minimum barrier distance of every pixel to the border of its picture (Strand et al. 2013).

    The barrier of a path is its highest minus its lowest value; the distance is that of the path with the
    least. Found by sweeps over rows and columns, as Zhang et al. 2015 do over pixels: an upper bound that
    few sweeps bring close to the truth. Channels are added.

    Parameters
    ----------
    lab
        float32 (N, H, W, 3).

    Returns
    -------
    float32 (N, H, W), at least 0; 0 at the border
    """
    # The axis that is swept comes first, so that each step works on memory in one piece.
    values = np.ascontiguousarray(lab.transpose(1, 2, 0, 3))
    high, low = values.copy(), values.copy()
    distance = np.full(high.shape, np.inf, np.float32)
    distance[[0, -1]] = 0
    distance[:, [0, -1]] = 0
    for _ in range(_SWEEPS):
        for _axis in (0, 1):
            for order in (range(1, len(values)), range(len(values) - 2, -1, -1)):
                _sweep(values, high, low, distance, order)
            values, high, low, distance = (
                np.ascontiguousarray(part.swapaxes(0, 1)) for part in (values, high, low, distance)
            )
    total: Maps = distance.sum(axis=3).transpose(2, 0, 1)
    return total


def _sweep(values: Maps, high: Maps, low: Maps, distance: Maps, order: range) -> None:
    """Let each line take over the paths of the line before where that makes its barrier lower."""
    for line in order:
        before = line - order.step
        highest = np.maximum(high[before], values[line])
        lowest = np.minimum(low[before], values[line])
        barrier = highest - lowest
        better = barrier < distance[line]
        np.copyto(distance[line], barrier, where=better)
        np.copyto(high[line], highest, where=better)
        np.copyto(low[line], lowest, where=better)


def _border_colour_distance(lab: Maps) -> Maps:
    """The Mahalanobis distance of each pixel's colour to those of a band along the border."""
    n = len(lab)
    band = np.ones((GRID, GRID), bool)
    band[_BAND:-_BAND, _BAND:-_BAND] = False
    border = lab[:, band].astype(np.float64)
    middle = border.mean(axis=1, keepdims=True)
    away = border - middle
    # A border of one colour has no spread to measure by; two levels of Lab, hardly visible, stand in.
    spread = np.einsum("npi,npj->nij", away, away) / away.shape[1] + 4 * np.eye(3)
    offset = lab.reshape(n, -1, 3) - middle
    squared = np.einsum("npi,nij,npj->np", offset, np.linalg.inv(spread), offset)
    distance: Maps = np.sqrt(squared).reshape(n, GRID, GRID).astype(np.float32)
    return distance


def _edges(images: list[Images]) -> Maps:
    """How much edge there is around each pixel."""
    result = np.empty((len(images), GRID, GRID), np.float32)
    for i, image in enumerate(images):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
        result[i] = cv2.GaussianBlur(slope, (0, 0), _BLUR)
    return result


def _small(image: Images) -> Images:
    if image.shape[:2] == (GRID, GRID):
        return np.ascontiguousarray(image)
    return np.asarray(cv2.resize(image, (GRID, GRID), interpolation=cv2.INTER_AREA), np.uint8)


def _blurred(maps: Maps, sigma: float) -> Maps:
    blurred: Maps = np.stack([cv2.GaussianBlur(values, (0, 0), sigma) for values in maps]).astype(np.float32)
    return blurred


def _scaled(maps: Maps) -> Maps:
    """Each to 0..1; a flat one, in which nothing stands out, is 1 everywhere."""
    low, high = (edge(maps, axis=(1, 2), keepdims=True) for edge in (np.min, np.max))
    span = high - low
    scaled: Maps = np.where(span > 1e-9, (maps - low) / np.maximum(span, 1e-9), 1.0).astype(np.float32)
    return scaled
