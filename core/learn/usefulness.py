"""Which images are worth a person's look next: unsure ones that are unlike those looked at already."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The ids of images in the order in which they are most useful to review, and of all that were ``known``.

    Of the others nobody knows what they would teach: they come last.
    """

    ids: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]


def most_useful(
    signatures: Floats, scores: Floats, reviewed: npt.NDArray[np.bool_], *, count: int
) -> npt.NDArray[np.intp]:
    """The places of at most ``count`` images in the order in which to review them.

    Each is the one whose squared distance to all that are reviewed or before it, times how unsure its box is,
    is largest: farthest-first traversal (Gonzalez 1985), weighed. The least sure alone are often of one kind,
    and images from which nothing can be learned.

    Parameters
    ----------
    signatures
        float (n, D), as :func:`core.maps.signature.signatures` gives them.
    scores
        float (n,), 0..1, how sure the boxes are; NaN where there is none.
    reviewed
        bool (n,).
    """
    points = np.asarray(signatures, np.float32)
    unsure = 1 - np.nan_to_num(np.asarray(scores, np.float32))
    free = ~reviewed
    if not free.any():
        return np.zeros(0, np.intp)
    away = np.full(len(points), np.inf, np.float32)
    for place in np.flatnonzero(reviewed).tolist():
        away = np.minimum(away, _distances(points, place))
    chosen: list[int] = []
    if not reviewed.any():  # what is most like all others comes first
        middle = ((points - points.mean(axis=0)) ** 2).sum(axis=1)
        chosen.append(int(np.argmin(middle)))
        away = _distances(points, chosen[0])
    free[chosen] = False
    while free.any() and len(chosen) < count:
        worth = np.where(free, away * unsure, -1)
        chosen.append(int(np.argmax(worth)))
        free[chosen[-1]] = False
        away = np.minimum(away, _distances(points, chosen[-1]))
    return np.array(chosen[:count], np.intp)


def _distances(points: npt.NDArray[np.float32], place: int) -> npt.NDArray[np.float32]:
    """Squared distances of all points to one of them."""
    found: npt.NDArray[np.float32] = ((points - points[place]) ** 2).sum(axis=1)
    return found
