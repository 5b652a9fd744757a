"""Help > Guide: the user guide of ``docs/``, shown without a network and without leaving the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QImage, QResizeEvent, QTextBlock, QTextDocument
from PySide6.QtWidgets import QDialog, QListWidget, QSplitter, QTextBrowser, QWidget

from app import style
from app.views.layouts import vbox
from core.base.language import tr

_SIZE = (1000, 720)
_CONTENTS_WIDTH = 230


class GuideWindow(QDialog):
    """Chapters on the left, the text beside them; it stays open while a person works."""

    def __init__(self, guide: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Guide"))
        self.resize(*_SIZE)
        self.pages = _Pages()
        self.pages.setAccessibleName(tr("Text of the guide"))
        self.pages.setOpenExternalLinks(True)
        # One that goes and comes while a page is filled would have the page filled again, within itself.
        self.pages.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.pages.document().setDocumentMargin(style.MARGIN)
        self.contents = QListWidget()
        self.contents.setAccessibleName(tr("Chapters of the guide"))
        self.contents.setSpacing(style.SPACING // 2)
        self.contents.currentRowChanged.connect(self._show_chapter)
        self.pages.sourceChanged.connect(lambda _: self._list_chapters())
        halves = QSplitter(Qt.Orientation.Horizontal)
        halves.addWidget(self.contents)
        halves.addWidget(self.pages)
        halves.setSizes([_CONTENTS_WIDTH, self.width() - _CONTENTS_WIDTH])
        halves.setStretchFactor(1, 1)
        vbox(halves, on=self, margins=style.MARGIN)
        if guide.is_file():
            self.pages.setSource(QUrl.fromLocalFile(str(guide)))
        else:
            self.pages.setPlainText(
                tr("The guide is not part of this installation: {path}").format(path=guide)
            )

    def _list_chapters(self) -> None:
        self.contents.clear()
        self.contents.addItems([block.text() for block in self._headings()])

    def _headings(self) -> list[QTextBlock]:
        document = self.pages.document()
        blocks = (document.findBlockByNumber(i) for i in range(document.blockCount()))
        return [block for block in blocks if 1 <= block.blockFormat().headingLevel() <= 2]

    def _show_chapter(self, row: int) -> None:
        if row >= 0:
            heading = self._headings()[row]
            top = self.pages.document().documentLayout().blockBoundingRect(heading).top()
            self.pages.verticalScrollBar().setValue(int(top))


class _Pages(QTextBrowser):
    """A browser that shows pictures no wider than itself."""

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        loaded = super().loadResource(kind, name)
        if kind != QTextDocument.ResourceType.ImageResource.value:
            return loaded
        image = QImage.fromData(loaded) if loaded is not None else QImage()
        room = self.viewport().width() - 2 * style.MARGIN - 2 * int(self.document().documentMargin())
        if image.isNull() or image.width() <= room:
            return image
        ratio = self.devicePixelRatioF()
        image = image.scaledToWidth(int(room * ratio), Qt.TransformationMode.SmoothTransformation)
        image.setDevicePixelRatio(ratio)
        return image

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width() and self.source().isValid():
            bar = self.verticalScrollBar()
            share = bar.value() / max(bar.maximum(), 1)
            self.reload()  # pictures are asked for again, in their new width
            bar.setValue(round(share * bar.maximum()))
