"""File > Save figure: what to draw and where to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app import style
from app.models.figure import FigureKind
from app.views.controls import Combo, plain_label, push_button
from app.views.dialog import Dialog, path_edit
from app.views.layouts import form_layout, hbox
from core.base.language import tr

SUFFIXES = (".png", ".pdf")


@dataclass(frozen=True, slots=True)
class FigureOption:
    """One figure to choose; ``missing`` says why it cannot be drawn yet."""

    kind: FigureKind
    title: str
    missing: str = ""


class FigureDialog(Dialog):
    """Asks for everything at once; the suffix of the file says PNG or PDF."""

    def __init__(
        self, options: Sequence[FigureOption], *, folder: Path, stem: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(tr("Save figure"), tr("Save"), parent)
        self._options, self._folder, self._stem = tuple(options), folder, stem
        self.save = self.main_button
        titles = {option.kind: option.title for option in self._options}
        self.what = Combo(titles, tip=tr("The content of the figure."))
        for index, option in enumerate(self._options):
            self.what.enable(index, not option.missing)
        first = next((i for i, option in enumerate(self._options) if not option.missing), 0)
        self.what.setCurrentIndex(first)
        self.path_edit = path_edit("figure_path", tr("The file that is written."))
        self.browse = push_button(tr("Browse…"), self._browse)
        self.note = plain_label(role="muted", wrap=True)
        form = form_layout()
        form.addRow(tr("Figure"), self.what)
        form.addRow(tr("File"), hbox((self.path_edit, 1), self.browse))
        form.addRow("", self.note)
        self.lay_out(form, spacing=style.SPACING)
        self.what.currentIndexChanged.connect(self._propose_name)
        self.path_edit.textChanged.connect(self._show_note)
        self._propose_name()
        self._show_note()
        self.resize(540, self.sizeHint().height())

    @property
    def kind(self) -> FigureKind:
        return self._options[self.what.currentIndex()].kind

    @property
    def path(self) -> Path:
        return Path(self.path_edit.text().strip()).expanduser()

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
        note = tr("The file name decides: .png for screens, .pdf for print.")
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
            note = tr("This file exists and will be overwritten.")
        self.say(self.note, problem, note)


def figure_options(
    *, images: int, has_maps: bool, has_samples: bool, has_points: bool, has_course: bool
) -> list[FigureOption]:
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
            "" if has_course else tr("Needs ground truth and a training with snapshots."),
        ),
    ]
