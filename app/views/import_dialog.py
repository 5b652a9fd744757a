"""File > Import boxes: which file, what it holds for this project, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QWidget

from app import style
from app.models.export import ImportRequest
from app.views.controls import Choice, Combo, FitScroll, RealSpin, plain_label, push_button
from app.views.dialog import Dialog, folder_classes_box, path_edit
from app.views.layouts import STRETCH, form_layout, hbox
from app.wiring import one_shot
from core.base.annotations import Status
from core.base.language import number, short, tr, trn
from core.formats.selection import Selection
from core.project.exchange import ImportPlan

LOOK_MS = 300
_DETAIL_LINES = 5


class ImportDialog(Dialog):
    """A path, a summary of what lies there, and two choices. It does not block."""

    path_chosen = Signal(object)
    """A path to look at; :meth:`show_plan` or :meth:`show_problem` answers."""
    import_requested = Signal(object)
    """The :class:`~app.models.export.ImportRequest` that the person agreed to."""

    def __init__(self, *, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(tr("Import boxes"), tr("Import"), parent)
        self.agree = self.main_button
        self._folder = folder
        self._plan: ImportPlan | None = None
        self._timer = one_shot(self, LOOK_MS, self._look)
        self.path_edit = path_edit("import_path", tr("The file or folder that the boxes are read from."))
        self.path_edit.setPlaceholderText(tr("Box file or folder"))
        self.browse_file = push_button(tr("File…"), self._choose_file)
        self.browse_folder = push_button(tr("Folder…"), self._choose_folder)
        self.meaning = Choice(tr("Boxes"), tr("Ground truth"))
        self.meaning.second.setToolTip(tr("True boxes, used to measure how good your boxes are."))
        self.status = Choice(tr("Unseen"), tr("Accepted"))
        self.replace_held = QCheckBox(tr("Replace edited and accepted boxes"))
        self.folder_classes = folder_classes_box()
        self.blanks = QCheckBox(tr("Images without a box show no object"))
        self.blanks.setToolTip(tr("They are accepted without a box. Finding boxes does not change them."))
        self.classes = Combo(name=tr("Classes"), tip=tr("Only boxes of this class are imported."))
        self.score = RealSpin(0.0, 1.0, step=0.05, tip=tr("Boxes with a lower score are left out."))
        self.score.setSpecialValueText(tr("any"))
        self.total, self.details = (plain_label(role=role, wrap=True) for role in ("title", "muted"))
        form = self._form = form_layout()
        form.addRow(tr("File or folder"), hbox((self.path_edit, 1), self.browse_file, self.browse_folder))
        form.addRow(tr("Import as"), hbox(self.meaning, STRETCH))
        form.addRow(tr("Mark images as"), hbox(self.status, STRETCH))
        form.addRow("", self.replace_held)
        form.addRow("", self.folder_classes)
        form.addRow("", self.blanks)
        form.addRow(tr("Classes"), self.classes)
        form.addRow(tr("Minimum score"), self.score)
        self._offer_choices(classes=False, scores=False)
        self.total.setMinimumHeight(self.fontMetrics().lineSpacing())
        self.details.setAlignment(Qt.AlignmentFlag.AlignTop)
        lines = FitScroll(self.details)
        lines.setFixedHeight(_DETAIL_LINES * self.fontMetrics().lineSpacing())
        self.lay_out(form, self.total, lines)
        self.path_edit.textChanged.connect(self._on_path_changed)
        for box in (self.replace_held, self.blanks):
            box.toggled.connect(self._show)
        self.folder_classes.toggled.connect(self._list_classes)
        self.classes.currentIndexChanged.connect(self._show)
        self.score.valueChanged.connect(self._show)
        self.meaning.changed.connect(self._on_meaning_changed)
        self.show_problem("")
        self.setMinimumWidth(560)

    @property
    def path(self) -> Path:
        return Path(self.path_edit.text().strip()).expanduser()

    def show_plan(self, plan: ImportPlan) -> None:
        """What the file holds for the project; one of another path comes too late."""
        if plan.path == self.path:
            self._plan = plan
            self._list_classes()

    def _list_classes(self) -> None:
        """The classes of the plan to choose from, and its other choices."""
        if (plan := self._by_folder()) is None:
            return
        labels = plan.labels()
        with QSignalBlocker(self.classes):
            self.classes.clear()
            self.classes.addItem(tr("All classes"))
            for label, boxes in labels.items():
                self.classes.addItem(f"{short(label)}  ({number(boxes, ',')})", label)
        has_scores = any(one.score is not None for boxes in plan.boxes.values() for one in boxes)
        self._offer_choices(classes=len(labels) > 1, scores=has_scores, folders=bool(plan.classes))
        self._show()

    def show_problem(self, sentence: str) -> None:
        """Why the path cannot be imported; empty where there is none yet."""
        self._plan = None
        style.mark(self.details, "error" if sentence else "muted")
        self.total.setText("")
        self.details.setText(
            sentence
            or (
                tr("Imported boxes count as edited. Finding boxes does not change them.")
                if self.meaning.is_first()
                else tr("Ground truth is used for measuring only. Your boxes are unchanged.")
            )
        )
        self.agree.setEnabled(False)

    def _offer_choices(self, *, classes: bool, scores: bool, folders: bool = False) -> None:
        """Grey what this file leaves no choice of. Rows that came and went would move the buttons."""
        self.classes.setEnabled(classes)
        self.score.setEnabled(scores)
        self.folder_classes.setEnabled(folders)

    def _on_path_changed(self) -> None:
        self._offer_choices(classes=False, scores=False)
        self.show_problem("")
        self._timer.start()

    def _on_meaning_changed(self, as_boxes: bool) -> None:
        for choice in (self.status, self.replace_held, self.blanks):
            choice.setEnabled(as_boxes)
        if self._plan is None:
            self.show_problem("")
            self._timer.start()
        self._show()

    def _look(self) -> None:
        if self.path_edit.text().strip():
            self.details.setText(tr("Reading…"))
            self.path_chosen.emit(self.path)

    def _show(self) -> None:
        plan = self._chosen()
        if plan is None:
            return
        as_truth = not self.meaning.is_first()
        images, boxes = plan.count(replace_held=as_truth or self.replace_held.isChecked())
        of_boxes = trn("{count:,} box", "{count:,} boxes", boxes)
        of_images = trn("{count:,} image", "{count:,} images", images)
        will = (
            tr("{0} for {1} will be imported as ground truth.")
            if as_truth
            else tr("{0} for {1} will be imported.")
        )
        self.total.setText(will.format(of_boxes, of_images))
        lines = plan.lines()
        if plan.held_boxes and not as_truth and not self.replace_held.isChecked():
            kept = tr("Kept, because you edited or accepted their boxes: {0}.")
            lines.insert(0, kept.format(number(plan.held_boxes, ",")))
        style.mark(self.details, "muted")
        self.details.setText("\n".join(lines))
        self.agree.setEnabled(boxes > 0 or (images > 0 and not as_truth))

    def _chosen(self) -> ImportPlan | None:
        """What of the plan the person wants."""
        label = self.classes.currentData()
        classes = None if label is None else frozenset({label})
        wanted = Selection(classes=classes, min_score=self.score.value())
        plan = self._by_folder()
        if plan is None:
            return None
        plan = plan.only(wanted)
        return plan.with_blanks() if self.blanks.isChecked() and self.meaning.is_first() else plan

    def _by_folder(self) -> ImportPlan | None:
        return self._plan.by_folder() if self._plan and self.folder_classes.isChecked() else self._plan

    def accept(self) -> None:
        if (plan := self._chosen()) is not None:
            status = Status.UNSEEN if self.status.is_first() else Status.ACCEPTED
            replaces, as_truth = self.replace_held.isChecked(), not self.meaning.is_first()
            self.import_requested.emit(ImportRequest(plan, status, replaces, as_truth))
            super().accept()

    def _choose_file(self) -> None:
        kinds = tr("Boxes") + " (*.json *.csv *.tsv *.xml *.yaml *.yml *.txt);;" + tr("All files") + " (*)"
        found, _ = QFileDialog.getOpenFileName(self, tr("Import boxes"), self._start(), kinds)
        if found:
            self.path_edit.setText(found)

    def _choose_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(self, tr("Import boxes"), self._start())
        if found:
            self.path_edit.setText(found)

    def _start(self) -> str:
        return str(self.path if self.path_edit.text().strip() else self._folder)
