"""Asks what to take from films that were opened."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.controllers.films import FilmWish
from app.controllers.workbench import Workbench
from app.presenters.part import Presenter
from app.views.film_dialog import FilmDialog


class FilmsPresenter(Presenter):
    """The dialog of :class:`app.controllers.films.FilmsController`."""

    def __init__(self, bench: Workbench, window: QWidget) -> None:
        super().__init__(bench, window)
        # Not from within the tick that brought it: a dialog runs an event loop of its own.
        bench.films.asked.connect(lambda wish: QTimer.singleShot(0, self, lambda: self._ask(wish)))

    def _ask(self, wish: FilmWish) -> None:
        dialog = FilmDialog(wish.films, wish.folder, self._window)
        if dialog.exec() == FilmDialog.DialogCode.Accepted:
            self._bench.films.take(wish, dialog.folder, dialog.options)
        elif wish.others:
            self._bench.open_taken(list(wish.others), adds=wish.adds)
