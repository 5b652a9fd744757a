"""File > Export and File > Import in the real window, by clicks and keys."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event

import numpy as np
import pandas as pd
import pytest
from formats_support import files_of
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot
from window_support import LONG, drop, fill, in_export_dialog, settle

from app.main_window import MainWindow
from app.models.export import ImportRequest
from app.views.export_dialog import ExportDialog
from app.views.import_dialog import ImportDialog
from app.views.message import DoneDialog
from core.base.annotations import BoxRecord, Source, Status
from core.base.geometry import Box
from core.boxes.thresholds import Thresholds
from core.project.exchange import import_boxes, plan_import
from core.project.queries import kept
from core.project.rows import Kept
from core.project.store import Project
from core.project.survey import MapSource, Survey


@pytest.fixture
def with_boxes(window: MainWindow, folder: Path, qtbot: QtBot) -> MainWindow:
    """Twelve images; ten have a box of rising score, two of them of another class, one is rejected."""
    fill(qtbot, window, folder, 12)
    project = window.session.project
    assert project is not None
    records = window.session.images.records
    for number, one in enumerate(records[:10]):
        label = "cat" if number < 2 else "object"
        project.set_auto_boxes({one.id: [BoxRecord(Box(1, 2, 20, 25), label, number / 10)]})
    project.set_sizes({one.id: (40, 30) for one in records})
    project.set_statuses({records[9].id: Status.REJECTED})
    return window


def test_a_box_file_dropped_beside_images_opens_the_import(
    with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    name = with_boxes.session.images.records[0].name
    boxes = tmp_path / "boxes.csv"
    boxes.write_text(f"filename,width,height,class,xmin,ymin,xmax,ymax\n{name},40,30,cat,1,2,20,25\n")
    assert drop(with_boxes.splitter, [boxes])
    qtbot.waitUntil(lambda: any(d.isVisible() for d in with_boxes.findChildren(ImportDialog)), timeout=LONG)
    (dialog,) = with_boxes.findChildren(ImportDialog)
    assert dialog.path_edit.text() == str(boxes)
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    dialog.reject()
    assert with_boxes.session.images.total == 12, "nothing was added as an image"


def _choose(dialog: ExportDialog, name: str) -> None:
    dialog.format.setCurrentIndex(dialog.format.findData(name))


def _total(qtbot: QtBot, dialog: ExportDialog, text: str) -> None:
    qtbot.waitUntil(lambda: dialog.total.text() == text, timeout=LONG)


def test_the_count_follows_every_choice(with_boxes: MainWindow, qtbot: QtBot) -> None:
    def act(dialog: ExportDialog) -> None:
        assert dialog.total.text() == "9 images with 9 boxes will be exported."
        _choose(dialog, "coco")
        _total(qtbot, dialog, "11 images with 9 boxes will be exported.")
        qtbot.keyClicks(dialog.choices.which, "All, i")
        _total(qtbot, dialog, "12 images with 10 boxes will be exported.")
        dialog.choices.classes.item(0).setCheckState(Qt.CheckState.Unchecked)
        _total(qtbot, dialog, "10 images with 8 boxes will be exported.")
        dialog.choices.classes.item(0).setCheckState(Qt.CheckState.Checked)
        qtbot.keyClick(dialog.choices.split, Qt.Key.Key_Space)
        _total(qtbot, dialog, "12 images with 10 boxes will be exported: 10 for training, 2 for validation.")
        assert "-train.json” and “" in dialog.note.text()
        dialog.choices.score.setValue(0.5)
        _total(qtbot, dialog, "7 images with 5 boxes will be exported: 6 for training, 1 for validation.")
        qtbot.keyClicks(dialog.choices.which, "Acc")
        qtbot.waitUntil(lambda: not dialog.export.isEnabled(), timeout=LONG)
        assert "Nothing to export" in dialog.note.text()

    in_export_dialog(qtbot, with_boxes, act)


def test_each_format_shows_its_own_options_and_a_free_place(
    with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    def act(dialog: ExportDialog) -> None:
        shown = {}
        for name in ("csv", "yolo", "voc", "megadetector", "labelme"):
            _choose(dialog, name)
            shown[name] = {key for key, box in dialog.own.items() if box.isVisible()}
        assert shown == {
            "csv": {"with_gps"},
            "yolo": {"link", "flat", "with_gps"},
            "voc": {"one_based"},
            "megadetector": {"animal"},
            "labelme": {"beside_images", "replace_foreign"},
        }
        assert not dialog.own["replace_foreign"].isEnabled()
        dialog.own["beside_images"].click()
        assert dialog.own["replace_foreign"].isEnabled()
        assert not dialog.path_edit.isEnabled()
        assert not dialog.choices.split.isEnabled()
        _choose(dialog, "yolo")
        dialog.path_edit.setText(str(tmp_path / "photos"))
        assert "already exists" in dialog.note.text()
        assert not dialog.export.isEnabled()
        dialog.path_edit.setText(str(tmp_path / "new"))
        assert dialog.note.text() == "Creates the folder “new”."
        assert dialog.export.isEnabled()
        dialog.path_edit.setText(str(tmp_path / "no" / "new"))
        assert not dialog.export.isEnabled()

    in_export_dialog(qtbot, with_boxes, act)


def test_yolo_with_a_split_from_the_window(with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    def act(dialog: ExportDialog) -> None:
        _choose(dialog, "yolo")
        dialog.choices.split.click()
        dialog.own["link"].click()
        dialog.own["flat"].click()
        dialog.choices.percent.setValue(50)
        dialog.path_edit.setText(str(tmp_path / "out"))
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)

    with qtbot.waitSignal(with_boxes.workbench.exporting.exported, timeout=LONG) as told:
        in_export_dialog(qtbot, with_boxes, act)
    assert (told.args[0].images, told.args[0].boxes) == (11, 9)
    parts = [files_of(tmp_path / "out/images" / part) for part in ("train", "val")]
    assert sorted(map(len, parts)) == [5, 6]
    assert not parts[0] & parts[1]
    (done,) = [one for one in with_boxes.findChildren(DoneDialog) if one.isVisible()]
    assert "For training:" in done.lines.text()
    done.close()


def test_an_export_that_fails_says_so_and_keeps_the_file(
    with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x.csv"
    out.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def act(dialog: ExportDialog) -> None:
        dialog.path_edit.setText(str(out))
        assert "will be overwritten" in dialog.note.text()
        monkeypatch.setattr("core.base.atomic.os.fsync", full)
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)

    with qtbot.waitSignal(with_boxes.session.error, timeout=LONG) as told:
        in_export_dialog(qtbot, with_boxes, act)
    monkeypatch.undo()
    assert str(told.args[0]) == "“x.csv” could not be written: the disk is full."
    assert out.read_text() == "old"
    assert not with_boxes.session.activities


def test_outdated_images_are_counted_before_and_after(
    with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    window, project = with_boxes, with_boxes.session.project
    assert project is not None
    ids = [one.id for one in window.session.images.records]
    heat, old, new = np.ones((4, 4), np.float32), *(MapSource(n, "real", "plain") for n in "12")
    project.set_heat_maps(dict.fromkeys(ids[:5], heat), step=1, source=old)
    project.set_heat_maps(dict.fromkeys(ids[5:], heat), step=2, source=new)
    project.save_survey(Survey(2, source=new))
    project.set_boxes(ids[6], [BoxRecord(Box(1, 1, 9, 9), source=Source.EDITED)])
    project.set_boxes(ids[7], [BoxRecord(Box(1, 1, 9, 9), source=Source.EDITED)])
    project.set_sizes({ids[6]: (44, 30), ids[7]: (40, 33)})
    old_ones = "5 images have boxes of an earlier training; find boxes again for those of the newest."

    def act(dialog: ExportDialog) -> None:
        changed = "2 images have changed since their boxes were made; look at them."
        assert dialog.warning.text() == f"{old_ones}\n{changed}"
        assert dialog.warning.isVisible()
        assert dialog.export.isEnabled()
        qtbot.keyClicks(dialog.choices.which, "Acc")
        qtbot.waitUntil(dialog.warning.isHidden, timeout=LONG)
        qtbot.keyClick(dialog.choices.which, Qt.Key.Key_Home)
        qtbot.waitUntil(dialog.warning.isVisible, timeout=LONG)
        dialog.path_edit.setText(str(tmp_path / "x.csv"))
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)

    with qtbot.waitSignal(window.workbench.exporting.exported, timeout=LONG):
        in_export_dialog(qtbot, window, act)
    (done,) = [one for one in window.findChildren(DoneDialog) if one.isVisible()]
    assert old_ones in done.lines.text()
    assert "2 images have changed" in done.lines.text()
    done.close()


def _open_import(qtbot: QtBot, window: MainWindow) -> ImportDialog:
    qtbot.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = [one for one in window.findChildren(ImportDialog) if one.isVisible()]
    assert not dialog.agree.isEnabled()
    return dialog


def test_boxes_are_looked_at_before_they_come_in(
    with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    project = with_boxes.session.project
    assert project is not None
    records = with_boxes.session.images.records
    project.set_boxes(records[0].id, [BoxRecord(Box(0, 0, 9, 9), source=Source.EDITED)])
    names = [records[0].name, records[1].name, "stranger.png"]
    table = pd.DataFrame({"filename": names, "xmin": 3, "ymin": 4, "xmax": 13, "ymax": 14, "class": "dog"})
    table.to_csv(tmp_path / "boxes.csv", index=False)

    dialog = _open_import(qtbot, with_boxes)
    qtbot.keyClicks(dialog.path_edit, str(tmp_path / "none.csv"))
    qtbot.waitUntil(lambda: "does not exist" in dialog.details.text(), timeout=LONG)
    dialog.path_edit.selectAll()
    qtbot.keyClicks(dialog.path_edit, str(tmp_path / "boxes.csv"))
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    assert dialog.total.text() == "1 box for 1 image will be imported."
    assert "edited or accepted their boxes: 1" in dialog.details.text()
    assert "stranger.png" in dialog.details.text()
    dialog.replace_held.click()
    assert dialog.total.text() == "2 boxes for 2 images will be imported."
    dialog.replace_held.click()
    qtbot.mouseClick(dialog.status.second, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(with_boxes.workbench.importing.imported, timeout=LONG) as told:
        qtbot.mouseClick(dialog.agree, Qt.MouseButton.LeftButton)
    assert (told.args[0].images, told.args[0].kept) == (1, 1)
    assert project.boxes(records[0].id)[0].box == Box(0, 0, 9, 9)
    assert project.boxes(records[1].id)[0].box == Box(3, 4, 13, 14)
    shown = with_boxes.session.images.record(records[1].id)
    assert shown is not None
    assert shown.status is Status.ACCEPTED
    (done,) = [one for one in with_boxes.findChildren(DoneDialog) if one.isVisible()]
    assert "Imported 1 box into 1 image" in done.lines.text()
    done.close()


def test_of_megadetectors_boxes_the_sure_animals_alone_come_in(
    with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    project = with_boxes.session.project
    assert project is not None
    records = with_boxes.session.images.records
    found = [
        {"category": category, "conf": conf, "bbox": [0.25, 0.25, 0.5, 0.5]}
        for category, conf in (("1", 0.9), ("1", 0.05), ("2", 0.8))
    ]
    images = [
        {"file": f"D:\\cards\\{records[0].name}", "detections": found},
        {"file": records[1].name, "detections": found[1:]},
    ]
    content = {"detection_categories": {"1": "animal", "2": "person"}, "images": images}
    (tmp_path / "md.json").write_text(json.dumps(content))
    dialog = _open_import(qtbot, with_boxes)
    assert not dialog.classes.isEnabled()
    qtbot.keyClicks(dialog.path_edit, str(tmp_path / "md.json"))
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    assert dialog.total.text() == "5 boxes for 2 images will be imported."
    assert dialog.classes.isEnabled()
    assert [dialog.classes.itemText(i) for i in range(3)] == ["All classes", "animal  (3)", "person  (2)"]
    dialog.classes.setCurrentIndex(1)
    assert dialog.total.text() == "3 boxes for 2 images will be imported."
    dialog.score.setValue(0.2)
    assert dialog.total.text() == "1 box for 1 image will be imported."
    with qtbot.waitSignal(with_boxes.workbench.importing.imported, timeout=LONG):
        qtbot.mouseClick(dialog.agree, Qt.MouseButton.LeftButton)
    assert [(one.label, one.score) for one in project.boxes(records[0].id)] == [("animal", 0.9)]
    (done,) = [one for one in with_boxes.findChildren(DoneDialog) if one.isVisible()]
    done.close()


def test_the_image_in_view_shows_its_imported_box(
    window: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    record = window.session.record
    assert record is not None
    coco = {
        "images": [{"id": 7, "file_name": f"photos/{record.name}", "width": 40, "height": 30}],
        "annotations": [{"id": 3, "image_id": 7, "category_id": 1, "bbox": [5, 6, 10, 11]}],
        "categories": [{"id": 1, "name": "bird"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    dialog = _open_import(qtbot, window)
    dialog.path_edit.setText(str(tmp_path / "coco.json"))
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(window.session.boxes), timeout=LONG)
    assert window.session.boxes[0].box == Box(5, 6, 15, 17)
    assert window.session.boxes[0].label == "bird"
    for done in window.findChildren(DoneDialog):
        done.close()
    assert QGuiApplication.modalWindow() is None


def test_an_import_is_taken_back_and_done_again(with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    window, session, project = with_boxes, with_boxes.session, with_boxes.session.project
    assert project is not None
    records = list(session.images.records)
    mine = [BoxRecord(Box(0, 0, 9, 9), "mine", source=Source.EDITED), BoxRecord(Box(5, 5, 8, 8), "cat", 0.25)]
    project.set_boxes(records[0].id, mine)
    project.set_boxes(records[1].id, [])
    session.change_view(thresholds=Thresholds.of({records[2].id: 0.7, records[3].id: 0.1}))
    window.workbench.review.set_statuses([records[0].id, records[2].id], Status.REJECTED)
    window.workbench.localization.evidence_changed.emit()  # what was written above, behind its back
    qtbot.waitUntil(lambda: len(session.boxes) == 2, timeout=LONG)
    window.workbench.editing.draw(Box(1, 1, 4, 4))
    names = [one.name for one in records[:5]] + [records[11].name]
    table = pd.DataFrame({"filename": names, "xmin": 3, "ymin": 4, "xmax": 13, "ymax": 14, "class": "dog"})
    table.to_csv(tmp_path / "boxes.csv", index=False)
    before = _all_of(project)

    dialog = _open_import(qtbot, window)
    dialog.path_edit.setText(str(tmp_path / "boxes.csv"))
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    dialog.replace_held.click()
    qtbot.mouseClick(dialog.status.second, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.workbench.importing.imported, timeout=LONG):
        qtbot.mouseClick(dialog.agree, Qt.MouseButton.LeftButton)
    _close_done(window)
    settle(qtbot, window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=LONG)
    after = _all_of(project)
    assert [box.label for box in after[0][records[0].id].boxes] == ["dog"]
    assert after[1][:5] == [Status.ACCEPTED] * 5
    assert window.actions_["undo"].text().endswith("Import boxes")

    ctrl, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Z, ctrl)
        assert _all_of(project) == before
        qtbot.waitUntil(lambda: [b.label for b in session.boxes] == ["mine", "cat", "object"], timeout=LONG)
        assert _status(window, records[0].id) is Status.REJECTED
        qtbot.keyClick(window, Qt.Key.Key_Z, ctrl | shift)
        assert _all_of(project) == after
        qtbot.waitUntil(lambda: [b.label for b in session.boxes] == ["dog"], timeout=LONG)
        assert _status(window, records[0].id) is Status.ACCEPTED
    for _ in range(2):  # the import, and the box drawn before it
        qtbot.keyClick(window, Qt.Key.Key_Z, ctrl)
    assert project.boxes(records[0].id) == tuple(mine)
    settle(qtbot, window)


def _all_of(project: Project) -> tuple[dict[int, Kept], list[Status], dict[int, float]]:
    """What an import may change, from the file itself."""
    with Project.open(project.path) as other:
        images = other.images()
        own = dict(other.load_view().thresholds)
        return kept(other, [one.id for one in images]), [one.status for one in images], own


def _status(window: MainWindow, image_id: int) -> Status | None:
    """What the list says of an image."""
    record = window.session.images.record(image_id)
    return None if record is None else record.status


def _close_done(window: MainWindow) -> None:
    for done in window.findChildren(DoneDialog):
        done.close()


def test_what_is_edited_while_an_import_runs_leaves_nothing_to_take_back(
    with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of the two was written first is not known then: taking one back might undo the other."""
    window, project = with_boxes, with_boxes.session.project
    assert project is not None
    first = window.session.images.records[0]
    (tmp_path / "x.csv").write_text(f"filename,xmin,ymin,xmax,ymax\n{first.name},3,4,13,14\n")
    plan, may_go_on = plan_import(project, tmp_path / "x.csv"), Event()

    def slow(*args: object, **kwargs: object) -> object:
        assert may_go_on.wait(30)
        return import_boxes(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr("app.controllers.exporting.import_boxes", slow)
    with qtbot.waitSignal(window.workbench.importing.imported, timeout=LONG):
        window.workbench.importing.import_boxes(ImportRequest(plan))
        window.workbench.review.set_statuses([first.id], Status.REJECTED)
        assert window.actions_["undo"].isEnabled()
        may_go_on.set()
    assert not window.actions_["undo"].isEnabled()
    assert [one.box for one in project.boxes(first.id)] == [Box(3, 4, 13, 14)]
    _close_done(window)


def test_a_name_without_its_end_gets_it(with_boxes: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "earlier.csv").write_text("x")

    def act(dialog: ExportDialog) -> None:
        _choose(dialog, "csv")
        dialog.path_edit.setText(str(tmp_path / "earlier"))
        assert dialog.note.text() == "“earlier.csv” exists and will be overwritten."
        dialog.path_edit.setText(str(tmp_path / "boxes"))
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)

    with qtbot.waitSignal(with_boxes.workbench.exporting.exported, timeout=LONG):
        in_export_dialog(qtbot, with_boxes, act)
    assert len(pd.read_csv(tmp_path / "boxes.csv")) == 9
    assert (tmp_path / "earlier.csv").read_text() == "x"
