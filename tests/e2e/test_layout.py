"""Who gets how much of the window: at least half is the image's, also on small screens."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from review_support import LEFT, fill_with_boxes
from test_window_state import give_truth
from window_support import LONG, TINY, close, english_again, fill, filled_window, finish, start

from app import style
from app.main_window import MainWindow
from app.views.runs_picker import RunOption, RunsState

__all__ = ["english_again"]
SMALL = (1280, 800), (1024, 700)


def share(window: MainWindow) -> float:
    return window.canvas.width() * window.canvas.height() / (window.width() * window.height())


def resize(qtbot: QtBot, window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    qtbot.wait(50)
    assert (window.width(), window.height()) == size


@pytest.mark.parametrize("tongue", ["en", "de"])
def test_the_image_keeps_half_of_a_small_window(
    tongue: str, qtbot: QtBot, folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    window = filled_window(tongue, qtbot, folder, request)
    for size in SMALL:
        resize(qtbot, window, size)
        assert share(window) >= 0.5, ("before boxes are found", size)
    start(qtbot, window, TINY)
    finish(qtbot, window)
    qtbot.waitUntil(window.notice.isVisible, timeout=LONG)
    for size in SMALL:
        resize(qtbot, window, size)
        assert share(window) >= 0.5, ("with boxes", size)
        assert window.bar.threshold_slider.isVisible() and window.bar.threshold_slider.width() >= 140
    names = RunOption(2, "Run 2 · 2026-12-01 · Frozen features · boxes in use"), RunOption(1, "Run 1")
    window.train_panel.runs.set_state(RunsState(names, shown=2, source="Run 1"))
    for size in SMALL:
        resize(qtbot, window, size)
        assert share(window) >= 0.5, ("with two runs", size)
    give_truth(qtbot, window, tmp_path / "true.csv")
    assert window.truth.in_front
    for size in SMALL:
        resize(qtbot, window, size)
        assert share(window) >= 0.5, ("with truth", size)
        panel = window.truth.panel
        assert panel.width() <= window.train_panel.width()
        for label in (panel.title, panel.reading, panel.facts):
            # Else its last lines are cut; a scroll bar that comes makes it wrap anew.
            qtbot.waitUntil(lambda label=label: label.height() >= label.heightForWidth(label.width()))


def test_a_large_window_is_filled(window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill_with_boxes(qtbot, window, folder)
    for size in ((1280, 800), (2560, 1440), (1100, 1400)):
        resize(qtbot, window, size)
        assert window.splitter.height() == window.pages.height() > size[1] - 120
        assert share(window) >= 0.5


def test_a_narrow_window_puts_list_and_panel_above_each_other(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    fill_with_boxes(qtbot, window, folder)
    resize(qtbot, window, (1024, 700))
    images, side = window.images, window.train_panel
    below = side.mapTo(window, QPoint(0, 0)).y()
    assert images.width() == side.width() and below >= images.mapTo(window, QPoint(0, images.height())).y()
    assert side.review_button.isVisible() or side.start_button.isVisible()
    was = window.canvas.width()
    qtbot.keyClick(window, Qt.Key.Key_F8)
    assert images.isVisible() and not side.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_F7)
    qtbot.waitUntil(lambda: window.canvas.width() > was)
    for key in (Qt.Key.Key_F7, Qt.Key.Key_F8):
        qtbot.keyClick(window, key)
    resize(qtbot, window, (1280, 800))
    assert images.isVisible() and side.isVisible()
    assert side.mapTo(window, QPoint(0, 0)).x() > window.canvas.mapTo(window, QPoint(0, 0)).x()


def test_a_width_that_was_dragged_is_kept(folder: Path, qtbot: QtBot) -> None:
    style.apply(QApplication.instance(), "light")
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    handle = first.splitter.handle(1)
    was, at = first.images.width(), handle.rect().center()
    qtbot.mousePress(handle, LEFT, pos=at)
    qtbot.mouseMove(handle, at + QPoint(40, 0))
    qtbot.mouseMove(handle, at + QPoint(80, 0))
    qtbot.mouseRelease(handle, LEFT, pos=at)
    dragged = first.images.width()
    assert dragged > was + 20
    first.resize(1400, 900)
    qtbot.wait(50)
    assert first.images.width() == dragged
    first.resize(1280, 800)
    close(qtbot, first)

    second = MainWindow()
    second.resize(1280, 800)  # a screen of tests is smaller
    second.show()
    fill(qtbot, second, folder, 12)
    assert second.images.width() == pytest.approx(dragged, abs=2)
    close(qtbot, second)


def test_hot_places_are_covered_as_much_as_the_setting_says(
    window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    """Over black, white shows how opaque the heat is; grey maps are white where they are hottest."""
    fill_with_boxes(qtbot, window, folder)
    session = window.session
    session.change_view(colour_map="grey", rule="component")
    qtbot.waitUntil(lambda: session.heat_map is not None)
    view = window.canvas.viewport_state
    hot = QPoint(round(view.x + 20 * view.scale), round(view.y + 9.5 * view.scale))

    def colour() -> int:
        window.canvas.set_boxes((), held=False)
        return window.canvas.grab().toImage().pixelColor(hot).red()

    session.change_view(show_heat_map=False)
    bare = colour()
    session.change_view(show_heat_map=True)
    for opacity in (0.35, 0.8):
        session.change_view(opacity=opacity)
        assert colour() == pytest.approx(bare + (255 - bare) * opacity, abs=3)
