"""Files that could not be used, listed by reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.views import problems_panel
from app.views.problems_model import ProblemsModel
from app.views.problems_panel import Problem, ProblemsPanel

EMPTY = [Problem(Path(f"/p/empty {i}.jpg"), "It is empty.") for i in range(3)]
CUT = Problem(Path("/p/cut.jpg"), "It ends too early.", warning=True)
NOTE = Problem(Path("/p/<b>note.txt"), "It is not an image.")


@pytest.fixture
def panel(show: Callable[..., QWidget]) -> ProblemsPanel:
    return show(ProblemsPanel(), 900, 240)


def test_the_model_keeps_the_rules_of_models() -> None:
    model = ProblemsModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.set_problems([CUT, *EMPTY])
    model.set_problems([CUT, *EMPTY, NOTE, EMPTY[0], CUT])
    model.set_problems([])
    model.set_problems(EMPTY)
    assert model.total() == 3
    del tester


def test_errors_come_before_warnings_each_with_its_files(panel: ProblemsPanel) -> None:
    panel.set_problems([CUT, *EMPTY, NOTE])
    model = panel.model
    groups = [model.index(row, 0) for row in range(model.rowCount())]
    assert [index.data() for index in groups] == [
        "It is empty.  (3)",
        "It is not an image.  (1)",
        "It ends too early.  (1)",
    ]
    first = groups[0]
    assert [model.index(row, 0, first).data() for row in range(3)] == [f"empty {i}.jpg" for i in range(3)]
    assert model.index(0, 1, first).data() == "/p"


def test_copy_takes_the_selection_or_all(panel: ProblemsPanel, qtbot: QtBot) -> None:
    panel.set_problems([*EMPTY, CUT])
    qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
    lines = QGuiApplication.clipboard().text().split("\n")
    assert lines == [f"{p.path}\t{p.reason}" for p in (*EMPTY, CUT)]
    group = panel.model.index(0, 0)
    panel.tree.setCurrentIndex(panel.model.index(1, 0, group))
    panel.tree.setFocus()
    qtbot.keyClick(panel.tree, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == f"{EMPTY[1].path}\tIt is empty."


def test_a_file_is_shown_in_its_folder(panel: ProblemsPanel, qtbot: QtBot) -> None:
    panel.set_problems(EMPTY)
    assert not panel.folder_button.isEnabled()
    panel.tree.setCurrentIndex(panel.model.index(0, 0))
    assert not panel.folder_button.isEnabled()
    panel.tree.setCurrentIndex(panel.model.index(2, 0, panel.model.index(0, 0)))
    with qtbot.waitSignal(panel.show_in_folder_requested) as heard:
        qtbot.mouseClick(panel.folder_button, Qt.MouseButton.LeftButton)
    assert heard.args == [EMPTY[2].path]


def test_what_was_open_stays_open_when_more_come(panel: ProblemsPanel) -> None:
    many = [Problem(Path(f"/p/{i}.jpg"), f"Reason {i % 2}.") for i in range(200)]
    panel.set_problems(many)
    assert not panel.tree.isExpanded(panel.model.index(0, 0))
    panel.tree.expand(panel.model.index(1, 0))
    panel.set_problems([*many, NOTE])
    assert [panel.tree.isExpanded(panel.model.index(row, 0)) for row in range(3)] == [False, True, False]


def test_only_the_rows_in_sight_are_read(
    show: Callable[..., QWidget], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[tuple[int, int]] = set()

    class Counting(ProblemsModel):
        def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
            asked.add((index.internalId(), index.row()))
            return super().data(index, role)

    monkeypatch.setattr(problems_panel, "ProblemsModel", Counting)
    panel = show(ProblemsPanel(), 900, 240)
    panel.set_problems([Problem(Path(f"/p/{i}.jpg"), "It is empty.") for i in range(10_000)])
    panel.tree.expandAll()
    panel.grab()
    assert panel.count() == 10_000
    assert 0 < len(asked) < 200


def test_names_that_are_not_text_are_shown_safely() -> None:
    name = b"caf\xe9\x07\xe3\x80\x80a\xe2\x80\xafb.jpg".decode("utf-8", "surrogateescape")
    model = ProblemsModel()
    model.set_problems([Problem(Path("/p") / name, "It is empty.")])
    shown = model.data(model.index(0, 0, model.index(0, 0)))
    # A byte that is no text and a bell become signs; spaces of other scripts stay what they are.
    assert shown == "caf\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}\u3000a\u202fb.jpg"
