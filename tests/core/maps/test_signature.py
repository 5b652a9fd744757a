"""Signatures of images: alike where their objects and surroundings are."""

from __future__ import annotations

import numpy as np

from core.maps.signature import LENGTH, signatures


def described(seed: int, kinds: np.ndarray) -> tuple[tuple[np.ndarray, ...], list[np.ndarray]]:
    """Maps of two strides, an object in the middle of each image that looks as its kind."""
    rng = np.random.default_rng(seed)
    looks = np.random.default_rng(0).normal(size=(3, 2, 24))
    maps, heat = [], []
    for side, channels in ((8, 16), (4, 24)):
        own = 0.3 * rng.normal(size=(len(kinds), channels, side, side))
        middle = slice(side // 4, 3 * side // 4)
        own[:, :, middle, middle] += looks[kinds, int(side == 4), :channels, None, None]
        maps.append(own.astype(np.float32))
    for _ in kinds:
        one = np.full((8, 8), 0.01, np.float32)
        one[2:6, 2:6] = 0.9
        heat.append(one)
    return tuple(maps), heat


def test_images_of_one_kind_are_near_each_other() -> None:
    kinds = np.repeat([0, 1, 2], 8)
    found = signatures(*described(1, kinds)).astype(np.float32)
    assert found.shape == (24, LENGTH)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=2e-3)
    away = ((found[:, None] - found[None]) ** 2).sum(axis=2)
    same = kinds[:, None] == kinds[None]
    assert away[~same].min() > away[same].max()


def test_each_image_has_the_same_signature_alone_as_among_others() -> None:
    maps, heat = described(2, np.array([0, 1, 2, 1]))
    together = signatures(maps, heat)
    for i in range(4):
        alone = signatures(tuple(one[i : i + 1] for one in maps), heat[i : i + 1])
        assert np.allclose(alone[0].astype("f4"), together[i].astype("f4"), atol=2e-3)
    dark = signatures(maps, [np.zeros((8, 8), np.float32)] * 4)
    assert np.isfinite(dark.astype("f4")).all(), "no heat at all"
