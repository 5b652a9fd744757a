"""The recent projects on the first page: what is in each is read in a thread, and shown once it is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from app import paths
from app.models.pictures import read_picture
from app.pump import Pump
from app.views.welcome import WelcomePage
from app.worker import Worker
from core.project.summary import Summary, summary_of

SIDE = 128  # pixels of the pictures


class RecentPresenter(QObject):
    """Fills the list whenever the first page is shown."""

    def __init__(self, pump: Pump, page: WelcomePage) -> None:
        super().__init__(page)
        self._pump, self._page = pump, page
        self._worker: Worker | None = None

    def show(self) -> None:
        listed = paths.recent_projects()
        self._page.set_recent(listed)
        self._pump.abandon(self._worker)
        self._worker = None
        if listed:
            self._worker = self._pump.run(
                "recent", lambda worker: _read(worker, listed), on_items=self._on_read
            )

    def _on_read(self, found: list[tuple[Path, Summary, QImage | None]]) -> None:
        rows = {row.path: row for row in self._page.recent_rows}
        for path, summary, picture in found:
            if path in rows:
                rows[path].set_facts(summary.folder, summary.images, summary.reviewed, picture)


def _read(worker: Worker, listed: Sequence[Path]) -> None:
    for path in listed:
        if worker.stopping:
            return
        summary = summary_of(path)
        if summary is not None:
            picture = None if summary.picture is None else read_picture(summary.picture, SIDE)
            worker.put((path, summary, picture))
