"""File > Export: which format, which images, where to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from app import style
from app.views.controls import plain_label


class ExportDialog(QDialog):
    """Asks for everything at once; the file dialog is only a help for the path."""

    def __init__(
        self,
        formats: Mapping[str, tuple[str, str]],
        *,
        folder: Path,
        stem: str,
        images: int,
        accepted: int,
        parent: QWidget | None = None,
    ) -> None:
        """``formats`` holds (title, suffix with its dot) by name."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export boxes"))
        self._formats = dict(formats)
        self.format = QComboBox()
        for name, (title, _) in self._formats.items():
            self.format.addItem(title, name)
        self.what = QComboBox()
        self.what.addItem(self.tr("All images ({n:,})").format(n=images), False)
        self.what.addItem(self.tr("Accepted images only ({n:,})").format(n=accepted), True)
        self.path_edit = QLineEdit(str(folder / f"{stem}{self._suffix()}"))
        self.path_edit.setObjectName("export_path")
        self.browse = QPushButton(self.tr("Browse…"))
        self.note = plain_label(role="muted")
        self.note.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export = self.buttons.addButton(self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        style.mark(self.export, "primary")
        self._lay_out()
        self._connect()
        self._show_note()
        self.resize(520, self.sizeHint().height())

    @property
    def chosen_format(self) -> str:
        return str(self.format.currentData())

    @property
    def accepted_only(self) -> bool:
        return bool(self.what.currentData())

    @property
    def path(self) -> Path:
        return Path(self.path_edit.text().strip()).expanduser()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.path_edit, 1)
        row.addWidget(self.browse)
        form = QFormLayout(self)
        form.setContentsMargins(style.MARGIN, style.MARGIN, style.MARGIN, style.MARGIN)
        form.setSpacing(style.SPACING)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.tr("Format"), self.format)
        form.addRow(self.tr("What"), self.what)
        form.addRow(self.tr("File"), row)
        form.addRow("", self.note)
        form.addRow(self.buttons)

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(self._change_suffix)
        self.path_edit.textChanged.connect(self._show_note)
        self.browse.clicked.connect(self._browse)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _suffix(self) -> str:
        return self._formats[self.chosen_format][1]

    def _change_suffix(self) -> None:
        if self.path_edit.text().strip():
            known = {suffix for _, suffix in self._formats.values()}
            path = self.path
            self.path_edit.setText(str(path.with_suffix(self._suffix()) if path.suffix in known else path))

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            self.tr("Export boxes"),
            str(self.path),
            f"{self.format.currentText()} (*{self._suffix()})",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            path = Path(chosen)
            self.path_edit.setText(str(path if path.suffix else path.with_suffix(self._suffix())))

    def _show_note(self) -> None:
        """Say what is in the way, or what will happen, before it does."""
        problem, note = "", ""
        if not self.path_edit.text().strip():
            problem = self.tr("Choose a file.")
        elif self.path.is_dir():
            problem = self.tr("This is a folder; add a file name.")
        elif not self.path.parent.is_dir():
            problem = self.tr("This folder does not exist.")
        elif self.path.exists():
            note = self.tr("This file exists and will be replaced.")
        style.mark(self.note, "error" if problem else "muted")
        self.note.setText(problem or note)
        self.export.setEnabled(not problem)
