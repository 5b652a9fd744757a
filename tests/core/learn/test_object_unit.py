"""The object unit on descriptors whose object, surroundings and cells beside objects are known."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.errors import TrainingError
from core.learn.object_unit import Seen, Unit, learn_object_unit
from core.maps.ddt import Tally

NEAR, MIDDLE, DEEP = 6, 8, 10
GREY = np.full((96, 96, 3), 128, np.uint8)
SIDE, SCALE = 16, 6


def folder(images: int, *, seed: int, side: tuple[int, int] = (5, 8)) -> tuple[list[Seen], list[np.ndarray]]:
    """Images with one object each, a square that the deep view sees blurred over the cells beside it."""
    rng = np.random.default_rng(seed)
    object_near, object_deep = rng.normal(size=NEAR + MIDDLE), rng.normal(size=DEEP)
    seen, truths = [], []
    for _ in range(images):
        truth = np.zeros((SIDE, SIDE), np.float32)
        extent = int(rng.integers(*side))
        row, column = rng.integers(2, SIDE - 2 - extent, size=2)
        truth[row : row + extent, column : column + extent] = 1
        padded = np.pad(truth, 2)
        blurred = sum(padded[i : i + SIDE, j : j + SIDE] for i in range(5) for j in range(5)) / 25
        near = truth[..., None] * object_near + 0.3 * rng.normal(size=(SIDE, SIDE, NEAR + MIDDLE))
        deep = blurred[..., None] * object_deep + 0.3 * rng.normal(size=(SIDE, SIDE, DEEP))
        cells = np.concatenate([near, deep], axis=2).astype(np.float16)
        coarse = deep.reshape(SIDE // 2, 2, SIDE // 2, 2, DEEP).mean(axis=(1, 3)).transpose(2, 0, 1)
        image = 60 + 120 * np.kron(truth, np.ones((SCALE, SCALE)))[..., None] + rng.normal(0, 8, (96, 96, 3))
        seen.append(Seen(cells, coarse.astype(np.float16), image.astype(np.uint8)))
        truths.append(truth > 0)
    return seen, truths


def taught(seen: list[Seen], seed: int = 0) -> list[tuple[float, Unit]]:
    near, deep = slice(0, NEAR + MIDDLE), slice(NEAR, NEAR + MIDDLE + DEEP)
    return list(learn_object_unit(seen, near=near, deep=deep, seed=seed))


def overlap(unit: Unit, seen: list[Seen], truths: list[np.ndarray]) -> float:
    """Intersection over union of the cells above the cut and the true ones, mean over images."""
    shares = []
    for one, truth in zip(seen, truths, strict=True):
        found = one.cells.astype(np.float32) @ unit.weights + unit.bias > 0
        shares.append((found & truth).sum() / (found | truth).sum())
    return float(np.mean(shares))


def test_it_finds_new_objects_to_their_edges() -> None:
    seen, truths = folder(60, seed=0)
    steps = taught(seen[:40])
    assert overlap(steps[-1][1], seen[40:], truths[40:]) > 0.9
    # The first unit reads the deep view alone, in which an object is blurred.
    assert overlap(steps[-1][1], seen, truths) > overlap(steps[0][1], seen, truths) + 0.1


def test_shares_of_the_work_rise_to_one() -> None:
    shares = [share for share, _ in taught(folder(6, seed=1)[0])]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_same_seed_teaches_the_same_to_the_last_bit() -> None:
    seen, _ = folder(8, seed=2)
    one, other = (taught(seen, seed=3)[-1][1] for _ in range(2))
    assert np.array_equal(one.weights, other.weights)
    assert one.bias == other.bias


def test_images_that_are_alike_everywhere_teach_nothing() -> None:
    flat = Seen(np.ones((4, 4, NEAR + MIDDLE + DEEP), np.float16), np.ones((DEEP, 2, 2), np.float16), GREY)
    with pytest.raises(TrainingError, match="look the same"):
        taught([flat] * 3)


def test_differences_between_images_and_at_borders_are_no_object() -> None:
    """To plain DDT the light of an image or a bright border stands out; within images it does not."""
    rng = np.random.default_rng(0)
    light, border, item = np.eye(DEEP)[:3]
    plain, within = Tally(), Tally(within=True, rim=1)
    for _ in range(40):
        maps = 0.1 * rng.normal(size=(1, DEEP, 8, 8))
        maps += 3 * rng.normal() * light[:, None, None]
        rim = np.pad(np.zeros((6, 6)), 1, constant_values=1.0)
        maps += 4 * rim * border[:, None, None]
        row, column = rng.integers(1, 6, size=2)
        maps[0, :, row : row + 2, column : column + 2] += item[:, None, None]
        for tally in (plain, within):
            tally.add(maps.astype(np.float32))
    assert abs(plain.direction().direction @ item) < 0.3
    assert within.direction().direction @ item > 0.95
