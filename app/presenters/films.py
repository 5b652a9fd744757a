"""Asks what to take from films that were opened."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.controllers.films import FilmWish
from app.controllers.workbench import Workbench
from app.presenters.part import Presenter
from app.views.film_dialog import FilmDialog


class FilmsPresenter(Presenter):
    """The dialog of :class:`app.controllers.films.FilmsController`."""

    def __init__(self, bench: Workbench, window: QWidget) -> None:
        super().__init__(bench, window)
        bench.films.asked.connect(self._ask)

    def _ask(self, wish: FilmWish) -> None:
        dialog = FilmDialog(wish.films, wish.folder, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._bench.films.take(wish, dialog.folder, dialog.options))
        if wish.others:
            dialog.rejected.connect(lambda: self._bench.open_taken(wish.others, adds=wish.adds))
        dialog.open()
