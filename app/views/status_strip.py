"""The status bar: what is under way on the left, what is in view on the right."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QStatusBar, QWidget

from app.models.training import Activity
from app.views.controls import plain_label, push_button
from app.wiring import one_shot
from core.base.annotations import BoxRecord
from core.base.language import number, tr, trn
from core.images.exif import NOT_SAID, Taken

NOTICE_MS = 8000


class StatusStrip(QStatusBar):
    """Plain labels only: a file's name is never markup."""

    stop_requested = Signal()
    problems_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.text = plain_label()
        self.bar = QProgressBar()
        self.bar.setFixedWidth(140)
        self.bar.setTextVisible(False)
        self.stop = push_button(tr("Stop"), self.stop_requested.emit, role="link")
        self.problems = push_button(
            "", self.problems_requested.emit, icon="warning", tint="warning", role="link"
        )
        self.problems.setObjectName("problems_button")
        self.position, self.box, self.image_size, self.taken = (plain_label(role="muted") for _ in range(4))
        self.reviewed = plain_label()
        for widget in (self.text, self.bar, self.stop):
            self.addWidget(widget)
        for widget in (self.problems, self.reviewed, self.position, self.box, self.image_size, self.taken):
            self.addPermanentWidget(widget)
        self._notice = one_shot(self, NOTICE_MS, self._show_text)
        self._said = self._box = self._drag = ""
        self._activity: Activity | None = None
        self.set_activity(None)
        self.set_problems(0)
        self.set_taken(NOT_SAID)

    def set_activity(self, activity: Activity | None) -> None:
        """Show a job and how far it is; None when there is none."""
        self._activity = activity
        self.bar.setVisible(activity is not None)
        self.stop.setVisible(activity is not None and activity.can_stop)
        if activity is not None:
            self._notice.stop()
            self.bar.setRange(0, activity.total)
            self.bar.setValue(activity.done)
        self._show_text()

    def say(self, text: str) -> None:
        """Show a notice for a while; a job under way comes first."""
        self._said = text
        self._notice.start()
        self._show_text()

    def set_problems(self, unusable: int, damaged: int = 0, *, away: int = 0) -> None:
        """How many folders are away, else how many files could not be used, else how many only in part; the
        button opens the list of all."""
        texts = (
            (away, trn("{count} folder is missing", "{count} folders are missing", away)),
            (unusable, trn("{count} file could not be used", "{count} files could not be used", unusable)),
            (damaged, trn("{count} file is damaged", "{count} files are damaged", damaged)),
        )
        told = next((text for count, text in texts if count), "")
        self.problems.setText(told)
        self.problems.setVisible(bool(told))

    def set_reviewed(self, reviewed: int, images: int) -> None:
        """How many of the images that can be used a person has reviewed; nothing where there are none."""
        text = tr("{0} of {1} reviewed").format(number(reviewed, ","), number(images, ","))
        self.reviewed.setText(text if images else "")

    def set_cursor(self, position: tuple[int, int] | None) -> None:
        self.position.setText("" if position is None else f"{position[0]}, {position[1]}")

    def set_size(self, size: tuple[int, int] | None, *, truncated: bool = False) -> None:
        text = "" if size is None else tr("{0} × {1} px").format(*size)
        self.image_size.setText(tr("{0}, damaged").format(text) if text and truncated else text)

    def set_taken(self, taken: Taken) -> None:
        """When the photo was taken, to the minute; where, under the mouse."""
        text = taken.shown[:16]
        lines = [tr("Taken {0}").format(taken.shown)] if taken.time else []
        if taken.position is not None:
            place = ", ".join(number(degrees, ".5f") for degrees in taken.position)
            lines.append(tr("GPS position {0}. Exported only if you ask for it.").format(place))
            text = tr("{0}  GPS").format(text).strip()
        self.taken.setText(text)
        self.taken.setToolTip("\n".join(lines))
        self.taken.setVisible(bool(lines))

    def set_drag(self, size: tuple[int, int] | None) -> None:
        """Width and height of the box under the mouse; None when it is let go."""
        self._drag = "" if size is None else tr("{0} × {1} px").format(*size)
        self.box.setText(self._drag or self._box)

    def set_boxes(self, boxes: tuple[BoxRecord, ...], selected: int | None = None) -> None:
        """The corners of the selected box, else of the first, in whole pixels, and its score."""
        self._box = self._sides(boxes[min(selected or 0, len(boxes) - 1)]) if boxes else ""
        self.box.setText(self._drag or self._box)

    def _sides(self, record: BoxRecord) -> str:
        box = record.box
        text = tr("Box {0:.0f}, {1:.0f} – {2:.0f}, {3:.0f}").format(box.x0, box.y0, box.x1, box.y1)
        if record.score is not None:
            text += tr("  score {0:.2f}").format(record.score)
        return text

    def _show_text(self) -> None:
        if self._activity is not None:
            self.text.setText(self._activity.text)
        else:
            self.text.setText(self._said if self._notice.isActive() else "")
