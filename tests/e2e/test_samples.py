"""A sample of a data set in the window: it is there to be reviewed as any other project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from window_support import LONG, settle

from app.main_window import MainWindow
from core.base.annotations import BoxRecord, ImageBoxes, Source, Status
from core.base.geometry import Box
from core.cli.app import main
from core.images.inputs import InputForm
from core.maps.localizer import Localizer, save_localizer
from core.scale.dataset import DataSet, Found, Made, begin, write_shard
from core.scale.exporting import reviewed_in

FOUND = Box(3.0, 4.0, 33.0, 24.0)
UNIT = Localizer(
    method="object",
    features="efficientnet-lite0",
    sha256="0" * 64,
    version="of another day",
    form=InputForm(size=64, keep_aspect=True),
    strides=(16,),
    channels=(3,),
    cell=16,
    normalise=True,
    weights=np.ones(3, np.float32),
    bias=0.0,
    images=12,
)


@pytest.fixture
def data_set(folder: Path, tmp_path: Path) -> DataSet:
    """The twelve images with a box each, the surest ones first."""
    place = tmp_path / "set"
    place.mkdir()
    save_localizer(place / "localizer.safetensors", UNIT)
    paths = sorted(folder.iterdir())
    made = Made(
        where=str(folder), images=len(paths), shard=256, localizer=UNIT.digest, features=UNIT.features,
        runtime="", rule="object", threshold=None, max_boxes=1,
    )  # fmt: skip
    data_set = begin(place, made)
    scores = [round(0.95 - 0.05 * number, 2) for number in range(len(paths))]
    rows = [
        Found(
            number, str(path), ImageBoxes(path.name, 40, 30, (BoxRecord(FOUND, score=score),), no_object=0.1)
        )
        for number, (path, score) in enumerate(zip(paths, scores, strict=True))
    ]
    write_shard(data_set.shard_file(0), rows)
    return data_set


def test_the_least_sure_images_open_and_what_is_accepted_is_kept(
    qtbot: QtBot, window: MainWindow, data_set: DataSet, tmp_path: Path
) -> None:
    path = tmp_path / "sample.boxscout"
    given = ["sample", str(data_set.folder), "--project", str(path), "--count", "5", "--least-sure"]
    assert main(given) == 0
    window.open_paths([path])
    session = window.session
    qtbot.waitUntil(lambda: session.images.total == 5 and not session.activities, timeout=LONG)
    settle(qtbot, window)
    least_sure = [found.image.name for found in list(data_set.found())[-5:]]
    assert [record.name for record in session.images.records] == least_sure
    assert [record.box for record in session.boxes] == [FOUND]
    assert session.boxes[0].source is Source.AUTO and session.boxes[0].score == 0.6
    window.actions_["accept"].trigger()
    settle(qtbot, window)
    assert session.project is not None
    reviewed = reviewed_in(session.project)
    (said,) = reviewed.by_path.values()
    assert (said.name, said.status, said.boxes[0].box) == (least_sure[0], Status.ACCEPTED, FOUND)
