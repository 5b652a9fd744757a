"""The default in the real window: frozen features, from a folder to boxes, without torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from scene_support import draw_empty

from app import style
from app.main_window import MainWindow
from app.models.training import Kind, Phase
from core.base.annotations import Source
from core.base.config import FeaturesConfig
from core.images.sample import draw_sample
from core.project.browse import Show
from core.project.runs import current_run
from core.project.store import Project
from tests.window_support import (
    LONG,
    TINY,
    click,
    close,
    export,
    fill,
    finish,
    settle,
    start,
)

SMALL = FeaturesConfig(image_size=224, threads=1, device="cpu")


def shown_rule(window: MainWindow) -> tuple[str, float]:
    """The rule and the threshold that stand below the image."""
    return window.bar.boxes.rule_box.currentText(), window.bar.threshold_spin.value()


def test_start_learns_by_features_and_finds_all_boxes(
    window: MainWindow, beetles: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, beetles, 24)
    panel, session = window.train_panel, window.session
    click(qtbot, panel.settings.toggle)
    assert panel.features_form.isVisible() and not panel.form.isVisible()
    assert panel.features_form.preset_box.currentData() == "features"
    assert shown_rule(window) == ("Object map", 0.5), "what the first run will go by"
    panel.set_config(SMALL)
    maps: list[int | None] = []
    session.heat_map_changed.connect(
        lambda: maps.append(session.live.step_of(session.current)) if session.training.phase.running else None
    )
    click(qtbot, panel.start_button)
    assert session.training.phase is Phase.PREPARING
    finish(qtbot, window)
    settle(qtbot, window)
    assert any(step is not None and step < 0 for step in maps), "a provisional map was shown while learning"
    assert session.training.phase is Phase.FINISHED
    assert (session.training.step, session.training.steps) == (24, 24)
    assert session.view.rule == "object" and session.results.kind is Kind.FEATURES
    assert session.project is not None
    boxes = session.project.all_boxes()
    assert len(boxes) == 24 and all(own[0].rule == "object" for own in boxes.values())
    run = current_run(session.project)
    assert run is not None and run.kind == "features" and run.finished
    assert shown_rule(window) == ("Object map", 0.5)
    source = panel.source.box
    room = source.width() - source.iconSize().width() - 2 * style.SPACING
    assert source.fontMetrics().horizontalAdvance(source.currentText()) <= room, "it is not cut off"
    shown = session.boxes[0].box
    assert boxes[session.current][0].box == shown
    export(qtbot, window, "coco", tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    assert len(written["annotations"]) == 24


def test_the_filter_shows_the_images_that_may_show_no_object(
    window: MainWindow, beetles: Path, qtbot: QtBot
) -> None:
    empty = draw_empty(beetles, 3)
    fill(qtbot, window, beetles, 27)
    session, bar = window.session, window.images.browse_bar
    show = bar.show_box

    def shown() -> list[str]:
        images = session.images
        return [images.record(i).name for i in images.ids_in(0, images.rowCount() - 1)]

    show.setCurrentIndex(show.findData(Show.MAY_BE_EMPTY.value))
    assert show.currentText() == "May show no object" and shown() == [], "nothing is known yet"
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    settle(qtbot, window)
    assert sorted(shown()) == sorted(empty), "they come as soon as it is known"
    assert window.images.count.text() == "3 of 27 images"
    assert len(session.project.all_boxes()) == 27, "it is a hint: all keep their boxes"
    tips = [session.images.index(row).data(Qt.ItemDataRole.ToolTipRole) for row in range(3)]
    told = {i: f"{p:.2f}" for i, p in session.project.no_object().items()}
    for row, tip in enumerate(tips):
        assert f"May show no object: probability {told[session.images.id_at(row)]}" in tip
    show.setCurrentIndex(show.findData(Show.ALL.value))
    rows = range(session.images.rowCount())
    tips = [session.images.index(row).data(Qt.ItemDataRole.ToolTipRole) for row in rows]
    assert sum("no object" in tip for tip in tips) == 3


def test_the_preset_combo_leads_to_the_other_form_and_back(
    window: MainWindow, beetles: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, beetles, 24)
    panel = window.train_panel
    click(qtbot, panel.settings.toggle)
    box = panel.features_form.preset_box
    names = [box.itemData(i) for i in range(box.count())]
    assert names == ["features", "scratch", "generator", "paper"]
    box.setCurrentIndex(names.index("generator"))
    assert panel.form.isVisible() and not panel.features_form.isVisible()
    assert panel.form.preset_box.currentData() == "generator" and panel.config().adversarial == 1
    panel.form.preset_box.setCurrentIndex(panel.form.preset_box.findData("features"))
    assert panel.features_form.isVisible() and isinstance(panel.config(), FeaturesConfig)
    assert panel.features_form.preset_box.currentData() == "features"


def test_a_project_of_features_reopens_with_its_run_and_boxes(beetles: Path, qtbot: QtBot) -> None:
    window = MainWindow()
    window.show()
    fill(qtbot, window, beetles, 24)
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    settle(qtbot, window)
    path, boxes = window.session.project.path, window.session.project.all_boxes()
    close(qtbot, window)
    again = MainWindow()
    again.show()
    again.open_paths([path])
    qtbot.waitUntil(lambda: again.session.has_evidence and not again.workbench.pump.busy, timeout=LONG)
    settle(qtbot, again)
    session = again.session
    assert session.training.phase is Phase.FINISHED and session.training.step == 24
    assert session.results.source(session.view) == ("features", "last")
    assert again.train_panel.config() == SMALL
    assert session.project.all_boxes() == boxes
    assert again.train_panel.start_button.text() == "New run"
    assert not again.train_panel.continue_button.isVisible(), "there is nothing to go on with"
    close(qtbot, again)


def test_stop_keeps_nothing_and_start_begins_again(window: MainWindow, beetles: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, beetles, 24)
    start(qtbot, window, SMALL)
    qtbot.waitUntil(lambda: window.session.training.phase is Phase.TRAINING, timeout=LONG)
    click(qtbot, window.train_panel.pause_button)
    assert window.session.training.phase is Phase.PAUSED
    click(qtbot, window.train_panel.stop_button)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    assert window.session.training.phase is Phase.IDLE
    assert window.session.project.all_boxes() == {} and window.session.runs.listed.runs == ()
    click(qtbot, window.train_panel.start_button)
    finish(qtbot, window)
    settle(qtbot, window)
    assert len(window.session.project.all_boxes()) == 24


def test_boxes_of_another_kind_of_run_are_taken_with_their_rule_and_given_back(
    window: MainWindow, beetles: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, beetles, 24)
    session, bench = window.session, window.workbench
    start(qtbot, window, TINY)
    finish(qtbot, window)
    settle(qtbot, window)
    session.change_view(threshold=0.25)
    settle(qtbot, window)
    before = session.project.all_boxes()
    assert {own[0].rule for own in before.values()} == {"fitted"}
    start(qtbot, window, SMALL)
    qtbot.waitUntil(
        lambda: not session.training.phase.running and bool(session.runs.listed.ready), timeout=LONG
    )
    settle(qtbot, window)
    assert session.project.all_boxes() == before, "what the new run finds waits"
    assert session.view.rule == "fitted"
    assert {box.rule for box in session.in_view.provisional} == {"object"}
    click(qtbot, window.train_panel.runs.take_button)
    qtbot.waitUntil(lambda: session.runs.current.kind == "features", timeout=LONG)
    settle(qtbot, window)
    assert (session.view.rule, session.view.threshold) == ("object", None)
    taken = session.project.all_boxes()
    assert {own[0].rule for own in taken.values()} == {"object"}
    assert {own[0].source for own in taken.values()} == {Source.AUTO}
    window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: session.runs.current.kind == "gan" and not bench.pump.busy, timeout=LONG)
    settle(qtbot, window)
    assert (session.view.rule, session.view.threshold) == ("fitted", 0.25)
    assert session.project.all_boxes() == before


def test_a_rule_that_a_person_chose_stays(window: MainWindow, beetles: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, beetles, 24)
    window.session.change_view(rule="component", threshold=0.4)
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    settle(qtbot, window)
    assert (window.session.view.rule, window.session.view.threshold) == ("component", 0.4)
    assert {own[0].rule for own in window.session.project.all_boxes().values()} == {"component"}


@pytest.mark.parametrize("count", [1, 2])
def test_a_photo_or_two_suffice(window: MainWindow, tmp_path: Path, qtbot: QtBot, count: int) -> None:
    draw_sample(tmp_path / "few", count=count, seed=5)
    fill(qtbot, window, tmp_path / "few" / "images", count)
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    settle(qtbot, window)
    assert len(window.session.project.all_boxes()) == count


def test_photos_of_one_colour_are_one_sentence(
    window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "grey"
    folder.mkdir()
    for i in range(3):
        Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(folder / f"{i}.png")
    fill(qtbot, window, folder, 3)
    said: list[str] = []
    window.session.error.connect(lambda error, _: said.append(str(error)))
    monkeypatch.setattr("core.maps.ddt._FLAT", 1e9)  # padding lets even one colour vary at the border
    start(qtbot, window, SMALL)
    qtbot.waitUntil(lambda: window.session.training.phase is Phase.FAILED, timeout=LONG)
    assert said and said[0].startswith("All images look the same")


WITHOUT_TORCH = """
import sys
from pathlib import Path
import platformdirs
home = Path(sys.argv[2])
for name in ("user_data_path", "user_config_path", "user_log_path"):
    setattr(platformdirs, name, lambda *_, **__: home)
