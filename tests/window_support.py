"""What tests of the window share: folders of images, a tiny training, and windows that leave no thread."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from PIL import Image
from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QLocale,
    QMimeData,
    QSettings,
    Qt,
    QTimer,
    QTranslator,
    QUrl,
)
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from app import speech, style
from app.controllers.workbench import Workbench
from app.main_window import MainWindow
from app.models.session import Session
from app.models.training import Phase
from app.views.export_dialog import ExportDialog
from core.base import language
from core.base.config import TrainConfig
from core.images.sample import draw_sample

LONG = 30_000

TINY = TrainConfig(
    steps=6,
    image_size=32,
    width=8,
    batch_size=8,
    latent_size=8,
    sample_every=2,
    snapshot_every=2,
    device="cpu",
    precision="fp32",
)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has its own projects, log and settings."""
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: tmp_path / "data")
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(platformdirs, "user_log_path", lambda *_, **__: tmp_path / "log")
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    yield
    # QSettings keeps values of a path in memory: the next test has another path.
    shutil.rmtree(tmp_path / "settings", ignore_errors=True)


@pytest.fixture
def tiny() -> TrainConfig:
    return TINY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve images, 40 x 30 pixels, each with a bright square somewhere on noise."""
    return draw_folder(tmp_path / "photos", 12)


@pytest.fixture
def beetles(tmp_path: Path) -> Path:
    """24 drawn photos, each with one beetle."""
    draw_sample(tmp_path / "drawn", count=24, seed=3)
    return tmp_path / "drawn" / "images"


def click(qtbot: QtBot, button: QWidget) -> None:
    """Click what a person could click."""
    assert button.isVisible() and button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def draw_folder(where: Path, count: int) -> Path:
    where.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(count)
    for i in range(count):
        pixels = rng.integers(0, 80, (30, 40, 3), dtype=np.uint8)
        x, y = rng.integers(0, 28), rng.integers(0, 18)
        pixels[y : y + 12, x : x + 12] = (230, 200, 60)
        Image.fromarray(pixels).save(where / f"image {i + 1}.png")
    return where


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Workbench]:
    """A workbench without a window; its errors fail the test unless taken from ``bench.errors``."""
    made = Workbench()
    made.errors = errors = []  # type: ignore[attr-defined]
    made.session.error.connect(lambda error, details: errors.append((error, details)))
    yield made
    leave(qtbot, made)
    assert not errors, errors


def leave(qtbot: QtBot, bench: Workbench) -> None:
    """Close everything, as the window does."""
    if not bench.is_closed:
        with qtbot.waitSignal(bench.closed, timeout=30_000):
            bench.shut_down()


@pytest.fixture
def opened(bench: Workbench, folder: Path, qtbot: QtBot) -> Workbench:
    """A workbench with the twelve images scanned."""
    open_and_scan(qtbot, bench, folder, 12)
    return bench


def open_and_scan(qtbot: QtBot, bench: Workbench, folder: Path, total: int) -> None:
    bench.open_paths([folder])
    qtbot.waitUntil(
        lambda: bench.session.images.total == total and not bench.session.activities, timeout=10_000
    )


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    """The real window, shown; it is closed as a person closes it, and must then be gone."""
    style.apply(QApplication.instance(), "light")
    shown = MainWindow()
    shown.show()
    qtbot.waitExposed(shown)
    yield shown
    close(qtbot, shown)


def close(qtbot: QtBot, window: MainWindow) -> None:
    """Close the window as a person does, and wait until it has saved and gone."""
    for dialog in window.findChildren(QDialog):
        dialog.close()
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible() and window.workbench.is_closed, timeout=30_000)
    window.deleteLater()
    QCoreApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


def drop(
    target: QWidget, paths: list[Path | QUrl], offered: Qt.DropAction = Qt.DropAction.CopyAction
) -> Qt.DropAction | None:
    """Drop files on a widget as the desktop does, where the source proposes a move if it offers one.

    What the source is told to have happened to them; None where they were not taken.
    """
    data = QMimeData()
    data.setUrls([path if isinstance(path, QUrl) else QUrl.fromLocalFile(str(path)) for path in paths])
    where = target.rect().center()
    moves = bool(offered & Qt.DropAction.MoveAction)
    left, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    keys = Qt.KeyboardModifier.ShiftModifier if moves else keys
    for kind, at in ((QDragEnterEvent, where), (QDragMoveEvent, where), (QDropEvent, where.toPointF())):
        event = kind(at, offered, data, left, keys)
        assert not moves or event.proposedAction() == Qt.DropAction.MoveAction
        QApplication.sendEvent(target, event)
        if not event.isAccepted():
            return None
    return event.dropAction()


def fill(qtbot: QtBot, window: MainWindow, folder: Path, total: int) -> None:
    """Drop a folder on the window and wait until its images are there and the first is seen."""
    assert drop(window.pages.currentWidget(), [folder])
    session = window.session
    qtbot.waitUntil(lambda: session.images.total == total and not session.activities, timeout=LONG)
    qtbot.waitUntil(lambda: session.picture is not None, timeout=LONG)


def start(qtbot: QtBot, window: MainWindow, config: TrainConfig) -> None:
    window.train_panel.set_config(config)
    qtbot.mouseClick(window.train_panel.start_button, Qt.MouseButton.LeftButton)
    assert window.session.training.phase is Phase.PREPARING


def held_step(qtbot: QtBot, session: Session) -> int:
    """The step at which a pause holds: the one in hand may still end, the next may not begin."""
    for _ in range(20):
        step = session.training.step
        qtbot.wait(700)
        if session.training.step == step:
            return step
    raise AssertionError("The training goes on while it is paused.")


def finish(qtbot: QtBot, window: MainWindow) -> None:
    """Wait for the end of a training and of the search for boxes."""
    session = window.session
    qtbot.waitUntil(lambda: not session.training.phase.running, timeout=LONG)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    qtbot.waitUntil(lambda: session.heat_map is not None, timeout=LONG)


def begin_export(qtbot: QtBot, window: MainWindow, name: str, path: Path) -> None:
    """File > Export through its dialog, which closes."""

    def fill_in() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, ExportDialog)
        dialog.format.setCurrentIndex(dialog.format.findData(name))
        dialog.path_edit.setText(str(path))
        qtbot.mouseClick(dialog.export, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, fill_in)
    window.actions_["export"].trigger()


def export(qtbot: QtBot, window: MainWindow, name: str, path: Path) -> None:
    """:func:`begin_export`, up to the summary."""
    with qtbot.waitSignal(window.workbench.exporting.exported, timeout=LONG):
        begin_export(qtbot, window, name, path)
    summary = next(
        d for d in QApplication.topLevelWidgets() if d.windowTitle() and hasattr(d, "lines") and d.isVisible()
    )
    assert str(path) in summary.where.text()
    summary.close()


def settle(qtbot: QtBot, window: MainWindow) -> None:
    """Wait until every box is made and no thread works any more."""
    bench = window.workbench
    qtbot.waitUntil(
        lambda: (
            not bench.pump.busy and not bench.deciding._timer.isActive() and not bench.localization.running
        ),
        timeout=LONG,
    )


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    locale = QLocale()
    yield
    language.speak("en")
    QLocale.setDefault(locale)
    app = QApplication.instance()
    for translator in app.findChildren(QTranslator):
        QCoreApplication.removeTranslator(translator)
        translator.deleteLater()


def opened_window(qtbot: QtBot, request: pytest.FixtureRequest) -> MainWindow:
    """The real window, made in the language of now; it is closed at the end of the test."""
    style.apply(QApplication.instance(), "light")
    window = MainWindow()
    request.addfinalizer(lambda: close(qtbot, window))
    window.resize(1280, 800)
    window.show()
    qtbot.waitExposed(window)
    return window


def filled_window(tongue: str, qtbot: QtBot, folder: Path, request: pytest.FixtureRequest) -> MainWindow:
    """The real window in a language, with 12 photos."""
    speech.speak(QApplication.instance(), tongue)
    window = opened_window(qtbot, request)
    fill(qtbot, window, folder, 12)
    return window


def in_export_dialog(qtbot: QtBot, window: MainWindow, act: Callable[[ExportDialog], None]) -> None:
    """Open File > Export by its key, act once the counts are there, and leave the dialog closed."""
    failures: list[BaseException] = []

    def when_open() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, ExportDialog)
        try:
            qtbot.waitUntil(lambda: "will be exported" in dialog.total.text(), timeout=LONG)
            act(dialog)
        except BaseException as error:  # within exec() pytest would not see it
            failures.append(error)
        finally:
            if dialog.isVisible():  # after Export it is closed already
                dialog.reject()

    QTimer.singleShot(0, when_open)
    qtbot.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    if failures:
        raise failures[0]
