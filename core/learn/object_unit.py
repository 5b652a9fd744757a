"""The linear unit "object": what a folder's images have in common teaches it, without a label.

DDT (Wei et al. 2017) says where the object is, but not how large: its heat is highest on the most telling
part, and wide around small objects. So only its extremes are believed. They teach a first unit, as in FOUND
(Siméoni et al. 2023). Then units of two views teach each other, as in co-training (Blum and Mitchell 1998).
The *deep* view knows what an object is. The *near* view, of finer strides, cannot see past an object's edge:
to it, cells beside an object look like cells far from any, which the deep view calls surroundings. At last
the photos have their say: their colours cut the objects out along edges, and the masks of the whole folder
teach both views once more, so that the errors of single masks average out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.learn.logistic import logistic, sigmoid
from core.learn.masks import grabcut_mask
from core.maps.cells import normalised, resized
from core.maps.ddt import Tally

Array = npt.NDArray[np.float32]

#: Shares of an image's hottest heat from which a cell is surely the object's, and of its coldest cells that
#: surely are surroundings, each of which begins one course of teaching.
_SURE = ((0.5, 0.3), (0.6, 0.4))
_CELLS = 16_000  # that teach one unit
_COLD = 0.2  # the share of an image's cells up to which its heat is that of surroundings
_COLDEST = 0.05  # the same of logits, which rise less gradually
_RIDGE_SURE, _RIDGE_DEEP, _RIDGE_NEAR = 1e-1, 1e-2, 1e-3
_FITS = 9  # in all, for the progress


@dataclass(frozen=True)
class Seen:
    """One image as it is learned from.

    ``cells`` is float16 (h, w, C), the numbers of each cell, the nearest view's first; ``coarse`` float16
    (C', h', w'), the deepest stride's descriptors of the image at a smaller size, for DDT; ``image`` is uint8
    (SIDE, SIDE, 3), RGB, the whole of it, for :func:`core.learn.masks.grabcut_mask`.
    """

    cells: npt.NDArray[np.float16]
    coarse: npt.NDArray[np.float16]
    image: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Unit:
    """A linear readout: float32 ``weights`` (C,) and ``bias`` of a logit."""

    weights: Array
    bias: float

    def logits(self, cells: npt.NDArray[np.float16]) -> Array:
        """Of each of (h, w, C) ``cells``, float32 (h, w)."""
        answers: Array = cells.astype(np.float32) @ self.weights + np.float32(self.bias)
        return answers


def learn_object_unit(
    seen: Sequence[Seen], *, near: slice, deep: slice, seed: int
) -> Iterator[tuple[float, Unit]]:
    """Teach the unit; after each fit how much is done, 0..1, and the unit so far.

    Parameters
    ----------
    near, deep
        Which numbers of a cell each view reads.
    seed
        Of the draw of cells that teach.

    Raises
    ------
    TrainingError
        Nothing stands out in the images.
    """
    course = _Course(seen, np.random.default_rng(seed), near=near, deep=deep)
    done = 0
    heat = common_heat([one.coarse for one in seen], [one.cells.shape[:2] for one in seen])
    first: list[Unit] = []
    for hot, cold in _SURE:
        for unit in course.units([_sure(one, hot=hot, cold=cold) for one in heat], sure=True):
            done += 1
            yield done / _FITS, mean_unit([*first, unit]) if first else unit
            first.append(unit)
    answers = course.answers(mean_unit(first))
    objects = [grabcut_mask(one.image, own - _cut(own)) for one, own in zip(seen, answers, strict=True)]
    second: list[Unit] = []
    for unit in course.units(objects, sure=False):
        done += 1
        second.append(unit)
        yield done / _FITS, mean_unit(second)


def common_heat(coarse: Sequence[npt.NDArray[np.float16]], shapes: Sequence[tuple[int, int]]) -> list[Array]:
    """DDT on descriptors as they are and at length 1, each in standard deviations, added: steadier than one.

    Parameters
    ----------
    coarse
        Of each image float16 (C, h, w).
    shapes
        To which height and width each map is brought.

    Returns
    -------
    For each image float32 (height, width).
    """
    plain, even = Tally(within=True, rim=1), Tally(within=True, rim=1)
    for one in coarse:
        maps = one.astype(np.float32)[None]
        plain.add(maps)
        even.add(normalised(maps))
    directions = plain.direction(), even.direction()
    heat = []
    for one, shape in zip(coarse, shapes, strict=True):
        maps = one.astype(np.float32)[None]
        both = [
            d.maps(m) / np.float32(d.deviation)
            for d, m in zip(directions, (maps, normalised(maps)), strict=True)
        ]
        heat.append(resized(both[0] + both[1], *shape)[0])
    return heat


def _sure(heat: Array, *, hot: float, cold: float) -> Array:
    """1 where the cell is surely the object's, 0 where it surely is not, NaN between: float32 (h, w)."""
    surely = np.full(heat.shape, np.nan, np.float32)
    surely[heat <= np.quantile(heat, cold)] = 0
    level = np.quantile(heat, _COLD)
    surely[heat >= level + hot * (heat.max() - level)] = 1
    return surely


def _cut(answers: Array) -> float:
    """The logit above which cells of one image are the object's: 0, or halfway from cold ones to the hottest.

    In an image whose surroundings look like other images' objects all logits are high.
    """
    return max(0.0, float(answers.max() + np.quantile(answers, _COLDEST)) / 2)


class _Course:
    """The images' cells, and units fitted on them."""

    def __init__(self, seen: Sequence[Seen], rng: np.random.Generator, *, near: slice, deep: slice) -> None:
        self._seen, self._rng, self._near, self._deep = seen, rng, near, deep
        self._ends = np.cumsum([one.cells.shape[0] * one.cells.shape[1] for one in seen])
        self._starts = np.append(0, self._ends[:-1])

    def units(self, wanted: Sequence[Array], *, sure: bool) -> Iterator[Unit]:
        """A deep unit taught by ``wanted``, then a near one, then a deep one taught by the near one.

        ``wanted`` is 0..1 for each cell, NaN if nothing is known of it. If only what is ``sure`` is,
        object and surroundings weigh the same, and its verdict on all cells teaches the near one;
        else ``wanted`` does.
        """
        first = self._fitted(wanted, self._deep, _RIDGE_SURE if sure else _RIDGE_DEEP, even=sure)
        yield first
        if sure:
            wanted = [(one > 0).astype(np.float32) for one in self.answers(first)]
        near = self._fitted(wanted, self._near, _RIDGE_NEAR)
        yield near
        yield self._fitted([sigmoid(one) for one in self.answers(near)], self._deep, _RIDGE_DEEP)

    def answers(self, unit: Unit) -> list[Array]:
        """The logit of each image's cells, float32 (h, w)."""
        return [unit.logits(one.cells) for one in self._seen]

    def _fitted(self, wanted: Sequence[Array], view: slice, ridge: float, *, even: bool = False) -> Unit:
        """The unit that ``wanted`` teaches; with ``even`` object and surroundings weigh the same."""
        flat = np.concatenate([one.ravel() for one in wanted])
        groups = [np.flatnonzero(flat == 0), np.flatnonzero(flat == 1)] if even else [np.arange(len(flat))]
        drawn = [self._rng.permutation(group)[: _CELLS // len(groups)] for group in groups]
        places = np.concatenate(drawn)
        weigh = np.concatenate([np.full(len(one), 1 / max(len(one), 1), np.float32) for one in drawn])
        rows = self._rows(places)
        weights = np.zeros(rows.shape[1], np.float32)
        own, bias = logistic(rows[:, view].astype(np.float32), flat[places], ridge=ridge, weigh=weigh)
        weights[view] = own
        return Unit(weights, bias)

    def _rows(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float16]:
        """The numbers of some cells, counted through all images."""
        rows = np.empty((len(places), self._seen[0].cells.shape[2]), np.float16)
        images = np.searchsorted(self._ends, places, side="right")
        for i in np.unique(images).tolist():
            own, cells = images == i, self._seen[i].cells
            rows[own] = cells.reshape(-1, cells.shape[2])[places[own] - self._starts[i]]
        return rows


def mean_unit(units: Sequence[Unit]) -> Unit:
    """The unit whose logit is the mean of those of ``units``."""
    weights = np.stack([unit.weights for unit in units]).mean(axis=0, dtype=np.float64)
    return Unit(np.asarray(weights, np.float32), float(np.mean([unit.bias for unit in units])))
