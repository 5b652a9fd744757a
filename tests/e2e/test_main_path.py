"""The one job through the real window: a folder, one button, its end, and what comes next."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from window_support import LONG, TINY, click, close, draw_folder, drop, fill, finish, settle, start

from app.main_window import MainWindow
from app.views.message import ErrorDialog
from app.views.train_panel import OWN, SAMPLES
from core.base.config import FeaturesConfig
from core.base.presets import PRESETS
from core.project.browse import Order

SMALL = FeaturesConfig(image_size=224, threads=1, device="cpu")


def test_from_a_folder_to_a_review_in_three_clicks(
    window: MainWindow, beetles: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, beetles, 24)
    panel, session, notice = window.train_panel, window.session, window.notice
    panel.set_config(SMALL)  # smaller than the default, for time
    controls = panel.controls
    qtbot.waitUntil(lambda: controls.hint_label.isVisible())
    assert controls.hint_label.text() == "24 images.", "no time is told before one was measured"
    assert not panel.settings.is_open() and not panel.features_form.isVisible()
    assert panel.start_button.text() == "Find objects" and not panel.review_button.isVisible()
    qtbot.waitUntil(lambda: len(panel.own.tiles()) == 6, timeout=LONG)
    assert panel.tabs.index() == OWN

    live: set[int] = set()
    session.live_map_made.connect(lambda i: live.add(i) if session.training.phase.running else None)
    click(qtbot, panel.start_button)
    finish(qtbot, window)
    settle(qtbot, window)
    qtbot.waitUntil(notice.isVisible, timeout=LONG)
    assert set(session.watched) <= live, "all six had maps before the end"
    qtbot.waitUntil(lambda: all(tile.heat is not None for tile in panel.own.tiles()), timeout=LONG)
    assert notice.text.text().startswith("Boxes for 24 images are ready.")
    assert [button.text() for button in notice.buttons] == ["Review", "Export"]
    qtbot.waitUntil(panel.review_button.isVisible)
    assert panel.review_button.property("role") == "primary"
    assert panel.start_button.property("role") == "plain"
    assert window.strip.reviewed.text() == "0 of 24 reviewed"
    for _ in range(3):  # it stays while the person looks around
        window.actions_["next"].trigger()
    assert notice.isVisible()

    click(qtbot, panel.review_button)
    assert not notice.isVisible()
    assert session.view.browse.order is Order.LEAST_SURE
    assert session.current == session.images.id_at(0)
    qtbot.keyClick(window, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: window.strip.reviewed.text() == "1 of 24 reviewed")

    # The next folder is told how long this one took.
    draw_folder(tmp_path / "others", 12)
    window.open_paths([tmp_path / "others"])
    qtbot.waitUntil(lambda: session.images.total == 12 and not session.activities, timeout=LONG)
    panel.set_config(SMALL)
    qtbot.waitUntil(lambda: "on this computer" in controls.hint_label.text(), timeout=LONG)
    assert controls.hint_label.text().startswith("12 images. About ")


def test_a_run_that_was_paused_is_no_measure(window: MainWindow, beetles: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, beetles, 24)
    panel, session = window.train_panel, window.session
    start(qtbot, window, SMALL)
    qtbot.waitUntil(panel.pause_button.isEnabled, timeout=LONG)
    click(qtbot, panel.pause_button)
    click(qtbot, panel.pause_button)
    finish(qtbot, window)
    settle(qtbot, window)
    assert window.workbench.pacing.estimate(SMALL, 24) is None
    assert session.progress.count().boxed == 24


def test_a_second_run_asks_before_it_changes_a_box(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    session = window.session
    for _ in range(2):
        start(qtbot, window, TINY)
        finish(qtbot, window)
        settle(qtbot, window)
    assert session.project is not None
    qtbot.waitUntil(lambda: "Run 2 has found its boxes" in window.notice.text.text(), timeout=LONG)
    use, keep = window.notice.buttons
    assert (use.text(), keep.text()) == ("Use its boxes", "Keep mine")
    click(qtbot, use)
    qtbot.waitUntil(lambda: session.runs.current is not None and session.runs.current.id == 2, timeout=LONG)
    settle(qtbot, window)
    assert not window.notice.isVisible()
    window.actions_["undo"].trigger()
    qtbot.waitUntil(lambda: session.runs.current is not None and session.runs.current.id == 1, timeout=LONG)
    settle(qtbot, window)


def test_added_images_are_offered_their_boxes(
    window: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, TINY)
    finish(qtbot, window)
    settle(qtbot, window)
    session, notice = window.session, window.notice
    qtbot.waitUntil(lambda: "are ready" in notice.text.text(), timeout=LONG)
    window.actions_["review_boxes"].trigger()
    assert drop(window.splitter, [draw_folder(tmp_path / "more", 3)])
    qtbot.waitUntil(notice.isVisible)
    click(qtbot, notice.buttons[1])
    qtbot.waitUntil(lambda: notice.text.text() == "3 images were added.", timeout=LONG)
    click(qtbot, notice.buttons[0])
    qtbot.waitUntil(lambda: "Boxes for 15 images are ready." in notice.text.text(), timeout=LONG)
    settle(qtbot, window)
    assert session.project is not None and len(session.project.all_boxes()) == 15


def test_samples_come_first_where_a_generator_trains(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    panel = window.train_panel
    assert panel.tabs.index() == OWN
    click(qtbot, panel.tabs.buttons[1])
    assert panel.generator_button.isVisible() and panel.generator_button.text().startswith(
        "Train a generator"
    )
    start(qtbot, window, TINY.with_(adversarial=1.0))
    assert panel.tabs.index() == SAMPLES and panel.tabs.buttons[1].text() == "Samples"
    finish(qtbot, window)
    assert panel.samples.isVisible() and panel.samples.count()
    click(qtbot, panel.tabs.buttons[0])
    assert panel.own.isVisible() and not panel.samples.isVisible()


def test_the_button_trains_a_generator_beside_the_boxes(
    window: MainWindow, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(qtbot, window, folder, 12)
    asked: list[object] = []
    window.train_panel.start_requested.disconnect()
    window.train_panel.start_requested.connect(asked.append)
    click(qtbot, window.train_panel.tabs.buttons[1])
    click(qtbot, window.train_panel.generator_button)
    (config,) = asked
    assert config.adversarial == PRESETS["generator"].adversarial > 0  # type: ignore[attr-defined]


def test_the_paper_warns_of_its_steps(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, folder, 12)
    panel = window.train_panel
    click(qtbot, panel.settings.toggle)
    box = panel.features_form.preset_box
    box.setCurrentIndex(box.findData("paper"))
    box.activated.emit(box.currentIndex())
    caution = panel.controls.caution_label
    qtbot.waitUntil(caution.isVisible)
    assert "200,000" in caution.text()
    box = panel.form.preset_box
    box.setCurrentIndex(box.findData("features"))
    box.activated.emit(box.currentIndex())
    qtbot.waitUntil(lambda: not caution.isVisible())


def test_three_images_warn(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    fill(qtbot, window, draw_folder(tmp_path / "few", 3), 3)
    caution = window.train_panel.controls.caution_label
    qtbot.waitUntil(caution.isVisible)
    assert caution.text().startswith("3 images")
    assert window.train_panel.start_button.isEnabled(), "it is a warning"


def test_images_that_are_all_alike_end_in_a_sentence(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    """Whatever comes of it, the person is told, and the button is there again."""
    alike = tmp_path / "alike"
    alike.mkdir()
    pixels = np.full((60, 80, 3), 127, np.uint8)
    for i in range(12):
        Image.fromarray(pixels).save(alike / f"{i}.png")
    fill(qtbot, window, alike, 12)
    errors: list[str] = []
    window.session.error.connect(lambda error, _: errors.append(str(error)))
    start(qtbot, window, SMALL)
    qtbot.waitUntil(lambda: not window.session.training.phase.running, timeout=LONG)
    settle(qtbot, window)
    told = [window.notice.text.text()] if window.notice.isVisible() else errors
    assert told and told[0]
    qtbot.waitUntil(lambda: window.train_panel.start_button.isEnabled())


def test_a_window_behind_others_tells_that_boxes_are_ready(
    window: MainWindow, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(qtbot, window, folder, 12)
    monkeypatch.setattr(window, "isActiveWindow", lambda: True)
    start(qtbot, window, TINY)
    finish(qtbot, window)
    settle(qtbot, window)
    assert window.finish.told == "", "it is seen"
    monkeypatch.setattr(window, "isActiveWindow", lambda: False)
    window.actions_["find_boxes"].trigger()
    qtbot.waitUntil(lambda: window.finish.told == "12 images have their boxes.", timeout=LONG)


def test_what_was_found_is_reviewed_after_the_next_start(folder: Path, qtbot: QtBot) -> None:
    window = MainWindow()
    window.show()
    fill(qtbot, window, folder, 12)
    start(qtbot, window, TINY)
    finish(qtbot, window)
    settle(qtbot, window)
    assert window.session.project is not None
    path = window.session.project.path
    close(qtbot, window)
    again = MainWindow()
    again.show()
    again.open_paths([path])
    qtbot.waitUntil(again.train_panel.review_button.isVisible, timeout=LONG)
    assert not again.notice.isVisible(), "that was told when it was found"
    qtbot.waitUntil(
        lambda: all(tile.heat is not None for tile in again.train_panel.own.tiles()), timeout=LONG
    )
    close(qtbot, again)


def test_an_empty_folder_leads_back_to_the_first_page(
    window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "empty").mkdir()
    assert drop(window.pages.currentWidget(), [tmp_path / "empty"])
    qtbot.waitUntil(lambda: bool(window.findChildren(ErrorDialog)), timeout=LONG)
    (told,) = window.findChildren(ErrorDialog)
    assert "Choose a folder with photos" in told.sentence.text()
    told.close()
    qtbot.waitUntil(lambda: window.pages.currentWidget() is window.welcome, timeout=LONG)
    assert window.welcome.recent_rows == []
