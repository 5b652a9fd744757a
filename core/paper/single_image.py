"""Two published methods that find an object in one image alone, from frozen features: LOST and TokenCut.

Siméoni et al. 2021, "Localizing Objects with Self-Supervised Transformers and no Labels"; Wang et al. 2022,
"Self-Supervised Transformers for Unsupervised Object Discovery Using Normalized Cut". Both read the patches
of a vision transformer that was trained without labels (DINO). Here they get the cells of whatever frozen
features there are. Written from the papers; the numbers in capitals are theirs.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

LOST_K = 100
"""Patches of lowest degree among which the seed is expanded."""
TOKENCUT_TAU, TOKENCUT_EPSILON = 0.2, 1e-5
"""From what cosine on two patches are joined, and the weight of those that are not."""


def lost(cells: npt.NDArray[np.floating], *, k: int = LOST_K) -> Mask:
    """LOST's mask: the component of its seed, as bool (h, w).

    The seed is the patch that correlates positively with the fewest patches. Of the ``k`` patches of lowest
    degree those that correlate positively with it are added. A patch is the object's if it correlates
    positively with these on average (equations 1 to 4).

    Parameters
    ----------
    cells
        (h, w, C), one image's features.
    """
    height, width, channels = cells.shape
    flat = cells.reshape(-1, channels).astype(np.float64)
    likeness = flat @ flat.T
    degree = (likeness >= 0).sum(axis=1)
    order = np.argsort(degree, kind="stable")
    seed = int(order[0])
    expanded = [int(p) for p in order[:k] if likeness[p, seed] >= 0]
    mask = (likeness[:, expanded].sum(axis=1) >= 0).reshape(height, width)
    return component_of(mask, divmod(seed, width))


def tokencut(cells: npt.NDArray[np.floating], *, tau: float = TOKENCUT_TAU) -> Mask:
    """TokenCut's mask: the component of the patch that stands out most, as bool (h, w).

    Patches whose cosine is at least ``tau`` are joined by weight 1, others by 1e-5 (equation 3). The second
    smallest eigenvector of the normalised cut (Shi and Malik 2000) is cut at its mean (equation 4); the side
    of its largest absolute value is the object.

    Parameters
    ----------
    cells
        (h, w, C), one image's features.
    """
    height, width, channels = cells.shape
    vector = second_eigenvector(affinity(cells.reshape(-1, channels), tau=tau))
    seed = int(np.argmax(np.abs(vector)))
    above = vector > vector.mean()
    mask = (above if above[seed] else ~above).reshape(height, width)
    return component_of(mask, divmod(seed, width))


def affinity(cells: npt.NDArray[np.floating], *, tau: float) -> Floats:
    """The weights between patches, float64 (n, n), of features (n, C)."""
    flat = cells.astype(np.float64)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    flat = flat / np.maximum(lengths, 1e-12)
    return np.where(flat @ flat.T >= tau, 1.0, TOKENCUT_EPSILON)


def second_eigenvector(weights: Floats) -> Floats:
    """The y of the second smallest lambda of (D - W) y = lambda D y, float64 (n,); its sign means nothing."""
    root = np.sqrt(weights.sum(axis=1))
    similar = weights / root[:, None] / root[None, :]  # 1 - lambda are the eigenvalues of this
    vector: Floats = np.linalg.eigh(similar)[1][:, -2] / root
    return vector


def component_of(mask: Mask, place: tuple[int, int]) -> Mask:
    """The part of ``mask`` that hangs together with ``place`` (row, column) by sides; that cell at least."""
    mask = mask.copy()
    mask[place] = True
    labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)[1]
    own: Mask = labels == labels[place]
    return own


def largest_component(mask: Mask) -> Mask:
    """The largest part of ``mask`` that hangs together by sides; all of the image where it is empty."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.ones_like(mask)
    own: Mask = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return own


def box_around(mask: Mask, width: int, height: int) -> tuple[float, float, float, float]:
    """The box around a mask's cells, x0, y0, x1, y1 in pixels of an image of this size."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    across, down = width / mask.shape[1], height / mask.shape[0]
    return columns[0] * across, rows[0] * down, (columns[-1] + 1) * across, (rows[-1] + 1) * down
