"""Three images with their boxes before and after, side by side, and which of the two it shall be."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QSizePolicy, QWidget

from app import style
from app.models.results import Pair
from app.views.canvas_paint import draw_boxes, draw_image
from app.views.controls import plain_label, push_button
from app.views.layouts import STRETCH, hbox, vbox
from app.views.viewport import Viewport
from core.base.annotations import BoxRecord
from core.base.language import tr

_SIZE = QSize(360, 190)
_WHOLE = QSize(760, 740)
_LEAST = QSize(220, 120)


class BoxPicture(QWidget):
    """One image with boxes, as large as there is room; a frame where its file cannot be read."""

    def __init__(
        self, picture: QImage | None, size: tuple[int, int], boxes: Sequence[BoxRecord], name: str
    ) -> None:
        super().__init__()
        self._picture, self._size, self._boxes = picture, size, boxes
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(_LEAST)
        self.setAccessibleName(name)

    def sizeHint(self) -> QSize:
        return _SIZE

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(style.colours().canvas))
        width, height = self._size
        if self._picture is not None and width and height:
            view = Viewport(width, height, self.width(), self.height()).fit()
            draw_image(painter, view, self._picture, smooth=True)
            draw_boxes(painter, view, self._boxes)
        painter.end()


class CompareDialog(QDialog):
    """Closed without an answer it has decided nothing."""

    used = Signal()
    kept = Signal()

    def __init__(self, pairs: Sequence[Pair], sentence: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Before and after"))
        self.sentence = plain_label(sentence, wrap=True)
        self.pictures: list[tuple[BoxPicture, BoxPicture]] = []
        note = plain_label(
            tr("The images whose boxes change most. Reviewed images keep theirs, and Undo takes it back."),
            "muted",
            wrap=True,
        )
        self.use_button = push_button(tr("Use these boxes"), self.used.emit, role="primary")
        self.keep_button = push_button(tr("Keep mine"), self.kept.emit)
        for button in (self.use_button, self.keep_button):
            button.setAutoDefault(False)  # who reviews by keys may still be pressing some
        buttons = hbox(STRETCH, self.keep_button, self.use_button, spacing=style.SPACING)
        parts = self.sentence, (self._grid(pairs), 1), note, buttons
        vbox(*parts, on=self, margins=2 * style.MARGIN, spacing=style.MARGIN)
        room = _WHOLE if parent is None else parent.size() - QSize(4, 4) * style.MARGIN
        self.resize(_WHOLE.boundedTo(room))

    def _grid(self, pairs: Sequence[Pair]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(style.SPACING)
        grid.setVerticalSpacing(style.GAP)
        for column, title in enumerate((tr("Before"), tr("After"))):
            grid.addWidget(plain_label(title, "muted"), 0, column, Qt.AlignmentFlag.AlignHCenter)
        for row, pair in enumerate(pairs):
            change = pair.change
            size = change.image.width, change.image.height
            name = change.image.name
            before = BoxPicture(pair.picture, size, change.before, tr("{name}: before").format(name=name))
            after = BoxPicture(pair.picture, size, change.after, tr("{name}: after").format(name=name))
            self.pictures.append((before, after))
            for column, shown in enumerate((before, after)):
                shown.setToolTip(name)
                grid.addWidget(shown, row + 1, column)
            grid.setRowStretch(row + 1, 1)
        return grid
