"""Drive the real window without a display and save the pictures that the documentation shows.

    python3 docs/screenshots.py [--steps 300]

Every picture is of the window as it is; run this again after a change of its looks.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from PySide6.QtWidgets import QApplication

from app import style
from app.application import make_application
from app.main_window import MainWindow
from core.config import PRESETS

IMAGES = Path(__file__).parent / "images"
SIZE = (1280, 800)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=300)
    steps = parser.parse_args().steps
    place = tempfile.mkdtemp(prefix="boxscout-screenshots-")
    os.environ.update(XDG_DATA_HOME=place, XDG_CONFIG_HOME=place, XDG_STATE_HOME=place)
    try:
        take_all(Path(place), steps)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def take_all(place: Path, steps: int) -> None:
    make_application()
    style.apply(QApplication.instance(), "light")
    window = MainWindow()
    window.resize(*SIZE)
    window.show()
    settle(0.5)
    save(window, "welcome")
    window.workbench.library.open_sample()
    wait(lambda: window.session.images.total > 0 and not window.session.activities)
    window.workbench.start_training(PRESETS["generator"].with_(steps=steps))
    wait(lambda: window.session.training.step >= 0.6 * steps and window.session.heat_map is not None)
    save(window, "training")
    wait(lambda: not window.session.training.phase.running and not window.workbench.pump.busy)
    for _ in range(3):
        window.workbench.browsing.next()
    wait(lambda: window.session.picture is not None and window.session.heat_map is not None)
    settle(1.0)
    save(window, "window")
    window.open_paths([bad_files(place / "more photos")])
    wait(lambda: bool(window.session.problems.files) and not window.session.activities)
    window.dock.show()
    settle(1.0)
    save(window, "problems")
    window.dock.hide()
    style.apply(QApplication.instance(), "dark")
    settle(1.0)
    save(window, "dark")
    closed: list[bool] = []
    window.workbench.closed.connect(lambda: closed.append(True))
    window.close()
    wait(lambda: bool(closed))


def bad_files(folder: Path) -> Path:
    """Photos as people have them: one whole, one empty, one cut off before its first pixel, one PDF."""
    folder.mkdir()
    Image.new("RGB", (320, 240), (120, 160, 90)).save(folder / "garden.jpg")
    (folder / "empty.jpg").touch()
    (folder / "half copied.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (folder / "invoice.pdf").write_bytes(b"%PDF-1.4")
    return folder


def save(window: MainWindow, name: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    window.grab().save(str(IMAGES / f"{name}.png"))


def wait(condition: Callable[[], bool], seconds: float = 900) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError("The window did not get there in time.")
        QApplication.processEvents()
        time.sleep(0.005)


def settle(seconds: float) -> None:
    until = time.monotonic() + seconds
    wait(lambda: time.monotonic() >= until)


if __name__ == "__main__":
    main()
