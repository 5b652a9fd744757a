"""A project on a read-only disk in the real window: looked at, exported, and gone on with in a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot
from window_support import LONG, TINY, close, draw_folder, drop, export, fill, finish, settle, start

from app.main_window import MainWindow
from app.views.message import ErrorDialog
from core.base.annotations import BoxRecord, Source, Status
from core.base.geometry import Box
from core.project.store import Project
from core.project.truth import set_truth

EDITED = BoxRecord(Box(4, 6, 20, 15), source=Source.EDITED)
WORK = ("start", "find_boxes", "accept", "reject", "unmark", "accept_above", "import_boxes", "draw", "clear")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Copies a folder to a disk that nobody can write to, and says where it lies there."""
    disk = tmp_path / "disk"
    disk.mkdir()
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:  # whom permissions do not bind
        command = ["mount", "-t", "tmpfs", "boxscout-test", str(disk)]
        if (
            shutil.which("mount") is None
            or subprocess.run(command, capture_output=True, check=False).returncode
        ):
            pytest.skip("a disk cannot be mounted here")

    def lock(folder: Path) -> Path:
        shutil.copytree(folder, disk, dirs_exist_ok=True)
        if is_root:
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for path in (*disk.rglob("*"), disk):
            with suppress(OSError):
                path.chmod(0o555 if path.is_dir() else 0o444)
        return disk

    yield lock
    if is_root:
        subprocess.run(["umount", str(disk)], check=True)
    for path in (disk, *disk.rglob("*")):
        path.chmod(0o755)


@pytest.fixture
def trained(tmp_path: Path, folder: Path, qtbot: QtBot) -> Path:
    """The place of a project of twelve images with boxes, a training, truth, and a person's work."""
    first = MainWindow()
    first.show()
    fill(qtbot, first, folder, 12)
    start(qtbot, first, TINY)
    finish(qtbot, first)
    settle(qtbot, first)
    project = first.session.project
    project.set_boxes(1, [EDITED])
    project.set_statuses({1: Status.ACCEPTED})
    set_truth(project, {1: [EDITED], 2: [EDITED]})
    path = project.path
    close(qtbot, first)
    return path


def _told(qtbot: QtBot, window: MainWindow) -> str:
    """What an error says, which is then closed."""
    qtbot.waitUntil(lambda: any(one.isVisible() for one in window.findChildren(ErrorDialog)), timeout=LONG)
    [shown] = (one for one in window.findChildren(ErrorDialog) if one.isVisible())
    shown.close()
    return shown.sentence.text()


def test_a_project_that_may_only_be_read_is_looked_at_and_gone_on_with_in_a_copy(
    window: MainWindow,
    trained: Path,
    read_only: Callable[[Path], Path],
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    disk = read_only(trained.parent)
    before = {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()}
    session, bench, path = window.session, window.workbench, disk / trained.name
    window.open_paths([path])
    qtbot.waitUntil(lambda: session.project is not None and session.picture is not None, timeout=LONG)
    settle(qtbot, window)
    qtbot.waitUntil(lambda: session.measures.standing is not None, timeout=LONG)
    assert window.notice.isVisible() and "changes are not saved" in window.notice.text.text()
    assert window.windowTitle() == f"{trained.stem} (read-only) – Boxscout"

    # All is there to be looked at.
    assert session.boxes == session.in_view.truth == (EDITED,)
    assert session.picture.image is not None and session.heat_map is not None
    assert window.train_panel.plot.points()["d"][0].tolist() == [2, 4, 6]
    assert window.train_panel.gallery.samples.count() == 64
    window.actions_["next"].trigger()
    qtbot.waitUntil(lambda: session.has_evidence and session.picture is not None, timeout=LONG)
    found = session.boxes
    slider = window.bar.threshold_slider
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(0.1 * slider.width()), 8))
    settle(qtbot, window)
    assert session.boxes and session.boxes != found
    out = tmp_path / "boxes.csv"
    export(qtbot, window, "csv", out)
    row = pd.read_csv(out).set_index("filename").loc["image 2.png"]
    box = session.boxes[0].box
    assert (row.xmin, row.ymin, row.xmax, row.ymax) == pytest.approx((box.x0, box.y0, box.x1, box.y1), abs=1)

    # What would have to be kept is refused.
    assert [name for name in WORK if window.actions_[name].isEnabled()] == []
    assert not window.train_panel.start_button.isEnabled() and not window.train_panel.source.box.isEnabled()
    bench.editing.draw(Box(1, 2, 30, 20))
    assert "is read-only" in _told(qtbot, window)
    assert drop(window.splitter, [draw_folder(tmp_path / "more", 3)])
    qtbot.waitUntil(lambda: "“more”" in window.notice.text.text(), timeout=LONG)
    open_it, cancel = window.notice.buttons  # nothing can be added here
    assert (open_it.text(), cancel.text()) == ("Open", "Cancel")
    cancel.click()
    assert not window.actions_["add_folder"].isEnabled() and not window.actions_["remove_images"].isEnabled()
    assert session.images.total == 12 and session.boxes[0].box == box
    window.actions_["undo"].trigger()
    settle(qtbot, window)
    assert session.boxes == found, "a threshold to look at is taken back like any"

    copy = tmp_path / "mine.boxscout"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(copy), ""))
    [button] = window.notice.buttons
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.project is not None and session.project.path == copy, timeout=LONG)
    settle(qtbot, window)
    assert not window.notice.isVisible() and "read-only" not in window.windowTitle()
    window.actions_["reject"].trigger()
    with Project.open(copy) as project:
        assert project.image(2).status is Status.REJECTED and project.boxes(1) == (EDITED,)
    assert {path: path.read_bytes() for path in disk.rglob("*") if path.is_file()} == before


def test_a_window_that_only_looks_can_be_closed(
    window: MainWindow, trained: Path, read_only: Callable[[Path], Path], qtbot: QtBot
) -> None:
    path = read_only(trained.parent) / trained.name
    other = MainWindow()
    other.show()
    told: list[BaseException] = []
    other.session.error.connect(lambda error, _: told.append(error))
    other.open_paths([path])
    qtbot.waitUntil(lambda: other.session.picture is not None, timeout=LONG)
    close(qtbot, other)
    assert not told
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    assert window.session.images.records[0].status is Status.ACCEPTED
    settle(qtbot, window)
