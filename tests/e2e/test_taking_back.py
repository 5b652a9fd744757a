"""An import for many images is taken back in a thread, and what the person does meanwhile comes after it."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Timer

import pytest
from pytestqt.qtbot import QtBot
from window_support import LONG, fill, settle

from app.controllers import editing
from app.main_window import MainWindow
from app.models.export import ImportRequest
from app.views.message import DoneDialog
from core.base.annotations import BoxRecord, Status
from core.base.errors import ProjectError
from core.base.geometry import Box
from core.project.exchange import plan_import
from core.project.rows import Kept
from core.project.store import Project


class _Held:
    """The next writing of boxes waits for :attr:`go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
        self.begun, self.go = Event(), Event()
        write = Project.set_kept

        def held(project: Project, boxes: dict[int, Kept]) -> None:
            monkeypatch.setattr(Project, "set_kept", write)
            self.begun.set()
            assert self.go.wait(LONG / 1000)
            if error is not None:
                raise error
            write(project, boxes)

        monkeypatch.setattr(Project, "set_kept", held)


@pytest.fixture
def imported(
    window: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    """Twelve images, ten with a box and one of these rejected, into all of which a file has brought boxes."""
    monkeypatch.setattr(editing, "MANY", 12)
    fill(qtbot, window, folder, 12)
    project, records = window.session.project, window.session.images.records
    project.set_auto_boxes({one.id: [BoxRecord(Box(1, 2, 20, 25))] for one in records[:10]})
    project.set_sizes({one.id: (40, 30) for one in records})
    project.set_statuses({records[9].id: Status.REJECTED})
    names = [one.name for one in records]
    rows = [f"{name},40,30,object,3,4,33,24" for name in names]
    path = tmp_path / "boxes.csv"
    path.write_text("\n".join(["filename,width,height,class,xmin,ymin,xmax,ymax", *rows]) + "\n")
    request = ImportRequest(plan_import(window.session.project, path), status=Status.ACCEPTED)
    settle(qtbot, window)
    with qtbot.waitSignal(window.workbench.importing.imported, timeout=LONG):
        window.workbench.importing.import_boxes(request)
    for done in window.findChildren(DoneDialog):
        done.close()
    settle(qtbot, window)
    return window


IMPORTED = Box(3, 4, 33, 24)


def _on_disk(window: MainWindow) -> list[tuple[Box, ...]]:
    with Project.open(window.session.project.path) as other:
        return [tuple(one.box for one in image.boxes) for image in other.image_boxes()]


def test_an_import_for_many_images_is_taken_back_beside_the_window(
    imported: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, session = imported, imported.session
    assert _on_disk(window) == [(IMPORTED,)] * 12
    held = _Held(monkeypatch)
    window.actions_["undo"].trigger()  # returns although nothing is written yet
    assert held.begun.wait(LONG / 1000)
    assert session.activities["undo"].text == "Undoing…"
    assert window.workbench.editing.undo_text == "Import boxes"
    held.go.set()
    settle(qtbot, window)
    assert not session.activities
    assert _on_disk(window) == [(Box(1, 2, 20, 25),)] * 10 + [()] * 2
    assert [one.status for one in session.project.images()] == [
        Status.REJECTED if i == 9 else Status.UNSEEN for i in range(12)
    ]
    columns = session.images.table.columns
    assert set(columns.statuses(range(1, 13)).values()) == {Status.REJECTED, Status.UNSEEN}
    assert window.workbench.editing.undo_text == ""
    window.actions_["redo"].trigger()
    settle(qtbot, window)
    assert _on_disk(window) == [(IMPORTED,)] * 12
    assert set(session.images.table.columns.statuses(range(1, 13)).values()) == {Status.ACCEPTED}


@pytest.mark.parametrize("kind", ["draw", "reject", "threshold", "undo"])
def test_an_edit_while_an_import_is_taken_back_comes_after_it(
    imported: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    window, session, bench = imported, imported.session, imported.workbench
    bench.editing.draw(Box(5, 5, 9, 9))
    bench.editing.undo()
    held = _Held(monkeypatch)
    bench.editing.undo()
    assert held.begun.wait(LONG / 1000)
    Timer(0.2, held.go.set).start()
    {
        "draw": lambda: bench.editing.draw(Box(6, 6, 9, 9), adds=True),
        "reject": lambda: bench.review.set_statuses([1], Status.REJECTED),
        "threshold": lambda: window.bar.threshold_spin.setValue(0.4),
        "undo": bench.editing.undo,
    }[kind]()
    settle(qtbot, window)
    before = [(Box(1, 2, 20, 25),)] * 10 + [()] * 2
    after = [(*before[0], Box(6, 6, 9, 9)), *before[1:]] if kind == "draw" else before
    assert _on_disk(window) == after
    if kind != "undo":
        bench.editing.undo()
        settle(qtbot, window)
        assert _on_disk(window) == before
        assert session.project.image(1).status is Status.UNSEEN
    bench.editing.redo()
    settle(qtbot, window)
    assert _on_disk(window) == ([(IMPORTED,)] * 12 if kind == "undo" else after)


def test_an_import_that_cannot_be_taken_back_stays_and_so_does_the_history(
    imported: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = imported
    held = _Held(monkeypatch, ProjectError("The disk is full."))
    with qtbot.waitSignal(window.session.error, timeout=LONG) as told:
        window.actions_["undo"].trigger()
        held.go.set()
    assert str(told.args[0]) == "The disk is full."
    settle(qtbot, window)
    assert not window.session.activities
    assert _on_disk(window) == [(IMPORTED,)] * 12
    assert window.workbench.editing.undo_text == "Import boxes"
    window.actions_["undo"].trigger()
    settle(qtbot, window)
    assert _on_disk(window)[0] == (Box(1, 2, 20, 25),)
