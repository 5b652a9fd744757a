"""Features of many files: every image once, the same whatever the threads, few in memory, stopped at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.errors import Cancelled
from core.images import parallel
from core.images.inputs import InputForm, as_batch
from core.images.scan import ImageFile, scan_folder
from core.maps.stream import Described, stream_features
from core.nets.features import Features, load_features

SIZES = ((96, 64), (64, 96), (96, 96))


@pytest.fixture(scope="module")
def features() -> Features:
    return load_features(device="cpu", threads=1)


@pytest.fixture
def files(tmp_path: Path) -> tuple[ImageFile, ...]:
    """20 photos of three shapes in turn, the sixth of them no image."""
    rng = np.random.default_rng(0)
    for i in range(20):
        width, height = SIZES[i % 3]
        pixels = rng.integers(0, 255, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i:02d}.png")
    (tmp_path / "05.png").write_bytes(b"\x89PNG\r\n\x1a\nno image")
    found = scan_folder([tmp_path]).images
    assert len(found) == 20
    return found


def rows_of(batches: Sequence[Described]) -> list[list[int]]:
    return [batch.rows.tolist() for batch in batches]


KEPT = InputForm(size=96, keep_aspect=True)


def test_every_image_comes_once_with_its_own_maps(features: Features, files: tuple[ImageFile, ...]) -> None:
    failed: dict[int, str] = {}
    batches = list(
        stream_features(
            features, files, form=KEPT, batch=4, on_failure=lambda row, why: failed.update({row: why.reason})
        )
    )
    assert list(failed) == [5] and failed[5].startswith("Damaged")
    assert sorted(row for rows in rows_of(batches) for row in rows) == [row for row in range(20) if row != 5]
    for batch in batches:
        assert len({row % 3 for row in batch.rows}) == 1
        for i, row in enumerate(batch.rows):
            assert tuple(batch.sizes[i]) == SIZES[row % 3]
            pixels = np.asarray(Image.open(files[row].path))
            np.testing.assert_array_equal(batch.images[i], pixels)
            for maps, alone in zip(batch.maps, features.maps(as_batch([pixels])), strict=True):
                np.testing.assert_array_equal(maps[i], alone[0])


def test_the_order_depends_on_the_files_alone(features: Features, files: tuple[ImageFile, ...]) -> None:
    one, many = (
        rows_of(list(stream_features(features, files, form=KEPT, batch=4, workers=workers)))
        for workers in (1, 7)
    )
    assert one == many
    assert one[0] == [0, 3, 6, 9]


def test_squashed_images_come_in_the_files_order(features: Features, files: tuple[ImageFile, ...]) -> None:
    form = InputForm(size=64, keep_aspect=False)
    batches = list(stream_features(features, files, form=form, batch=8))
    assert rows_of(batches) == [[0, 1, 2, 3, 4, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15, 16], [17, 18, 19]]
    assert {batch.images.shape[1:] for batch in batches} == {(64, 64, 3)}


def test_few_images_are_in_memory(
    features: Features, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty shapes, so that no batch fills up."""
    for i in range(60):
        Image.new("RGB", (32 * (i + 1), 32), (i, i, i)).save(tmp_path / f"{i:02d}.png")
    files = scan_folder([tmp_path]).images
    begun, lock, used, most = [0], threading.Lock(), 0, 0
    real = parallel._decode_unchanged

    def counted(*args: object) -> object:
        with lock:
            begun[0] += 1
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(parallel, "_decode_unchanged", counted)
    form = InputForm(size=32 * 60, keep_aspect=False)
    monkeypatch.setattr(InputForm, "fit", lambda self, width, height: (width, height))
    for batch in stream_features(features, files, form=form, batch=2, workers=1):
        most = max(most, begun[0] - used)
        used += len(batch.rows)
    assert used == 60
    assert most <= 4 * 2 + 4 + 1  # four batches wait for their shape, four files are decoded ahead


def test_a_stop_is_obeyed_and_no_thread_stays(features: Features, files: tuple[ImageFile, ...]) -> None:
    stopped = False
    stream = stream_features(features, files, form=KEPT, batch=2, cancelled=lambda: stopped)
    next(stream)
    stopped = True
    with pytest.raises(Cancelled):
        list(stream)
    left = stream_features(features, files, form=KEPT, batch=2)
    next(left)
    left.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_no_file_gives_nothing(features: Features) -> None:
    assert list(stream_features(features, [], form=KEPT)) == []
