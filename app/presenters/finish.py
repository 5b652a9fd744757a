"""Tell a person who does something else meanwhile that the boxes are ready."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from app import paths
from app.controllers.workbench import Workbench
from app.presenters.part import Presenter
from core.base.language import trn
from core.project.verdict import nothing_found


class FinishPresenter(Presenter):
    """A notification of the desktop where it has any, and the window's entry asks for attention."""

    def __init__(self, bench: Workbench, window: QWidget) -> None:
        super().__init__(bench, window)
        self.told = ""
        """What the desktop was last asked to show."""
        self._icon: QSystemTrayIcon | None = None
        bench.localization.boxes_found.connect(self._tell)

    def _tell(self, found: int) -> None:
        window = self._window
        if window.isActiveWindow():
            return
        self.told = trn("{count:,} image has its box.", "{count:,} images have their boxes.", found)
        if not found:
            outcome = self._session.results.outcome
            self.told = nothing_found(outcome.kept if outcome else 0)
        QApplication.alert(window)
        if QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages():
            self._notify(window)

    def _notify(self, window: QWidget) -> None:
        if self._icon is None:
            self._icon = QSystemTrayIcon(window.windowIcon(), window)
            self._icon.messageClicked.connect(window.activateWindow)
            self._icon.messageClicked.connect(self._icon.hide)
        self._icon.show()  # without an icon of its own there is no message
        self._icon.showMessage(paths.APP, self.told)
