"""One recent project on the first page: a picture, its name, its folder, and how far the work is."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPixmap
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from app import paths, style
from app.views.controls import HintLabel, named, push_button
from app.views.layouts import STRETCH, hbox, vbox
from core.base.language import number, tr, trn

PICTURE = QSize(56, 40)


class RecentRow(QFrame):
    """A click anywhere on it, or Enter on its name, opens the project."""

    chosen = Signal(str)

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = path
        style.mark(self, "row")
        self.picture = QLabel()
        self.picture.setFixedSize(PICTURE)
        style.mark(self.picture, "picture")
        title = style.without_mnemonic(paths.title(path))
        self.button = push_button(title, lambda: self.chosen.emit(str(path)), role="link")
        self.button.setAutoDefault(True)  # Enter follows it, as the space bar does
        named(self.button, str(path), "")
        self.folder = HintLabel(str(path.parent), Qt.TextElideMode.ElideMiddle)
        self.facts = HintLabel("")
        first = hbox(self.button, STRETCH)
        second = hbox((self.folder, 1), self.facts, spacing=style.SPACING, margins=(7, 0, 0, 0))
        lines = vbox(first, second, spacing=0)
        margins = (style.GAP, style.GAP, style.SPACING, style.GAP)
        hbox(self.picture, (lines, 1), on=self, spacing=style.GAP, margins=margins)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_facts(self, folder: Path | None, images: int, reviewed: int, picture: QImage | None) -> None:
        """What is in the project; None leaves the project file's folder, or no picture."""
        if folder is not None:
            self.folder.setText(str(folder))
        text = trn("{count:,} image", "{count:,} images", images)
        self.facts.setText(
            tr("{images}, {reviewed} reviewed").format(images=text, reviewed=number(reviewed, ","))
        )
        self.facts.updateGeometry()
        if picture is not None:
            self.picture.setPixmap(_filled(picture, PICTURE, self.devicePixelRatioF()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.button.click()


def _filled(picture: QImage, size: QSize, ratio: float) -> QPixmap:
    """The middle of ``picture``, which fills ``size``."""
    wanted = size * ratio
    scaled = picture.scaled(
        wanted, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    middle = QRect(
        (scaled.width() - wanted.width()) // 2,
        (scaled.height() - wanted.height()) // 2,
        wanted.width(),
        wanted.height(),
    )
    pixmap = QPixmap.fromImage(scaled.copy(middle))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
