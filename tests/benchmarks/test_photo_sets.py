"""The benchmarks on real photos: halves, intervals and crops are what they should be, on made ones."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from core.base.annotations import BoxRecord, ImageBoxes
from core.base.geometry import Box, iou

WIDTH, HEIGHT = 120, 90


@pytest.fixture(scope="module", autouse=True)
def _accuracy() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks" / "accuracy"))
        yield


@pytest.fixture(scope="module")
def sets(_accuracy: None) -> ModuleType:
    import photo_sets  # type: ignore[import-not-found]

    return photo_sets  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def crops(_accuracy: None) -> ModuleType:
    import empty_crops  # type: ignore[import-not-found]

    return empty_crops  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def scores(_accuracy: None) -> ModuleType:
    import photo_scores  # type: ignore[import-not-found]

    return photo_scores  # type: ignore[no-any-return]


def _photo(name: str, *boxes: Box) -> ImageBoxes:
    return ImageBoxes(name, WIDTH, HEIGHT, tuple(map(BoxRecord, boxes)))


def _photos(count: int) -> tuple[ImageBoxes, ...]:
    rng = np.random.default_rng(0)
    photos = []
    for i in range(count):
        x, y = rng.integers(0, (70, 50)).tolist()
        photos.append(_photo(f"images/{i}.png", Box(x, y, x + 20, y + 30), Box(x + 25, y, x + 40, y + 12)))
    return tuple(photos)


def test_every_other_name_by_its_digest_is_for_choosing(sets: ModuleType) -> None:
    names = [f"images/{i}.jpg" for i in range(21)]
    ranked = sorted((f"{i}.jpg" for i in range(21)), key=lambda name: hashlib.sha1(name.encode()).hexdigest())
    even = {Path(name).name for name, own in zip(names, sets.even_ranks(names), strict=True) if own}
    assert even == set(ranked[::2])
    odd = sets.half(names, "odd")
    assert odd.sum() == 10 and not (odd & sets.half(names, "even")).any()
    assert sets.half(names, "whole").all()


def test_a_pair_of_windows_is_alike_but_for_the_object(sets: ModuleType, crops: ModuleType) -> None:
    photos = sets.PhotoSet("made", Path("made"), _photos(30))
    pairs = crops.pairs_of(photos, count=30, seed=0)
    assert len(pairs) > 20
    boxes = {image.name: [record.box for record in image.boxes] for image in photos.truth}
    for pair in pairs:
        empty, full = Box(*pair.empty), Box(*pair.full)
        assert (empty.width, empty.height) == (full.width, full.height)
        for window in (empty, full):
            assert min(window.x0, window.y0) >= 0 and window.x1 <= WIDTH and window.y1 <= HEIGHT
        assert all(iou(empty, box) == 0 for box in boxes[pair.photo])
        assert any(box.clamped(WIDTH, HEIGHT) == _common(full, box) for box in boxes[pair.photo])


def _common(a: Box, b: Box) -> Box:
    return Box(max(a.x0, b.x0), max(a.y0, b.y0), min(a.x1, b.x1), min(a.y1, b.y1))


def test_the_same_seed_cuts_the_same_windows(sets: ModuleType, crops: ModuleType) -> None:
    photos = sets.PhotoSet("made", Path("made"), _photos(12))
    fewer = sets.first_of(photos, 6)
    pairs, again = (crops.pairs_of(photos, count=12, seed=0) for _ in range(2))
    assert pairs == again
    assert set(crops.pairs_of(fewer, count=12, seed=0)) <= set(pairs)
    assert crops.pairs_of(photos, count=12, seed=1) != pairs


def test_an_object_that_leaves_no_room_gives_no_pair(sets: ModuleType, crops: ModuleType) -> None:
    photos = sets.PhotoSet("made", Path("made"), (_photo("images/a.png", Box(5, 5, 115, 85)),))
    assert crops.pairs_of(photos, count=1, seed=0) == []


def test_crops_hold_the_pixels_of_their_windows(sets: ModuleType, crops: ModuleType, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    (tmp_path / "images").mkdir()
    Image.fromarray(pixels).save(tmp_path / "images" / "0.png")
    photos = sets.PhotoSet("made", tmp_path, (_photo("images/0.png", Box(10, 10, 30, 40)),))
    pairs = crops.pairs_of(photos, count=1, seed=0)
    ((empty, full),) = crops.write_crops(pairs, photos, tmp_path / "crops")
    for file, (x0, y0, x1, y1) in ((empty, pairs[0].empty), (full, pairs[0].full)):
        np.testing.assert_array_equal(np.asarray(Image.open(file)), pixels[y0:y1, x0:x1])


def test_an_interval_over_photos_is_that_of_drawing_them_again(scores: ModuleType) -> None:
    hits = np.array([[1, 1, 0, 1, 0, 1, 1, 0, 1, 1]], np.float64)
    share = scores.bootstrap([hits], resamples=20_000)
    assert share.value == pytest.approx(0.7)
    rng = np.random.default_rng(5)
    means = hits[0][rng.integers(0, 10, (20_000, 10))].mean(axis=1)
    assert (share.low, share.high) == pytest.approx(tuple(np.percentile(means, [2.5, 97.5])), abs=0.051)


def test_an_interval_covers_what_seeds_do(scores: ModuleType) -> None:
    """Two seeds, one always right and one always wrong: a resample has two, one or none of the right one."""
    share = scores.bootstrap([np.array([[1.0] * 50, [0.0] * 50])])
    assert (share.value, share.low, share.high) == pytest.approx((0.5, 0.0, 1.0))


def test_a_mean_over_sets_weighs_each_alike(scores: ModuleType) -> None:
    share = scores.bootstrap([np.ones((1, 1000)), np.zeros((1, 10))])
    assert (share.value, share.low, share.high) == pytest.approx((0.5, 0.5, 0.5))


def test_photos_are_judged_by_their_surest_box_in_the_truths_order(scores: ModuleType) -> None:
    truth = [_photo("images/a.png", Box(0, 0, 10, 10)), _photo("images/b.png", Box(0, 0, 10, 10))]
    sure, unsure = BoxRecord(Box(0, 0, 10, 8), score=0.9), BoxRecord(Box(0, 0, 10, 10), score=0.2)
    found = [
        ImageBoxes("b.png", WIDTH, HEIGHT, (BoxRecord(Box(50, 50, 60, 60), score=0.5),)),
        ImageBoxes("a.png", WIDTH, HEIGHT, (unsure, sure)),
    ]
    overlaps = scores.overlaps_of(found, truth)
    assert overlaps == pytest.approx([0.8, 0.0])
    assert scores.is_right(overlaps).tolist() == [1.0, 0.0]


def test_the_auc_counts_pairs_and_halves_level_ones(_accuracy: None) -> None:
    import no_object  # type: ignore[import-not-found]

    empty, full = np.array([0.9, 0.5, 0.2]), np.array([0.1, 0.5, 0.3])
    counted = [1.0 if e > f else 0.5 if e == f else 0.0 for e, f in itertools.product(empty, full)]
    wins = no_object._wins(empty, full)
    assert wins.mean() == pytest.approx(np.mean(counted))
    interval = no_object._interval([wins[None]])
    assert interval["value"] == pytest.approx(np.mean(counted))
    assert interval["low"] <= interval["value"] <= interval["high"]
