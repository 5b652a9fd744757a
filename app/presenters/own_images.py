"""Draw six of the person's own images with their heat maps, and bring a clicked one into view."""

from __future__ import annotations

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from app.controllers.workbench import Workbench
from app.models.evidence import HeatMap
from app.models.pictures import to_qimage
from app.presenters.part import Presenter
from app.views.own_images import OwnImages, Tile
from app.wiring import follow, one_shot
from core.boxes.rules import RULES
from core.maps.colouring import colourize

WAIT_MS = 30
HEAT_SIDE = 96  # pixels: heat maps are no finer


class OwnImagesPresenter(Presenter):
    """Draws them a moment after something has changed: maps of all six arrive together."""

    def __init__(self, bench: Workbench, view: OwnImages, window: QWidget) -> None:
        super().__init__(bench, window)
        self._view = view
        self._drawn: dict[int, tuple[HeatMap, str, QImage]] = {}
        wait = one_shot(self, WAIT_MS, self._show)
        follow(wait.start, bench.watching.changed, self._session.view_changed, self._session.project_changed)
        view.chosen.connect(self._session.select)

    def _show(self) -> None:
        watching = self._bench.watching
        self._drawn = {i: drawn for i, drawn in self._drawn.items() if i in watching.maps}
        tiles = [Tile(i, watching.pictures.get(i), self._heat(i)) for i in self._session.watched]
        self._view.set_tiles(tiles)

    def _heat(self, image_id: int) -> QImage | None:
        heat_map, view = self._bench.watching.maps.get(image_id), self._session.view
        if heat_map is None:
            return None
        how = f"{view.colour_map} {RULES[view.rule].absolute}"
        known = self._drawn.get(image_id)
        if known is None or known[0] is not heat_map or known[1] != how:
            pixels = colourize(
                heat_map,
                width=HEAT_SIDE,
                height=HEAT_SIDE,
                colour_map=view.colour_map,
                absolute=RULES[view.rule].absolute,
                fades=True,
            )
            known = self._drawn[image_id] = (heat_map, how, to_qimage(pixels))
        return known[2]
