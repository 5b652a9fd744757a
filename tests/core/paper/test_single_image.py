"""LOST, TokenCut and DDT+ against scipy and cases whose answer is known by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from core.maps.stream import Described
from core.paper.neighbours import METHODS
from core.paper.single_image import (
    affinity,
    box_around,
    component_of,
    largest_component,
    lost,
    second_eigenvector,
    tokencut,
)

HEIGHT, WIDTH = 9, 12
OBJECT = np.zeros((HEIGHT, WIDTH), bool)
OBJECT[2:5, 3:8] = True


def scene(*, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """Cells of an object that point one way and of surroundings that point against it, (h, w, C)."""
    rng = np.random.default_rng(seed)
    direction = np.array([1.0, -1.0, 0.5, 0.0])
    cells = np.where(OBJECT[..., None], direction, -direction)
    return (cells + noise * rng.normal(size=(HEIGHT, WIDTH, 4))).astype(np.float32)


@pytest.mark.parametrize("method", [lost, tokencut])
@pytest.mark.parametrize("seed", range(5))
def test_an_object_smaller_than_its_surroundings_is_found(method: object, seed: int) -> None:
    np.testing.assert_array_equal(method(scene(seed=seed)), OBJECT)  # type: ignore[operator]


def test_lost_by_hand() -> None:
    # Degrees by sign: patches 0 and 1 agree with each other alone, 2, 3 and 4 with one another.
    cells = np.array([[[1.0, 0], [1, -0.5], [-1, 0], [-1, 0.1], [-2, 0]]])
    np.testing.assert_array_equal(lost(cells), [[True, True, False, False, False]])
    apart = cells[:, [0, 2, 1, 3, 4]]  # the other patch of the object lies elsewhere
    np.testing.assert_array_equal(lost(apart), [[True, False, False, False, False]])
    assert lost(cells, k=1).sum() == 2, "the seed alone expands to all that are like it"


def test_the_eigenvector_is_that_of_the_generalised_problem() -> None:
    rng = np.random.default_rng(3)
    weights = affinity(rng.normal(size=(40, 6)), tau=0.2)
    assert set(np.unique(weights)) == {1e-5, 1.0} and (weights == weights.T).all()
    degrees = np.diag(weights.sum(axis=1))
    values, vectors = scipy.linalg.eigh(degrees - weights, degrees)
    expected, found = vectors[:, 1], second_eigenvector(weights)
    cosine = expected @ found / np.linalg.norm(expected) / np.linalg.norm(found)
    assert values[0] == pytest.approx(0, abs=1e-9) and abs(cosine) == pytest.approx(1, abs=1e-6)


def test_ddt_plus_keeps_what_both_strides_call_the_object() -> None:
    rng = np.random.default_rng(0)
    fine = np.where(OBJECT[:8], 1.0, -1.0)[None] * np.array([1.0, -1, 2])[:, None, None]
    deep = np.zeros((3, 4, 6))
    deep[:] = -1
    deep[:, 1:3, 1:5] = 1  # too wide: rows 2..5, columns 2..9 of the fine stride
    images = np.zeros((1, 8, 12, 3), np.uint8)
    maps = tuple((one + 0.01 * rng.normal(size=one.shape))[None].astype(np.float32) for one in (fine, deep))
    described = Described(np.array([0]), images, np.array([[96, 64]], np.int32), maps)
    masks = {}
    for name in ("DDT", "DDT+"):
        method = METHODS[name]()
        method.see(described)
        (masks[name],) = method.masks(described)
    np.testing.assert_array_equal(masks["DDT"], deep[0] > 0)
    np.testing.assert_array_equal(masks["DDT+"], OBJECT[:8])


def test_components_and_boxes() -> None:
    mask = np.array([[1, 0, 1, 1], [0, 0, 0, 1], [1, 1, 0, 0]], bool)
    assert largest_component(mask).sum() == 3 and component_of(mask, (2, 0)).sum() == 2
    assert component_of(mask, (1, 0)).sum() == 4, "the place itself joins what it touches"
    assert largest_component(np.zeros((2, 2), bool)).all()
    assert box_around(largest_component(mask), 400, 90) == (200, 0, 400, 60)
