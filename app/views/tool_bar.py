"""The commands below the menu, with their names where there is room for all."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QToolBar

from app import style
from core.base.language import tr

GROUPS = (
    ("open_folder",),
    ("previous", "next"),
    ("draw", "undo", "redo"),
    ("accept", "reject"),
    ("review_boxes", "export"),
)
_NAMED = Qt.ToolButtonStyle.ToolButtonTextBesideIcon


class ToolBar(QToolBar):
    """Icons stay; names go where a command would otherwise be out of sight."""

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__(tr("Tools"))
        self.setObjectName("tools")
        self.setMovable(False)
        self.setToolButtonStyle(_NAMED)
        self.setIconSize(QSize(style.ICON_SIZE, style.ICON_SIZE))
        for group in GROUPS:
            if group is not GROUPS[0]:
                self.addSeparator()
            self.addActions([actions[name] for name in group])
        self._named_width = 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.toolButtonStyle() == _NAMED:
            self._named_width = self.sizeHint().width()
        fits = self.width() >= self._named_width
        self.setToolButtonStyle(_NAMED if fits else Qt.ToolButtonStyle.ToolButtonIconOnly)
