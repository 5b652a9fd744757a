"""Drive the real window without a display and save the pictures that the documentation shows.

    python3 docs/screenshots.py [--languages en de] [--generator STEPS]

Every picture is of the window as it is; run this again after a change of its looks. English ones go to
``docs/images``, those of another language into a folder of its name there. The photos are sixty of
``raccoon.zip``, which lies where the tests find it: ``$BOXSCOUT_DATA``, or ``../shared/data``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app import speech, style
from app.application import make_application
from app.main_window import MainWindow
from app.views.import_dialog import ImportDialog
from core.base.geometry import Box
from core.base.presets import PRESETS

IMAGES = Path(__file__).parent / "images"
SIZE = (1280, 800)
QUALITY = 92  # of WebP: a fifth of the bytes of PNG, and no eye sees it
HOME = Path("/home/ada/Pictures")  # where pictures show photos, in place of a temporary folder
DATA = Path(os.environ.get("BOXSCOUT_DATA") or Path(__file__).parents[2] / "shared" / "data")
LEAST_WIDTH, LEAST_ASPECT = 560, 1.1  # of the photos that are shown: they fill the window's middle
NOT_SHOWN = {85, 94, 100, 104, 108, 172, 174, 175, 176, 180, 181, 183, 191, 197}
"""Photos with people, whom nobody asked, and with writing on them."""
PHOTOS = "raccoons"
IN_THE_MIDDLE, PAIR = "raccoon-71.jpg", "raccoon-117.jpg"
BOTH = Box(54, 126, 268, 302), Box(344, 106, 562, 292)
"""Around the raccoons of ``PAIR``."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--languages", nargs="+", default=["en", "de"])
    parser.add_argument("--generator", type=int, metavar="STEPS", help="train one too, and take its picture")
    chosen = parser.parse_args()
    for language in chosen.languages:
        if len(chosen.languages) > 1:  # a window speaks one language from its start
            rest = [] if chosen.generator is None else ["--generator", str(chosen.generator)]
            subprocess.run([sys.executable, __file__, "--languages", language, *rest], check=True)
            continue
        place = tempfile.mkdtemp(prefix="boxscout-screenshots-")
        os.environ.update(XDG_DATA_HOME=place, XDG_CONFIG_HOME=place, XDG_STATE_HOME=place)
        try:
            take_all(language, Path(place), chosen.generator)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def take_all(language: str, place: Path, steps: int | None) -> None:
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
    truth = unpacked(place)
    take_training(window, save, place / PHOTOS)
    take_review(window, save)
    take_dark(window, save)
    take_truth(window, save, truth)
    take_mending(window, save, place)
    if steps is not None:
        take_generator(window, save, place / PHOTOS, steps)
    closed: list[bool] = []
    window.workbench.closed.connect(lambda: closed.append(True))
    window.close()
    wait(lambda: bool(closed))


Save = Callable[[QWidget, str], None]


def unpacked(place: Path) -> Path:
    """Put the photos into the folder ``PHOTOS`` of ``place``, and return the folder of their true boxes."""
    with zipfile.ZipFile(DATA / "raccoon.zip") as archive:
        archive.extractall(place)
    source, photos = place / "raccoon", place / PHOTOS
    photos.mkdir()
    for photo in source.glob("images/*.jpg"):
        with Image.open(photo) as image:
            width, height = image.size
        is_shown = int(photo.stem.rpartition("-")[2]) not in NOT_SHOWN
        if is_shown and width >= LEAST_WIDTH and width >= LEAST_ASPECT * height:
            photo.rename(photos / photo.name)
    return source / "annotations"


def take_training(window: MainWindow, save: Save, photos: Path) -> None:
    """Photos of raccoons, learned with what the form proposes."""
    session = window.session
    window.open_paths([photos])
    wait(lambda: session.images.total > 0 and not session.activities)
    settle(1.0)
    save(window, "start")
    window.train_panel.start_button.click()
    # A look comes before a third of the photos are seen, and its heat maps a moment later.
    wait(lambda: session.training.step >= 0.3 * session.training.steps > 0 and session.heat_map is not None)
    save(window, "training")
    wait_for_rest(window)


def take_review(window: MainWindow, save: Save) -> None:
    show(window, IN_THE_MIDDLE)
    save(window, "window")
    window.actions_["palette"].trigger()
    save(shown_dialog(window), "palette")
    shown_dialog(window).close()

    def grab_modal() -> None:
        dialog = shown_dialog(window)
        dialog.path_edit.blockSignals(True)  # type: ignore[attr-defined]
        dialog.path_edit.setText(str(HOME / "raccoons.csv"))  # type: ignore[attr-defined]
        save(dialog, "export")
        dialog.reject()

    QTimer.singleShot(500, grab_modal)
    window.actions_["export"].trigger()


def take_truth(window: MainWindow, save: Save, truth: Path) -> None:
    """Import the photos' truth through the dialog, and look at the worst."""
    session, measures = window.session, window.session.measures
    window.actions_["import_boxes"].trigger()
    (dialog,) = [each for each in window.findChildren(ImportDialog) if each.isVisible()]
    dialog.meaning.second.click()
    dialog.path_edit.setText(str(truth))
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
    window.actions_["show_accuracy"].setChecked(False)


def take_mending(window: MainWindow, save: Save, place: Path) -> None:
    """Files that cannot be used, and a folder that was moved while its project was closed."""
    session = window.session
    photos = bad_files(place / "more photos")
    window.workbench.add_paths([photos])
    wait(lambda: bool(session.problems.files) and not session.activities)
    show(window, IN_THE_MIDDLE)
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
    wait(lambda: session.measures.standing is not None)
    wait_for_rest(window)
    window.actions_["show_accuracy"].setChecked(False)
    (lost,) = session.mending.lost
    session.set_mending(lost=(replace(lost, root=HOME / lost.root.name),))
    save(window, "moved")


def take_dark(window: MainWindow, save: Save) -> None:
    """Looking through: both raccoons of a photo have a box drawn by hand."""
    show(window, PAIR)
    window.workbench.editing.clear()
    for box in BOTH:
        window.workbench.editing.draw(box)
    style.apply(QApplication.instance(), "dark")
    save(window, "dark")
    style.apply(QApplication.instance(), "light")


def take_generator(window: MainWindow, save: Save, photos: Path, steps: int) -> None:
    """In a project of its own: beside another run and truth there is no room for what is painted."""
    session = window.session
    window.actions_["new"].trigger()
    wait(lambda: session.project is None)
    window.open_paths([photos.rename(photos.with_name("raccoons again"))])
    wait(lambda: session.images.total > 0 and not session.activities)
    window.workbench.start_training(PRESETS["generator"].with_(steps=steps))
    wait(lambda: session.training.step >= 0.6 * steps and session.samples is not None)
    save(window, "generator")
    window.workbench.run.stop()
    wait_for_rest(window)


def bad_files(folder: Path) -> Path:
    """Photos as people have them: two whole, one empty, one PDF."""
    folder.mkdir()
    for name in ("garden.jpg", "hedge.jpg"):
        Image.new("RGB", (320, 240), (120, 160, 90)).save(folder / name)
    (folder / "empty.jpg").touch()
    (folder / "invoice.pdf").write_bytes(b"%PDF-1.4")
    return folder


def show(window: MainWindow, name: str) -> None:
    """Bring the photo of this name into view, with its heat map."""
    session = window.session
    (found,) = [record for record in session.images.records if record.path.name == name]
    session.select(found.id)
    wait(lambda: session.picture is not None and session.heat_map is not None)


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
