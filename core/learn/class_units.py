"""What the boxes that a person gave a class teach: a unit for each class.

It tells the cells of its objects from those of the other classes'. Where objects lie at all the unit "object"
knows, which learns from the boxes of all classes together (docs/decisions/0026-corrections.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from core.base.annotations import DEFAULT_LABEL
from core.base.errors import TrainingError
from core.base.language import tr
from core.boxes.classes import MOST
from core.learn.corrections import Floats, Reviewed, object_cells
from core.learn.logistic import logistic
from core.learn.object_unit import Unit
from core.maps.class_units import ClassUnits

Array = npt.NDArray[np.float32]

_CELLS = 4_000  # of all boxes together, that teach: more are no better (docs/decisions/0026-corrections.md)
_RIDGE = 1e-2


def class_names(labels: Iterable[str]) -> tuple[str, ...]:
    """The classes among ``labels`` that a person has named, in order: all but ``object``.

    Raises
    ------
    TrainingError
        There are more than can be told apart.
    """
    names = tuple(sorted(set(labels) - {DEFAULT_LABEL}))
    if len(names) > MOST:
        raise TrainingError(
            tr("The reviewed boxes have {count} classes, and at most {most} can be learned.").format(
                count=len(names), most=MOST
            )
        )
    return names


def learn_classes(unit: Unit, reviewed: Sequence[Reviewed], *, seed: int) -> ClassUnits | None:
    """A unit for each class that a box has; None where no box has one that a person has named.

    Parameters
    ----------
    unit
        Knows which cells inside a box are the object's.
    seed
        Of the draw of cells that teach.

    Raises
    ------
    TrainingError
        There are too many classes.
    """
    names = class_names(label for one in reviewed for label in one.labels)
    if not names:
        return None
    rows, of, weigh = _drawn(unit, reviewed, names, np.random.default_rng(seed))
    if len(names) == 1:  # whatever a cell is like, it is of this class
        return ClassUnits(names, np.zeros((1, rows.shape[1]), np.float32), np.zeros(1, np.float32))
    fits = [
        logistic(rows, (of == place).astype(np.float32), ridge=_RIDGE, weigh=weigh)
        for place in range(len(names))
    ]
    weights = np.stack([weights for weights, _ in fits])
    return ClassUnits(names, weights, np.array([bias for _, bias in fits], np.float32))


def _drawn(
    unit: Unit, reviewed: Sequence[Reviewed], names: Sequence[str], rng: np.random.Generator
) -> tuple[Array, npt.NDArray[np.intp], Array]:
    """Some of the objects' cells in boxes of these classes: their numbers, the classes, how much each counts.

    Each box counts as much as any other, however large.
    """
    places = {name: place for place, name in enumerate(names)}
    boxes = [
        (one, box, places[label])
        for one in reviewed
        for box, label in zip(one.boxes, one.labels, strict=bool(one.labels))
        if label in places
    ]
    most = max(1, _CELLS // len(boxes))
    drawn = [rng.permutation(_object_rows(unit, one, box))[:most] for one, box, _ in boxes]
    counts = [len(rows) for rows in drawn]
    weigh = np.repeat([1 / count for count in counts], counts).astype(np.float32)
    of = np.repeat([place for _, _, place in boxes], counts)
    return np.concatenate(drawn).astype(np.float32), of, weigh


def _object_rows(unit: Unit, one: Reviewed, box: Floats) -> npt.NDArray[np.float16]:
    """The cells that are mostly the object's in a box, or the one that is so most: float16 (n, C)."""
    shares = object_cells(unit.logits(one.cells), box[None])
    return one.cells[shares >= min(0.5, float(shares.max()))]
