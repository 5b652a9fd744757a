"""Drive the real window without a display and save the pictures that the documentation shows.

    python3 docs/screenshots.py [--languages en de] [--steps 300]

Every picture is of the window as it is; run this again after a change of its looks. English ones go to
``docs/images``, those of another language into a folder of its name there.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app import paths, speech, style
from app.application import make_application
from app.main_window import MainWindow
from app.views.import_dialog import ImportDialog
from core.base.config import PRESETS
from core.base.geometry import Box
from core.images.sample import TRUTH_NAME
from core.project.browse import Browse

IMAGES = Path(__file__).parent / "images"
SIZE = (1280, 800)
QUALITY = 92  # of WebP: a fifth of the bytes of PNG, and no eye sees it
HOME = Path("/home/ada/Pictures")  # where pictures show photos, in place of a temporary folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--languages", nargs="+", default=["en", "de"])
    parser.add_argument("--steps", type=int, default=300, help="of the training with a generator")
    chosen = parser.parse_args()
    for language in chosen.languages:
        if len(chosen.languages) > 1:  # a window speaks one language from its start
            command = [sys.executable, __file__, "--languages", language, "--steps", str(chosen.steps)]
            subprocess.run(command, check=True)
            continue
        place = tempfile.mkdtemp(prefix="boxscout-screenshots-")
        os.environ.update(XDG_DATA_HOME=place, XDG_CONFIG_HOME=place, XDG_STATE_HOME=place)
        try:
            take_all(language, Path(place), chosen.steps)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def take_all(language: str, place: Path, steps: int) -> None:
    make_application()
    app = QApplication.instance()
    speech.speak(app, language)
    style.apply(app, "light")
    folder = IMAGES if language == "en" else IMAGES / language
    folder.mkdir(parents=True, exist_ok=True)

    def save(widget: QWidget, name: str) -> None:
        settle(0.5)
        widget.grab().save(str(folder / f"{name}.webp"), quality=QUALITY)

    window = MainWindow()
    window.resize(*SIZE)
    window.show()
    save(window, "welcome")
    take_training(window, save)
    take_review(window, save)
    take_truth(window, save)
    take_mending(window, save, place)
    take_dark(window, save)
    take_generator(window, save, steps)
    closed: list[bool] = []
    window.workbench.closed.connect(lambda: closed.append(True))
    window.close()
    wait(lambda: bool(closed))


Save = Callable[[QWidget, str], None]


def take_training(window: MainWindow, save: Save) -> None:
    """The sample, trained with what the form proposes for it."""
    session = window.session
    window.workbench.library.open_sample()
    wait(lambda: session.images.total > 0 and not session.activities)
    settle(1.0)
    save(window, "start")
    window.train_panel.start_button.click()
    wait(lambda: session.training.step >= 0.4 * session.training.steps > 0 and session.heat_map is not None)
    save(window, "training")
    wait_for_rest(window)


def take_review(window: MainWindow, save: Save) -> None:
    session = window.session
    for _ in range(3):
        window.workbench.browsing.next()
    wait(lambda: session.picture is not None and session.heat_map is not None)
    save(window, "window")
    window.actions_["palette"].trigger()
    save(shown_dialog(window), "palette")
    shown_dialog(window).close()

    def grab_modal() -> None:
        dialog = shown_dialog(window)
        dialog.path_edit.setText(str(Path.home() / "beetles.csv"))  # type: ignore[attr-defined]
        save(dialog, "export")
        dialog.reject()

    QTimer.singleShot(500, grab_modal)
    window.actions_["export"].trigger()


def take_truth(window: MainWindow, save: Save) -> None:
    """Import the sample's own truth through the dialog, and look at the worst."""
    session, measures = window.session, window.session.measures
    window.actions_["import_boxes"].trigger()
    (dialog,) = [each for each in window.findChildren(ImportDialog) if each.isVisible()]
    dialog.meaning.second.click()
    dialog.path_edit.setText(str(paths.data_folder() / "sample" / TRUTH_NAME))
    wait(dialog.agree.isEnabled)
    dialog.agree.click()
    wait(lambda: measures.standing is not None and len(measures.standing.report.rows) == 5)
    wait_for_rest(window)
    for shown in window.findChildren(QDialog):
        shown.close()
    window.truth.panel.worst_button.click()
    settle(0.5)
    window.workbench.browsing.first()
    wait(lambda: session.picture is not None and session.heat_map is not None)
    save(window, "accuracy")
    window.truth.dock.hide()


def take_mending(window: MainWindow, save: Save, place: Path) -> None:
    """Files that cannot be used, and a folder that was moved while its project was closed."""
    session = window.session
    photos = bad_files(place / "more photos")
    window.open_paths([photos])
    wait(lambda: bool(session.problems.files) and not session.activities)
    rejected = [replace(one, path=HOME / photos.name / one.path.name) for one in session.problems.files]
    session.problems.set_rejected(rejected)
    window.dock.show()
    settle(1.0)
    save(window, "problems")
    window.dock.hide()
    assert session.project is not None
    project = session.project.path
    window.actions_["new"].trigger()
    wait(lambda: session.project is None)
    photos.rename(place / "photos of the garden")
    window.open_paths([project])
    wait(lambda: window.notice.isVisible() and session.heat_map is not None)
    wait_for_rest(window)
    window.truth.dock.hide()
    (lost,) = session.mending.lost
    session.set_mending(lost=(replace(lost, root=HOME / lost.root.name),))
    save(window, "moved")


def take_dark(window: MainWindow, save: Save) -> None:
    """Looking through: a box is drawn by hand, for its beetle is more than what was found."""
    session = window.session
    window.notice.buttons[1].click()
    session.change_view(browse=Browse())
    window.workbench.browsing.first()
    for _ in range(5):
        window.workbench.browsing.next()
    wait(lambda: session.picture is not None and session.heat_map is not None)
    window.workbench.editing.clear()
    window.workbench.editing.draw(Box(57, 92, 106, 151))
    style.apply(QApplication.instance(), "dark")
    save(window, "dark")
    style.apply(QApplication.instance(), "light")


def take_generator(window: MainWindow, save: Save, steps: int) -> None:
    session = window.session
    window.workbench.start_training(PRESETS["generator"].with_(steps=steps))
    wait(lambda: session.training.step >= 0.6 * steps and session.samples is not None)
    save(window, "generator")
    window.workbench.run.stop()
    wait_for_rest(window)


def bad_files(folder: Path) -> Path:
    """Photos as people have them: one whole, one empty, one cut off before its first pixel, one PDF."""
    folder.mkdir()
    Image.new("RGB", (320, 240), (120, 160, 90)).save(folder / "garden.jpg")
    (folder / "empty.jpg").touch()
    (folder / "half copied.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    (folder / "invoice.pdf").write_bytes(b"%PDF-1.4")
    return folder


def shown_dialog(window: MainWindow) -> QDialog:
    (dialog,) = [each for each in window.findChildren(QDialog) if each.isVisible()]
    return dialog


def wait_for_rest(window: MainWindow) -> None:
    """Until nothing trains, searches or measures."""
    wait(lambda: not window.session.training.phase.running and not window.workbench.pump.busy)


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
