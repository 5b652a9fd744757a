"""Which images and boxes leave: the rows of the export dialog that every format has."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QListWidget, QListWidgetItem

from app import style
from app.views.controls import Combo, RealSpin, Spin, plain_label
from core.base.annotations import ImageBoxes
from core.base.language import number, short, tr
from core.formats import Selection, Which
from core.formats.selection import MAX_VAL_SHARE, labels_of

_CLASS_ROWS = 5
_PERCENT = 20


class ExportChoices(QObject):
    """Controls for a :class:`~core.formats.Selection`, as rows of a form."""

    changed = Signal()

    def __init__(self, form: QFormLayout, parent: QObject) -> None:
        super().__init__(parent)
        self._form = form
        texts = {
            Which.NOT_REJECTED.value: tr("All except rejected"),
            Which.ACCEPTED.value: tr("Accepted only"),
            Which.ALL.value: tr("All, including rejected"),
        }
        self.which = Combo(texts, tip=tr("The images to export, by review status."))
        self.score = RealSpin(0.0, 1.0, step=0.05, tip=tr("Boxes with a lower score are left out."))
        self.score.setSpecialValueText(tr("any"))
        self.classes = QListWidget()
        self.classes.setAccessibleName(tr("Classes"))
        self.classes.setSpacing(2)
        style.mark(self.classes, "ticks")
        self.split = QCheckBox(tr("Hold out for validation"))
        share = tr("Share of the images for validation")
        self.percent = Spin(1, round(100 * MAX_VAL_SHARE), name=share, tip=share)
        self.percent.setValue(_PERCENT)
        self.percent.setSuffix(" %")
        self.seed = Spin(
            0, 999_999, name=tr("Seed of the split"), tip=tr("The same seed gives the same split.")
        )
        self._seed_label = plain_label(tr("Seed"))
        self._lay_out()
        for signal in (
            self.which.currentIndexChanged,
            self.score.valueChanged,
            self.classes.itemChanged,
            self.split.toggled,
            self.percent.valueChanged,
        ):
            signal.connect(lambda *_: self.changed.emit())
        self.split.toggled.connect(lambda _: self.allow_split(self.split.isEnabled()))
        self.allow_split(True)

    def selection(self) -> Selection:
        items = [self.classes.item(row) for row in range(self.classes.count())]
        ticked = frozenset(
            item.data(Qt.ItemDataRole.UserRole)
            for item in items
            if item.checkState() is Qt.CheckState.Checked
        )
        return Selection(
            which=Which(self.which.currentData()),
            min_score=self.score.value(),
            classes=None if len(ticked) == len(items) else ticked,
            val_share=self.percent.value() / 100 if self.split.isChecked() else 0.0,
            seed=self.seed.value(),
        )

    def set_images(self, images: Sequence[ImageBoxes]) -> None:
        """The classes to choose from, shown where there are several."""
        labels = labels_of(images)
        for label, boxes in labels.items():
            item = QListWidgetItem(f"{short(label)}  ({number(boxes, ',')})")
            item.setData(Qt.ItemDataRole.UserRole, label)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self.classes.addItem(item)
        rows = min(len(labels), _CLASS_ROWS)
        self.classes.setFixedHeight(rows * (max(self.classes.sizeHintForRow(0), 1) + 4) + 8)
        self._form.setRowVisible(self.classes, len(labels) > 1)

    def allow_split(self, possible: bool) -> None:
        """Whether the files to be written can be kept apart at all."""
        if not possible:
            self.split.setChecked(False)
        self.split.setEnabled(possible)
        for widget in (self.percent, self._seed_label, self.seed):
            widget.setEnabled(possible and self.split.isChecked())

    def _lay_out(self) -> None:
        score, validation = QHBoxLayout(), QHBoxLayout()
        score.addWidget(self.score)
        score.addWidget(plain_label(tr("Boxes you edited are always exported."), "muted"), 1)
        for widget in (self.split, self.percent, self._seed_label, self.seed):
            validation.addWidget(widget)
        validation.addStretch(1)
        self._form.addRow(tr("Images"), self.which)
        self._form.addRow(tr("Minimum score"), score)
        self._form.addRow(tr("Classes"), self.classes)
        self._form.addRow("", validation)
        self._form.setRowVisible(self.classes, False)
