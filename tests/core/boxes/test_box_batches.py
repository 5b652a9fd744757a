"""Many heat maps at once have, to the last bit, the boxes and scores that each has alone."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from core.boxes.batches import find_box, find_boxes, read_maps, readings
from core.boxes.grid import GRID
from core.boxes.options import BoxOptions
from core.boxes.prior import Prior
from core.boxes.rules import MAX_THRESHOLD, RULES
from core.boxes.several import find_boxes_of_many

PRIORS = (
    None,
    Prior(0.4, 0.5, 0.02, 100),
    Prior(-0.6, -3.0, 5.0, 7),
    Prior(0.0, 0.5, 0.0, 1),
    Prior(0.2, 0.5, 0.02, 99, 0.18),
    Prior(0.1, 0.5, 0.02, 99, usual_width=0.3, usual_height=-0.21),
)


def maps() -> list[np.ndarray]:
    """Noise, blobs, one hot cell, constant maps and one that is not finite, of several sizes."""
    rng = np.random.default_rng(5)
    made = [rng.normal(size=shape).astype(np.float32) for shape in [(32, 32)] * 45 + [(8, 11), (64, 64)] * 3]
    rows, columns = np.mgrid[0:32, 0:32]
    for y, x, wide in rng.uniform(2, 30, (20, 3)):
        made.append(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / wide**2).astype(np.float32) ** 3)
    single = np.zeros((32, 32), np.float32)
    single[31, 0] = 1
    broken = single.copy()
    broken[3, 3] = np.nan
    return [*made, single, np.zeros((32, 32), np.float32), np.full((8, 8), 7, np.float32), broken]


def framings(count: int) -> np.ndarray:
    """Small ones, some that push boxes out of the image, and of some images none."""
    rng = np.random.default_rng(3)
    made = rng.normal(0, (0.1, 0.1, 0.2, 0.2), (count, 4))
    made[::7] *= 9
    made[::5] = np.nan
    made[3, 1] = np.inf
    return made


def boxes_and_scores(heat_maps: list[np.ndarray], sizes: np.ndarray, **options: Any) -> tuple[Any, Any]:
    """All that is read, in the order of the maps."""
    boxes, scores = np.full((len(heat_maps), 4), np.nan), np.full(len(heat_maps), np.nan)
    for part in readings(heat_maps, sizes, **options):
        boxes[part.places], scores[part.places] = part.boxes, part.scores
    return boxes, scores


@pytest.mark.parametrize("framed", [False, True])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("prior", PRIORS)
def test_many_are_as_each_alone(rule: str, prior: Prior | None, framed: bool) -> None:
    rng = np.random.default_rng(1)
    heat_maps = maps()
    sizes = rng.integers(1, 4000, (len(heat_maps), 2)).astype(np.float64)
    mixed = rng.choice([0.0, 0.2, 0.31, 0.77, MAX_THRESHOLD], len(heat_maps))
    for threshold in (0.0, 0.4, mixed):
        own = framings(len(heat_maps)) if framed else None
        options = {"rule": rule, "prior": prior}
        boxes, scores = boxes_and_scores(heat_maps, sizes, threshold=threshold, framings=own, **options)
        each = np.broadcast_to(threshold, len(heat_maps))
        alone = [
            find_box(heat, width=int(w), height=int(h), threshold=float(t), framing=framing, **options)
            for heat, (w, h), t, framing in zip(
                heat_maps, sizes, each, [None] * len(each) if own is None else own, strict=True
            )
        ]
        np.testing.assert_array_equal(
            boxes, [(b.box.x0, b.box.y0, b.box.x1, b.box.y1) for b in alone], strict=True
        )
        np.testing.assert_array_equal(scores, [b.score for b in alone])
        bare = find_boxes(read_maps(rule, heat_maps), sizes, threshold=threshold, framings=own, **options)
        np.testing.assert_array_equal(bare, boxes)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("max_boxes", [1, 2, 9])
def test_several_boxes_of_many_are_as_of_each_alone(rule: str, prior: Prior | None, max_boxes: int) -> None:
    rng = np.random.default_rng(2)
    heat_maps = [*maps(), *pairs()]
    sizes = rng.integers(1, 4000, (len(heat_maps), 2)).astype(np.float64)
    own = rng.choice([0.0, 0.2, 0.31, 0.77, MAX_THRESHOLD], len(heat_maps))
    options = {"rule": rule, "prior": prior, "max_boxes": max_boxes}
    rows = framings(len(heat_maps))
    many = find_boxes_of_many(heat_maps, sizes, threshold=own, framings=rows, **options)
    assert many == [
        BoxOptions(rule, t, max_boxes=max_boxes).boxes_of(heat, size, prior=prior, framing=row)
        for heat, size, t, row in zip(heat_maps, sizes.tolist(), own.tolist(), rows, strict=True)
    ]
    counts = {len(boxes) for boxes in many}
    assert max(counts) == max_boxes if max_boxes < 3 else max(counts) > 2


def pairs() -> list[np.ndarray]:
    """Maps of two to four blobs."""
    rng = np.random.default_rng(6)
    rows, columns = np.mgrid[0:32, 0:32]
    made = []
    for count in (2, 3, 4) * 12:
        y, x = rng.uniform(2, 30, (2, count, 1, 1))
        made.append(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 9).sum(axis=0))
    return made


def test_of_no_image_there_is_no_box() -> None:
    boxes, scores = boxes_and_scores([], np.empty((0, 2)), rule="fitted", threshold=0.1)
    assert boxes.shape == (0, 4) and scores.shape == (0,)
    nothing = np.empty((0, GRID, GRID), np.float32)
    assert find_boxes(nothing, np.empty((0, 2)), rule="fitted", threshold=0).size == 0


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize("prior", [None, Prior(0.2, 0.5, 0.02, 99, 0.18)])
def test_a_score_is_that_of_the_rules_own_threshold_whichever_is_used(rule: str, prior: Prior | None) -> None:
    rng = np.random.default_rng(5)
    maps = [cv2.GaussianBlur(rng.random((24, 32), np.float32), (0, 0), 3) for _ in range(6)]
    maps = [(one - one.min()) / (one.max() - one.min()) for one in maps]
    sizes = np.full((6, 2), [320.0, 240.0])
    usual = boxes_and_scores(maps, sizes, rule=rule, prior=prior, threshold=RULES[rule].default_threshold)
    for threshold in (0.1, 0.35, 0.7):
        boxes, scores = boxes_and_scores(maps, sizes, rule=rule, prior=prior, threshold=threshold)
        np.testing.assert_array_equal(scores, usual[1])
        assert (boxes != usual[0]).any(), "the boxes are others"
