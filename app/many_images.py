"""Wires the image list to the workbench: filter, order, selection, and commands for many images."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.views.accept_dialog import AcceptDialog
from app.views.image_list_view import ImageListView


class ManyImages(QObject):
    """The part of the window that is about its list."""

    def __init__(self, bench: Workbench, images: ImageListView, window: QWidget) -> None:
        super().__init__(window)
        self._bench, self._images, self._window = bench, images, window

    def handlers(self) -> dict[str, Callable[..., None]]:
        """What the list's actions do, by their ids."""
        return {
            "find_image": self._find_image,
            "select_all": self._images.select_all,
            "select_one": self._images.select_one,
            "accept_above": self._accept_above,
        }

    def connect(self) -> None:
        session, images = self._bench.session, self._images
        images.browse_changed.connect(lambda browse: session.change_view(browse=browse))
        images.selection_changed.connect(session.set_selection)
        images.rows_in_view_changed.connect(session.set_rows_in_view)
        images.selection_bar.status_chosen.connect(self._bench.review.mark)
        session.view_changed.connect(lambda: images.set_browse(session.view.browse))

    def _find_image(self) -> None:
        self._images.show()
        self._images.name_filter.setFocus()
        self._images.name_filter.selectAll()

    def _accept_above(self) -> None:
        dialog = AcceptDialog(self._bench.review.scores(), self._window)
        if dialog.exec() == AcceptDialog.DialogCode.Accepted:
            self._bench.review.accept_above(dialog.score)
        dialog.deleteLater()
