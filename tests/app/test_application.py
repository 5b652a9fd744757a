"""The program itself: it starts, shows what it was given, catches errors and leaves in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from window_support import draw_folder

from app.application import ErrorHandler
from app.views import dialogs
from core.base.errors import ImageError
from core.learn import checkpoint
from core.project.store import Project
from core.project.workflow import saved_run

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from PySide6.QtCore import QTimer
from app import application
from core.base.config import TrainConfig

def begin():
    window = next(w for w in application.QApplication.topLevelWidgets() if hasattr(w, "workbench"))
    session, bench = window.session, window.workbench
    if session.images.total and not session.activities and not bench.training.running:
        bench.start_training(TrainConfig(steps=1_000_000, image_size=32, width=8, batch_size=8, device="cpu"))
    if session.training.step > 2:
        print("training", flush=True)
        timer.stop()

app = application.make_application()
timer = QTimer()
timer.timeout.connect(begin)
timer.start(50)
sys.exit(application.run(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_training_saves_and_leaves(tmp_path: Path, number: signal.Signals) -> None:
    folder = draw_folder(tmp_path / "photos", 12)
    places = {name: str(tmp_path / name) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        cwd=ROOT,
        env={**os.environ, **places},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        assert program.stdout.readline() == "training\n", program.stderr.read() if program.stderr else ""
        program.send_signal(number)
        _, said = program.communicate(timeout=30)
    finally:
        program.kill()
        program.communicate()
    assert program.returncode == 0
    assert "Traceback" not in said
    [path] = (tmp_path / "XDG_DATA_HOME").rglob("*.boxscout")
    with Project.open(path) as project:
        assert len(project.images()) == 12
        assert checkpoint.load(saved_run(project, "gan").file).step > 2


def test_errors_that_nobody_caught_reach_the_window(qtbot: QtBot) -> None:
    handler = ErrorHandler()
    caught: list[tuple[str, str]] = []
    handler.caught.connect(lambda error, details: caught.append((str(error), details)))
    handler.install()
    try:
        sys.excepthook(ValueError, ValueError("here"), None)
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        qtbot.waitUntil(lambda: len(caught) == 2)
    finally:
        handler.uninstall()
    assert [text for text, _ in caught] == ["here", "division by zero"]
    assert "ZeroDivisionError" in caught[1][1]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ImageError("It is empty."), "It is empty."),
        (ValueError("first line\nsecond"), "Something went wrong: first line"),
        (KeyError(), "Something went wrong: KeyError"),
        (MemoryError(), "too little free memory"),
        (RuntimeError("CUDA out of memory. Tried"), "smaller batch"),
    ],
)
def test_every_error_has_a_sentence(error: BaseException, sentence: str) -> None:
    assert sentence in dialogs.sentence_of(error)


def test_the_start_loads_nothing_heavy_that_only_some_need(tmp_path: Path) -> None:
    """Figures and the command line are for later; each of these costs a person a part of a second."""
    code = "import sys, app.main_window; print(*(name for name in sys.modules if '.' not in name))"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(said.stdout.split())
    assert {"pyqtgraph", "app"} <= loaded
    assert not loaded & {"torch", "onnxruntime", "matplotlib", "typer", "rich", "pandas", "scipy"}
