"""Camera-trap photos in the real window: capture time, position, folders by class, blank images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_support import LONG, fill, in_export_dialog, settle

from app.main_window import MainWindow
from app.views.export_dialog import ExportDialog
from app.views.import_dialog import ImportDialog
from app.views.message import DoneDialog
from core.base.annotations import BoxRecord, Status
from core.base.geometry import Box
from core.project.browse import Order, Show

LEFT = Qt.MouseButton.LeftButton
TIMES = {
    "fox/1.jpg": "2024:05:02 10:00:00",
    "fox/2.jpg": "2024:05:01 10:00:00",
    "red deer/3.jpg": "2023:12:31 23:59:59",
    "red deer/4.jpg": "",
}
PLACED = "fox/1.jpg"


@pytest.fixture
def traps(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> MainWindow:
    for name, time in TIMES.items():
        exif = Image.Exif()
        if time:
            exif.get_ifd(0x8769)[0x9003] = time
        if name == PLACED:
            exif.get_ifd(0x8825).update({1: "N", 2: (52, 31, 12), 3: "E", 4: (13, 24, 18)})
        path = tmp_path / "traps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((30, 40, 3), len(name) * 9, np.uint8)).save(path, exif=exif)
    fill(qtbot, window, tmp_path / "traps", len(TIMES))
    return window


def shown(window: MainWindow) -> list[str]:
    model = window.session.images
    found = [model.record(model.id_at(row) or 0) for row in range(model.rowCount())]
    return [one.name for one in found if one is not None]


def test_the_list_by_capture_time_day_and_position(traps: MainWindow, qtbot: QtBot) -> None:
    bar = traps.images.browse_bar
    bar.order_box.setCurrentIndex(bar.order_box.findData(Order.TAKEN.value))
    in_time = ["red deer/3.jpg", "fox/2.jpg", "fox/1.jpg", "red deer/4.jpg"]
    qtbot.waitUntil(lambda: shown(traps) == in_time, timeout=LONG)
    qtbot.mouseClick(bar.filters_button, LEFT)
    first, last = bar.filters.day_edits
    qtbot.keyClicks(first, "2024")
    assert shown(traps) == ["fox/2.jpg", "fox/1.jpg"]
    qtbot.keyClicks(last, "2024-05-01")
    assert shown(traps) == ["fox/2.jpg"]
    qtbot.mouseClick(bar.filters.reset, LEFT)
    assert shown(traps) == in_time
    bar.show_box.setCurrentIndex(bar.show_box.findData(Show.PLACED.value))
    qtbot.waitUntil(lambda: shown(traps) == [PLACED], timeout=LONG)
    settle(qtbot, traps)


def test_when_and_where_stand_with_the_image_in_view(traps: MainWindow, qtbot: QtBot) -> None:
    records = {one.name: one.id for one in traps.session.images.records}
    strip = traps.strip
    for name, text, tip in (
        (
            PLACED,
            "2024-05-02 10:00  GPS",
            "GPS position 52.52000, 13.40500. Exported only if you ask for it.",
        ),
        ("fox/2.jpg", "2024-05-01 10:00", "Taken 2024-05-01 10:00:00"),
        ("red deer/4.jpg", "", ""),
    ):
        traps.session.select(records[name])
        qtbot.waitUntil(lambda text=text: strip.taken.text() == text, timeout=LONG)
        assert tip in strip.taken.toolTip()
        assert strip.taken.isVisible() is bool(text)


def in_export(qtbot: QtBot, window: MainWindow, act: Callable[[ExportDialog], None]) -> None:
    """The same to its end, with nothing left open."""
    with qtbot.waitSignal(window.workbench.exporting.exported, timeout=LONG):
        in_export_dialog(qtbot, window, act)
    for done in window.findChildren(DoneDialog):
        done.close()


@pytest.mark.parametrize("asked", [False, True])
def test_places_and_folders_leave_where_they_are_ticked(
    traps: MainWindow, tmp_path: Path, qtbot: QtBot, asked: bool
) -> None:
    project = traps.session.project
    assert project is not None
    records = project.images()
    project.set_auto_boxes({one.id: [BoxRecord(Box(1, 2, 20, 25), score=0.5)] for one in records})
    project.set_sizes({one.id: (40, 30) for one in records})

    def act(dialog: ExportDialog) -> None:
        dialog.format.setCurrentIndex(dialog.format.findData("csv"))
        assert not dialog.own["with_gps"].isChecked()
        assert dialog.folder_classes.isVisible()
        if asked:
            dialog.own["with_gps"].click()
            dialog.folder_classes.click()
        dialog.path_edit.setText(str(tmp_path / "out.csv"))
        qtbot.mouseClick(dialog.export, LEFT)

    in_export(qtbot, traps, act)
    text = (tmp_path / "out.csv").read_text("utf-8")
    assert "2024-05-02T10:00:00" in text
    assert ("52.52" in text) is asked
    assert ("red deer,1,2" in text) is asked


def test_a_detectors_blanks_come_in_as_such(traps: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    found = {"category": "1", "conf": 0.9, "bbox": [0.25, 0.25, 0.5, 0.5]}
    images = [{"file": "fox/1.jpg", "detections": [found]}, {"file": "fox/2.jpg", "detections": []}]
    content = {"detection_categories": {"1": "animal"}, "images": images}
    (tmp_path / "md.json").write_text(json.dumps(content))
    qtbot.keyClick(traps, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = [one for one in traps.findChildren(ImportDialog) if one.isVisible()]
    qtbot.keyClicks(dialog.path_edit, str(tmp_path / "md.json"))
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    dialog.blanks.setChecked(True)
    assert dialog.total.text() == "1 box for 2 images will be imported."
    assert dialog.folder_classes.isEnabled()
    with qtbot.waitSignal(traps.workbench.importing.imported, timeout=LONG):
        qtbot.mouseClick(dialog.agree, LEFT)
    project = traps.session.project
    assert project is not None
    by_name = {one.name: one for one in project.images()}
    assert by_name["fox/2.jpg"].status is Status.NO_OBJECT
    assert project.boxes(by_name["fox/2.jpg"].id) == ()
    assert [one.label for one in project.boxes(by_name["fox/1.jpg"].id)] == ["animal"]
    for done in traps.findChildren(DoneDialog):
        done.close()
    traps.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: project.image(by_name["fox/2.jpg"].id).status is Status.UNSEEN, timeout=LONG)
