"""What the default training takes from a folder: how many images there are, and how large they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.base.annotations import Status
from core.base.presets import PRESETS, SCRATCH_PRESET
from core.learn.engine import train
from core.project.fitting import ASKED, FolderSummary, fitted_to, sentence, summarized
from core.project.rows import ImageRecord

BALANCED = PRESETS[SCRATCH_PRESET]
PHOTO = (3000, 2000)


def _records(folder: Path, sizes: list[tuple[int, int]], known: bool = False) -> list[ImageRecord]:
    records = []
    for i, (width, height) in enumerate(sizes):
        Image.new("L", (width, height)).save(folder / f"{i}.png")
        shown = (width, height) if known else (0, 0)
        records.append(ImageRecord(i + 1, folder, f"{i}.png", 1, 1, *shown, Status.UNSEEN, ""))
    return records


@pytest.mark.parametrize(
    ("images", "steps", "batch"),
    [(1, 300, 64), (5, 300, 64), (50, 300, 64), (200, 600, 64), (3000, 600, 64), (100_000, 600, 64)],
)
def test_steps_and_batch_follow_the_number_of_images(images: int, steps: int, batch: int) -> None:
    fitted = fitted_to(BALANCED, FolderSummary(images, *PHOTO))
    assert (fitted.config.steps, fitted.config.batch_size) == (steps, batch)
    assert fitted.config.with_(steps=BALANCED.steps, batch_size=BALANCED.batch_size) == BALANCED
    assert fitted.config not in [preset for name, preset in PRESETS.items() if name != SCRATCH_PRESET]


@pytest.mark.parametrize("size", [(1, 1), (32, 32), (12_000, 9_000), (8_000, 500), (500, 8_000)])
def test_any_size_and_shape_of_image_is_learned_at_the_same_scale(size: tuple[int, int]) -> None:
    """Windows are shares of an image, scaled to one size: what they show is as large in any image."""
    fitted = fitted_to(BALANCED, FolderSummary(50, *size))
    assert fitted.config == fitted_to(BALANCED, FolderSummary(50, *PHOTO)).config
    assert f"50 images of {size[0]} × {size[1]} pixels. " in fitted.sentence


def test_the_sentence_tells_images_and_steps() -> None:
    few, many = (fitted_to(BALANCED, FolderSummary(n, *PHOTO)) for n in (12, 100_000))
    assert few.sentence == "12 images of 3000 × 2000 pixels. 300 training steps."
    assert many.sentence == "100,000 images of 3000 × 2000 pixels. 600 training steps."
    own = sentence(few.config.with_(steps=40), FolderSummary(1, *PHOTO))
    assert own == "1 image of 3000 × 2000 pixels. 40 training steps."


def test_an_empty_folder_changes_nothing() -> None:
    fitted = fitted_to(BALANCED, FolderSummary(0))
    assert fitted.config == BALANCED
    assert fitted.sentence == ""


def test_the_image_of_median_area_stands_for_all(tmp_path: Path) -> None:
    sizes = [(10, 10), (90, 10), (20, 60), (7, 3), (500, 400)]
    for known in (False, True):
        assert summarized(_records(tmp_path, sizes, known)) == FolderSummary(5, 90, 10, "mixed")


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ([(60, 40), (60, 40)], "3 images of 60 × 40 pixels. "),
        ([(54, 40), (66, 44)], "3 images of about 60 × 40 pixels. "),
        ([(300, 40), (60, 10)], "3 images of different sizes. "),
        ([(40, 60), (40, 60)], "3 images of different sizes. "),
    ],
)
def test_a_size_is_told_of_all_images_only_where_they_have_it(
    others: list[tuple[int, int]], told: str, tmp_path: Path
) -> None:
    folder = summarized(_records(tmp_path, [(60, 40), *others]))
    assert fitted_to(BALANCED, folder).sentence.startswith(told)


def test_images_that_cannot_be_used_do_not_count(tmp_path: Path) -> None:
    records = _records(tmp_path, [(10, 10), (20, 20), (30, 30), (40, 40)])
    (tmp_path / "0.png").write_bytes(b"no image")
    (tmp_path / "1.png").unlink()
    assert summarized(records) == FolderSummary(2, 40, 40, "mixed")
    (tmp_path / "2.png").unlink()
    (tmp_path / "3.png").unlink()
    assert summarized(records) == summarized([]) == FolderSummary(0)


def test_of_many_images_few_are_opened(tmp_path: Path) -> None:
    """All but those that are asked for could be missing."""
    names = [f"{i}.png" for i in range(10 * ASKED)]
    records = [ImageRecord(i, tmp_path, name, 1, 1, 0, 0, Status.UNSEEN, "") for i, name in enumerate(names)]
    for i in np.unique(np.linspace(0, len(names) - 1, ASKED).astype(int)):
        Image.new("L", (30, 20)).save(tmp_path / names[i])
    assert summarized(records) == FolderSummary(len(names), 30, 20)


def test_of_a_huge_folder_only_the_rows_of_the_batches_are_read(tmp_path: Path) -> None:
    """A memory map of 100,000 images whose pages cost nothing until they are touched."""
    images = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (100_000, 64, 64, 3))
    config = fitted_to(BALANCED, FolderSummary(100_000, *PHOTO)).config
    config = config.with_(steps=1, batch_size=4, width=8, device="cpu", precision="fp32")
    before = _resident()
    assert [progress.step for progress in train(config, images)] == [1]
    assert _resident() - before < images.nbytes / 4


def _resident() -> int:
    """Bytes of this process in memory."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("this system does not tell how much memory a process uses")
    return int(statm.read_text().split()[1]) * 4096


@pytest.mark.parametrize("count", [1, 5])
def test_one_image_is_enough_for_windows(count: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, 64, 64, 3), np.uint8)
    config = fitted_to(BALANCED, FolderSummary(count, 64, 64)).config
    config = config.with_(steps=2, batch_size=4, width=8, device="cpu", precision="fp32")
    last = list(train(config, images))[-1]
    assert last.snapshot is not None
    assert last.signal is not None and np.isfinite(last.signal.real_ms_ssim)
