"""What of an image is the object by its colours, where a map of logits says roughly so: GrabCut."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from core.learn.logistic import sigmoid
from core.maps.cells import resized

Array = npt.NDArray[np.float32]

SIDE = 96
"""Height and width, in pixels, of the image that is cut."""
_SURELY, _HARDLY = 0.8, 0.2  # probabilities from which on, and below which, colours have no say
_ROUNDS = 2


def grabcut_mask(image: npt.NDArray[np.uint8], logits: Array) -> Array:
    """The share of each cell that is the object's (Rother, Kolmogorov, Blake 2004).

    Colours of likely object and likely surroundings are two mixtures of Gaussians; a graph cut along edges of
    the image decides what lies between.

    Parameters
    ----------
    image
        uint8 (SIDE, SIDE, 3), the whole image, squashed.
    logits
        float32 (h, w), above 0 where the object is likely.

    Returns
    -------
    float32 (h, w), 0..1. Where all of an image is surely of one kind, that is so.
    """
    likely = sigmoid(resized(logits[None], SIDE, SIDE)[0])
    kinds = np.where(likely > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    kinds[likely >= _SURELY] = cv2.GC_FGD
    kinds[likely < _HARDLY] = cv2.GC_BGD
    is_object = np.isin(kinds, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if is_object.any() and not is_object.all():  # else there is nothing to tell apart
        cv2.setRNGSeed(0)  # the mixtures begin with a draw
        own, around, unused = np.zeros((1, 65)), np.zeros((1, 65)), (0, 0, 1, 1)
        pixels = np.ascontiguousarray(image)
        cv2.grabCut(pixels, kinds, unused, around, own, _ROUNDS, cv2.GC_INIT_WITH_MASK)
        is_object = np.isin(kinds, (cv2.GC_FGD, cv2.GC_PR_FGD))
    height, width = logits.shape
    whole = is_object.astype(np.float32)
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.float32)
