"""labelme or X-AnyLabeling on a folder, in the Python that has it: what ``window.py --others`` runs.

    PYTHON benchmarks/other_windows.py labelme|x-anylabeling FOLDER [SECONDS]

Their own windows without a display, driven by the methods that their menus call: the empty window is shown,
the folder opened, and Next pressed. It prints the same figures as ours, or says why it cannot.
"""

from __future__ import annotations

import importlib.metadata
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NEXT = 10


@dataclass(frozen=True)
class Opened:
    """A window of theirs, shown and empty; ``shows`` says whether an image is on its canvas."""

    app: Any
    canvas: Any
    open_folder: Callable[[str], None]
    next_image: Callable[[], None]
    shown_name: Callable[[], str | None]


def main() -> None:
    tool, folder = sys.argv[1:3]
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else 300
    package = {"labelme": "labelme", "x-anylabeling": "x-anylabeling-cvhub"}[tool]
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        print(f"  not installed: no package {package} in {sys.executable}")
        return
    with tempfile.TemporaryDirectory(prefix="boxscout-benchmark-home-") as home:
        os.environ.update(HOME=home, XDG_CONFIG_HOME=home, XDG_CACHE_HOME=home, QT_QPA_PLATFORM="offscreen")
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(limit)
        try:
            opened = labelme() if tool == "labelme" else x_anylabeling(home)
            measure(opened, folder, f"{tool} {version}")
        except TimeoutError:
            print(f"  {tool} {version} was not there after {limit} s")
        except Exception as error:  # whatever of theirs fails is the answer here
            print(f"  {tool} {version} cannot run here: {type(error).__name__}: {error}")
        sys.stdout.flush()
    os._exit(0)  # their threads and their questions about saving do not matter any more


def give_up(*_: object) -> None:
    raise TimeoutError


def measure(opened: Opened, folder: str, name: str) -> None:
    files = sum(1 for _ in Path(folder).iterdir())
    began, cpu = time.perf_counter(), time.process_time()
    opened.open_folder(folder)
    seen = until_another(opened, None)
    first, first_cpu = time.perf_counter() - began, time.process_time() - cpu
    while (count := listed(opened)) < files and time.perf_counter() - began < 120:
        opened.app.processEvents()
        time.sleep(0.001)
    whole, times = time.perf_counter() - began, []
    for _ in range(NEXT):
        began = time.perf_counter()
        opened.next_image()
        seen = until_another(opened, seen)
        times.append(time.perf_counter() - began)
    print(f"  {name}, {count} images in its list")
    print(f"  {'folder opened to the first image':<54}{first:>10.1f} s   [{first_cpu:.1f} s of processors]")
    print(f"  {'folder opened to the whole list':<54}{whole:>10.1f} s")
    print(f"  {'next image, median':<54}{1000 * statistics.median(times):>10.1f} ms")
    print(f"  {'peak memory':<54}{peak_mib():>10.1f} MiB")


def until_another(opened: Opened, seen: str | None) -> str:
    """Let their event loop go on until another image is painted; its name."""
    while True:
        opened.app.processEvents()
        name = opened.shown_name()
        if name is not None and name != seen:
            opened.canvas.repaint()
            return name
        time.sleep(0.0002)


def listed(opened: Opened) -> int:
    """How many rows their list of files has."""
    models = [w.model() for w in opened.app.allWidgets() if hasattr(w, "setModel") and w.model() is not None]
    return max((model.rowCount() for model in models), default=0)


def peak_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def labelme() -> Opened:
    from labelme.app import MainWindow
    from PyQt5 import QtWidgets

    app = QtWidgets.QApplication(["labelme"])
    window = MainWindow()
    window.resize(1280, 800)
    window.show()
    app.processEvents()
    canvas = window._canvas_widgets.canvas

    def shown_name() -> str | None:
        name = window._image_path
        return str(name) if name and not canvas.pixmap.isNull() else None

    def open_folder(folder: str) -> None:
        window._import_images_from_dir(folder)
        window._open_next_image()

    return Opened(app, canvas, open_folder, window._open_next_image, shown_name)


def x_anylabeling(home: str) -> Opened:
    import anylabeling.config as settings
    from anylabeling.resources import resources  # noqa: F401 - their icons
    from anylabeling.views.mainwindow import MainWindow
    from PyQt6 import QtWidgets

    settings.current_config_file = str(Path(home) / ".xanylabelingrc")
    app = QtWidgets.QApplication(["xanylabeling"])
    config = settings.get_config(settings.current_config_file, {}, show_msg=False)
    window = MainWindow(app, config=config)
    window.resize(1280, 800)
    window.show()
    app.processEvents()
    view = window.labeling_widget.view

    def shown_name() -> str | None:
        pixmap = view.canvas.pixmap
        return str(view.filename) if view.filename and pixmap is not None and not pixmap.isNull() else None

    return Opened(app, view.canvas, view.import_image_folder, view.open_next_image, shown_name)


if __name__ == "__main__":
    main()
