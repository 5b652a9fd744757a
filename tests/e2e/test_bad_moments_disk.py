"""A disk that becomes full in the middle, in the real window: what was approved stays, work goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from disk_support import mounted
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from review_support import COUNT, fill_with_boxes, on_disk
from test_bad_moments import SMALL, find, told
from window_support import LONG, begin_export, close, draw_folder, fill, finish, settle, start

from app.main_window import MainWindow
from app.views.message import DoneDialog
from core.base.annotations import Status
from core.images.sample import draw_sample
from core.project.runs import runs

FULL = "The disk is full: the last change could not be saved in “"
FEW = 4
WHAT_NEXT = "Free some space and try again."


@dataclass(frozen=True)
class Disk:
    """A small disk that can be filled to its last byte."""

    place: Path

    def fill(self, *, but: int = 0) -> None:
        """Leave no room ``but`` for so many bytes."""
        rest = self.place / "rest"
        with suppress(OSError), rest.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        os.truncate(rest, rest.stat().st_size - but)

    def free(self) -> None:
        (self.place / "rest").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Where the window keeps its projects, a disk of 3 MiB. Taken before ``window``, it goes after it."""
    with mounted(tmp_path / "data", "3m", lazily=True) as place:
        yield Disk(place)


def all_on_disk(window: MainWindow, count: int) -> dict[int, object]:
    return {i: (on_disk(window, i), window.session.project.image(i).status) for i in range(1, count + 1)}


def test_full_in_the_middle_of_a_search(disk: Disk, window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    draw_sample(tmp_path / "drawn", count=FEW, seed=3)
    fill(qtbot, window, tmp_path / "drawn" / "images", FEW)
    find(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_A)
    settle(qtbot, window)
    before, session = all_on_disk(window, FEW), window.session

    start(qtbot, window, SMALL)
    qtbot.waitUntil(lambda: session.training.fraction > 0, timeout=LONG)
    disk.fill()
    qtbot.waitUntil(lambda: not session.training.phase.running, timeout=LONG)
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    said = told(qtbot, window)
    assert "the disk is full" in said.casefold()
    assert all_on_disk(window, FEW) == before
    assert window.train_panel.start_button.isEnabled(), "it can be tried again"

    disk.free()
    start(qtbot, window, SMALL)
    finish(qtbot, window)
    settle(qtbot, window)
    qtbot.waitUntil(lambda: "has found its boxes" in window.notice.text.text(), timeout=LONG)
    assert all_on_disk(window, FEW) == before, "unchanged until they are taken"
    assert [run.is_saved for run in runs(session.project)][-1]


def test_full_while_boxes_are_saved(disk: Disk, window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    draw_sample(tmp_path / "drawn", count=FEW, seed=3)
    fill(qtbot, window, tmp_path / "drawn" / "images", FEW)
    start(qtbot, window, SMALL)
    qtbot.waitUntil(lambda: window.workbench.localization.running, timeout=LONG)
    disk.fill()
    qtbot.waitUntil(lambda: not window.workbench.pump.busy, timeout=LONG)
    said = told(qtbot, window)
    assert said.startswith(FULL) and said.endswith(WHAT_NEXT)
    disk.free()
    window.actions_["find_boxes"].trigger()
    settle(qtbot, window)
    qtbot.waitUntil(lambda: f"Boxes for {FEW} images are ready." in window.notice.text.text(), timeout=LONG)
    assert all(on_disk(window, i).boxes for i in range(1, FEW + 1))


def test_a_verdict_that_cannot_be_saved_stays_in_view(
    disk: Disk, window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    fill_with_boxes(qtbot, window, folder)
    session = window.session
    qtbot.keyClick(window, Qt.Key.Key_A)
    settle(qtbot, window)
    disk.fill()
    judged = [1]
    for _ in range(COUNT):  # what lay free in files that are there already takes some more
        current = session.current
        qtbot.keyClick(window, Qt.Key.Key_A)
        if session.current == current:
            break
        judged.append(current)
    said = told(qtbot, window)
    assert said.startswith(FULL) and said.endswith(WHAT_NEXT)
    assert session.record.id == current, "the image stays in view"
    assert session.record.status is Status.UNSEEN
    for i in range(1, COUNT + 1):
        wanted = Status.ACCEPTED if i in judged else Status.UNSEEN
        assert session.project.image(i).status is wanted, "what is shown as done is done"
        assert session.images.record(i).status is wanted

    disk.free()
    qtbot.keyClick(window, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: session.current != current, timeout=LONG)
    assert session.project.image(current).status is Status.ACCEPTED
    settle(qtbot, window)


def test_a_window_on_a_full_disk_closes_and_opens_again(
    disk: Disk, window: MainWindow, folder: Path, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill_with_boxes(qtbot, first, folder)
    qtbot.keyClick(first, Qt.Key.Key_A)
    settle(qtbot, first)
    approved, path = on_disk(first, 1), first.session.project.path
    disk.fill()
    first.workbench.browsing.set_threshold(0.7)  # what is to be saved with the view
    close(qtbot, first)
    disk.free()
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.picture is not None, timeout=LONG)
    settle(qtbot, window)
    assert on_disk(window, 1) == approved
    assert window.session.images.record(1).status is Status.ACCEPTED
    assert len(window.session.project.all_boxes()) == COUNT


def test_nothing_opens_on_a_full_disk_until_there_is_room(
    disk: Disk, window: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    first = MainWindow()
    first.show()
    fill_with_boxes(qtbot, first, folder)
    settle(qtbot, first)
    path = first.session.project.path
    close(qtbot, first)
    disk.fill()
    window.open_paths([path])
    said = f"The disk is full: “{path.name}” could not be opened. Free some space and try again."
    assert told(qtbot, window) == said
    window.open_paths([draw_folder(tmp_path / "more", 3)])
    assert told(qtbot, window).endswith(WHAT_NEXT)
    assert window.session.project is None

    disk.free()
    window.open_paths([tmp_path / "more"])  # that nothing could be kept of holds nobody off
    qtbot.waitUntil(lambda: window.session.images.total == 3, timeout=LONG)
    window.open_paths([path])
    qtbot.waitUntil(lambda: window.session.images.total == COUNT, timeout=LONG)
    settle(qtbot, window)
    assert len(window.session.project.all_boxes()) == COUNT


def test_full_in_the_middle_of_an_export(disk: Disk, window: MainWindow, folder: Path, qtbot: QtBot) -> None:
    fill_with_boxes(qtbot, window, folder)
    settle(qtbot, window)
    disk.fill(but=40_000)  # a few photos have room there
    before = sorted(path.name for path in disk.place.iterdir())
    begin_export(qtbot, window, "yolo", disk.place / "set")
    assert told(qtbot, window) == "“set” could not be written: the disk is full."
    assert sorted(path.name for path in disk.place.iterdir()) == before, "nothing half is left"
    assert len(window.session.project.all_boxes()) == COUNT

    disk.free()
    with qtbot.waitSignal(window.workbench.exporting.exported, timeout=LONG):
        begin_export(qtbot, window, "yolo", disk.place / "set")
    assert len(list((disk.place / "set" / "images").rglob("*.png"))) == COUNT
    window.findChild(DoneDialog).close()
    settle(qtbot, window)
