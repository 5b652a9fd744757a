"""What tests of looking through images share: twelve images with a box each, and the hands on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot
from window_support import LONG, fill, settle

from app.main_window import MainWindow
from core.base.geometry import Box
from core.boxes.batches import find_box
from core.project.queries import kept
from core.project.rows import Kept
from core.project.store import Project

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
WIDTH, HEIGHT, COUNT = 40, 30, 12
MAP = np.zeros((8, 8), np.float32)
MAP[1:4, 2:6] = 1.0


def fill_with_boxes(qtbot: QtBot, window: MainWindow, folder: object, heat: np.ndarray = MAP) -> None:
    """Open the folder, and give each image what a run leaves behind; the first is in view."""
    fill(qtbot, window, folder, COUNT)
    window.activateWindow()
    qtbot.waitUntil(lambda: window.session.has_evidence, timeout=LONG)
    project = window.session.project
    project.set_sizes(dict.fromkeys(range(1, COUNT + 1), (WIDTH, HEIGHT)))
    project.set_heat_maps(dict.fromkeys(range(1, COUNT + 1), heat), step=1)
    with qtbot.waitSignal(window.workbench.deciding.decided, timeout=LONG):
        window.workbench.localization.evidence_changed.emit()
    settle(qtbot, window)
    ready(qtbot, window)


@pytest.fixture
def found(window: MainWindow, folder: Path, qtbot: QtBot) -> MainWindow:
    """A window with :func:`fill_with_boxes`."""
    fill_with_boxes(qtbot, window, folder)
    return window


def ready(qtbot: QtBot, window: MainWindow) -> None:
    """Wait until the image in view is there with all that is known of it."""
    session = window.session
    qtbot.waitUntil(lambda: session.picture is not None and session.heat_map is not None, timeout=LONG)


def automatic() -> Box:
    """The box that every image has, found without the window."""
    return find_box(MAP, width=WIDTH, height=HEIGHT).box


def on_disk(window: MainWindow, image_id: int | None = None) -> Kept:
    """Boxes of an image as another program finds them in the file just now."""
    image_id = image_id or window.session.current
    with Project.open(window.session.project.path) as other:
        return kept(other, [image_id])[image_id]


def at(window: MainWindow, x: float, y: float) -> QPoint:
    """Where on the canvas a point of the image lies."""
    view = window.canvas.viewport_state
    return QPointF(view.x + x * view.scale, view.y + y * view.scale).toPoint()


def drag(
    qtbot: QtBot,
    window: MainWindow,
    box: Box,
    *,
    keys: Qt.KeyboardModifier = NONE,
    button: Qt.MouseButton = LEFT,
) -> None:
    """Drag from the upper left corner of ``box``, in pixels of the image, to its lower right one."""
    start, end = at(window, box.x0, box.y0), at(window, box.x1, box.y1)
    qtbot.mousePress(window.canvas, button, keys, start)
    qtbot.mouseMove(window.canvas, (start + end) / 2)
    qtbot.mouseMove(window.canvas, end)
    qtbot.mouseRelease(window.canvas, button, keys, end)
