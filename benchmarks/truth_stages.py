"""What ``window.py`` measures of imports of all images, and of moves of the threshold beside them."""

from __future__ import annotations

import statistics
import time

from instruments import Figure, Paints, Ticks, beside_window, settle, wait, write_truth
from PySide6.QtWidgets import QApplication

from app.main_window import MainWindow
from app.models.export import ImportRequest
from core.project.browse import Browse
from core.project.exchange import ImportPlan


def truth(window: MainWindow) -> list[Figure]:
    """True boxes of all images come in; then the worst are shown first, and the threshold is moved."""
    bench, measures, session = window.workbench, window.session.measures, window.session
    path = write_truth(session.images.records)
    plans: list[ImportPlan] = []
    bench.importing.planned.connect(plans.append)
    began, cpu, ticks = time.perf_counter(), beside_window(), Ticks()
    bench.importing.look_at(path)
    wait(lambda: bool(plans), 600)
    bench.importing.import_boxes(ImportRequest(plans[0], as_truth=True))
    wait(lambda: not session.activities and measures.standing is not None, 600)
    shown = time.perf_counter() - began
    wait(lambda: measures.curve is not None, 600)
    drawn, cpu = time.perf_counter() - began, beside_window() - cpu
    gap, ticks = max(ticks.stop()), Ticks()
    wait(lambda: "measuring" in session.activities, 60)  # colour contrast reads every image
    window.strip.stop.click()
    wait(lambda: is_idle(window), 600)
    began = time.perf_counter()
    window.actions_["worst_first"].trigger()
    window.images.list.viewport().repaint()
    QApplication.processEvents()
    worst = time.perf_counter() - began
    times = moves(window)
    wait(lambda: is_idle(window), 600)
    after = max(ticks.stop())
    session.change_view(browse=Browse())
    return [
        Figure("truth of all images imported to the accuracy panel", shown, "s", None),
        Figure("truth of all images imported to the curve", drawn, "s", None, cpu),
        Figure("longest gap of the event loop meanwhile", 1000 * gap, "ms", 100),
        Figure("worst first", 1000 * worst, "ms", 100),
        Figure("threshold to redraw beside the curve, median", 1000 * statistics.median(times), "ms", 16),
        Figure("longest gap until all is measured again", 1000 * after, "ms", 100),
    ]


def taken_back(window: MainWindow) -> list[Figure]:
    """The truth, then boxes, of all images come in; each import is taken back and done again."""
    bench, session, figures = window.workbench, window.session, []
    for name, as_truth in (("truth", True), ("boxes", False)):
        plans: list[ImportPlan] = []
        told = bench.importing.planned.connect(plans.append)
        bench.importing.look_at(write_truth(session.images.records))
        wait(lambda plans=plans: bool(plans), 600)  # type: ignore[misc]
        bench.importing.planned.disconnect(told)
        bench.importing.import_boxes(ImportRequest(plans[0], as_truth=as_truth))
        wait(lambda: not session.activities, 600)
        at_rest(window)
        figures += as_taken_back(window, name)
    return figures


def at_rest(window: MainWindow) -> None:
    """Nothing is being measured any more; colour contrast, which reads every image, is stopped."""
    settle(1.0)

    def rests() -> bool:
        # Again and again: what reads every image begins only once the rest has been measured.
        window.workbench.stop_activities()
        return is_idle(window)

    wait(rests, 600)


def as_taken_back(window: MainWindow, what: str) -> list[Figure]:
    """Undo, then Redo, each until the window has told it; then what follows from it for another second."""
    figures = []
    for name in ("undo", "redo"):
        before = window.workbench.editing.undo_text
        began, cpu, ticks = time.perf_counter(), beside_window(), Ticks()
        window.actions_[name].trigger()
        wait(lambda before=before: window.workbench.editing.undo_text != before, 600)  # type: ignore[misc]
        told = time.perf_counter() - began
        settle(1.0)
        figures += [
            Figure(f"import of {what}, {name}", told, "s", None, beside_window() - cpu),
            Figure("longest gap of the event loop meanwhile", 1000 * max(ticks.stop()), "ms", 100),
        ]
        at_rest(window)
    return figures


def moves(window: MainWindow) -> list[float]:
    """Seconds of each of 100 moves of the threshold slider, until the canvas has painted."""
    slider, paints = window.bar.threshold_slider, Paints(window.canvas)
    times = []
    for i in range(100):
        before, seen = window.session.boxes, paints.count
        began = time.perf_counter()
        slider.setValue(round(slider.minimum() * (0.05 + 0.8 * (i * 37 % 100) / 100)))
        wait(lambda seen=seen: paints.count > seen, 5)  # type: ignore[misc]
        times.append(time.perf_counter() - began)
        assert window.session.boxes != before, "the box should follow the threshold"
    return times


def is_idle(window: MainWindow) -> bool:
    bench = window.workbench
    return not bench.pump.busy and not bench.deciding.running
