"""File > Save figure in the real window: the files that it writes, read by another library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_support import LONG, fill, finish, start

from app.main_window import MainWindow
from app.models.export import ImportRequest
from app.views.figure_dialog import FigureDialog
from core.base.config import TrainConfig
from core.project.exchange import plan_import


def with_dialog(qtbot: QtBot, window: MainWindow, do: Callable[[FigureDialog], None]) -> None:
    """File > Save figure, and ``do`` in its dialog."""
    wrong: list[BaseException] = []

    def act() -> None:
        dialog = QApplication.activeModalWidget()
        try:
            assert isinstance(dialog, FigureDialog)
            do(dialog)
        except BaseException as error:
            wrong.append(error)
            dialog.reject()

    QTimer.singleShot(0, act)
    window.actions_["save_figure"].trigger()
    if wrong:
        raise wrong[0]


def save(qtbot: QtBot, window: MainWindow, kind: str, path: Path) -> None:
    def fill_in(dialog: FigureDialog) -> None:
        dialog.what.setCurrentIndex(dialog.what.findData(kind))
        dialog.path_edit.setText(str(path))
        qtbot.mouseClick(dialog.save, Qt.MouseButton.LeftButton)

    with qtbot.waitSignal(window.workbench.figures.saved, timeout=LONG):
        with_dialog(qtbot, window, fill_in)


def test_every_figure_as_png_and_pdf(
    window: MainWindow, folder: Path, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)
    pages = {}
    for kind in ("boxes", "samples", "diversity"):
        save(qtbot, window, kind, tmp_path / f"{kind}.png")
        save(qtbot, window, kind, tmp_path / f"{kind}.pdf")
        with Image.open(tmp_path / f"{kind}.png") as page:
            pages[kind] = np.array(page.convert("RGB"))
        assert (tmp_path / f"{kind}.pdf").read_bytes().startswith(b"%PDF-")
    assert "boxes.pdf" not in window.strip.text.text()  # the last one is told
    assert "diversity.pdf" in window.strip.text.text()
    # The box's colour is on the page of boxes and on no other.
    found = {kind: bool((page == (0xFF, 0x3B, 0x6B)).all(axis=2).any()) for kind, page in pages.items()}
    assert found == {"boxes": True, "samples": False, "diversity": False}
    # All 64 samples: their grid of 8 x 32 px, blown up, covers most of the page.
    assert (pages["samples"] != 255).any(axis=2).mean() > 0.6


def test_accuracy_over_training_once_there_is_truth(
    window: MainWindow, folder: Path, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)

    def look(dialog: FigureDialog) -> None:
        item = dialog.what.model().item(dialog.what.findData("accuracy"))
        assert not item.isEnabled()
        dialog.reject()

    with_dialog(qtbot, window, look)
    session = window.session
    rows = [f"{record.name},5,5,25,25" for record in session.images.records]
    (tmp_path / "true.csv").write_text("\n".join(["filename,xmin,ymin,xmax,ymax", *rows]) + "\n")
    plan = plan_import(session.project, tmp_path / "true.csv")
    window.workbench.importing.import_boxes(ImportRequest(plan, as_truth=True))
    qtbot.waitUntil(lambda: session.measures.standing is not None, timeout=LONG)
    for suffix in ("png", "pdf"):
        save(qtbot, window, "accuracy", tmp_path / f"accuracy.{suffix}")
    with Image.open(tmp_path / "accuracy.png") as page:
        pixels = np.array(page.convert("RGB"))
    assert (pixels == (0x7A, 0x4F, 0xCF)).all(axis=2).any(), "the fitted line in its colour"
    assert (tmp_path / "accuracy.pdf").read_bytes().startswith(b"%PDF-")


def test_boxes_of_a_network_in_its_first_training_are_drawn_as_they_are_seen(
    window: MainWindow, folder: Path, tiny: TrainConfig, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny.with_(steps=1_000_000))
    session = window.session
    qtbot.waitUntil(lambda: session.heat_map is not None, timeout=LONG)
    window.workbench.run.pause()
    save(qtbot, window, "boxes", tmp_path / "boxes.png")
    assert session.project.heat_maps_step() is None, "the project has none yet"
    with Image.open(tmp_path / "boxes.png") as page:
        assert (np.array(page.convert("RGB")) == (0xFF, 0x3B, 0x6B)).all(axis=2).any()
    window.workbench.run.stop()
    finish(qtbot, window)


def test_what_cannot_be_drawn_yet_is_said_before(
    window: MainWindow, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)

    def look(dialog: FigureDialog) -> None:
        assert not dialog.save.isEnabled()
        assert "no heat map yet" in dialog.note.text()
        dialog.reject()

    with_dialog(qtbot, window, look)


@pytest.mark.parametrize(("name", "problem"), [("page.svg", ".png or .pdf"), ("no/page.png", "not exist")])
def test_a_name_that_cannot_be_written_is_refused_in_the_dialog(
    window: MainWindow, folder: Path, tiny: TrainConfig, tmp_path: Path, name: str, problem: str, qtbot: QtBot
) -> None:
    fill(qtbot, window, folder, 12)
    start(qtbot, window, tiny)
    finish(qtbot, window)

    def look(dialog: FigureDialog) -> None:
        dialog.path_edit.setText(str(tmp_path / name))
        assert problem in dialog.note.text() and not dialog.save.isEnabled()
        dialog.path_edit.setText(str(tmp_path / "page.pdf"))
        assert dialog.save.isEnabled()
        dialog.reject()

    with_dialog(qtbot, window, look)
