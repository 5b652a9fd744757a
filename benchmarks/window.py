"""How fast the window answers: opening a folder, scrolling, the threshold, and ticks beside a training.

    python3 benchmarks/window.py [--images 100000] [--seconds 30] [--json FILE] [--others PYTHON]

It draws a folder of JPEG photos (640 x 480) into a temporary place, opens it in the real window without a
display, and prints each figure beside its aim: time on the clock, then the time of all processors where work
goes on beside the window. With nothing else on the machine both say the same; the load is printed.
``--others`` is a Python in which labelme or X-AnyLabeling is installed: both are opened on the same folder.
``--seconds 0`` leaves the training out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import torch
from instruments import (
    Figure,
    Paints,
    Ticks,
    beside_window,
    draw_folder,
    line,
    peak_memory,
    settle,
    wait,
)
from PySide6.QtWidgets import QApplication
from truth_stages import is_idle, moves, taken_back, truth

from app.application import make_application
from app.main_window import MainWindow
from app.memory import leave_what_stays_to_itself
from app.models.evidence import Picture
from app.models.pictures import to_qimage
from app.models.training import Phase
from core.base.annotations import Status
from core.base.presets import PRESETS
from core.boxes.thresholds import Thresholds
from core.project.browse import Browse, Order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the measured training")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--others", type=Path, help="a Python that has labelme or X-AnyLabeling")
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="boxscout-benchmark-"))
    os.environ.update(XDG_DATA_HOME=str(place), XDG_CONFIG_HOME=str(place), XDG_STATE_HOME=str(place))
    sys.setswitchinterval(0.0005)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - 1))
    try:
        figures = []
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
        for figure in measure(place, options.images, options.seconds):
            figures.append(figure)
            print(line(figure), flush=True)
        print(f"load {os.getloadavg()[0]:.1f} at the end")
        compare(options.others, place / "photos")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")


def compare(python: Path | None, folder: Path) -> None:
    """labelme and X-AnyLabeling on the same folder, each in a process of its own."""
    script = Path(__file__).with_name("other_windows.py")
    for tool in ("labelme", "x-anylabeling"):
        print(f"\n{tool}:", flush=True)
        if python is None:
            print("  not installed (see --others)")
        else:
            subprocess.run([str(python), str(script), tool, str(folder)], check=False)


def measure(place: Path, images: int, seconds: float) -> Iterator[Figure]:
    folder = draw_folder(place / "photos", images)
    app = make_application()
    window = MainWindow()
    window.resize(1280, 800)
    window.show()
    leave_what_stays_to_itself()
    app.processEvents()
    yield from open_folder(window, folder, images)
    stages: list[Callable[[MainWindow], list[Figure]]] = [scroll, arrange, browse]
    if seconds:
        stages.append(lambda window: beside_training(window, seconds))
    for stage in (
        *stages,
        everywhere,
        stopped,
        of_selection,
        accepted,
        threshold,
        own_threshold,
        truth,
        taken_back,
        brightness,
    ):
        yield from stage(window)
        settle(1.0)
    yield Figure("peak memory", peak_memory() / 2**20, "MiB", 1536)
    closed: list[bool] = []
    window.workbench.closed.connect(lambda: closed.append(True))
    window.close()
    wait(lambda: bool(closed), 60)


def open_folder(window: MainWindow, folder: Path, images: int) -> list[Figure]:
    began = time.perf_counter()
    ticks = Ticks()
    window.open_paths([folder])
    wait(lambda: window.canvas.viewport_state is not None, 60)
    first = time.perf_counter() - began
    wait(lambda: window.session.images.total == images, 120)
    return [
        Figure(f"drop of {images} images to the first image", first, "s", 1.0),
        Figure("drop to the whole list", time.perf_counter() - began, "s", None),
        Figure("longest gap of the event loop meanwhile", 1000 * max(ticks.stop()), "ms", 100),
    ]


def scroll(window: MainWindow) -> list[Figure]:
    """The scroll bar dragged from top to bottom; each move is followed by its paint."""
    view = window.images.list
    bar = view.verticalScrollBar()
    times = []
    for value in np.linspace(bar.minimum(), bar.maximum(), 120).astype(int).tolist():
        began = time.perf_counter()
        bar.setValue(value)
        view.viewport().repaint()
        QApplication.processEvents()
        times.append(time.perf_counter() - began)
    return [
        Figure("one move of the list, median", 1000 * statistics.median(times), "ms", 16),
        Figure("one move of the list, slowest", 1000 * max(times), "ms", 100),
    ]


def arrange(window: MainWindow) -> list[Figure]:
    """Filters and orders, each until the list is painted."""
    wait(lambda: not window.workbench.pump.busy, 120)
    times = []
    orders = (Browse(order=order, descending=True) for order in Order)
    for browse in (Browse(text="99"), *orders, Browse()):
        began = time.perf_counter()
        window.session.change_view(browse=browse)
        window.images.list.viewport().repaint()
        QApplication.processEvents()
        times.append(time.perf_counter() - began)
    return [Figure("filter or order, slowest", 1000 * max(times), "ms", 100)]


def browse(window: MainWindow) -> list[Figure]:
    """The next image by its action, until it is on the canvas."""
    times = []
    for _ in range(30):
        wait(lambda: window.session.picture is not None, 10)
        settle(0.05)
        began = time.perf_counter()
        window.workbench.browsing.next()
        wait(lambda: window.session.picture is not None, 10)
        window.canvas.repaint()
        times.append(time.perf_counter() - began)
    return [Figure("next image, median", 1000 * statistics.median(times), "ms", 50)]


def beside_training(window: MainWindow, seconds: float) -> list[Figure]:
    """Ticks while the default training runs, from its first step on, with the person browsing."""
    config = PRESETS["scratch"].with_(minutes=(seconds + 10) / 60)
    window.workbench.start_training(config)
    wait(lambda: window.session.training.step >= 3, 300)
    ticks = Ticks()
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        settle(1.0)
        window.workbench.browsing.next()
    gaps = ticks.stop()
    speed = window.session.training.steps_per_s
    wait(lambda: window.session.training.phase is Phase.FINISHED, 600)
    return [
        Figure("event loop beside training, median tick", 1000 * statistics.median(gaps), "ms", None),
        Figure("event loop beside training, p99 tick", 1000 * float(np.quantile(gaps, 0.99)), "ms", 33),
        Figure("event loop beside training, longest gap", 1000 * max(gaps), "ms", 100),
        Figure("training speed beside the window", speed or 0.0, "steps/s", None),
    ]


def everywhere(window: MainWindow) -> list[Figure]:
    """A move of the threshold until each image has its box, from heat maps as a run leaves them behind."""
    give_heat_maps(window)
    shown = window.session.images.ids_in(*window.session.rows_in_view)
    began, cpu, ticks = time.perf_counter(), beside_window(), Ticks()
    window.bar.threshold_spin.setValue(0.37)
    boxes = window.session.project.boxes
    wait(lambda: all(one.threshold == 0.37 for i in shown for one in boxes(i)), 60)
    in_view = time.perf_counter() - began
    wait(lambda: is_idle(window), 600)
    return [
        Figure("threshold moved to the boxes in view on disk", 1000 * in_view, "ms", 1000),
        Figure(
            "threshold moved to all boxes on disk",
            time.perf_counter() - began,
            "s",
            10,
            beside_window() - cpu,
        ),
        Figure("longest gap of the event loop meanwhile", 1000 * max(ticks.stop()), "ms", 50),
    ]


def stopped(window: MainWindow) -> list[Figure]:
    """A pass over all images that is stopped on its way."""
    window.bar.threshold_spin.setValue(0.21)
    wait(lambda: window.workbench.deciding.running, 10)
    settle(0.5)
    began = time.perf_counter()
    window.strip.stop.click()
    wait(lambda: is_idle(window), 60)
    return [Figure("Stop to the end of that pass", 1000 * (time.perf_counter() - began), "ms", 500)]


def of_selection(window: MainWindow) -> list[Figure]:
    """All images selected, and given a threshold of their own; then it is moved for one of them."""
    window.images.list.selectAll()
    bench, times = window.workbench, []
    for value in (0.3, 0.4, 0.5):
        window.bar.threshold_spin.setValue(value)
        began = time.perf_counter()
        bench.browsing.set_threshold_of_many()
        QApplication.processEvents()
        times.append(time.perf_counter() - began)
    window.images.select_one()
    window.session.change_view(thresholds=Thresholds())
    settle(1.0)
    window.workbench.stop_activities()
    wait(lambda: is_idle(window), 600)
    return [Figure("a threshold for all selected images, median", 1000 * statistics.median(times), "ms", 100)]


def accepted(window: MainWindow) -> list[Figure]:
    """All images selected and accepted by one click; then the click is taken back."""
    window.images.list.selectAll()
    began = time.perf_counter()
    window.images.selection_bar.buttons[Status.ACCEPTED].click()
    QApplication.processEvents()
    took = time.perf_counter() - began
    window.workbench.editing.undo()
    window.images.select_one()
    return [Figure("all images accepted", 1000 * took, "ms", 1000)]


def give_heat_maps(window: MainWindow) -> None:
    """Maps of noise and a hot spot, 32 x 32 cells as the default makes them, for all images; not measured."""
    project, rng = window.session.project, np.random.default_rng(1)
    ids = [record.id for record in project.images()]
    maps = rng.random((64, 32, 32), dtype=np.float32)
    for heat, (y, x) in zip(maps, rng.integers(4, 20, (64, 2)), strict=True):
        heat[y : y + 9, x : x + 8] += 2
    project.set_sizes(dict.fromkeys(ids, (640, 480)))
    for start in range(0, len(ids), 4096):
        project.set_heat_maps({i: maps[i % 64] for i in ids[start : start + 4096]}, step=1)
    window.workbench.localization.evidence_changed.emit()
    wait(lambda: is_idle(window) and window.session.heat_map is not None, 600)


def brightness(window: MainWindow) -> list[Figure]:
    """The brightness slider, with a photo of 24 megapixels in view, until it is painted."""
    paints, popup, times = Paints(window.canvas), window.box_editing.popup, []
    photo = np.random.default_rng(2).integers(0, 256, (4000, 6000, 3), dtype=np.uint8)
    window.session.set_picture(window.session.current, Picture(to_qimage(photo[:2730, :4096]), 6000, 4000))
    settle(0.5)
    for i in range(20):
        seen, began = paints.count, time.perf_counter()
        popup.brightness.setValue(3 * i - 25)
        wait(lambda seen=seen: paints.count > seen, 5)  # type: ignore[misc]
        times.append(time.perf_counter() - began)
    return [Figure("brightness to redraw, 24 megapixels, median", 1000 * statistics.median(times), "ms", 33)]


def threshold(window: MainWindow) -> list[Figure]:
    """A move of the threshold slider until the canvas has painted the new box."""
    wait(lambda: window.session.heat_map is not None, 120)
    settle(1.0)
    times = moves(window)
    return [
        Figure("threshold to redraw, median", 1000 * statistics.median(times), "ms", 16),
        Figure("threshold to redraw, slowest of 100", 1000 * max(times), "ms", None),
    ]


def own_threshold(window: MainWindow) -> list[Figure]:
    """The same where all images, then every second one, have a threshold of their own, as that in view."""
    ids = [record.id for record in window.session.images.records]
    figures = []
    for many, name in ((ids, "all"), (ids[::2], "half of all")):
        own = Thresholds().given([*many, window.session.current or 0], 0.3)
        window.session.change_view(thresholds=own)
        wait(lambda: is_idle(window), 600)
        name = f"the same, {name} having one of their own, median"
        figures.append(Figure(name, 1000 * statistics.median(moves(window)), "ms", 16))
    window.session.change_view(thresholds=Thresholds())
    wait(lambda: is_idle(window), 600)
    return figures


if __name__ == "__main__":
    main()
