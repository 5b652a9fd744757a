"""What tests of data sets share: a few drawn photos, a localizer for them, and the data set of both."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.base.config import FeaturesConfig
from core.boxes.options import BoxOptions
from core.boxes.rules import OBJECT_RULE
from core.maps.localizer import Localizer
from core.scale.dataset import DataSet, Found, open_data_set
from core.scale.entries import Rejected
from core.scale.pools import Here, Lost
from core.scale.run import Totals, Wanted, find_boxes

SMALL = FeaturesConfig(image_size=224, sample=12, device="cpu", threads=1)
COUNT, SHARD = 14, 4


@dataclass
class Told:
    """Keeps what a run tells (a :class:`core.scale.run.Watch`); stops once ``most`` images have boxes."""

    most: int = 10**9
    rejected: list[Rejected] = field(default_factory=list)
    done: int = 0
    shares: list[float] = field(default_factory=list)

    def listed(self, images: int) -> None:
        """Of no use here."""

    def left_out(self, rejected: Rejected) -> None:
        self.rejected.append(rejected)

    def learning(self, share: float) -> None:
        self.shares.append(share)

    def found(self, done: int, images: int) -> None:
        self.done = done

    def lost(self, lost: Lost) -> None:
        raise AssertionError(lost)

    def is_enough(self) -> bool:
        return self.done >= self.most


def wanted(photos: Path, folder: Path, localizer: Localizer | None, **changes: Any) -> Wanted:
    """Boxes of ``photos`` into ``folder``, a few images in a shard."""
    asked = Wanted(
        where=str(photos),
        folder=folder,
        options=BoxOptions(OBJECT_RULE),
        config=SMALL,
        localizer=localizer,
        shard=SHARD,
    )
    return replace(asked, **changes)


def made(asked: Wanted, told: Told | None = None) -> tuple[DataSet, Totals]:
    """The data set that was asked for, by this process."""
    told = told or Told()
    totals = find_boxes(asked, Here(), told, is_cancelled=told.is_enough)
    return open_data_set(asked.folder), totals


def by_name(data_set: DataSet) -> dict[str, Found]:
    """Its images by name; each is there once."""
    found = list(data_set.found())
    assert [one.place for one in found] == list(range(len(found)))
    names = {one.image.name: one for one in found}
    assert len(names) == len(found)
    return names
