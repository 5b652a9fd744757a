"""A window that is killed in the middle of editing loses nothing that it showed as done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from window_support import draw_folder

from core.base.annotations import Status
from core.project.queries import kept
from core.project.store import Project

REPOSITORY = Path(__file__).parents[2]

# After each key the script says what the window shows; the kill comes at a moment that it does not choose.
SCRIPT = """
import json, os, sys
from pathlib import Path
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from app.application import make_application
from app.main_window import MainWindow
app = make_application()
window = MainWindow()
window.show()
session = window.session
window.open_paths([Path(sys.argv[1])])
while session.images.total < 3 or session.activities or not session.has_evidence or session.picture is None:
    app.processEvents()
Key = Qt.Key
n = 0
while True:
    keys = [Key.Key_D, Key.Key_Return, Key.Key_Right, Key.Key_Down, Key.Key_Escape, Key.Key_X, Key.Key_U]
    for key in keys:
        QTest.keyClick(window.canvas, key)
        app.processEvents()
        session.select(session.images.records[0].id)  # a verdict goes on to the next image
        while session.record.id != session.images.records[0].id or not session.has_evidence:
            app.processEvents()
        window.workbench.browsing.set_threshold((n % 80) / 100)
        n += 1
        boxes = [[b.box.x0, b.box.y0, b.box.x1, b.box.y1] for b in session.boxes]
        shown = [n, boxes, session.record.status.value, session.view.threshold]
        print(json.dumps([str(session.project.path), shown]), flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("edits", [3, 16, 45])
def test_nothing_shown_as_done_is_lost_by_a_kill(tmp_path: Path, edits: int) -> None:
    folder = draw_folder(tmp_path / "photos", 3)
    places = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("DATA", "CONFIG", "STATE", "CACHE")}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder)],
        cwd=REPOSITORY,
        env={**os.environ, **places},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(edits)]
    os.kill(process.pid, signal.SIGKILL)
    lines += [line for line in process.stdout.read().splitlines() if line.endswith("]]")]
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    path, (done, boxes, status, threshold) = json.loads(lines[-1])
    assert done >= edits
    with Project.open(Path(path)) as project:
        image = project.images()[0]
        found = [[r.box.x0, r.box.y0, r.box.x1, r.box.y1] for r in kept(project, [image.id])[image.id].boxes]
        # One key more may have been pressed and not yet told.
        assert abs(len(found) - len(boxes)) <= 1
        assert found[: len(boxes) - 1] == boxes[:-1]
        if found != boxes:
            assert len(found) > len(boxes) or moved_by_one(found[-1], boxes[-1])
        assert image.status in (Status(status), *AFTER[Status(status)])
        view = project.load_view()
        assert round(view.threshold * 100) in (round(threshold * 100), (round(threshold * 100) + 1) % 80)


AFTER = {Status.UNSEEN: (Status.REJECTED,), Status.REJECTED: (Status.UNSEEN,)}


def moved_by_one(now: list[float], before: list[float]) -> bool:
    return sorted(abs(a - b) for a, b in zip(now, before, strict=True)) == [0, 0, 1, 1]
