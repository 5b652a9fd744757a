"""The first page: what to do, in three lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

import resources
from app import style
from app.views.controls import plain_label, push_button
from app.views.layouts import STRETCH, clear_layout, hbox, vbox
from app.views.recent_row import RecentRow
from core.base.language import tr

_WIDTH = 560
_SHOWN_RECENT = 5


class WelcomePage(QWidget):
    """A large place to drop a folder on, three buttons, and the recent projects."""

    open_folder_requested = Signal()
    open_images_requested = Signal()
    sample_requested = Signal()
    recent_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drag = False
        self.setAccessibleName(tr("Welcome"))
        self._target = QWidget(self)
        self._target.setMaximumWidth(_WIDTH)
        self._fill_target()
        self._recent = QWidget(self)
        self._recent.setMaximumWidth(_WIDTH)
        self._recent_rows = QVBoxLayout(self._recent)
        self._recent_rows.setContentsMargins(0, 0, 0, 0)
        self._recent_rows.setSpacing(style.GAP)
        column = vbox((STRETCH, 2), on=self, margins=(32, 24, 32, 24), spacing=20)
        for widget in (self._target, self._recent):
            row = QHBoxLayout()
            row.addStretch(1)
            row.addWidget(widget, 100)
            row.addStretch(1)
            column.addLayout(row)
        column.addStretch(3)
        self.set_recent([])

    def set_recent(self, paths: Sequence[Path]) -> None:
        """List the newest of these project files, newest first."""
        clear_layout(self._recent_rows)
        self._recent.setVisible(bool(paths))
        if paths:
            self._recent_rows.addWidget(plain_label(tr("Recent projects"), "title"))
        self.recent_rows = [RecentRow(path, self._recent) for path in list(paths)[:_SHOWN_RECENT]]
        for row in self.recent_rows:
            row.chosen.connect(self.recent_chosen)
            self._recent_rows.addWidget(row)

    def set_drag_active(self, active: bool) -> None:
        """Show that what is being dragged would be taken."""
        if active != self._drag:
            self._drag = active
            self.update()

    def _fill_target(self) -> None:
        title = plain_label(tr("Drop a folder of photos here"), "hero")
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        title.setWordWrap(True)
        steps = QGridLayout()
        steps.setHorizontalSpacing(style.MARGIN)
        steps.setVerticalSpacing(6)
        steps.setColumnStretch(0, 1)
        steps.setColumnStretch(3, 1)
        for number, text in enumerate(
            (
                tr("Drop photos of one kind of object. No label of yours is needed."),
                tr("Press Find objects. Boxes appear on all photos."),
                tr("Review the boxes, the least sure first, and export them."),
            ),
            start=1,
        ):
            steps.addWidget(plain_label(str(number), "muted"), number, 1)
            steps.addWidget(plain_label(text, "muted"), number, 2)
        vbox(
            (self._logo(), 0, Qt.AlignmentFlag.AlignHCenter),
            title,
            style.GAP,
            steps,
            style.MARGIN,
            self._buttons(),
            on=self._target,
            margins=(36, 32, 36, 32),
            spacing=style.SPACING,
        )

    def _logo(self) -> QLabel:
        logo = QLabel()
        icon = QIcon(str(resources.path("icons/boxscout.svg")))
        logo.setPixmap(icon.pixmap(QSize(56, 56), self.devicePixelRatioF()))
        return logo

    def _buttons(self) -> QHBoxLayout:
        ask_folder, ask_images = self.open_folder_requested.emit, self.open_images_requested.emit
        self.folder_button = push_button(
            tr("Open folder…"), ask_folder, icon="folder", tint="on_accent", role="primary"
        )
        self.images_button = push_button(tr("Open images…"), ask_images, icon="images")
        tip = tr("Creates a folder of example images and opens it.")
        self.sample_button = push_button(
            tr("Try the sample"), self.sample_requested.emit, icon="sample", tip=tip
        )
        buttons = self.folder_button, self.images_button, self.sample_button
        return hbox(STRETCH, *buttons, STRETCH, spacing=style.SPACING)

    def paintEvent(self, event: QPaintEvent) -> None:
        c = style.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(c.accent if self._drag else c.faint)
        pen = QPen(colour, 2.0 if self._drag else 1.5, Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        fill = QColor(c.accent)
        fill.setAlpha(28 if self._drag else 0)
        painter.setBrush(fill if self._drag else QColor(c.base))
        painter.drawRoundedRect(QRectF(self._target.geometry()).adjusted(1, 1, -1, -1), 12, 12)
