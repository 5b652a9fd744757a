"""Baselines: against brute force, and on pictures whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.geometry import Box, iou
from core.boxes.overlap import Truth
from core.evaluate.baselines import best_fixed_box, centred_boxes, colour_contrast, contrast_boxes
from core.formats import tiny_imagenet


def _truth(images: list[list[Box]], size: tuple[int, int]) -> Truth:
    flat = [(i, box) for i, boxes in enumerate(images) for box in boxes]
    return Truth(
        np.array([(b.x0, b.y0, b.x1, b.y1) for _, b in flat], dtype=float),
        np.array([i for i, _ in flat]),
        np.array([size] * len(images), dtype=float),
    )


def test_centred_boxes() -> None:
    sizes = np.array([[100.0, 50.0], [10.0, 10.0]])
    assert centred_boxes(sizes, 1, 1).tolist() == [[0, 0, 100, 50], [0, 0, 10, 10]]
    assert centred_boxes(sizes, 0.8, 0.8) == pytest.approx(np.array([[10, 5, 90, 45], [1, 1, 9, 9]]))


_box = st.tuples(st.integers(0, 30), st.integers(0, 15), st.integers(1, 20), st.integers(1, 10)).map(
    lambda s: Box(s[0], s[1], min(40, s[0] + s[2]), min(20, s[1] + s[3]))
)


@settings(max_examples=25)
@given(st.lists(st.lists(_box, min_size=1, max_size=3), min_size=1, max_size=4))
def test_the_best_fixed_box_is_that_of_trying_each_by_hand(images: list[list[Box]]) -> None:
    shares, best = best_fixed_box(_truth(images, (40, 20)), step=0.1)

    def right(w: float, h: float) -> int:
        guess = Box(20 - 20 * w, 10 - 10 * h, 20 + 20 * w, 10 + 10 * h)
        return sum(any(iou(guess, box) >= 0.5 - 1e-9 for box in boxes) for boxes in images)

    tried = [right(i / 10, j / 10) for i in range(1, 11) for j in range(1, 11)]
    assert best == max(tried) == right(*shares)


@pytest.mark.parametrize(("name", "published"), [("artiodactyla", 60.0), ("bottle", 55.0), ("dog", 73.0)])
def test_the_best_fixed_box_of_tiny_imagenet(
    unzipped: Callable[[str], Path], name: str, published: float
) -> None:
    images = tiny_imagenet.read(unzipped("tiny-imagenet-six"), wnids=tiny_imagenet.SETS[name], split="val")
    truth = _truth([[record.box for record in image.boxes] for image in images], (64, 64))
    assert round(100 * best_fixed_box(truth, step=0.05)[1] / truth.n, 1) == published
    assert best_fixed_box(truth)[1] >= best_fixed_box(truth, step=0.1)[1]


def _scene(width: int, height: int, box: Box) -> np.ndarray:
    rng = np.random.default_rng(0)
    pixels = rng.normal((60, 120, 60), 6, (height, width, 3))
    x0, y0, x1, y1 = (int(side) for side in (box.x0, box.y0, box.x1, box.y1))
    pixels[y0:y1, x0:x1] = rng.normal((200, 60, 40), 6, (y1 - y0, x1 - x0, 3))
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "box"),
    [((64, 64), Box(12, 20, 44, 52)), ((320, 160), Box(150, 40, 250, 130)), ((48, 90), Box(8, 30, 32, 75))],
)
def test_colour_contrast_finds_a_red_thing_on_green(size: tuple[int, int], box: Box) -> None:
    found = colour_contrast(_scene(*size, box))
    assert found == found.clamped(*size)
    # It also takes in some of the edges of the ground, so it is generous; but nearer than not looking.
    assert found.intersection(box).area > 0.95 * box.area
    assert iou(found, box) > 1.2 * iou(Box(0, 0, *size), box)
    middle = (size[0] / 2, size[1] / 2)
    assert math.dist(found.center, box.center) < math.dist(middle, box.center)


def test_colour_contrast_turns_with_the_image() -> None:
    pixels = _scene(64, 64, Box(10, 20, 30, 50))
    found, turned = colour_contrast(pixels), colour_contrast(np.ascontiguousarray(pixels.transpose(1, 0, 2)))
    assert (turned.y0, turned.x0, turned.y1, turned.x1) == pytest.approx(
        (found.x0, found.y0, found.x1, found.y1), abs=1e-3
    )


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (64, 64), (3, 200)])
def test_a_flat_image_gives_a_centred_box(size: tuple[int, int], value: int) -> None:
    found = colour_contrast(np.full((size[1], size[0], 3), value, np.uint8))
    assert found.center == pytest.approx((size[0] / 2, size[1] / 2))
    assert 0.5 < found.width / size[0] <= 1


def test_images_are_found_by_either_name_and_never_outside(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    box = Box(12, 20, 44, 52)
    for path in (root / "a.png", root / "x.png", tmp_path / "secret.png"):
        cv2.imwrite(str(path), _scene(64, 64, box)[:, :, ::-1])
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    no_names = ["x" * 5000, "\udcff\ud800.png", "a\0.png"]
    names = ["a.png", "deep/x.png", "link.png", "torn.png", "missing.png", "../secret.png", *no_names]
    truth = [ImageBoxes(name, 128, 64, (BoxRecord(box),)) for name in names]
    guesses = [None, ImageBoxes("x.png", 128, 64), *[None] * 7]
    found = contrast_boxes(root, truth, guesses)
    assert np.isnan(found[:, 0]).tolist() == [False, False, *[True] * 7]
    expected = colour_contrast(_scene(64, 64, box)).scaled(2, 1)  # the truth's pixels
    assert found[0] == pytest.approx((expected.x0, expected.y0, expected.x1, expected.y1))
