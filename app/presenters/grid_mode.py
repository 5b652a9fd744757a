"""All images as a grid, in place of the one in view."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.presenters.mode import Mode
from app.views.image_grid import ImageGrid
from app.views.image_list_view import ImageListView


class GridMode(Mode):
    """Draws and wires the grid; its rows and its selection are those of the list."""

    action = "grid"

    def __init__(
        self,
        bench: Workbench,
        grid: ImageGrid,
        images: ImageListView,
        others: Sequence[QWidget],
        window: QWidget,
    ) -> None:
        super().__init__(bench, others, window)
        self._grid, self._button = grid, images.browse_bar.grid_button
        grid.opened.connect(lambda: self.set_on(False))
        grid.menu_asked.connect(images.menu_asked)
        images.browse_bar.grid_toggled.connect(self.set_on)
        grid.hide()

    def show_own(self, on: bool) -> None:
        self._grid.set_shown(on)
        with QSignalBlocker(self._button):
            self._button.setChecked(on)
