"""What is known of the image in view, as values: its pixels, and what the project holds of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from core.base.annotations import BoxRecord
from core.boxes.classes import ClassMap
from core.boxes.options import BoxOptions
from core.boxes.prior import Prior
from core.images.colours import Levels
from core.images.exif import NOT_SAID, Taken
from core.project.rows import Kept
from core.project.survey import Survey

HeatMap = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Picture:
    """The pixels of one image as shown, or the reason why there are none.

    ``width`` and ``height`` are the size of the image itself; ``image`` may be smaller. ``levels`` are its
    grey values where the file has more than 8 bits. ``taken`` is when and where the photo was taken.
    """

    image: QImage | None
    width: int = 0
    height: int = 0
    truncated: bool = False
    reason: str = ""
    levels: Levels | None = None
    taken: Taken = NOT_SAID


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the project holds of one image, and of all of them together.

    ``framing`` is the image's row of :func:`core.nets.framing.framings`, where its network knew.
    ``classes`` are those of the heat map's cells, where classes were learned.
    ``outdated`` says that the heat map was made by another network, unit or read-out than the newest ones.
    """

    heat_map: HeatMap | None
    kept: Kept
    survey: Survey | None = None
    outdated: bool = False
    truth: tuple[BoxRecord, ...] = ()
    framing: npt.NDArray[np.float64] | None = None
    classes: ClassMap | None = None

    @property
    def prior(self) -> Prior | None:
        """What maps like this one have in common."""
        return None if self.survey is None or self.outdated else self.survey.prior


class LiveMaps:
    """Heat maps by what is just being learned, by image id; the newest so many are kept while browsing."""

    MOST = 256

    def __init__(self) -> None:
        self._maps: OrderedDict[int, tuple[int, HeatMap]] = OrderedDict()

    def put(self, image_id: int, step: int, heat_map: HeatMap) -> None:
        """Keep the map of an image by what was learned at ``step``."""
        self._maps[image_id] = (step, heat_map)
        self._maps.move_to_end(image_id)
        while len(self._maps) > self.MOST:
            self._maps.popitem(last=False)

    def map_of(self, image_id: int | None) -> HeatMap | None:
        """The map of an image; None where there is none."""
        return None if (found := self._maps.get(image_id or 0)) is None else found[1]

    def maps_of(self, ids: Sequence[int]) -> dict[int, HeatMap]:
        """Those that are at hand, by image id."""
        return {image_id: self._maps[image_id][1] for image_id in ids if image_id in self._maps}

    def step_of(self, image_id: int) -> int | None:
        return None if (found := self._maps.get(image_id)) is None else found[0]

    def clear(self) -> None:
        self._maps.clear()


def boxes_in(
    heat_map: HeatMap,
    options: BoxOptions,
    *,
    size: tuple[int, int],
    image_id: int,
    evidence: Evidence | None = None,
) -> tuple[BoxRecord, ...]:
    """The boxes that a heat map has by ``options``; one in training without ``evidence``.

    The heat of a network in training is not that of the project's maps: another level, no prior yet.
    """
    if evidence is None:
        return options.boxes_of(heat_map, size, image_id=image_id)
    return options.boxes_of(
        heat_map,
        size,
        image_id=image_id,
        prior=evidence.prior,
        framing=evidence.framing,
        classes=evidence.classes,
    )
