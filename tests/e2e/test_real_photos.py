"""The main job on real photos in the real window: drop, train, find boxes, export, evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pycocotools.coco import COCO
from PySide6.QtGui import QImageReader
from pytestqt.qtbot import QtBot
from window_support import drop, export, finish, start

from app.main_window import MainWindow
from app.models.training import Phase
from core.base.config import TrainConfig
from core.evaluate.report import evaluate
from core.formats import reading, tiny_imagenet

SCAN = 30_000


def _train_in_window(
    qtbot: QtBot, window: MainWindow, folders: list[Path], count: int, config: TrainConfig
) -> None:
    assert drop(window.pages.currentWidget(), folders)
    session = window.session
    qtbot.waitUntil(lambda: session.images.total == count and not session.activities, timeout=SCAN)
    start(qtbot, window, config)
    qtbot.waitUntil(lambda: session.training.phase is not Phase.PREPARING, timeout=SCAN)
    finish(qtbot, window)
    assert session.training.phase is Phase.FINISHED


def test_raccoon_photos(
    window: MainWindow, unzipped: Callable[[str], Path], tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    photos = unzipped("raccoon")
    _train_in_window(qtbot, window, [photos / "images"], 200, tiny)
    export(qtbot, window, "csv", tmp_path / "boxes.csv")
    export(qtbot, window, "coco", tmp_path / "boxes.json")

    table = pd.read_csv(tmp_path / "boxes.csv")
    assert len(table) == 200
    for row in table.sample(12, random_state=0).itertuples():
        size = QImageReader(str(photos / "images" / row.filename)).size()
        assert (row.width, row.height) == (size.width(), size.height())
    assert len(COCO(str(tmp_path / "boxes.json")).getAnnIds()) == 200

    report = evaluate(reading.read_truth(tmp_path / "boxes.json"), reading.read_truth(photos))
    by_name = {row.method: row for row in report.rows}
    assert report.n == 200
    # What an independent count over the VOC files gives for a box that is the whole image.
    assert by_name["whole image"].correct == 104


@pytest.mark.long
def test_dog_classes_of_tiny_imagenet(
    window: MainWindow, unzipped: Callable[[str], Path], tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    root = unzipped("tiny-imagenet-six")
    folders = [root / "train" / wnid for wnid in tiny_imagenet.SETS["dog"]]
    _train_in_window(qtbot, window, folders, 3000, tiny)
    export(qtbot, window, "coco", tmp_path / "boxes.json")
    truth = tiny_imagenet.read(root, wnids=tiny_imagenet.SETS["dog"], split="train")
    report = evaluate(reading.read_truth(tmp_path / "boxes.json"), truth)
    assert report.n == 3000
    assert report.rows[0].n == 3000
    assert report.rows[0].correct > 0


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of real photos need longer than twelve drawn ones."""
    monkeypatch.setattr("window_support.LONG", 60_000)
