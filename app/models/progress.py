"""How far the work on the open project is: how many images have boxes, and how many were reviewed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.models.image_list import ImageListModel
from app.wiring import follow, one_shot
from core.project.facts import Tally

WAIT_MS = 50


class Progress(QObject):
    """Counted anew a moment after the list has changed, however often it did."""

    changed = Signal()

    def __init__(self, images: ImageListModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._images = images
        self.tally = Tally()
        self._wait = one_shot(self, WAIT_MS, self.count)
        # A count that came with the signal would be taken for milliseconds: 100,000 images, 100 seconds.
        follow(lambda *_: self._wait.start(), images.count_changed, images.dataChanged, images.modelReset)

    def count(self) -> Tally:
        """As it is at this moment."""
        tally = self._images.table.columns.tally()
        if tally != self.tally:
            self.tally = tally
            self.changed.emit()
        return tally
