"""Every dialog that the window opens. Texts with a file's name in them are plain text."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import PySide6
from PySide6.QtCore import QStandardPaths, Qt, QUrl, SignalInstance
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QMessageBox,
    QWidget,
)

from app import paths, style
from app.models.export import ExportRequest, Listed
from app.models.figure import FigureRequest
from app.models.session import Session
from app.views import message
from app.views.export_dialog import ExportDialog
from app.views.figure_dialog import FigureDialog, figure_options
from app.views.shortcuts_dialog import ShortcutsDialog
from core import __version__
from core.base.errors import BoxscoutError
from core.base.language import tr
from core.formats import WRITTEN, ExportSummary
from core.project.exchange import ImportSummary
from core.project.file import SUFFIX


def choose_folder(parent: QWidget) -> list[Path]:
    title, start = tr("Open a folder of images"), str(last_folder("open"))
    chosen = QFileDialog.getExistingDirectory(parent, title, start)
    return remember("open", *filter(None, [chosen]))


def choose_new_place(parent: QWidget, name: str) -> Path | None:
    """Where the folder ``name`` of the project lies now; None where the person thought better of it."""
    title = tr("Locate folder “{name}”").format(name=name)
    chosen = QFileDialog.getExistingDirectory(parent, title, str(last_folder("open")))
    return Path(chosen) if chosen else None


def choose_images(parent: QWidget) -> list[Path]:
    suffixes = "*.png *.jpg *.jpeg *.bmp *.gif *.tif *.tiff *.webp"
    kinds = tr("Images") + f" ({suffixes} {suffixes.upper()});;" + tr("All files") + " (*)"
    chosen, _ = QFileDialog.getOpenFileNames(parent, tr("Open images"), str(last_folder("open")), kinds)
    return remember("open", *chosen)


def choose_project(parent: QWidget) -> list[Path]:
    folder = str(paths.data_folder() / "projects")
    kinds = tr("Boxscout projects") + f" (*{SUFFIX})"
    chosen, _ = QFileDialog.getOpenFileName(parent, tr("Open a project"), folder, kinds)
    return [Path(chosen)] if chosen else []


def choose_copy(parent: QWidget, name: str) -> Path | None:
    """Where File > Save project as writes; None where the person thought better of it."""
    folder = last_folder("copy") / name
    kinds = tr("Boxscout projects") + f" (*{SUFFIX})"
    chosen, _ = QFileDialog.getSaveFileName(parent, tr("Save project as"), str(folder), kinds)
    if not chosen:
        return None
    (path,) = remember("copy", chosen)
    return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def choose_diagnostics(parent: QWidget) -> Path | None:
    """Where Help > Save diagnostics writes; None if the user cancelled."""
    start = last_folder("diagnostics") / "boxscout-diagnostics.zip"
    chosen, _ = QFileDialog.getSaveFileName(parent, tr("Save diagnostics"), str(start), "ZIP (*.zip)")
    if not chosen:
        return None
    (path,) = remember("diagnostics", chosen)
    return path if path.suffix else path.with_suffix(".zip")


def show_diagnostics(parent: QWidget, path: Path, names: Sequence[str]) -> None:
    lines = [
        tr("Contains: {names}").format(names=", ".join(names)),
        tr("No photos. Names of folders and files are replaced."),
    ]
    message.DoneDialog(parent, tr("Diagnostics saved"), lines, path, show_in_folder).open()


def ask_export(parent: QWidget, session: Session, listed: SignalInstance) -> ExportRequest | None:
    """What to export and where; ``listed`` brings the images to count, a moment after the dialog shows."""
    if session.project is None:
        return None
    dialog = ExportDialog(
        WRITTEN, folder=last_folder("export"), stem=paths.title(session.project.path), parent=parent
    )

    def show(found: Listed) -> None:
        dialog.set_images(found.images, found.outdated, in_class_folders=found.in_class_folders)

    listed.connect(show)
    agreed = dialog.exec() == QDialog.DialogCode.Accepted
    listed.disconnect(show)
    request = dialog.request() if agreed else None
    dialog.deleteLater()
    if request is not None:
        remember("export", request.path)
    return request


def ask_figure(parent: QWidget, session: Session, images: tuple[int, ...]) -> FigureRequest | None:
    """What File > Save figure draws of ``images`` (ids) and of the training."""
    if session.project is None:
        return None
    options = figure_options(
        images=len(images),
        has_maps=bool(images) and session.heat_map is not None,
        has_samples=session.samples is not None,
        has_points=any(point.ms_ssim is not None for point in session.learning.points),
        has_course=session.measures.standing is not None and bool(session.results.snapshots.signals),
    )
    stem = paths.title(session.project.path)
    dialog = FigureDialog(options, folder=last_folder("figure"), stem=stem, parent=parent)
    agreed = dialog.exec() == QDialog.DialogCode.Accepted
    request = FigureRequest(dialog.kind, dialog.path, images) if agreed else None
    dialog.deleteLater()
    if request is not None:
        remember("figure", request.path)
    return request


def last_folder(purpose: str) -> Path:
    stored = paths.settings().value(f"folders/{purpose}", "")
    if isinstance(stored, str) and stored and Path(stored).is_dir():
        return Path(stored)
    places = QStandardPaths.StandardLocation
    place = places.PicturesLocation if purpose == "open" else places.DocumentsLocation
    standard = Path(QStandardPaths.writableLocation(place))
    return standard if standard.is_dir() else Path.home()


def remember(purpose: str, *chosen: str | Path) -> list[Path]:
    """What was chosen; the next dialog for this purpose begins beside the first of it."""
    if chosen:
        paths.settings().setValue(f"folders/{purpose}", str(Path(chosen[0]).parent))
    return [Path(text) for text in chosen]


def _runtimes() -> str:
    """What computes, by its version; nothing of it need be loaded for that."""
    names = [name for name in ("onnxruntime", "torch") if find_spec(name) is not None]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def ask_to_delete(parent: QWidget, run: str, agreed: Callable[[], None]) -> None:
    """Whether the run of this name shall go; ``agreed`` follows where it shall."""
    text = tr(
        "Delete {run} with its training, its snapshots and the boxes that it found? This cannot be undone."
    )
    message.ask(parent, text.format(run=run), tr("Delete"), agreed)


def report(parent: QWidget | None, error: BaseException, details: str) -> None:
    """The one place where errors are shown: a sentence, and what a helper would want to see."""
    message.show_error(parent, sentence_of(error), details)


def sentence_of(error: BaseException) -> str:
    """What a person can do about ``error``, or at least what it was."""
    text = str(error)
    if isinstance(error, BoxscoutError):
        return text
    # CUDA's is a RuntimeError in some versions, told apart only by its text.
    if type(error).__name__ == "OutOfMemoryError" or "CUDA out of memory" in text:
        return tr(
            "The graphics card has too little free memory for this training; choose a smaller batch, "
            "image size or width."
        )
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return tr(
            "There is too little free memory; close other programs, or choose a smaller batch or image size."
        )
    first = text.splitlines()[0] if text else type(error).__name__
    return tr("Something went wrong: {0}").format(first)


def show_exported(parent: QWidget, summary: ExportSummary) -> None:
    sentence = tr("Exported to {0}").format(summary.path.name)
    message.DoneDialog(parent, sentence, summary.lines(), summary.path, show_in_folder).open()


def show_imported(parent: QWidget, summary: ImportSummary) -> None:
    sentence = tr("Imported from {0}").format(summary.path.name)
    message.DoneDialog(parent, sentence, summary.lines(), summary.path).open()


def show_in_folder(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))


def show_about(parent: QWidget) -> None:
    box = QMessageBox(parent)
    box.setWindowTitle(tr("About Boxscout"))
    box.setIconPixmap(style.icon("boxscout").pixmap(64, 64))
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"Boxscout {__version__}")
    box.setInformativeText(
        tr("Finds the object in every photo of a folder, without labels from you.")
        + "\n\n"
        + tr(
            "Frozen features: EfficientNet-Lite0 by Google, weights by ML Illustrated, Apache License 2.0; "
            "they were once learned with ImageNet's labels. The file NOTICE says more."
        )
        + f"\n\nPython {platform.python_version()}, PySide6 {PySide6.__version__}, {_runtimes()}"
    )
    box.exec()
    box.deleteLater()


def show_shortcuts(parent: QWidget, made: Mapping[str, QAction]) -> None:
    dialog = ShortcutsDialog(made, parent)
    dialog.exec()
    dialog.deleteLater()
