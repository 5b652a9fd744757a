"""File > Export: which format, which images and boxes, where to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from app import style
from app.views.controls import plain_label
from core.annotations import ImageBoxes
from core.formats import Format, Selection, Which
from core.formats.selection import MAX_VAL_SHARE, count


class ExportDialog(QDialog):
    """Asks for everything at once, and counts what would leave; the file dialog only helps with the path."""

    def __init__(
        self,
        formats: Mapping[str, Format],
        *,
        folder: Path,
        stem: str,
        images: Sequence[ImageBoxes],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export boxes"))
        self._formats, self._images = formats, images
        self.format = QComboBox()
        for name, each in formats.items():
            self.format.addItem(each.title, name)
        self.help = _note()
        self.what = QComboBox()
        for text, which in (
            (self.tr("All but rejected images"), Which.NOT_REJECTED),
            (self.tr("Accepted images only"), Which.ACCEPTED),
            (self.tr("All images, rejected ones too"), Which.ALL),
        ):
            self.what.addItem(text, which)
        self.score = _percent(100, self.tr("any"))
        self.val = _percent(round(100 * MAX_VAL_SHARE), self.tr("no split"))
        self.path_edit = QLineEdit(str(folder / f"{stem}{self._suffix()}"))
        self.path_edit.setObjectName("export_path")
        self.browse = QPushButton(self.tr("Browse…"))
        self.count, self.note = _note(), _note()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.export = self.buttons.addButton(self.tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        style.mark(self.export, "primary")
        self._lay_out()
        self._connect()
        self._show_count()
        self.resize(560, self.sizeHint().height())

    @property
    def chosen_format(self) -> str:
        return str(self.format.currentData())

    @property
    def selection(self) -> Selection:
        return Selection(
            which=self.what.currentData(),
            min_score=self.score.value() / 100,
            val_share=self.val.value() / 100,
        )

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
        for label, field in (
            (self.tr("Format"), self.format),
            ("", self.help),
            (self.tr("What"), self.what),
            (self.tr("Score, at least"), self.score),
            (self.tr("For validation"), self.val),
            ("", self.count),
            (self.tr("To"), row),
            ("", self.note),
        ):
            form.addRow(label, field)
        form.addRow(self.buttons)

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(self._change_suffix)
        self.what.currentIndexChanged.connect(self._show_count)
        self.score.valueChanged.connect(self._show_count)
        self.val.valueChanged.connect(self._show_count)
        self.path_edit.textChanged.connect(self._show_note)
        self.browse.clicked.connect(self._browse)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _suffix(self) -> str:
        return self._formats[self.chosen_format].suffix

    def _change_suffix(self) -> None:
        if self.path_edit.text().strip():
            known = {each.suffix for each in self._formats.values()}
            path = self.path
            self.path_edit.setText(str(path.with_suffix(self._suffix()) if path.suffix in known else path))
        self._show_count()

    def _browse(self) -> None:
        title = self.tr("Export boxes")
        if self._suffix():
            chosen, _ = QFileDialog.getSaveFileName(
                self,
                title,
                str(self.path),
                f"{self.format.currentText()} (*{self._suffix()})",
                options=QFileDialog.Option.DontConfirmOverwrite,
            )
        else:
            chosen = QFileDialog.getExistingDirectory(self, title, str(self.path.parent))
            chosen = str(Path(chosen) / self.path.name) if chosen else ""
        if chosen:
            path = Path(chosen)
            self.path_edit.setText(str(path if path.suffix else path.with_suffix(self._suffix())))

    def _show_count(self) -> None:
        each = self._formats[self.chosen_format]
        number = count(self._images, self.selection, needs_box=each.needs_box)
        text = self.tr("{images:,} images, {boxes:,} boxes").format(images=number.images, boxes=number.boxes)
        if number.val_images:
            text += self.tr("; {val:,} of the images for validation").format(val=number.val_images)
        self.help.setText(each.help)
        self.count.setText(text)
        self._boxes = number.boxes
        self._show_note()

    def _show_note(self) -> None:
        """Say what is in the way, or what will happen, before it does."""
        problem, note = "", ""
        if not self._boxes:
            problem = self.tr("No box is left to export.")
        elif not self.path_edit.text().strip():
            problem = self.tr("Choose a place.")
        elif self._suffix() and self.path.is_dir():
            problem = self.tr("This is a folder; add a file name.")
        elif not self.path.parent.is_dir():
            problem = self.tr("This folder does not exist.")
        elif self.path.is_file():
            note = self.tr("This file exists and will be replaced.")
        style.mark(self.note, "error" if problem else "muted")
        self.note.setText(problem or note)
        self.export.setEnabled(not problem)


def _note() -> QLabel:
    label = plain_label(role="muted")
    label.setWordWrap(True)
    return label


def _percent(most: int, none: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(0, most)
    spin.setSingleStep(5)
    spin.setSuffix(" %")
    spin.setSpecialValueText(none)
    return spin
