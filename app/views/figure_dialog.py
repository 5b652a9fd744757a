"""File > Save figure: what to draw and where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from app import style
from app.models.figure import FigureKind
from app.views.controls import plain_label
from app.views.layouts import hbox
from core.base.language import tr

SUFFIXES = (".png", ".pdf")


@dataclass(frozen=True, slots=True)
class FigureOption:
    """One figure to choose; ``missing`` says why it cannot be drawn yet."""

    kind: FigureKind
    title: str
    missing: str = ""


class FigureDialog(QDialog):
    """Asks for everything at once; the suffix of the file says PNG or PDF."""

    def __init__(
        self, options: Sequence[FigureOption], *, folder: Path, stem: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Save figure"))
        self._options, self._folder, self._stem = tuple(options), folder, stem
        self.what = QComboBox()
        self.what.setToolTip(tr("What the figure shows."))
        for index, option in enumerate(self._options):
            self.what.addItem(option.title, option.kind)
            self.what.model().item(index).setEnabled(not option.missing)
        first = next((i for i, option in enumerate(self._options) if not option.missing), 0)
        self.what.setCurrentIndex(first)
        self.path_edit = QLineEdit()
        self.path_edit.setObjectName("figure_path")
        self.path_edit.setToolTip(tr("The file that is written."))
        self.browse = QPushButton(tr("Browse…"))
        self.note = plain_label(role="muted", wrap=True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save = self.buttons.addButton(tr("Save"), QDialogButtonBox.ButtonRole.AcceptRole)
        style.mark(self.save, "primary")
        self._lay_out()
        self.what.currentIndexChanged.connect(self._propose_name)
        self.path_edit.textChanged.connect(self._show_note)
        self.browse.clicked.connect(self._browse)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._propose_name()
        self._show_note()
        self.resize(540, self.sizeHint().height())

    @property
    def kind(self) -> FigureKind:
        return self._options[self.what.currentIndex()].kind

    @property
    def path(self) -> Path:
        return Path(self.path_edit.text().strip()).expanduser()

    def _lay_out(self) -> None:
        row = hbox((self.path_edit, 1), self.browse)
        form = QFormLayout(self)
        form.setContentsMargins(*[2 * style.MARGIN] * 4)
        form.setSpacing(style.SPACING)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("Figure"), self.what)
        form.addRow(tr("File"), row)
        form.addRow("", self.note)
        form.addRow(self.buttons)

    def _propose_name(self) -> None:
        """Another figure, another name, unless the person typed one."""
        known = {str(self._folder / f"{self._stem}-{option.kind}") for option in self._options}
        text = self.path_edit.text().strip()
        stem, suffix = (text[:-4], text[-4:]) if text.endswith(SUFFIXES) else (text, SUFFIXES[0])
        if not text or stem in known:
            self.path_edit.setText(str(self._folder / f"{self._stem}-{self.kind}{suffix}"))

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            tr("Save figure"),
            str(self.path),
            "PNG (*.png);;PDF (*.pdf)",
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            self.path_edit.setText(chosen if Path(chosen).suffix else f"{chosen}{SUFFIXES[0]}")

    def _show_note(self) -> None:
        """Say what is in the way, or what will happen, before it does."""
        note = tr("PNG for screens, PDF for print: the suffix decides.")
        problem = self._options[self.what.currentIndex()].missing
        if problem:
            pass
        elif not self.path_edit.text().strip():
            problem = tr("Choose a file.")
        elif self.path.suffix.lower() not in SUFFIXES:
            problem = tr("The name must end in .png or .pdf.")
        elif not self.path.parent.is_dir():
            problem = tr("This folder does not exist.")
        elif self.path.exists():
            note = tr("This file exists and will be replaced.")
        style.mark(self.note, "error" if problem else "muted")
        self.note.setText(problem or note)
        self.save.setEnabled(not problem)


def figure_options(
    *, images: int, has_maps: bool, has_samples: bool, has_points: bool, has_course: bool
) -> list[FigureOption]:
    """All figures, each with what it still lacks."""
    boxes = (
        tr("Image and box, heat map, overlay: the image in view")
        if images == 1
        else tr("Image and box, heat map, overlay: {n:,} selected images").format(n=images)
    )
    return [
        FigureOption("boxes", boxes, "" if has_maps else tr("There is no heat map yet.")),
        FigureOption(
            "samples", tr("Samples of the generator"), "" if has_samples else tr("There are no samples yet.")
        ),
        FigureOption(
            "diversity", tr("MS-SSIM over training"), "" if has_points else tr("There is no MS-SSIM yet.")
        ),
        FigureOption(
            "accuracy",
            tr("Accuracy over training"),
            "" if has_course else tr("It needs true boxes and a training with snapshots."),
        ),
    ]
