"""What to take from films: how often, how fine, and where to."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app import style
from app.views.controls import RealSpin, Spin, plain_label, push_button
from app.views.dialog import Dialog, path_edit
from app.views.layouts import form_layout, hbox
from core.base.language import tr, trn
from core.images.film import EVERY_S, LONGEST_S, QUALITY, SHORTEST_S, FilmOptions


class FilmDialog(Dialog):
    """Asks for everything at once; ``folder`` is proposed."""

    def __init__(self, films: tuple[Path, ...], folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(tr("Images from films"), tr("Take images"), parent)
        self.every = RealSpin(
            SHORTEST_S, LONGEST_S, step=0.5, name=tr("Seconds"), tip=tr("From one image to the next.")
        )
        self.every.setDecimals(1)
        self.every.setSuffix(tr(" seconds"))
        self.every.setValue(EVERY_S)
        self.quality = Spin(1, 100, name=tr("JPEG quality"), tip=tr("Higher is finer, and larger."))
        self.quality.setValue(QUALITY)
        self.path_edit = path_edit("films_folder", tr("Where the images are saved."))
        self.path_edit.setText(str(folder))
        self.browse = push_button(tr("Browse…"), self._browse)
        self.note = plain_label(role="muted", wrap=True)
        name = tr("“{name}”").format(name=films[0].name)
        if len(films) > 1:
            name = trn("{count:,} film", "{count:,} films", len(films))
        question = tr("Boxscout looks at images. Take some of {films}?").format(films=name)
        self.question = plain_label(question, "title", wrap=True)
        form = form_layout()
        form.addRow(tr("An image every"), self.every)
        form.addRow(tr("JPEG quality"), self.quality)
        form.addRow(tr("Folder"), hbox((self.path_edit, 1), self.browse))
        form.addRow("", self.note)
        self.lay_out(self.question, form, spacing=style.SPACING)
        self.path_edit.textChanged.connect(self._show_note)
        self._show_note()
        self.resize(540, self.sizeHint().height())

    @property
    def options(self) -> FilmOptions:
        return FilmOptions(every=round(self.every.value(), 1), quality=self.quality.value())

    @property
    def folder(self) -> Path:
        return Path(self.path_edit.text().strip()).expanduser()

    def _browse(self) -> None:
        title, start = tr("Where the images are saved."), str(self.folder.parent)
        chosen = QFileDialog.getExistingDirectory(self, title, start)
        if chosen:
            self.path_edit.setText(chosen)

    def _show_note(self) -> None:
        problem = "" if self.path_edit.text().strip() else tr("Choose a folder.")
        self.say(self.note, problem, tr("Each film gets a folder of its own there; the film stays as it is."))
