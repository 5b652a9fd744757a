"""What corrections teach, on cells whose objects are known, and what boxes say of cells."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from core.base.errors import TrainingError
from core.learn.corrections import LEAST, Reviewed, learn_corrections, object_cells
from core.learn.logistic import logistic
from core.learn.object_unit import Unit

SIDE, KINDS = 16, 12


def images(count: int, *, seed: int) -> tuple[list[Reviewed], list[np.ndarray]]:
    """Crosses, each in a box of its own: three tenths of the box's cells are background."""
    rng = np.random.default_rng(0)
    look, ground = rng.normal(size=(2, KINDS))
    rng = np.random.default_rng(seed)
    found, masks = [], []
    for _ in range(count):
        size = int(rng.integers(6, 10))
        y, x = rng.integers(0, SIDE - size, size=2)
        mask = np.zeros((SIDE, SIDE), bool)
        third = size // 3
        mask[y : y + size, x + third : x + size - third] = True
        mask[y + third : y + size - third, x : x + size] = True
        cells = np.where(mask[..., None], look, ground) + 0.5 * rng.normal(size=(SIDE, SIDE, KINDS))
        box = np.array([[x, y, x + size, y + size]]) / SIDE
        found.append(Reviewed(cells.astype(np.float16), box))
        masks.append(mask)
    return found, masks


def half_right(seed: int = 1) -> Unit:
    """A unit that knows which way objects lie, though not where they end: its cut is too low by far."""
    rng = np.random.default_rng(0)
    look, ground = rng.normal(size=(2, KINDS))
    way = look - ground + 0.8 * np.random.default_rng(seed).normal(size=KINDS)
    return Unit((0.3 * way).astype(np.float32), float(1.5 - 0.3 * way @ ground))


def overlap(unit: Unit, found: list[Reviewed], masks: list[np.ndarray]) -> float:
    hot = [unit.logits(one.cells) > 0 for one in found]
    return float(np.mean([(a & b).sum() / (a | b).sum() for a, b in zip(hot, masks, strict=True)]))


def test_a_few_boxes_teach_where_all_objects_end() -> None:
    taught, _ = images(10, seed=2)
    others, masks = images(30, seed=3)
    prior = half_right()
    before = overlap(prior, others, masks)
    after = [overlap(learn_corrections(prior, taught[:n], seed=0), others, masks) for n in (3, 10)]
    assert before < after[0] < after[1]
    assert after[1] > 0.85, "the corners of the boxes are no object"


def test_an_image_without_an_object_teaches_that_none_is_there() -> None:
    taught, _ = images(6, seed=2)
    rng = np.random.default_rng(9)
    lure = rng.normal(size=KINDS)
    prior = Unit(half_right().weights + (0.1 * lure).astype(np.float32), half_right().bias)
    bare = [
        Reviewed((2 * lure + 0.3 * rng.normal(size=(SIDE, SIDE, KINDS))).astype(np.float16), np.zeros((0, 4)))
        for _ in range(6)
    ]
    unit = learn_corrections(prior, [*taught, *bare[:5]], seed=0)
    assert prior.logits(bare[-1].cells).mean() > 2
    assert unit.logits(bare[-1].cells).mean() < -0.3


def test_the_same_seed_gives_the_same_unit_and_too_few_are_refused() -> None:
    taught, _ = images(4, seed=2)
    first, again = (learn_corrections(half_right(), taught, seed=5) for _ in range(2))
    assert np.array_equal(first.weights, again.weights) and first.bias == again.bias
    empty = [Reviewed(one.cells, np.zeros((0, 4))) for one in taught]
    with pytest.raises(TrainingError, match=f"at least {LEAST} images"):
        learn_corrections(half_right(), [*taught[: LEAST - 1], *empty], seed=0)


def test_boxes_that_contradict_each_other_still_give_a_unit() -> None:
    taught, _ = images(6, seed=2)
    rng = np.random.default_rng(4)
    odd = []
    for one in taught:
        corner = rng.uniform(0, 0.7, 2)
        odd.append(Reviewed(one.cells, np.array([[*corner, *(corner + 0.2)]])))
    unit = learn_corrections(half_right(), [*taught, *odd], seed=0)
    assert np.isfinite(unit.weights).all() and np.isfinite(unit.bias)


def test_of_the_heat_inside_a_box_the_part_that_reaches_its_sides_is_the_object() -> None:
    (one,), (mask,) = images(1, seed=7)
    heat = np.where(mask, 2.0, -2.0).astype(np.float32)
    heat[mask] += np.linspace(0, 1, mask.sum())  # some of it is hotter
    found = object_cells(heat, one.boxes) > 0.5
    assert (found & mask).sum() > 0.9 * mask.sum() and not (found & ~mask).any()
    far = np.full_like(heat, -2)
    far[0, 0] = 5  # all heat lies elsewhere: the whole box is believed
    flat = object_cells(far, np.array([[0.5, 0.5, 1, 1]]))
    assert flat[SIDE // 2 :, SIDE // 2 :].all() and not flat[: SIDE // 2].any()
    assert not object_cells(heat, np.zeros((0, 4))).any()
    assert object_cells(heat, np.array([[0.31, 0.31, 0.32, 0.32]])).max() > 0, "smaller than a cell"


def test_a_prior_pulls_as_the_general_minimiser_says() -> None:
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(300, 4)) * [1, 4, 0.3, 1] + [0, 2, 0, 0]).astype(np.float32)
    wanted = (rng.random(300) < 0.4).astype(np.float32)
    prior = (np.array([2, -1, 8, -3], np.float32) * 4, 7.0)  # from which a whole step overshoots by far
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    inputs = ((rows - mean) / spread).astype(np.float64)
    held = prior[0] * spread

    def loss(unit: np.ndarray) -> float:
        logits = inputs @ unit[:-1] + unit[-1]
        cross = np.logaddexp(0, logits) - wanted * logits
        return float(cross.mean() + 0.05 / 2 * ((unit[:-1] - held) ** 2).sum())

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-8})
    weights, bias = logistic(rows, wanted, ridge=0.05, prior=prior)
    assert loss(np.append(weights * spread, bias + weights @ mean)) <= best.fun + 1e-5
