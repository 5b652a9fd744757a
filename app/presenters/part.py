"""What presenters share: each draws and wires one part of the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, QSignalBlocker
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench

Handlers = dict[str, Callable[..., object]]


class Presenter(QObject):
    """A part of ``window``, and what the actions that belong to it do."""

    def __init__(self, bench: Workbench, window: QWidget) -> None:
        super().__init__(window)
        self._bench, self._session, self._window = bench, bench.session, window
        self._actions: Mapping[str, QAction] = {}

    def handlers(self) -> Handlers:
        return {}

    def set_actions(self, actions: Mapping[str, QAction]) -> None:
        """The window's actions are there from now on."""
        self._actions = actions
        self.update()

    def update(self) -> None:
        """Say which actions make sense now."""

    def _enable(self, wanted: Mapping[str, bool]) -> None:
        for name, on in wanted.items():
            if name in self._actions:
                self._actions[name].setEnabled(on)

    def _check(self, wanted: Mapping[str, bool]) -> None:
        """Tick actions, which then do nothing."""
        for name, on in wanted.items():
            if name in self._actions:
                with QSignalBlocker(self._actions[name]):
                    self._actions[name].setChecked(on)
