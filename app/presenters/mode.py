"""Ways to look at the project that put most of the window out of the way."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.presenters.part import Handlers, Presenter


class Mode(Presenter):
    """While it is on, ``others`` are hidden; what of them was in sight comes back with its end.

    ``action`` is the id of its action, which is checked while it is on.
    """

    action = ""
    changed = Signal(bool)

    def __init__(self, bench: Workbench, others: Sequence[QWidget], window: QWidget) -> None:
        super().__init__(bench, window)
        self.is_on = False
        self._others = others
        self._hidden: list[QWidget] = []
        self._session.project_changed.connect(self.update)

    def handlers(self) -> Handlers:
        return {self.action: self.set_on}

    def set_on(self, on: bool) -> None:
        if on == self.is_on:
            return
        self.is_on = on
        if on:
            self._hidden = [one for one in self._others if not one.isHidden()]
        for one in self._hidden:
            one.setVisible(not on)
        self.show_own(on)
        self._check({self.action: on})
        self.changed.emit(on)

    def give_way(self, on: bool) -> None:
        """End where another mode is ``on`` now."""
        if on:
            self.set_on(False)

    def show_own(self, on: bool) -> None:
        """Show what there is in place of the others, or hide it."""

    def update(self) -> None:
        is_open = self._session.project is not None
        if not is_open:
            self.set_on(False)
        self._enable({self.action: is_open})
