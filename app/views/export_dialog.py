"""File > Export: which format, which images and boxes, where to, and how much that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QCheckBox, QFileDialog, QWidget

from app.models.export import ExportRequest
from app.views.controls import Combo, plain_label, push_button, there
from app.views.dialog import Dialog, folder_classes_box, path_edit
from app.views.export_choices import ExportChoices
from app.views.layouts import form_layout, hbox
from app.wiring import one_shot
from core.base.annotations import ImageBoxes
from core.base.language import number, tr, trn
from core.formats import Format, WriteOptions, split_paths
from core.formats.export import UP_TO_DATE
from core.formats.notes import Outdated
from core.formats.selection import Count, count, select

COUNT_MS = 120


class ExportDialog(Dialog):
    """Asks for everything at once; the file dialog is only a help for the path."""

    def __init__(
        self, formats: Mapping[str, Format], *, folder: Path, stem: str, parent: QWidget | None = None
    ) -> None:
        """Counts appear once :meth:`set_images` has told what there is."""
        super().__init__(tr("Export boxes"), tr("Export"), parent)
        self.export = self.main_button
        self._formats = formats
        self._folder, self._stem = folder, stem
        self._images: Sequence[ImageBoxes] | None = None
        self._outdated = UP_TO_DATE
        self._count: Count | None = None
        self._timer = one_shot(self, COUNT_MS, self._recount)
        self._make_choices()
        self._make_place()
        self._lay_out()
        self._connect()
        self._show_format()
        self.setMinimumWidth(560)

    @property
    def chosen(self) -> Format:
        return self._formats[str(self.format.currentData())]

    @property
    def path(self) -> Path:
        path = Path(self.path_edit.text().strip()).expanduser()
        # Other programs know a format by the name's end.
        return path.with_suffix(self.chosen.suffix) if path.name and not path.suffix else path

    def request(self) -> ExportRequest:
        own: dict[str, Any] = {
            name: box.isChecked() for name, box in self.own.items() if name in self.chosen.own
        }
        place, by_folder = self.path, self.folder_classes.isChecked()
        return ExportRequest(
            self.chosen.name, place, self.choices.selection(), WriteOptions(**own), by_folder
        )

    def set_images(
        self,
        images: Sequence[ImageBoxes],
        outdated: Outdated = UP_TO_DATE,
        *,
        in_class_folders: bool = False,
    ) -> None:
        """What the project holds: the counts, the classes to choose from, and what to warn of.

        ``in_class_folders`` says that the images' folders may name their classes.
        """
        self._form.setRowVisible(self.folder_classes, in_class_folders)
        self._images, self._outdated = images, outdated
        self.choices.set_images(images)
        self._recount()
        self._fit()

    def _make_choices(self) -> None:
        titles = {name: tr(each.title) for name, each in self._formats.items()}
        tip = tr("File format. The line below says which programs read it.")
        self.format, self.help = Combo(titles, tip=tip), plain_label(role="muted", wrap=True)
        self.own = {
            "link": QCheckBox(tr("Link to the images instead of copying them")),
            "flat": QCheckBox(
                tr("Put all files in one folder (subfolder names become part of the file names)")
            ),
            "one_based": QCheckBox(tr("Count pixels from 1, as the original does")),
            "beside_images": QCheckBox(tr("Write beside each image")),
            "replace_foreign": QCheckBox(tr("Overwrite files of other programs")),
            "with_gps": QCheckBox(tr("Say where photos were taken (GPS)")),
            "animal": QCheckBox(tr("Call boxes without a class of their own “animal”")),
        }

        self.folder_classes = folder_classes_box()

    def _make_place(self) -> None:
        self.path_edit = path_edit("export_path", tr("The file or new folder that is written."))
        self.browse = push_button(tr("Browse…"), self._browse)
        self.total = plain_label(tr("Counting…"), role="title", wrap=True)
        self.note, self.warning = (plain_label(role=role, wrap=True) for role in ("muted", "warning"))
        self.warning.hide()

    def _lay_out(self) -> None:
        self._form = form = form_layout()
        form.addRow(tr("Format"), self.format)
        for widget in (self.help, *self.own.values()):
            form.addRow("", widget)
        self.choices = ExportChoices(form, self)
        form.addRow("", self.folder_classes)
        form.setRowVisible(self.folder_classes, False)
        form.addRow(tr("Save to"), hbox((self.path_edit, 1), self.browse))
        self.lay_out(form, self.total, self.note, self.warning)

    def _connect(self) -> None:
        self.format.currentIndexChanged.connect(self._show_format)
        self.choices.changed.connect(self._timer.start)
        self.choices.split.toggled.connect(self._show_note)
        self.own["beside_images"].toggled.connect(self._show_beside)
        self.path_edit.textChanged.connect(self._show_note)

    def _show_format(self) -> None:
        """The chosen format's own options, and a path that suits it unless the person wrote one."""
        chosen = self.chosen
        self.help.setText(tr(chosen.help))
        for name, box in self.own.items():
            self._form.setRowVisible(box, name in chosen.own)
        proposed = {str(self._proposal(each)) for each in self._formats.values()}
        text = self.path_edit.text().strip()
        if not text or text in proposed:
            self.path_edit.setText(str(self._proposal(chosen)))
        else:
            known = {each.suffix for each in self._formats.values() if each.suffix}
            path = self.path
            self.path_edit.setText(str(path.with_suffix(chosen.suffix) if path.suffix in known else path))
        self._show_beside()
        self._fit()

    def _proposal(self, chosen: Format) -> Path:
        """A file of the project's name, or a folder that is not there yet."""
        if chosen.suffix:
            middle = "" if chosen.name in ("csv", "coco") else f"-{chosen.name}"
            return self._folder / f"{self._stem}{middle}{chosen.suffix}"
        path, number = self._folder / f"{self._stem}-{chosen.name}", 2
        while path.exists():
            path, number = self._folder / f"{self._stem}-{chosen.name}-{number}", number + 1
        return path

    def _show_beside(self) -> None:
        """Files beside their images have no other place, and cannot be split."""
        beside = self._is_beside()
        self.choices.allow_split(not beside)
        self.own["replace_foreign"].setEnabled(beside)
        for widget in (self.path_edit, self.browse):
            widget.setEnabled(not beside)
        self._recount()

    def _is_beside(self) -> bool:
        return "beside_images" in self.chosen.own and self.own["beside_images"].isChecked()

    def _recount(self) -> None:
        self._timer.stop()
        if self._images is not None:
            self._count = count(self._images, self.choices.selection(), needs_box=self.chosen.needs_box)
            self.total.setText(self._total_text(self._count))
            self._warn(self._images)
        self._show_note()

    def _warn(self, images: Sequence[ImageBoxes]) -> None:
        """Say how many of the images that leave are outdated; they leave all the same."""
        names = self._outdated.names
        leaving = select([image for image in images if image.name in names], self.choices.selection())
        text = "\n".join(self._outdated.sentences(leaving))
        if text != self.warning.text():
            self.warning.setText(text)
            self.warning.setVisible(bool(text))
            self._fit()

    def _total_text(self, found: Count) -> str:
        images = trn("{count:,} image", "{count:,} images", found.images)
        boxes = trn("{count:,} box", "{count:,} boxes", found.boxes)
        text = tr("{0} with {1} will be exported").format(images, boxes)
        if found.val_images:
            train = number(found.images - found.val_images, ",")
            text += ": " + tr("{0} for training, {1} for validation").format(
                train, number(found.val_images, ",")
            )
        return text + "."

    def _show_note(self) -> None:
        """Say what is in the way, or what will happen, before it does."""
        problem, note = self._problem(), ""
        if not problem and self._is_beside():
            note = tr("Files of other programs with the same name are kept and listed.")
            if self.own["replace_foreign"].isChecked():
                note = tr("Files with the same name are overwritten, including those of other programs.")
        elif not problem:
            note = self._what_happens()
        self.say(self.note, problem, note)

    def _problem(self) -> str:
        if self._images is not None and not any(image.boxes for image in self._images):
            return tr("No boxes to export yet. Find objects first.")
        if self._count is not None and not self._count.boxes:
            return tr("Nothing to export: choose more images, a lower score or more classes.")
        if self._is_beside():
            return ""
        if not self.path_edit.text().strip():
            return tr("Choose a file or folder.")
        if not self.path.parent.is_dir():
            return tr("This folder does not exist: {0}").format(self.path.parent)
        if not self.chosen.suffix:
            taken = [place.name for place in self._targets() if place.exists() and not _is_empty(place)]
            if taken:
                return tr("“{0}” already exists. Choose another name.").format(taken[0])
        elif self.path.is_dir():
            return tr("This is a folder; add a file name.")
        return ""

    def _what_happens(self) -> str:
        places = self._targets()
        names = tr(" and ").join(tr("“{name}”").format(name=place.name) for place in places)
        if self.chosen.suffix and any(place.exists() for place in places):
            one = tr("{0} exists and will be overwritten.")
            many = tr("{0} exist and will be overwritten.")
            return (one if len(places) == 1 else many).format(names)
        if len(places) > 1:
            return tr("Creates {0}.").format(names)
        return "" if self.chosen.suffix else tr("Creates the folder {0}.").format(names)

    def _targets(self) -> Sequence[Path]:
        parts = self.choices.split.isChecked() and not self.chosen.splits
        return split_paths(self.path) if parts and self.path.name else (self.path,)

    def _browse(self) -> None:
        kinds = f"{self.format.currentText()} (*{self.chosen.suffix})" if self.chosen.suffix else ""
        found, _ = QFileDialog.getSaveFileName(
            self, tr("Export boxes"), str(self.path), kinds, options=QFileDialog.Option.DontConfirmOverwrite
        )
        if found:
            self.path_edit.setText(found)
            self.path_edit.setText(str(self.path))

    def _fit(self) -> None:
        """As high as its rows ask for now; the width stays the person's."""
        self._form.invalidate()
        layout, width = there(self.layout()), max(self.width(), self.minimumWidth())
        layout.activate()
        self.resize(width, layout.totalHeightForWidth(width))


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
