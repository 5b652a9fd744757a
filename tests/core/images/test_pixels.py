"""The prepared pixels: right, reused while true, rebuilt when not, and nothing left behind by a stop."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.base.errors import BoxscoutError, Cancelled, ImageError
from core.images import parallel
from core.images import pixels as module
from core.images.decoding import decode
from core.images.pixels import Pixels, prepare_pixels
from core.images.scan import ImageFile, scan_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Nine images of three sizes, one damaged, one not an image, one empty."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(9):
        coarse = rng.integers(0, 255, (4, 5, 3), np.uint8)
        whole = cv2.resize(coarse, (90 + 10 * (i % 3), 60), interpolation=cv2.INTER_CUBIC)
        Image.fromarray(whole).save(folder / f"{i}.png")
    data = (folder / "3.png").read_bytes()
    (folder / "3.png").write_bytes(data[: len(data) * 2 // 3])
    (folder / "5.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def prepare(folder: Path, cache: Path, **options: object) -> Pixels:
    return prepare_pixels(scan_folder([folder]).images, size=32, cache_dir=cache, **options)  # type: ignore[arg-type]


def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(module, "decode_squashed", refuse)


def test_rows_are_the_images_squashed(folder: Path, cache: Path) -> None:
    pixels = prepare(folder, cache)
    assert pixels.array.shape == (8, 32, 32, 3) and pixels.array.dtype == np.uint8
    assert isinstance(pixels.array, np.memmap) and not pixels.array.flags.writeable
    assert [file.name for file in pixels.files] == [f"{i}.png" for i in (0, 1, 2, 3, 4, 6, 7, 8)]
    assert pixels.sizes.dtype == np.int32
    assert pixels.sizes.tolist() == [[90 + 10 * (int(file.name[0]) % 3), 60] for file in pixels.files]
    assert pixels.truncated == {3}
    assert [(file.path.name, file.reason) for file in pixels.rejected] == [
        ("5.png", "Not an image this program reads (PNG, JPEG, BMP, GIF, TIFF, WebP, HEIC, AVIF).")
    ]
    for row, file in zip(pixels.array, pixels.files, strict=True):
        area = cv2.resize(decode(file.path).pixels, (32, 32), interpolation=cv2.INTER_AREA)
        assert np.abs(row.astype(float) - area).mean() < 3


@pytest.mark.parametrize("workers", [1, 2, 16])
def test_order_does_not_depend_on_threads(folder: Path, tmp_path: Path, workers: int) -> None:
    one = prepare(folder, tmp_path / "one", workers=1)
    many = prepare(folder, tmp_path / f"many{workers}", workers=workers)
    assert np.array_equal(one.array, many.array) and one.files == many.files


def test_reused_while_nothing_changed(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(folder, cache)
    (array,) = cache.glob("*.npy")
    before = array.stat().st_mtime_ns
    no_decoding(monkeypatch)
    calls: list[tuple[int, int]] = []
    again = prepare(folder, cache, on_progress=lambda done, total: calls.append((done, total)))
    assert array.stat().st_mtime_ns == before
    assert np.array_equal(first.array, again.array) and np.array_equal(first.sizes, again.sizes)
    assert (first.files, first.rejected, first.truncated) == (again.files, again.rejected, again.truncated)
    assert calls == [(9, 9)]


@pytest.mark.parametrize("change", ["content", "time", "name", "one more", "one less"])
def test_made_anew_after_a_change(folder: Path, cache: Path, change: str) -> None:
    prepare(folder, cache)
    file = folder / "0.png"
    if change == "content":
        Image.new("RGB", (50, 40), "red").save(file)
    elif change == "time":
        os.utime(file, ns=(1, 1))
    elif change == "name":
        file.rename(folder / "00.png")
    elif change == "one more":
        shutil.copy(file, folder / "9.png")
    else:
        file.unlink()
    pixels = prepare(folder, cache)
    assert len(list(cache.glob("*.npy"))) == 2
    assert len(pixels.files) == {"one more": 9, "one less": 7}.get(change, 8)
    if change == "content":
        assert pixels.array[0, 5, 5].tolist() == [255, 0, 0] and pixels.sizes[0].tolist() == [50, 40]


@pytest.mark.parametrize(
    "damage", ["array cut", "array gone", "array other", "index cut", "index other", "index odd"]
)
def test_a_damaged_cache_is_made_anew(folder: Path, cache: Path, damage: str) -> None:
    expected = np.array(prepare(folder, cache).array)
    (array,), (index,) = cache.glob("*.npy"), cache.glob("*.json")
    if damage == "array cut":
        os.truncate(array, array.stat().st_size - 1)
    elif damage == "array gone":
        array.unlink()
    elif damage == "array other":
        np.save(array, np.zeros((8, 32, 32), np.uint8))
    elif damage == "index cut":
        os.truncate(index, index.stat().st_size // 2)
    elif damage == "index other":
        index.write_text("[]")
    else:
        index.write_text('{"sizes": [[1, 2]], "rejected": [["x"]], "truncated": 3, "again": [99]}')
    assert np.array_equal(prepare(folder, cache).array, expected)


def test_only_the_newest_caches_are_kept(folder: Path, cache: Path) -> None:
    files = scan_folder([folder]).images
    for count in (2, 3, 4, 5):
        prepare_pixels(files[:count], size=32, cache_dir=cache)
        time.sleep(0.01)
    prepare_pixels(files[:2], size=64, cache_dir=cache)
    assert len(list(cache.glob("pixels-32-*.npy"))) == len(list(cache.glob("pixels-32-*.json"))) == 2
    assert len(list(cache.glob("pixels-64-*"))) == 2


def test_a_file_that_vanished_or_changed_is_listed_and_asked_again(folder: Path, cache: Path) -> None:
    files = scan_folder([folder]).images
    (folder / "0.png").rename(folder.parent / "kept.png")
    stale = replace(files[1], size_bytes=1)
    pixels = prepare_pixels([files[0], stale, *files[2:]], size=32, cache_dir=cache)
    assert {file.path.name: file.reason for file in pixels.rejected if file.path.name != "5.png"} == {
        "0.png": "The file is no longer there.",
        "1.png": parallel.CHANGED,
    }
    assert len(pixels.files) == 6
    (folder.parent / "kept.png").rename(folder / "0.png")
    again = prepare_pixels([files[0], stale, *files[2:]], size=32, cache_dir=cache)
    assert len(again.files) == 7


def test_a_file_that_changes_while_it_is_decoded(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.decode_squashed

    def slow(path: Path, *, size: int) -> object:
        decoded = real(path, size=size)
        if path.name == "2.png":
            os.utime(path, ns=(5, 5))
        return decoded

    monkeypatch.setattr(module, "decode_squashed", slow)
    assert parallel.CHANGED in [file.reason for file in prepare(folder, cache).rejected]


def test_a_file_that_may_not_be_read(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = open

    def guarded(path: object, *args: object, **kwargs: object) -> object:
        if str(path).endswith("2.png"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr("builtins.open", guarded)
    rejected = {file.path.name: file.reason for file in prepare(folder, cache).rejected}
    assert rejected["2.png"] == "The file cannot be read: permission denied."
    monkeypatch.undo()
    assert "2.png" not in [file.path.name for file in prepare(folder, cache).rejected]


@pytest.mark.parametrize("at", [0, 3])
def test_cancelling_leaves_nothing(folder: Path, cache: Path, at: int) -> None:
    asked = [0]
    threads = threading.active_count()

    def cancelled() -> bool:
        asked[0] += 1
        return asked[0] > at

    with pytest.raises(Cancelled):
        prepare(folder, cache, cancelled=cancelled, workers=2)
    assert list(cache.iterdir()) == []
    assert threading.active_count() == threads


def test_ctrl_c_leaves_nothing(folder: Path, cache: Path) -> None:
    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        prepare(folder, cache, on_progress=interrupt)
    assert list(cache.iterdir()) == []
    assert threading.active_count() == threads


def test_a_full_disk_is_one_sentence(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patched:
        patched.setattr(module.shutil, "disk_usage", lambda _: usage(10, 10, 5000))
        with pytest.raises(BoxscoutError, match=r"^9 images of 32 x 32 pixels need .* are free\.$"):
            prepare(folder, cache)
    assert list(cache.iterdir()) == []

    def write_rows(self: object, file: object, results: object) -> None:
        file.write(b"some")  # type: ignore[attr-defined]
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module._Cache, "_write_rows", write_rows)
        with pytest.raises(BoxscoutError, match=r"cannot be kept in .*: the disk is full\.$"):
            prepare(folder, cache)
    assert list(cache.iterdir()) == []
    assert len(prepare(folder, cache).files) == 8


def test_a_cache_folder_that_is_a_file(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("x")
    with pytest.raises(BoxscoutError, match="cannot be kept in"):
        prepare(folder, tmp_path / "cache")


def test_no_usable_image(folder: Path, cache: Path) -> None:
    with pytest.raises(ImageError, match="no usable image"):
        prepare_pixels([], size=32, cache_dir=cache)
    bad = [file for file in scan_folder([folder]).images if file.name == "5.png"]
    with pytest.raises(ImageError, match=r"no usable image: .*Not an image"):
        prepare_pixels(bad, size=32, cache_dir=cache)
    assert list(cache.iterdir()) == []


def test_progress_goes_to_the_end(folder: Path, cache: Path) -> None:
    calls: list[tuple[int, int]] = []
    prepare(folder, cache, on_progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (9, 9) and calls == sorted(calls)


def test_results_in_memory_stay_few(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = [file for file in scan_folder([folder]).images if file.name == "0.png"]
    begun = [0]
    real = module.decode_squashed

    def counted(path: Path, *, size: int) -> object:
        begun[0] += 1
        return real(path, size=size)

    monkeypatch.setattr(module, "decode_squashed", counted)
    ahead: list[int] = []
    real_result = parallel._result

    def watched(*args: object) -> object:
        ahead.append(begun[0] - len(ahead))
        return real_result(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(parallel, "_result", watched)
    prepare_pixels([file] * 200, size=32, cache_dir=cache, workers=2)
    assert begun[0] == 200 and max(ahead) <= 8


def test_real_photos(unzipped: Callable[[str], Path], cache: Path) -> None:
    files: tuple[ImageFile, ...] = scan_folder([unzipped("raccoon")]).images
    pixels = prepare_pixels(files, size=64, cache_dir=cache)
    assert pixels.array.shape == (200, 64, 64, 3) and pixels.rejected == ()
    assert sum(len(set(row.ravel()[::97].tolist())) > 10 for row in pixels.array) > 195
