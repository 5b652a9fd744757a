"""The plot keeps every point and draws on demand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication, QWidget
from seeing import wheel

from app import style
from app.views.training_plot import ClassPlot, TrainingPlot
from core.base.language import speak


@pytest.fixture
def plot(show: Callable[..., QWidget]) -> TrainingPlot:
    return show(TrainingPlot(), 320, 260)


def test_all_points_are_kept_in_order(plot: TrainingPlot) -> None:
    for step in range(1, 5001):
        plot.add_point(step, step / 10, -step)
    plot.add("ms_ssim", 100, 0.5)
    points = plot.points()
    assert points["d"][0].tolist() == list(range(1, 5001))
    np.testing.assert_allclose(points["d"][1], np.arange(1, 5001) / 10)
    assert points["g"][1][-1] == -5000
    assert points["ms_ssim"][1].tolist() == [0.5]


def test_a_step_that_comes_again_replaces_what_followed(plot: TrainingPlot) -> None:
    for step in (1, 2, 3, 4, 2):
        plot.add_point(step, float(step), 0.0)
    assert plot.points()["d"][0].tolist() == [1, 2]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_no_number_is_left_out(plot: TrainingPlot, bad: float) -> None:
    plot.add_point(1, bad, 1.0)
    plot.refresh()
    assert len(plot.points()["d"][0]) == 0 and len(plot.points()["g"][0]) == 1
    plot.grab()


def test_nothing_is_drawn_before_refresh(plot: TrainingPlot) -> None:
    empty = plot.grab().toImage()
    plot.add_point(1, 1.0, 2.0)
    plot.add_point(2, 1.5, 2.5)
    assert plot.grab().toImage() == empty
    plot.refresh()
    drawn = plot.grab().toImage()
    assert drawn != empty
    plot.refresh()
    plot.clear()
    assert plot.grab().toImage() == empty


def test_both_curves_are_drawn_in_their_colours(plot: TrainingPlot) -> None:
    for step in range(1, 200):
        plot.add_point(step, 1.0, 2.0)
        plot.add("ms_ssim", step, 0.5)
    plot.refresh()
    QApplication.processEvents()
    image = plot.grab().toImage()
    found = {image.pixelColor(x, y).name() for x in range(60, image.width()) for y in range(image.height())}
    assert {style.colours().d_loss, style.colours().g_loss, style.colours().diversity} <= found


def test_ms_ssim_is_always_shown_from_nothing_to_one(plot: TrainingPlot) -> None:
    plot.add("ms_ssim", 1, 0.4)
    plot.add("ms_ssim", 500, 0.41)
    plot.refresh()
    low, high = plot.diversity.viewRange()[1]
    assert -0.1 < low <= 0 and 1 <= high < 1.1


def test_both_plots_share_their_steps(plot: TrainingPlot) -> None:
    for step in range(1, 1001):
        plot.add_point(step, 1.0, 1.0)
    plot.refresh()
    QApplication.processEvents()
    assert plot.losses.viewRange()[0] == pytest.approx(plot.diversity.viewRange()[0])
    assert plot.losses.viewRange()[0][1] >= 1000


def test_no_menu_and_no_wheel(plot: TrainingPlot) -> None:
    plot.add_point(1, 1.0, 1.0)
    plot.add_point(9, 2.0, 3.0)
    plot.refresh()
    QApplication.processEvents()
    before = plot.losses.viewRange()
    wheel(plot.losses.viewport(), QPointF(100, 30), 3)
    assert plot.losses.viewRange() == before
    assert not plot.losses.getPlotItem().menuEnabled()
    assert plot.losses.getPlotItem().getViewBox().state["enableMenu"] is False


@pytest.mark.parametrize(("last", "tongue"), [(2, "en"), (4, "en"), (3000, "de")])
def test_steps_are_whole_numbers_with_the_marks_of_the_language(
    plot: TrainingPlot, last: int, tongue: str, request: pytest.FixtureRequest
) -> None:
    speak(tongue)
    request.addfinalizer(lambda: speak("en"))
    axis = plot.lower_plot.getAxis("bottom")
    said = [
        text
        for spacing, values in axis.tickValues(1, last, 240)
        for text in axis.tickStrings(values, axis.autoSIPrefixScale * axis.scale, spacing)
    ]
    assert said
    assert len(set(said)) == len(said)
    assert all(text.replace("." if tongue == "de" else ",", "").isdecimal() for text in said)
    assert last < 3000 or "2.000" in said


def test_it_follows_light_and_dark(plot: TrainingPlot, qapp: QApplication) -> None:
    plot.add_point(1, 1.0, 1.0)
    plot.refresh()
    style.apply(qapp, "dark")
    QApplication.processEvents()
    assert plot.losses.backgroundBrush().color().name() == style.DARK.window


def test_the_real_images_are_a_line_with_its_interval(plot: TrainingPlot) -> None:
    plot.add("ms_ssim", 1, 0.9)
    plot.add("ms_ssim", 100, 0.8)
    plot.refresh()
    QApplication.processEvents()
    without = plot.grab().toImage()
    plot.set_reference((0.3, 0.2, 0.4))
    QApplication.processEvents()
    assert plot.real_line.value() == 0.3 and plot.real_band.getRegion() == (0.2, 0.4)
    assert plot.grab().toImage() != without
    assert "Real" in plot._lower_legend.text()
    plot.set_reference(None)
    QApplication.processEvents()
    assert plot.grab().toImage() == without


def test_loss_and_accuracy_of_class_labels(show: Callable[..., QWidget]) -> None:
    plot = show(ClassPlot(), 320, 260)
    for step in range(1, 50):
        plot.add_point(step, 1.0, 0.5)
    plot.refresh()
    QApplication.processEvents()
    image = plot.grab().toImage()
    found = {image.pixelColor(x, y).name() for x in range(60, image.width()) for y in range(image.height())}
    assert {style.colours().d_loss, style.colours().good} <= found
    assert plot.points()["accuracy"][1].tolist() == [0.5] * 49
