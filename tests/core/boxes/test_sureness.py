"""How sure boxes are, on boxes that are known to follow the picture, to ignore it, or to be drawn by lot."""

from __future__ import annotations

import numpy as np
import pytest

from core.base.geometry import Box, iou
from core.boxes.sureness import SHIFT, Sureness, looks, sureness

SIDE = 64


def _squares(n: int = 40) -> np.ndarray:
    """Black pictures with one white rectangle, no nearer to the border than a shift."""
    rng = np.random.default_rng(0)
    images = np.zeros((n, SIDE, SIDE, 3), np.uint8)
    for image in images:
        x, y = rng.integers(9, 40, 2)
        image[y : y + rng.integers(8, 15), x : x + rng.integers(8, 15)] = 255
    return images


def _white_boxes(images: np.ndarray) -> np.ndarray:
    boxes = []
    for image in images[..., 0] > 0:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        boxes.append([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    return np.array(boxes) / SIDE


def _measured(boxes: np.ndarray, of_looks: tuple[np.ndarray, ...]) -> Sureness:
    found = sureness(boxes, of_looks, width=SIDE, height=SIDE)
    assert found is not None
    return found


def test_boxes_that_follow_the_picture_keep_all_of_it() -> None:
    images = _squares()
    found = _measured(_white_boxes(images), tuple(_white_boxes(look) for look in looks(images)))
    assert found.own == pytest.approx(1.0)
    assert found.other < 0.3
    assert found.beyond_chance == pytest.approx(1.0)
    assert found.sentence().startswith("Boxes follow the image. ")
    assert "100 %" in found.sentence()


@pytest.mark.parametrize("box", [(0.2, 0.2, 0.8, 0.8), (0.1, 0.3, 0.5, 0.6)])
def test_a_map_that_ignores_the_picture_is_not_sure_however_steady(box: tuple[float, ...]) -> None:
    fixed = np.tile(box, (30, 1))
    found = _measured(fixed, (fixed, fixed, fixed))
    assert found.own == pytest.approx(found.other)
    assert found.beyond_chance == 0.0
    assert "hardly depend" in found.sentence() or "the same box" in found.sentence()


def test_boxes_by_lot_are_not_sure_however_different() -> None:
    rng = np.random.default_rng(1)

    def lot() -> np.ndarray:
        corner = rng.uniform(0, 0.5, (128, 2))
        return np.hstack([corner, corner + rng.uniform(0.3, 0.5, (128, 2))])

    found = _measured(lot(), (lot(), lot(), lot()))
    assert found.beyond_chance < 0.05
    assert "hardly depend" in found.sentence()


def test_nearly_the_same_box_everywhere_is_said_to_be_that() -> None:
    wiggle = np.random.default_rng(2).uniform(0, 0.02, (50, 2))
    boxes = np.hstack([wiggle, np.ones((50, 2))])
    mirrored = np.stack([1 - boxes[:, 2], boxes[:, 1], 1 - boxes[:, 0], boxes[:, 3]], axis=1)
    found = _measured(boxes, (mirrored, boxes, boxes))
    assert "Nearly every image gets the same box" in found.sentence()


def test_the_figures_are_those_of_one_pair_at_a_time() -> None:
    """Two pictures; after a shift only what both boxes can show is compared."""
    step = SHIFT
    boxes = np.array([[0.0, 0.0, 0.5, 0.5], [0.5, 0.25, 1.0, 1.0]])
    mirrored = np.array([[0.5, 0.0, 1.0, 0.5], [0.0, 0.25, 0.4, 1.0]])
    right_down = np.array([[step, step, 0.5 + step, 0.5 + step], [0.5, 0.25, 1.0, 1.0]])
    left_up = np.array([[0.0, 0.0, 0.5, 0.5], [0.4, 0.2, 0.9, 0.9]])
    found = _measured(boxes, (mirrored, right_down, left_up))
    own, other = [], []
    for i in range(2):
        for j in range(2):
            ours, m, r, u = Box(*boxes[i]), mirrored[j], right_down[j] - step, left_up[j] + step
            seen_r, seen_u = Box(0, 0, 1 - step, 1 - step), Box(step, step, 1, 1)
            shares = [
                iou(ours, Box(1 - m[2], m[1], 1 - m[0], m[3])),
                iou(ours.intersection(seen_r), Box(*r).intersection(seen_r)),
                iou(ours.intersection(seen_u), Box(*u).intersection(seen_u)),
            ]
            (own if i == j else other).extend(shares)
    assert (found.own, found.other) == pytest.approx((np.mean(own), np.mean(other)))


def test_one_picture_says_nothing() -> None:
    one = np.array([[0.1, 0.1, 0.5, 0.5]])
    assert sureness(one, (one, one, one), width=SIDE, height=SIDE) is None
    assert Sureness(1.0, 1.0, 5).beyond_chance == 0.0


def test_looks_show_the_same_picture_elsewhere() -> None:
    images = np.random.default_rng(3).integers(0, 256, (2, 32, 48, 3), np.uint8)
    mirrored, right_down, left_up = looks(images)
    assert np.array_equal(mirrored, images[:, :, ::-1])
    assert np.array_equal(right_down[:, 4:, 6:], images[:, :-4, :-6])
    assert np.array_equal(left_up[:, :-4, :-6], images[:, 4:, 6:])
    assert right_down.shape == left_up.shape == images.shape
