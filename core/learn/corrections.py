"""What a few reviewed images teach: the object unit fitted anew, the one learned without labels as prior.

A box says where an object ends and not which of the cells inside it are the object's: legs and branches leave
its corners to the surroundings. So the unit's own heat is asked: of all cuts of it inside the box the part
that reaches the box's sides shows the object. Taught by whole boxes the unit's areas grow, and boxes with
them (docs/decisions/0026-corrections.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.base.errors import TrainingError
from core.base.geometry import Box, iou
from core.base.language import tr
from core.boxes.classes import covered
from core.boxes.objects import largest_part, tightest_box
from core.learn.logistic import logistic
from core.learn.object_unit import Unit

Array = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

LEAST = 3
"""Reviewed images with a box from which on there is something to learn."""
_CELLS = 16_000  # of all images together, that teach
_ROUNDS = 2
_HELD = 1.0  # how much the prior weighs in each fit: the ridge is this over the number of images
_FEW = 5.0  # reviewed images that say as much as the prior: their unit and the prior are averaged so
_CUTS = np.linspace(0, 0.95, 20)  # quantiles of the heat inside a box at which it is cut
_ABOUT = 0.02  # of the IoU: cuts whose boxes are this much worse than the best one's are as good


@dataclass(frozen=True)
class Reviewed:
    """An image that a person has looked at.

    ``cells`` is float16 (h, w, C), as :class:`core.learn.object_unit.Seen` has them. ``boxes``, float64
    (n, 4), are x0 y0 x1 y1 in shares of its width and height; n = 0 says that it shows no object. ``labels``
    are their classes; none where no class is learned.
    """

    cells: npt.NDArray[np.float16]
    boxes: Floats
    labels: tuple[str, ...] = ()


def learn_corrections(prior: Unit, reviewed: Sequence[Reviewed], *, seed: int) -> Unit:
    """The unit that ``prior`` becomes by what a person says of some images; its cut is .5 again.

    Parameters
    ----------
    seed
        Of the draw of cells that teach.

    Raises
    ------
    TrainingError
        Fewer than :data:`LEAST` images have a box.
    """
    check_enough(sum(len(one.boxes) > 0 for one in reviewed))
    rows, owners, places = _drawn(reviewed, np.random.default_rng(seed))
    weigh = (1 / np.bincount(owners)[owners]).astype(np.float32)
    unit = prior
    for _ in range(_ROUNDS):
        masks = [object_cells(unit.logits(one.cells), one.boxes).ravel() for one in reviewed]
        wanted = np.concatenate([masks[i][own] for i, own in enumerate(places)])
        ridge = _HELD / len(reviewed)
        weights, bias = logistic(rows, wanted, ridge=ridge, weigh=weigh, prior=(prior.weights, prior.bias))
        unit = Unit(weights, bias)
    return _between(prior, unit, len(reviewed) / (len(reviewed) + _FEW))


def check_enough(with_box: int) -> None:
    """TrainingError where fewer than :data:`LEAST` reviewed images have a box."""
    if with_box < LEAST:
        raise TrainingError(
            tr("Correct or accept the boxes of at least {count} images first.").format(count=LEAST)
        )


def _between(one: Unit, other: Unit, share: float) -> Unit:
    """The unit whose logit is that of ``one`` and, to a ``share``, that of ``other``."""
    weights = (1 - share) * one.weights + share * other.weights
    return Unit(weights.astype(np.float32), (1 - share) * one.bias + share * other.bias)


def _drawn(
    reviewed: Sequence[Reviewed], rng: np.random.Generator
) -> tuple[Array, npt.NDArray[np.int64], list[npt.NDArray[np.int64]]]:
    """Some cells of each image: their numbers, whose they are, and for each image which ones."""
    most = max(1, _CELLS // len(reviewed))
    flat = [one.cells.reshape(-1, one.cells.shape[2]) for one in reviewed]
    places = [rng.permutation(len(cells))[:most] for cells in flat]
    rows = np.concatenate([cells[own].astype(np.float32) for cells, own in zip(flat, places, strict=True)])
    owners = np.repeat(np.arange(len(reviewed)), [len(own) for own in places])
    return rows, owners, places


def object_cells(logits: Array, boxes: Floats) -> Array:
    """The share of each cell that is an object's, float32 (h, w): by the heat inside the boxes around them.

    Parameters
    ----------
    logits
        float32 (h, w).
    boxes
        float64 (n, 4), in shares of the image, as :class:`Reviewed` has them.
    """
    wanted = np.zeros(logits.shape, np.float32)
    for box in boxes:
        inside = covered(box, logits.shape)
        wanted = np.maximum(wanted, np.where(_part(logits, inside, box), inside, 0))
    return wanted


def _part(logits: Array, inside: Array, box: Floats) -> npt.NDArray[np.bool_]:
    """The hottest part inside a box whose own box is about as near to it as that of any."""
    touched = inside > 0
    if not touched.any():
        return touched
    well = inside > 0.5 * inside.max()
    height, width = logits.shape
    wanted = Box(*box.tolist()).scaled(width, height)
    parts = [largest_part((logits >= cut) & touched) for cut in np.quantile(logits[well], _CUTS)]
    near = np.array([iou(Box(*tightest_box(part)), wanted) for part in parts])
    return parts[int(np.flatnonzero(near >= near.max() - _ABOUT)[-1])]
