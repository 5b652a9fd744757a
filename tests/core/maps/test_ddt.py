"""DDT: what streams in is what numpy's solver says of all descriptors at once, in any shards and threads."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from core.base.errors import TrainingError
from core.maps.ddt import Tally

SHAPES = ((5, 8, 6), (3, 6, 8), (7, 8, 8), (1, 8, 6))


def photos(seed: int = 0, channels: int = 12) -> list[np.ndarray]:
    """Shards of descriptors far from 0, with an object in the middle along one direction of their own."""
    rng = np.random.default_rng(seed)
    object_ = rng.normal(size=channels)
    made = []
    for n, h, w in SHAPES:
        maps = 1000 + rng.normal(size=(n, channels, h, w))
        maps[:, :, h // 4 : -(h // 4), w // 4 : -(w // 4)] += 3 * object_[:, None, None]
        made.append(maps.astype(np.float32))
    return made


def tally(shards: list[np.ndarray]) -> Tally:
    made = Tally()
    for shard in shards:
        made.add(shard)
    return made


def all_rows(shards: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([s.transpose(0, 2, 3, 1).reshape(-1, s.shape[1]) for s in shards]).astype(
        np.float64
    )


def test_it_is_the_first_direction_of_all_descriptors_at_once() -> None:
    shards = photos()
    found, rows = tally(shards).direction(), all_rows(shards)
    values, vectors = np.linalg.eigh(np.cov(rows, rowvar=False, bias=True))
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), rtol=1e-12)
    assert abs(found.direction @ vectors[:, -1]) == pytest.approx(1, abs=1e-6)
    assert found.deviation == pytest.approx(np.sqrt(values[-1]), rel=1e-9)
    assert found.share == pytest.approx(values[-1] / values.sum(), rel=1e-9)
    assert found.count == len(rows)


def test_maps_are_the_projections_and_the_object_is_above_0() -> None:
    shards = photos()
    found, rows = tally(shards).direction(), all_rows(shards)
    maps = np.concatenate([found.maps(shard).ravel() for shard in shards])
    np.testing.assert_allclose(maps, (rows - rows.mean(axis=0)) @ found.direction, atol=1e-3)
    inside = found.maps(shards[0])[:, 2:-2, 1:-1].mean()
    assert inside > 0 > found.maps(shards[0])[:, [0, -1]].mean()


def test_shards_of_any_size_say_the_same() -> None:
    whole = tally(photos()).direction()
    single = tally([shard[i : i + 1] for shard in photos() for i in range(len(shard))]).direction()
    np.testing.assert_allclose(single.direction, whole.direction, atol=1e-7)
    np.testing.assert_allclose(single.mean, whole.mean, rtol=1e-12)


def test_memory_does_not_grow_with_the_images() -> None:
    made = Tally()
    for seed in range(4):
        for shard in photos(seed):
            made.add(shard)
        held = sum(value.nbytes for value in vars(made).values() if isinstance(value, np.ndarray))
        assert held == 8 * (12 + 12 * 12)


def test_descriptors_that_are_all_the_same_are_one_sentence() -> None:
    with pytest.raises(TrainingError, match=r"^All images look the same, .*"):
        tally([np.full((2, 4, 3, 3), 0.7, np.float32)]).direction()
    with pytest.raises(TrainingError):
        Tally().direction()


PRINT = """
import numpy as np
from core.maps.ddt import Tally
rng, made = np.random.default_rng(0), Tally()
for _ in range(6):
    made.add(rng.normal(size=(8, 320, 12, 12)).astype(np.float32))
print(made.direction().direction.tobytes().hex())
"""


def test_the_number_of_threads_changes_no_bit() -> None:
    said = set()
    for threads in "1", "2", "5":
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", PRINT], env=environment, capture_output=True, check=True)
        said.add(done.stdout)
    assert len(said) == 1
