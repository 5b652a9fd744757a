"""Linear units that tell classes apart, beside the one that tells where an object is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.boxes.classes import MOST, Cells
from core.maps.cells import resized
from core.nets.features import Maps

Array = npt.NDArray[np.float32]

WEIGHTS, BIASES = "class_weights", "class_biases"
_LONGEST_NAME = 1000


@dataclass(frozen=True, slots=True, eq=False)
class ClassUnits:
    """One unit for each class: of a cell, the class whose unit answers highest is the best.

    Parameters
    ----------
    names
        Distinct, 1 to :data:`core.boxes.classes.MOST`.
    weights, biases
        float32 (k, C) and (k,), finite.
    """

    names: tuple[str, ...]
    weights: Array
    biases: Array

    def best(self, own: Maps, channels: Sequence[int], grid: int) -> list[Cells]:
        """The place in :attr:`names` of each cell's best class: of each image uint8 (h, w).

        Parameters
        ----------
        own
            For each stride float32 (n, C, h, w), as a localizer reads them; ``channels`` are their C.
        grid
            Which of the strides, by its place, has the cells.
        """
        height, width = own[grid].shape[2:]
        count, classes = len(own[0]), len(self.names)
        total = np.zeros((count * classes, height, width), np.float32)
        # A sum of resized maps is that of resized answers, which are fewer.
        for maps, weights in zip(own, np.split(self.weights, np.cumsum(channels)[:-1], axis=1), strict=True):
            answers = weights @ maps.reshape(count, maps.shape[1], -1)
            total += resized(answers.reshape(count * classes, *maps.shape[2:]), height, width)
        logits = total.reshape(count, classes, height, width) + self.biases[:, None, None]
        return list(logits.argmax(axis=1).astype(np.uint8))

    def tensors(self) -> dict[str, Array]:
        """What a file holds of them besides the names."""
        return {WEIGHTS: self.weights, BIASES: self.biases}


def names_of(values: Any) -> tuple[str, ...]:
    """The names of classes in a file's header; ValueError where they are none."""
    if not isinstance(values, list) or not 1 <= len(values) <= MOST or len(set(values)) != len(values):
        raise ValueError
    if not all(isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME for name in values):
        raise ValueError
    for name in values:
        name.encode()  # half a surrogate can be neither kept nor shown
    return tuple(values)


def units_of(
    names: tuple[str, ...], tensors: Mapping[str, npt.NDArray[Any]], numbers: int, most: float
) -> ClassUnits:
    """The units of a file; ValueError or KeyError where they do not read ``numbers`` of a cell.

    ``most`` bounds the absolute value of weights and biases.
    """
    weights, biases = tensors[WEIGHTS], tensors[BIASES]
    wanted = ((weights, (len(names), numbers)), (biases, (len(names),)))
    if not all(
        array.dtype == np.float32 and array.shape == shape and (np.abs(array) < most).all()
        for array, shape in wanted
    ):
        raise ValueError
    return ClassUnits(names, weights, biases)
