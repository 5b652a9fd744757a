"""Six of the person's own images, whose heat maps are followed from the first look to the last."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from app.controllers.job import Controller
from app.models.evidence import HeatMap
from app.models.pictures import read_picture
from app.models.session import Session
from app.pump import Pump
from app.worker import Worker, no_error_once_stopped
from core.project.queries import heat_maps
from core.project.store import Project

COUNT = 6
SIDE = 320  # pixels of a tile's picture


class WatchingController(Controller):
    """Chooses them evenly from all, and has their pictures and newest heat maps."""

    changed = Signal()

    def __init__(self, session: Session, pump: Pump, parent: QObject | None = None) -> None:
        super().__init__(session, pump, parent)
        self.maps: dict[int, HeatMap] = {}
        self.pictures: dict[int, QImage] = {}
        self._reading = self._job("watched")
        self._loader = pump.loader(
            "tiles",
            lambda key: read_picture(key[1], SIDE),
            on_ready=self._on_picture,
            threads=1,
            capacity=4 * COUNT,
            queue_limit=2 * COUNT,
        )
        session.project_changed.connect(self.choose)
        session.images.count_changed.connect(self.choose)
        session.live_map_made.connect(self._on_live_map)

    def choose(self) -> None:
        """Choose anew where other images are there; what is being learned keeps its six."""
        session = self._session
        wanted = tuple(session.images.table.columns.evenly(COUNT))
        there = all(session.images.record(image_id) for image_id in session.watched)
        if wanted == session.watched or (session.is_training and session.watched and there):
            return
        session.watched = wanted
        self.maps = {i: heat for i, heat in self.maps.items() if i in wanted}
        self.pictures = {i: picture for i, picture in self.pictures.items() if i in wanted}
        for record in filter(None, map(session.images.record, wanted)):
            if record.id not in self.pictures:
                self._loader.get((record.id, record.path))
        self.changed.emit()
        self.refresh()

    def refresh(self) -> None:
        """Read the project's heat maps of the six."""
        project, ids = self._session.project, self._session.watched
        if project is not None and ids:
            self._reading.start(lambda worker: _maps(worker, project, ids), on_done=self._on_maps)

    def close(self) -> None:
        self._loader.close()

    def abandon(self) -> None:
        super().abandon()
        self._loader.clear()
        self.maps, self.pictures = {}, {}

    def _on_maps(self, found: dict[int, HeatMap]) -> None:
        if not self._session.is_training:
            self.maps = found
            self.changed.emit()

    def _on_live_map(self, image_id: int) -> None:
        heat_map = self._session.live.map_of(image_id)
        if image_id in self._session.watched and heat_map is not None:
            self.maps[image_id] = heat_map
            self.changed.emit()

    def _on_picture(self, key: tuple[int, Path], picture: QImage | None) -> None:
        if picture is not None and key[0] in self._session.watched:
            self.pictures[key[0]] = picture
            self.changed.emit()


def _maps(worker: Worker, project: Project, ids: tuple[int, ...]) -> dict[int, HeatMap]:
    with no_error_once_stopped(worker):
        return heat_maps(project, ids)
