"""How long the program takes from its start to something on the screen, and until it can be used.

    python3 benchmarks/start.py [--images 100000] [--rounds 5] [--json FILE]

Each start is a process of its own, as ``python3 main.py`` begins it, without a display; the clock runs from
before that process. Visible is the splash, usable the first turn of the event loop once the window is shown,
reopened a project with all rows listed and the first image on the canvas: the one that the folder of
``--images`` drawn photos (640 x 480) left behind, with a heat map and a box for each. ``--images 0`` leaves
that out. The median and the slowest of the rounds are printed beside the aim.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

Moments = dict[str, float]
AIMS = {"visible": 1.0, "usable": 2.0, "reopened": 2.0}
_CHILD = "--child"
_ASK_MS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    from instruments import line

    place = Path(tempfile.mkdtemp(prefix="boxscout-start-"))
    os.environ.update(XDG_DATA_HOME=str(place), XDG_CONFIG_HOME=str(place), XDG_STATE_HOME=str(place))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # who starts it a second time has compiled files
    os.environ["PYTHONPYCACHEPREFIX"] = str(place / "compiled")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}", flush=True)
    try:
        empty = [started() for _ in range(options.rounds + 1)][1:]  # the first fills the disk's cache
        figures = list(figures_of(empty, ("visible", "usable"), "start"))
        if options.images:
            project = filled(place, options.images)
            again = [started(project, options.images) for _ in range(options.rounds)]
            figures += figures_of(again, ("visible", "reopened"), f"start with {options.images:,} images")
        for figure in figures:
            print(line(figure), flush=True)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(f"load {os.getloadavg()[0]:.1f} at the end")
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n")


def figures_of(rounds: Sequence[Moments], names: Sequence[str], what: str) -> Iterator[object]:
    from instruments import Figure

    for name in names:
        times = [one[name] for one in rounds]
        yield Figure(f"{what} to {name}, median", statistics.median(times), "s", AIMS[name])
        yield Figure(f"{what} to {name}, slowest", max(times), "s", None)


def started(project: Path | None = None, images: int = 0) -> Moments:
    """One start, in seconds from before its process."""
    what = [] if project is None else [str(project), str(images)]
    began = time.monotonic()
    command = [sys.executable, __file__, _CHILD, *what]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    moments: Moments = json.loads(told.splitlines()[-1])
    return {name: moment - began for name, moment in moments.items()}


def filled(place: Path, images: int) -> Path:
    """A project of ``images`` photos as a run leaves it behind, closed."""
    import window as benchmark
    from instruments import draw_folder, settle, wait

    from app.application import make_application
    from app.main_window import MainWindow

    folder = draw_folder(place / "photos", images)
    make_application()
    window = MainWindow()
    window.resize(1280, 800)
    window.show()
    benchmark.open_folder(window, folder, images)
    wait(lambda: not window.session.activities, 600)
    benchmark.give_heat_maps(window)
    settle(1.0)
    project = window.session.project
    assert project is not None
    path = project.path
    closed: list[bool] = []
    window.workbench.closed.connect(lambda: closed.append(True))
    window.close()
    wait(lambda: bool(closed), 120)
    return path


def child(project: list[str]) -> None:
    """Start the program as ever, note its moments on the clock that all processes share, and leave it."""
    import main as program
    from app import application

    moments: Moments = {}
    show_splash, settled = application.show_splash, application.leave_what_stays_to_itself

    def noted_splash() -> object:
        splash = show_splash()
        moments["visible"] = time.monotonic()
        return splash

    def noted_window() -> None:
        settled()
        _when(_usable, lambda: _note(moments, "usable", None if project else _leave))
        if project:
            _when(lambda: _reopened(int(project[1])), lambda: _note(moments, "reopened", _leave))

    application.show_splash = noted_splash  # type: ignore[assignment]
    application.leave_what_stays_to_itself = noted_window
    program.main(project[:1])
    print(json.dumps(moments))


def _note(moments: Moments, name: str, then: Callable[[], None] | None) -> None:
    moments[name] = time.monotonic()
    if then is not None:
        then()


def _when(condition: Callable[[], bool], then: Callable[[], None]) -> None:
    """Ask every few milliseconds: without a pause between, the threads that it waits for would starve."""
    from PySide6.QtCore import QTimer

    QTimer.singleShot(_ASK_MS, lambda: then() if condition() else _when(condition, then))


def _window() -> object:
    from PySide6.QtWidgets import QApplication

    from app.main_window import MainWindow

    return next((one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)), None)


def _usable() -> bool:
    window = _window()
    return window is not None and window.isVisible()  # type: ignore[attr-defined]


def _reopened(images: int) -> bool:
    session = _window().session  # type: ignore[attr-defined]
    return session.images.total == images and session.picture is not None


def _leave() -> None:
    _window().close()  # type: ignore[attr-defined]


if __name__ == "__main__":
    if sys.argv[1:2] == [_CHILD]:
        child(sys.argv[2:])
    else:
        main()
