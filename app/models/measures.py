"""What the truth says of the boxes, where the project has one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from core.project.found_truth import FoundTruth
from core.project.measure import FolderCurve, Standing


class Measures(QObject):
    """The newest measurement; its controller changes it, views are told. ``standing`` None: no truth."""

    changed = Signal()
    offer_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.standing: Standing | None = None
        self.curve: FolderCurve | None = None
        self.offer: FoundTruth | None = None

    def set_offer(self, offer: FoundTruth | None) -> None:
        """True boxes that the person may want to use."""
        if offer is not self.offer:
            self.offer = offer
            self.offer_changed.emit()

    def set_standing(self, standing: Standing | None) -> None:
        """Without one there is no curve either."""
        self.standing = standing
        if standing is None:
            self.curve = None
        self.changed.emit()

    def set_curve(self, curve: FolderCurve | None) -> None:
        self.curve = curve
        self.changed.emit()