from app.application import make_application
application = make_application()
from app.main_window import MainWindow
from core.base.config import FeaturesConfig
import time

def until(true, seconds=120):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "too long"
        application.processEvents()
        time.sleep(0.01)

window = MainWindow()
window.show()
window.open_paths([Path(sys.argv[1])])
session, bench = window.session, window.workbench
until(lambda: session.images.total == 24 and not session.activities)
window.train_panel.set_config(FeaturesConfig(image_size=224, threads=1, device="cpu"))
window.train_panel.start_button.click()
until(lambda: session.runs.current is not None and not bench.pump.busy and not bench.localization.running)
assert len(session.project.all_boxes()) == 24, session.project.all_boxes()
assert "torch" not in sys.modules
window.close()
until(lambda: bench.is_closed)
print("done")
"""


def test_torch_is_never_loaded_by_the_default(beetles: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, str(beetles), str(tmp_path / "home")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout.strip().endswith("done"), done.stderr


def test_an_upgrade_is_told_and_recomputes_nothing_unasked(beetles: Path, qtbot: QtBot) -> None:
    window = MainWindow()
    window.show()
    fill(qtbot, window, beetles, 24)
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    settle(qtbot, window)
    path = window.session.project.path
    close(qtbot, window)
    with Project.open(path) as project:
        survey, boxes = project.load_survey(), project.all_boxes()
        now = survey.runtime
        project.save_survey(replace(survey, runtime="onnxruntime 0.9, CPUExecutionProvider, threads 1"))
    again = MainWindow()
    again.show()
    again.open_paths([path])
    qtbot.waitUntil(lambda: again.session.has_evidence and not again.workbench.pump.busy, timeout=LONG)
    settle(qtbot, again)
    assert "onnxruntime 0.9" in again.boxes_bar.sentence.text()
    assert again.session.project.all_boxes() == boxes
    assert again.session.project.load_survey().runtime.startswith("onnxruntime 0.9")
    click(qtbot, again.boxes_bar.find_button)
    qtbot.waitUntil(lambda: again.session.project.load_survey().runtime == now, timeout=LONG)
    settle(qtbot, again)
    assert "onnxruntime 0.9" not in again.boxes_bar.sentence.text()
    assert again.session.project.all_boxes() == boxes, "the same runtime in truth"
    close(qtbot, again)
