"""Truth in the real window: imported, shown, measured by, and removed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot
from window_support import LONG, draw_folder, fill

from app import style
from app.main_window import MainWindow
from app.models.export import ImportRequest
from app.models.image_list import Role
from app.views.import_dialog import ImportDialog
from app.views.message import DoneDialog
from core.base.geometry import Box
from core.boxes.rules import MAX_THRESHOLD
from core.boxes.sureness import Sureness
from core.cli.commands import run_evaluate
from core.formats import FORMATS, WriteOptions, export
from core.project.browse import Order
from core.project.exchange import exportable, plan_import
from core.project.store import Project
from core.project.survey import Survey
from core.project.truth import true_boxes

SIZE = (40, 30)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, tuple[int, int]]:
    """Twelve images with a bright square of 12 pixels, drawn here: its corner by name."""
    rng = np.random.default_rng(2)
    (tmp_path / "photos").mkdir()
    found = {}
    for i in range(12):
        x, y = int(rng.integers(0, 28)), int(rng.integers(0, 18))
        pixels = rng.integers(0, 80, (30, 40, 3), dtype=np.uint8)
        pixels[y : y + 12, x : x + 12] = (230, 200, 60)
        Image.fromarray(pixels).save(tmp_path / f"photos/{i:02}.png")
        found[f"{i:02}.png"] = x, y
    return found


@pytest.fixture
def truth(places: dict[str, tuple[int, int]], tmp_path: Path) -> Path:
    """A CSV file with the squares of all images but the last two."""
    rows = [(name, x, y, x + 12, y + 12) for name, (x, y) in list(places.items())[:10]]
    pd.DataFrame(rows, columns=["filename", "xmin", "ymin", "xmax", "ymax"]).to_csv(
        tmp_path / "true.csv", index=False
    )
    return tmp_path / "true.csv"


@pytest.fixture
def measured(
    window: MainWindow, places: dict[str, tuple[int, int]], truth: Path, tmp_path: Path, qtbot: QtBot
) -> MainWindow:
    """Heat maps for all images, boxes by them, and the truth imported through the dialog."""
    fill(qtbot, window, tmp_path / "photos", 12)
    session, bench = window.session, window.workbench
    project = session.project
    assert project is not None
    rng = np.random.default_rng(3)
    maps = {}
    for record in session.images.records:
        x, y = places[record.name]
        heat = rng.random((15, 20)).astype(np.float32)
        heat[y // 2 : y // 2 + 6, x // 2 : x // 2 + 6] += 1
        maps[record.id] = heat
    project.set_sizes(dict.fromkeys(maps, SIZE))
    project.set_heat_maps(maps, step=1)
    session.merge_records(project.images())
    bench.localization.evidence_changed.emit()
    with qtbot.waitSignal(bench.deciding.decided, timeout=LONG):
        pass
    assert not window.truth.in_front
    assert window.truth.panel.plot.isHidden()
    assert not window.actions_["remove_truth"].isEnabled()

    qtbot.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    (dialog,) = [one for one in window.findChildren(ImportDialog) if one.isVisible()]
    qtbot.mouseClick(dialog.meaning.second, Qt.MouseButton.LeftButton)
    assert not dialog.status.isEnabled()
    qtbot.keyClicks(dialog.path_edit, str(truth))
    qtbot.waitUntil(dialog.agree.isEnabled, timeout=LONG)
    assert dialog.total.text() == "10 boxes for 10 images will be imported as ground truth."
    told: list[int] = []
    session.images.dataChanged.connect(lambda first, last, _: told.append(last.row() - first.row() + 1))
    with qtbot.waitSignal(bench.importing.truth_imported, timeout=LONG):
        qtbot.mouseClick(dialog.agree, Qt.MouseButton.LeftButton)
    assert told == [], "sizes were known: the list waits for the measurement, and no row is gone through"
    _close_dialogs(window)
    _settle(qtbot, window)
    return window


def test_steadiness_is_said_only_where_there_is_no_truth(measured: MainWindow, qtbot: QtBot) -> None:
    session = measured.session
    assert session.project is not None
    session.project.save_survey(Survey(1, sureness=Sureness(0.8, 0.3, 12)))
    measured.workbench.localization.evidence_changed.emit()
    qtbot.waitUntil(lambda: session.survey is not None, timeout=LONG)
    assert session.measures.standing is not None
    assert measured.bar.boxes.sentence.text() == ""
    measured.workbench.measuring.remove_truth()
    qtbot.waitUntil(lambda: "This is not accuracy" in measured.bar.boxes.sentence.text(), timeout=LONG)


def _close_dialogs(window: MainWindow) -> None:
    for dialog in window.findChildren(QDialog):
        if isinstance(dialog, DoneDialog):
            dialog.close()
    window.activateWindow()
    window.canvas.setFocus()


def _settle(qtbot: QtBot, window: MainWindow) -> None:
    """Until nothing is measured any more, colour contrast included."""
    bench, measures = window.workbench, window.session.measures

    def is_done() -> bool:
        waiting = bench.pump.busy or bench.measuring._timer.isActive() or bench.deciding._timer.isActive()
        return not waiting and measures.standing is not None and len(measures.standing.report.rows) == 5

    qtbot.waitUntil(is_done, timeout=LONG)


def _iou(a: Box, b: tuple[float, float, float, float]) -> float:
    across = max(0.0, min(a.x1, b[2]) - max(a.x0, b[0]))
    down = max(0.0, min(a.y1, b[3]) - max(a.y0, b[1]))
    shared = across * down
    return shared / ((a.x1 - a.x0) * (a.y1 - a.y0) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def _listed(window: MainWindow) -> list[float | None]:
    model = window.session.images
    return [model.data(model.index(row), Role.OVERLAP) for row in range(model.rowCount())]


def _spoken(window: MainWindow, row: int) -> str:
    return str(window.session.images.index(row).data(Qt.ItemDataRole.AccessibleTextRole))


def _evaluated(window: MainWindow, truth: Path, out: Path):
    """What ``main.py evaluate`` says of the boxes as exported."""
    assert window.session.project is not None
    images, sources = exportable(window.session.project)
    export(images, out, format=FORMATS["coco"], options=WriteOptions(sources=sources))
    folder = window.session.images.records[0].root
    return run_evaluate(out, truth, images=folder, set_name=None, split=None)


def test_iou_accuracy_and_curve_agree_with_closed_forms_and_the_command(
    measured: MainWindow, places: dict[str, tuple[int, int]], truth: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    window, session = measured, measured.session
    assert session.project is not None
    standing, curve = session.measures.standing, session.measures.curve
    assert standing is not None
    assert curve is not None
    boxes = session.project.all_boxes()
    for record, listed in zip(session.images.records, _listed(window), strict=True):
        if listed is None:
            assert record.name in ("10.png", "11.png")
            continue
        x, y = places[record.name]
        assert listed == pytest.approx(_iou(boxes[record.id][0].box, (x, y, x + 12, y + 12)), abs=1e-6)
    report = _evaluated(window, truth, tmp_path / "boxes.json")
    assert standing.report.rows == report.rows
    assert (standing.report.r_cx, standing.report.r_cy) == pytest.approx((report.r_cx, report.r_cy))
    assert window.truth.in_front
    assert window.truth.panel.title.text() == "GT-known Loc on 10 images with ground truth"
    assert f"{100 * report.rows[0].accuracy:.1f} %" in window.truth.panel.rows.accessibleDescription()
    assert "strongest baseline" in window.truth.panel.reading.text()
    panel = window.truth.panel
    for label in (panel.reading, panel.facts):
        assert label.height() >= label.heightForWidth(label.width()), "its last lines are cut"
    assert panel.rows.height() >= panel.rows.sizeHint().height()
    assert curve.at(session.threshold) == report.rows[0].accuracy

    # A click on the curve chooses the threshold; the panel then says what the curve said.
    plot, slider = window.truth.panel.plot.plot, window.bar.threshold_slider
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(round(0.2 * plot.width()), 20))
    assert session.threshold == pytest.approx(0.76, abs=0.015)
    assert slider.value() == round(slider.minimum() * session.threshold / MAX_THRESHOLD)
    with qtbot.waitSignal(window.workbench.deciding.decided, timeout=LONG):
        pass
    _settle(qtbot, window)
    assert session.measures.standing is not None
    assert session.measures.standing.report.rows[0].accuracy == curve.at(session.threshold)
    assert session.measures.standing.report.rows[0].accuracy != report.rows[0].accuracy
    assert session.measures.standing.report.rows == _evaluated(window, truth, tmp_path / "boxes.json").rows


def test_worst_first_true_boxes_edits_removal_and_reopening(
    measured: MainWindow, places: dict[str, tuple[int, int]], qtbot: QtBot
) -> None:
    window, session, bench = measured, measured.session, measured.workbench
    window.truth.panel.worst_button.click()
    assert session.view.browse.order is Order.WORST
    listed = _listed(window)
    known = [overlap for overlap in listed if overlap is not None]
    assert known == sorted(known)
    assert listed[10:] == [None, None]
    window.images.show_box.setCurrentIndex(window.images.show_box.findData("with truth"))
    assert session.images.rowCount() == 10
    session.change_view(browse=replace(session.view.browse, show=type(session.view.browse.show)("all")))

    # The image in view: its true box in its own colour, which T hides.
    bench.browsing.first()
    qtbot.waitUntil(lambda: session.picture is not None and bool(session.in_view.truth), timeout=LONG)
    record = session.record
    assert record is not None
    x, y = places[record.name]
    assert window.canvas.truth == (Box(x, y, x + 12, y + 12),)
    session.change_view(show_heat_map=False)
    assert _has_truth_colour(window)
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.canvas.truth == ()
    assert not _has_truth_colour(window)
    qtbot.keyClick(window, Qt.Key.Key_T)

    # An edit counts at once on the image and soon in the list, where the row stays.
    bench.editing.clear()
    assert session.in_view.overlap == 0
    bench.editing.draw(Box(x, y, x + 12, y + 12))
    assert session.in_view.overlap == 1
    qtbot.waitUntil(lambda: _listed(window)[0] == 1, timeout=LONG)
    assert session.images.id_at(0) == record.id
    index = session.images.index(0)
    assert (
        index.data(Qt.ItemDataRole.AccessibleTextRole)
        == f"{record.name}, Edited, 1 box, IoU with the true box 1.00"
    )
    _settle(qtbot, window)

    # It is there again after the project was closed.
    project = session.project
    assert project is not None
    path = project.path
    window.actions_["new"].trigger()
    qtbot.waitUntil(lambda: session.project is None and not bench.pump.busy, timeout=LONG)
    assert session.measures.standing is None
    assert not window.truth.in_front
    window.open_paths([path])
    qtbot.waitUntil(lambda: session.measures.standing is not None, timeout=LONG)
    _settle(qtbot, window)
    assert window.truth.in_front
    assert sorted(overlap for overlap in _listed(window) if overlap is not None)[-1] == 1

    # Removing touches no box, and is taken back as it was.
    project = session.project
    assert project is not None
    boxes, true, listed = project.all_boxes(), true_boxes(project), _listed(window)
    qtbot.mouseClick(window.truth.panel.remove_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.measures.standing is None and not bench.pump.busy, timeout=LONG)
    assert not window.truth.in_front
    assert window.truth.panel.plot.isHidden()
    assert _listed(window) == [None] * 12
    assert project.all_boxes() == boxes
    assert window.canvas.truth == ()
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert true_boxes(project) == true
    qtbot.waitUntil(lambda: session.measures.standing is not None, timeout=LONG)
    _settle(qtbot, window)
    assert sorted(map(str, _listed(window))) == sorted(map(str, listed))
    window.actions_["redo"].trigger()
    qtbot.waitUntil(lambda: session.measures.standing is None and not bench.pump.busy, timeout=LONG)
    assert true_boxes(project) == {}


def _has_truth_colour(window: MainWindow) -> bool:
    image = window.canvas.grab().toImage()
    colour = style.OUTLINE_TRUTH.rgb()
    return any(image.pixel(x, y) == colour for y in range(image.height()) for x in range(0, image.width(), 2))


def _answer(qtbot: QtBot, window: MainWindow, title: str) -> None:
    [button] = [one for one in window.notice.buttons if one.text() == title]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def _write_truth_beside(photos: Path, places: dict[str, tuple[int, int]]) -> None:
    """A labelme file beside each photo, with a box of 12 x 12 pixels at its place."""
    for name, (x, y) in places.items():
        shape = {"label": "x", "points": [[x, y], [x + 12, y + 12]], "shape_type": "rectangle"}
        (photos / name).with_suffix(".json").write_text(json.dumps({"shapes": [shape], "imagePath": name}))


def _dropped_with_truth_beside(
    window: MainWindow, photos: Path, places: dict[str, tuple[int, int]], qtbot: QtBot
) -> Project:
    """The project of 12 photos whose truth lies beside them and has been offered."""
    _write_truth_beside(photos, places)
    fill(qtbot, window, photos, 12)
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    project = window.session.project
    assert project is not None
    return project


def test_truth_that_lies_beside_dropped_photos_is_offered(
    window: MainWindow, places: dict[str, tuple[int, int]], tmp_path: Path, qtbot: QtBot
) -> None:
    photos = tmp_path / "photos"
    project = _dropped_with_truth_beside(window, photos, places, qtbot)
    session, bench = window.session, window.workbench
    assert window.notice.text.text().startswith("12 true boxes found beside these photos.")
    assert true_boxes(project) == {}, "never without being asked"

    # A no holds, also when the folder is dropped again and after the next start.
    _answer(qtbot, window, "No")
    assert window.notice.isHidden()
    bench.open_paths([photos])
    qtbot.waitUntil(lambda: not bench.pump.busy, timeout=LONG)
    path = project.path
    _reopen(window, path, qtbot)
    qtbot.waitUntil(lambda: not bench.pump.busy, timeout=LONG)
    bench.open_paths([photos])
    qtbot.waitUntil(lambda: not bench.pump.busy, timeout=LONG)
    assert window.notice.isHidden()

    # In another project nobody has said no.
    window.actions_["new"].trigger()
    qtbot.waitUntil(lambda: session.project is None and not bench.pump.busy, timeout=LONG)
    path.unlink()
    window.open_paths([photos])
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    _answer(qtbot, window, "Use to measure")
    qtbot.waitUntil(lambda: session.measures.standing is not None, timeout=LONG)
    assert window.notice.isHidden()
    assert session.project is not None
    found = true_boxes(session.project)
    expected = {r.id: Box(x, y, x + 12, y + 12) for r in session.images.records for x, y in [places[r.name]]}
    assert {i: boxes[0].box for i, boxes in found.items()} == expected
    assert session.project.all_boxes() == {}
    # Nobody has looked for a box yet: the rows say so, in place of an IoU of 0, as the panel does.
    assert [_spoken(window, row) for row in (0, 11)] == [
        "00.png, true box not found",
        "11.png, true box not found",
    ]
    facts = window.truth.panel.facts.text()
    assert "12 images have no box" in facts and "correlate" not in facts, facts
    for done in window.findChildren(DoneDialog):
        done.close()
    window.workbench.editing.undo()
    assert true_boxes(session.project) == {}
    qtbot.waitUntil(lambda: session.measures.standing is None and not bench.pump.busy, timeout=LONG)


def test_truth_that_was_offered_is_offered_until_there_is_an_answer(
    window: MainWindow, places: dict[str, tuple[int, int]], tmp_path: Path, qtbot: QtBot
) -> None:
    path = _dropped_with_truth_beside(window, tmp_path / "photos", places, qtbot).path
    said = window.notice.text.text()
    for _ in range(2):  # closed without an answer, twice
        _reopen(window, path, qtbot)
        qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
        assert window.notice.text.text() == said
    # A folder without truth that comes beside takes the question away from nobody.
    draw_folder(tmp_path / "more", 3)
    window.workbench.add_paths([tmp_path / "more"])
    qtbot.waitUntil(lambda: window.session.images.total == 15, timeout=LONG)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    assert window.notice.text.text() == said
    assert window.notice.isVisible()

    _answer(qtbot, window, "No")
    _reopen(window, path, qtbot)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    assert window.notice.isHidden(), "a no holds"


def test_truth_that_was_used_and_removed_is_offered_no_more(
    window: MainWindow, places: dict[str, tuple[int, int]], tmp_path: Path, qtbot: QtBot
) -> None:
    path = _dropped_with_truth_beside(window, tmp_path / "photos", places, qtbot).path
    _answer(qtbot, window, "Use to measure")
    qtbot.waitUntil(lambda: window.session.measures.standing is not None, timeout=LONG)
    _close_dialogs(window)
    window.workbench.measuring.remove_truth()
    qtbot.waitUntil(lambda: window.session.measures.standing is None, timeout=LONG)
    _reopen(window, path, qtbot)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    assert window.notice.isHidden()


def _reopen(window: MainWindow, path: Path, qtbot: QtBot) -> None:
    """Close the project, as File > New does, and open it again."""
    session, bench = window.session, window.workbench
    window.actions_["new"].trigger()
    qtbot.waitUntil(lambda: session.project is None and not bench.pump.busy, timeout=LONG)
    window.open_paths([path])
    qtbot.waitUntil(lambda: session.project is not None and session.picture is not None, timeout=LONG)


def test_truth_that_came_in_another_way_is_offered_no_more(
    window: MainWindow, places: dict[str, tuple[int, int]], tmp_path: Path, qtbot: QtBot
) -> None:
    photos = tmp_path / "photos"
    project = _dropped_with_truth_beside(window, photos, places, qtbot)
    request = ImportRequest(plan_import(project, photos), as_truth=True)
    window.workbench.importing.import_boxes(request)
    qtbot.waitUntil(lambda: window.session.measures.standing is not None, timeout=LONG)
    assert window.notice.isHidden()
    assert len(true_boxes(project)) == 12

    # Of a box, right or wrong, the list tells the IoU; of none that there is none.
    editing, record = window.workbench.editing, window.session.record
    assert record is not None
    nothing = f"{record.name}, true box not found"
    assert _spoken(window, 0) == nothing
    x, y = places[record.name]
    editing.draw(Box(x, y, x + 12, y + 12))
    right = f"{record.name}, Edited, 1 box, IoU with the true box 1.00"
    qtbot.waitUntil(lambda: _spoken(window, 0) == right, timeout=LONG)
    editing.clear()
    emptied = f"{record.name}, Edited, true box not found"
    qtbot.waitUntil(lambda: _spoken(window, 0) == emptied, timeout=LONG)
    assert window.canvas.truth_text == "true box, not found"
    editing.draw(Box(0, 0, x, y) if x and y else Box(20, 20, 40, 30))
    wrong = f"{record.name}, Edited, 1 box, IoU with the true box 0.00"
    qtbot.waitUntil(lambda: _spoken(window, 0) == wrong, timeout=LONG)
    assert window.canvas.truth_text == "true box, IoU 0.00"

    # The worst is an object that was missed, then a box beside its object; a right one comes last.
    session = window.session
    window.workbench.browsing.next()
    other = session.record
    assert other is not None
    qtbot.waitUntil(lambda: bool(session.in_view.truth), timeout=LONG)
    x, y = places[other.name]
    editing.draw(Box(x, y, x + 12, y + 12))
    qtbot.waitUntil(lambda: _listed(window)[1] == 1, timeout=LONG)
    _settle(qtbot, window)
    _close_dialogs(window)
    qtbot.waitUntil(window.isActiveWindow, timeout=LONG)
    qtbot.keyClick(window, Qt.Key.Key_W)
    said = [_spoken(window, row) for row in range(12)]
    assert said[10:] == [wrong, f"{other.name}, Edited, 1 box, IoU with the true box 1.00"]
    assert all(text.endswith("true box not found") for text in said[:10])
    window.images.show_box.setCurrentIndex(window.images.show_box.findData("with truth"))
    assert session.images.rowCount() == 12
    for done in window.findChildren(DoneDialog):
        done.close()
