"""Drawn photos and a localizer that has learned from them, for all tests of data sets."""

from __future__ import annotations

from pathlib import Path

import pytest
from scale_support import COUNT, SMALL

from core.images.sample import draw_sample
from core.images.scan import scan_folder
from core.learn.frozen import learn
from core.maps.localizer import Localizer
from core.nets.features import load_features


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    draw_sample(folder, count=COUNT, seed=3)
    return folder / "images"


@pytest.fixture(scope="session")
def localizer(photos: Path) -> Localizer:
    *_, last = learn(SMALL, load_features(device="cpu", threads=1), scan_folder([photos]).images)
    assert last.localizer is not None
    return last.localizer
