"""The sample the program draws itself."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from core.base.errors import BoxscoutError
from core.base.geometry import Box, iou
from core.formats.reading import read_truth
from core.images.sample import draw_image, draw_sample
from core.images.scan import scan_folder
from core.images.scenes import PAINTERS


def test_the_truth_is_coco_and_fits_the_images(tmp_path: Path) -> None:
    path = draw_sample(tmp_path, count=25, size=64, seed=3)
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(str(path))
    assert min(reference.getAnnIds()) == min(reference.getImgIds()) == min(reference.getCatIds()) == 1
    truth = read_truth(tmp_path)
    assert [one.name for one in truth] == [file.name for file in scan_folder([tmp_path]).images]
    assert {Path(one.name).suffix for one in truth} == {".jpg", ".png"}
    assert len({(one.width, one.height) for one in truth}) == 3
    for one in truth:
        with Image.open(tmp_path / one.name) as image:
            assert image.size == (one.width, one.height)
        (record,) = one.boxes
        assert record.box == record.box.clamped(one.width, one.height)
        assert record.label == "beetle"


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    draw_sample(tmp_path / "a", count=4, size=48, seed=5)
    draw_sample(tmp_path / "b", count=6, size=48, seed=5)
    draw_sample(tmp_path / "c", count=4, size=48, seed=6)
    for number in (1, 4):
        name = f"images/beetle-{number:03d}.jpg"
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "c" / name).read_bytes()


def test_the_box_is_tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a background and without a shadow that are both one colour, the box is where something is."""
    monkeypatch.setattr("core.images.sample.draw_scene", lambda _, w, h: np.full((h, w, 3), 1e-9, np.float32))
    monkeypatch.setattr("core.images.sample.cv2.GaussianBlur", lambda image, *_: image)
    for index in range(20):
        pixels, box = draw_image(seed=1, index=index, size=128)
        rows, columns = np.nonzero(pixels.max(axis=2) > 1)
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        assert np.abs(seen - np.array([box.x0, box.y0, box.x1, box.y1])).max() <= 1.5


def test_no_box_without_looking_comes_near() -> None:
    drawn = [draw_image(seed=0, index=index, size=64) for index in range(200)]
    shapes = [(pixels.shape[1], pixels.shape[0]) for pixels, _ in drawn]
    for margin, limit in ((0.0, 5), (0.1, 20), (0.2, 35), (0.25, 35)):
        hits = sum(
            iou(box, Box(w * margin, h * margin, w * (1 - margin), h * (1 - margin))) >= 0.5
            for (_, box), (w, h) in zip(drawn, shapes, strict=True)
        )
        assert hits / 2 < limit
    centres = np.array(
        [(b.center[0] / w, b.center[1] / h) for (_, b), (w, h) in zip(drawn, shapes, strict=True)]
    )
    assert (centres.std(axis=0) > 0.13).all() and np.abs(centres.mean(axis=0) - 0.5).max() < 0.05


def test_every_background_is_a_picture() -> None:
    for painter in PAINTERS:
        scene = painter(np.random.default_rng(0), 80, 60)
        assert scene.shape == (60, 80, 3) and scene.dtype == np.float32
        assert np.isfinite(scene).all() and scene.std() > 5


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BoxscoutError, match=r"cannot be drawn into .*\.$"):
        draw_sample(tmp_path / "file", count=1)
