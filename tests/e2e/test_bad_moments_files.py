"""Photos that are deleted, renamed or replaced by others while their project is open, in the real window."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from review_support import COUNT, HEIGHT, WIDTH, fill_with_boxes, on_disk
from test_bad_moments import find
from window_support import LONG, export, fill, settle

from app.main_window import MainWindow
from app.models.image_list import Role
from core.base.annotations import Status
from core.images.sample import draw_sample

GONE = "The file is no longer there."


def show(qtbot: QtBot, window: MainWindow, image_id: int) -> None:
    window.session.select(image_id)
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    settle(qtbot, window)


def replace(path: Path, colour: str) -> None:
    Image.new("RGB", (WIDTH, HEIGHT), colour).save(path)


def thumbnail_colour(window: MainWindow, row: int) -> str:
    """In the list; empty until it is made."""
    thumbnail = window.session.images.index(row).data(Role.THUMBNAIL)
    return thumbnail.pixmap.toImage().pixelColor(1, 1).name() if thumbnail and thumbnail.pixmap else ""


def colour_in_view(window: MainWindow) -> str:
    return window.session.picture.image.pixelColor(1, 1).name()


def test_a_photo_deleted_or_renamed_keeps_its_box_and_is_told(
    found: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    boxes = {i: on_disk(found, i).boxes for i in range(1, COUNT + 1)}
    (folder / "image 1.png").unlink()  # it is in view
    (folder / "image 3.png").rename(folder / "another name.png")
    qtbot.keyClick(found, Qt.Key.Key_A)
    settle(qtbot, found)
    assert found.session.current == 2 and on_disk(found, 1).boxes == boxes[1], "it was seen and is approved"

    show(qtbot, found, 3)
    assert found.canvas._message == f"image 3.png\n{GONE}"
    qtbot.waitUntil(lambda: found.strip.problems.text() == "1 file could not be used", timeout=LONG)
    qtbot.mouseClick(found.strip.problems, Qt.MouseButton.LeftButton)
    assert found.problems.count() == 1
    found.actions_["reject"].trigger()
    settle(qtbot, found)
    assert found.session.project.image(3).status is Status.REJECTED, "and can be judged"

    export(qtbot, found, "csv", tmp_path / "boxes.csv")
    assert len(pd.read_csv(tmp_path / "boxes.csv")) == COUNT - 1, "all but the rejected one"
    found.open_paths([folder])  # the folder is looked through again
    qtbot.waitUntil(lambda: found.session.images.total == COUNT + 1, timeout=LONG)
    settle(qtbot, found)
    assert [one.name for one in found.session.images.records][-1] == "another name.png"
    assert {i: on_disk(found, i).boxes for i in boxes} == boxes


def test_crops_of_a_deleted_photo_are_left_out_and_named(
    found: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    (folder / "image 2.png").unlink()
    summaries: list[object] = []
    found.workbench.exporting.exported.connect(summaries.append)
    export(qtbot, found, "crops", tmp_path / "crops")
    [summary] = summaries
    assert "Left out “image 2.png”: The file is no longer there." in summary.lines()
    assert len(list((tmp_path / "crops").rglob("*.png"))) == COUNT - 1


def test_a_photo_replaced_by_another_is_seen_as_that(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill_with_boxes(qtbot, window, folder)
    qtbot.keyClick(window, Qt.Key.Key_A)
    settle(qtbot, window)
    approved = on_disk(window, 1)
    said: list[str] = []
    window.session.notice.connect(said.append)

    replace(folder / "image 5.png", "#ff0000")
    show(qtbot, window, 5)
    qtbot.waitUntil(lambda: "The file of “image 5.png” has changed; its box was found" in "".join(said))
    settle(qtbot, window)
    assert colour_in_view(window) == "#ff0000"
    assert window.session.heat_map is None, "that was of the former picture"
    qtbot.waitUntil(lambda: thumbnail_colour(window, 4) == "#ff0000", timeout=LONG)

    replace(folder / "image 1.png", "#00ff00")  # approved, and remembered from before
    show(qtbot, window, 1)
    asked = "The file of “image 1.png” has changed since you reviewed it. Are its boxes still right?"
    qtbot.waitUntil(lambda: asked in said, timeout=LONG)
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    settle(qtbot, window)
    qtbot.waitUntil(lambda: colour_in_view(window) == "#00ff00", timeout=LONG)
    assert on_disk(window, 1) == approved
    assert window.session.project.image(1).status is Status.ACCEPTED


def test_finding_again_looks_at_replaced_photos_and_leaves_the_others(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    draw_sample(tmp_path / "drawn", count=6, seed=3)
    draw_sample(tmp_path / "others", count=3, seed=99)
    photos = sorted((tmp_path / "drawn" / "images").iterdir())
    fill(qtbot, window, photos[0].parent, 6)
    find(qtbot, window)
    before = {i: on_disk(window, i).boxes for i in range(1, 7)}
    other = sorted((tmp_path / "others" / "images").iterdir())[1]
    with Image.open(other) as picture, Image.open(photos[3]) as former:
        picture.resize(former.size).save(photos[4])
    photos[5].unlink()
    window.actions_["find_boxes"].trigger()
    settle(qtbot, window)
    after = {i: on_disk(window, i).boxes for i in range(1, 7)}
    assert [i for i in before if after[i] != before[i]] == [5]
    assert after[5]
    show(qtbot, window, 6)
    assert window.canvas._message == f"{photos[5].name}\n{GONE}"
    assert window.session.images.record(6).status is Status.UNSEEN
